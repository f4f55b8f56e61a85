//go:build linux

package main

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
)

func TestKeysAreNamedAsRedisBenchmarkDoes(t *testing.T) {
	for number, want := range map[int]string{0: "key:000000000000", 1234: "key:000000001234", 999_999_999_999: "key:999999999999"} {
		if got := string(appendKey(nil, number)); got != want {
			t.Errorf("key %d is %q, want %q", number, got, want)
		}
	}
}

func TestSendSets(t *testing.T) {
	var out bytes.Buffer
	if err := sendSets(&out, 9, 11, 3); err != nil {
		t.Fatal(err)
	}
	want := "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000009\r\n$3\r\nvvv\r\n" +
		"*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000010\r\n$3\r\nvvv\r\n"
	if out.String() != want {
		t.Errorf("got %q", out.String())
	}
}

func TestCheckOKs(t *testing.T) {
	if err := checkOKs(strings.NewReader("+OK\r\n+OK\r\n"), 2); err != nil {
		t.Error(err)
	}
	err := checkOKs(strings.NewReader("+OK\r\n-OOM command not allowed\r\n"), 2)
	if err == nil || !strings.Contains(err.Error(), "OOM command") {
		t.Errorf("a refused SET gives %v", err)
	}
	if err := checkOKs(strings.NewReader("+OK\r\n+O"), 2); err == nil {
		t.Error("a reply cut short is accepted")
	}
}

func TestReadReply(t *testing.T) {
	for wire, want := range map[string]string{"+PONG\r\n": "+PONG", ":12\r\n": ":12", "$5\r\na\r\nbc\r\n": "a\r\nbc", "$0\r\n\r\n": ""} {
		if got, err := readReply(bufio.NewReader(strings.NewReader(wire))); err != nil || got != want {
			t.Errorf("%q gives %q, %v", wire, got, err)
		}
	}
	for _, bad := range []string{"", "\r\n", "+PONG", "-ERR no\r\n", "$-1\r\n", "$x\r\n", "$9\r\nabc", "$99999999999\r\n"} {
		if got, err := readReply(bufio.NewReader(strings.NewReader(bad))); err == nil {
			t.Errorf("%q gives %q", bad, got)
		}
	}
}

func FuzzReadReply(f *testing.F) {
	for _, seed := range []string{"+OK\r\n", "-ERR no\r\n", ":1\r\n", "$3\r\nabc\r\n", "$-1\r\n", "$1048577\r\n", "\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		if got, err := readReply(bufio.NewReader(bytes.NewReader(wire))); err == nil && len(got) > len(wire) {
			t.Errorf("%q gives the longer %q", wire, got)
		}
	})
}
