//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CPUs names the core of a pinned server and that of its client. They are the same where only
// one is allowed.
type CPUs struct{ Server, Client int }

// PickCPUs chooses two cores among those this process may use, which do not share a physical core
// where that can be had.
func PickCPUs() (CPUs, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return CPUs{}, err
	}
	allowed, err := parseCPUList(field(string(status), "Cpus_allowed_list:"))
	if err != nil {
		return CPUs{}, err
	}
	return choosePair(allowed, siblings), nil
}

// choosePair takes the first core for the server, and for the client the next one that is no
// sibling of it, or simply the next.
func choosePair(allowed []int, siblings func(cpu int) []int) CPUs {
	server, others := allowed[0], allowed[1:]
	if len(others) == 0 {
		return CPUs{server, server}
	}
	near := siblings(server)
	i := slices.IndexFunc(others, func(cpu int) bool { return !slices.Contains(near, cpu) })
	return CPUs{server, others[max(i, 0)]}
}

// siblings returns the logical cores on the same physical core, none if that is not known.
func siblings(cpu int) []int {
	text, err := os.ReadFile(fmt.Sprintf("/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu))
	if err != nil {
		return nil
	}
	list, _ := parseCPUList(strings.TrimSpace(string(text)))
	return list
}

// parseCPUList reads the kernel's notation for sets of cores, as in 0-3,8.
func parseCPUList(text string) ([]int, error) {
	var cpus []int
	for part := range strings.SplitSeq(text, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		from, err1 := strconv.Atoi(low)
		to, err2 := strconv.Atoi(high)
		if err1 != nil || err2 != nil || from < 0 || to < from || to > 1<<16 {
			return nil, fmt.Errorf("not a list of cores: %q", text)
		}
		for cpu := from; cpu <= to; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// CPUTime returns the time that all threads of a process have spent on a core. A thread that has
// ended no longer counts; neither server ends threads while it is measured.
func CPUTime(pid int) (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	if len(files) == 0 {
		return 0, fmt.Errorf("process %d has no threads with a schedstat", pid)
	}
	var total time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		onCPU, err := parseSchedstat(string(text))
		if err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		total += onCPU
	}
	return total, nil
}

// parseSchedstat returns the first of a schedstat's three numbers: nanoseconds on a core,
// nanoseconds waiting for one, times run.
func parseSchedstat(text string) (time.Duration, error) {
	fields := strings.Fields(text)
	if len(fields) != 3 {
		return 0, fmt.Errorf("schedstat of %d fields, want 3: %q", len(fields), text)
	}
	onCPU, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || onCPU < 0 {
		return 0, fmt.Errorf("no nanoseconds in schedstat: %q", text)
	}
	return time.Duration(onCPU), nil
}

// ResidentBytes returns the resident size of a process.
func ResidentBytes(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return parseResident(string(text))
}

// parseResident reads VmRSS, which the kernel gives in kB, out of a process's status.
func parseResident(status string) (int64, error) {
	amount, unit, _ := strings.Cut(field(status, "VmRSS:"), " ")
	kilobytes, err := strconv.ParseInt(amount, 10, 64)
	if err != nil || unit != "kB" {
		return 0, errors.New("no VmRSS in kB in the status of the process")
	}
	return kilobytes * 1024, nil
}

// field returns the rest of the first line that starts with the label, trimmed.
func field(text, label string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, label); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
