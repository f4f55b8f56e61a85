package cli

import (
	"strings"
	"testing"
)

func TestOptions(t *testing.T) {
	o, err := parseOptions([]string{"-h", "host", "-p", "7000", "-c", "-3", "-n", "2", "-a", "pw", "--user", "me",
		"-r", "-1", "-i", "0.5", "--no-raw", "-e", "get", "-p", "x"}, false)
	if err != nil {
		t.Fatal(err)
	}
	if o.host != "host" || o.port != 7000 || !o.cluster || !o.resp3 || o.db != 2 || o.pass != "pw" || o.user != "me" ||
		o.repeat != -1 || o.interval.Milliseconds() != 500 || o.format != formatTTY || !o.errorCode || o.pushes {
		t.Errorf("%+v", o)
	}
	if got := strings.Join(o.args, " "); got != "get -p x" {
		t.Errorf("the command is %q", got)
	}
}

func TestFormatOptions(t *testing.T) {
	for _, test := range []struct {
		args     string
		terminal bool
		want     format
		resp3    bool
	}{
		{"", false, formatRaw, false},
		{"", true, formatTTY, false},
		{"--raw", true, formatRaw, false},
		{"--no-raw", false, formatTTY, false},
		{"--csv", true, formatCSV, false},
		{"--json", true, formatJSON, true},
		{"--json -2", true, formatJSON, false},
		{"--quoted-json", false, formatQuotedJSON, true},
	} {
		o, err := parseOptions(strings.Fields(test.args), test.terminal)
		if err != nil || o.format != test.want || o.resp3 != test.resp3 || o.pushes != test.terminal {
			t.Errorf("%q: %+v, %v", test.args, o, err)
		}
	}
}

func TestBadOptions(t *testing.T) {
	for args, want := range map[string]string{
		"-p 65536":         "Invalid server port.",
		"-p x":             "Bad value for option --port: 'x'",
		"-p":               "Unrecognized option or bad number of args for: '-p'",
		"-q":               "Unrecognized option or bad number of args for: '-q'",
		"--bigkeys":        "Unrecognized option or bad number of args for: '--bigkeys'",
		"-c -s /tmp/x":     "Options -c and -s are mutually exclusive.",
		"-2 -3":            "Options -2 and -3 are mutually exclusive.",
		"-x -X t":          "Options -x and -X are mutually exclusive.",
		"-u http://x":      "Invalid URI scheme",
		"-u redis://h/x":   "Invalid database number in the URI",
		"--tls --cert x":   "Options --cert and --key must be specified together.",
		"-u redis://%zz@h": `Invalid URI: "redis://%zz@h": invalid URL escape "%zz"`,
	} {
		if _, err := parseOptions(strings.Fields(args), false); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
		expect(t, "", strings.Fields(args), "", want+"\n", 1)
	}
}

func TestURI(t *testing.T) {
	for uri, want := range map[string]options{
		"redis://":                          {host: "127.0.0.1", port: 6379},
		"redis://h":                         {host: "h", port: 6379},
		"redis://h:7/3":                     {host: "h", port: 7, db: 3},
		"redis://pw@h":                      {host: "h", port: 6379, pass: "pw"},
		"REDIS://u:p%40w@[::1]:7000/":       {host: "::1", port: 7000, user: "u", pass: "p@w"},
		"redis://:pw@localhost:1?db=ignore": {host: "localhost", port: 1, pass: "pw"},
	} {
		o, err := parseOptions([]string{"-u", uri}, false)
		if err != nil {
			t.Errorf("%s: %v", uri, err)
			continue
		}
		if o.host != want.host || o.port != want.port || o.user != want.user || o.pass != want.pass || o.db != want.db {
			t.Errorf("%s: %+v", uri, o)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"-h"}, {"-c", "-h"}} {
		out, errs, code := run("", args...)
		if !strings.HasPrefix(out, "Usage: skein cli [OPTIONS]") || errs != "" || code != 0 {
			t.Errorf("%v: %q, %q, %d", args, out, errs, code)
		}
	}
	if out, _, code := run("", "-v"); !strings.HasPrefix(out, "skein cli ") || code != 0 {
		t.Errorf("%q, %d", out, code)
	}
}
