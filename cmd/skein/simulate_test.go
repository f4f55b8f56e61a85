package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSimulate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "outage.svg")
	var out, errs bytes.Buffer
	args := []string{"--masters", "3", "--node-timeout", "2s", "--seeds", "3", "--compare-replicas", "1,2", "--plot", file}
	if code := simulate(args, &out, &errs); code != 0 {
		t.Fatal(code, errs.String())
	}
	for _, want := range []string{"one-master", "promoted", "0 of 3", "packets"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if svg, err := os.ReadFile(file); err != nil || !bytes.Contains(svg, []byte("<svg")) {
		t.Error("no plot", err)
	}
	if errs.Len() > 0 {
		t.Errorf("a progress bar where there is no terminal: %q", errs.String())
	}
}

func TestSimulateJSON(t *testing.T) {
	var out, errs bytes.Buffer
	if code := simulate([]string{"--node-timeout", "1s", "--seeds", "2", "--json", "--check"}, &out, &errs); code != 0 {
		t.Fatal(code, errs.String())
	}
	var list []jsonReport
	if err := json.Unmarshal(out.Bytes(), &list); err != nil || len(list) != 1 || len(list[0].Courses) != 2 {
		t.Fatal(err, out.String())
	}
	r := list[0]
	if r.Fail.Median < 1 || r.Serve.Worst < r.Fail.Median || r.Unserved != 0 || r.Courses[1].Seed != 2 {
		t.Errorf("%+v", r)
	}
}

func TestSimulateRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"--scenario", "flood"}, {"--compare-timeouts", "soon"}, {"--compare-replicas", "x"}, {"rest"}, {"--masters", "0"},
		{"--nosuch"}, {"--seeds", "1", "--masters", "3", "--node-timeout", "1s", "--plot", "/nowhere/x.svg"},
	} {
		var out, errs bytes.Buffer
		if code := simulate(args, &out, &errs); code != 1 || errs.Len() == 0 {
			t.Errorf("%v: code %d, %q", args, code, errs.String())
		}
	}
	if code := simulate([]string{"--help"}, &bytes.Buffer{}, &bytes.Buffer{}); code != 0 {
		t.Error("--help fails")
	}
}

func TestReplayOfNoRecording(t *testing.T) {
	var out, errs strings.Builder
	if simulate([]string{"--replay", "simulate.go"}, &out, &errs) != 1 || !strings.Contains(errs.String(), "not a recording of a node") {
		t.Errorf("%s%s", out.String(), errs.String())
	}
}
