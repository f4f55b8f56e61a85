//go:build linux

package main

import (
	"os"
	"slices"
	"testing"
	"time"
)

func TestParseSchedstat(t *testing.T) {
	got, err := parseSchedstat("644337 63398 2\n")
	if err != nil || got != 644337*time.Nanosecond {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"", "1 2", "1 2 3 4", "x 2 3", "-1 2 3", "99999999999999999999 2 3"} {
		if got, err := parseSchedstat(bad); err == nil {
			t.Errorf("%q gives %v", bad, got)
		}
	}
}

func FuzzParseSchedstat(f *testing.F) {
	f.Add("644337 63398 2\n")
	f.Add("0 0 0")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := parseSchedstat(text); got < 0 || err != nil && got != 0 {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestParseResident(t *testing.T) {
	got, err := parseResident("Name:\tredis-server\nVmHWM:\t  9000 kB\nVmRSS:\t  8192 kB\nRssAnon:\t 100 kB\n")
	if err != nil || got != 8<<20 {
		t.Errorf("got %d, %v", got, err)
	}
	for _, bad := range []string{"", "VmRSS:", "VmRSS: many kB", "VmRSS: 8192 MB"} {
		if got, err := parseResident(bad); err == nil {
			t.Errorf("%q gives %d", bad, got)
		}
	}
}

func TestParseCPUList(t *testing.T) {
	got, err := parseCPUList("0-2,5,8-9")
	if want := []int{0, 1, 2, 5, 8, 9}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{"", "a", "1-", "-1", "3-1", "1,,2", "0-999999999"} {
		if got, err := parseCPUList(bad); err == nil {
			t.Errorf("%q gives %v", bad, got)
		}
	}
}

func TestChoosePairAvoidsSiblings(t *testing.T) {
	hyperthreads := func(cpu int) []int { return []int{cpu &^ 1, cpu | 1} }
	for _, test := range []struct {
		allowed []int
		want    CPUs
	}{
		{[]int{0, 1, 2, 3}, CPUs{0, 2}},
		{[]int{1, 2}, CPUs{1, 2}},
		{[]int{0, 1}, CPUs{0, 1}},
		{[]int{3}, CPUs{3, 3}},
	} {
		if got := choosePair(test.allowed, hyperthreads); got != test.want {
			t.Errorf("of %v: got %v, want %v", test.allowed, got, test.want)
		}
	}
}

func TestOwnAccounts(t *testing.T) {
	if used, err := CPUTime(os.Getpid()); err != nil || used <= 0 {
		t.Errorf("CPU time %v, %v", used, err)
	}
	if resident, err := ResidentBytes(os.Getpid()); err != nil || resident <= 0 {
		t.Errorf("resident %d, %v", resident, err)
	}
	if _, err := CPUTime(-1); err == nil {
		t.Error("a process that is not there has CPU time")
	}
}
