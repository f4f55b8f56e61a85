package cli

import (
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
)

func value(t *testing.T, wire string) *resp.Value {
	t.Helper()
	v, err := resp.NewReader(strings.NewReader(strings.ReplaceAll(wire, "\n", "\r\n"))).Read()
	if err != nil {
		t.Fatalf("%q: %v", wire, err)
	}
	return &v
}

func TestFormats(t *testing.T) {
	for _, test := range []struct{ name, wire, tty, raw, csv, json string }{
		{"status", "+OK\n", "OK\n", "OK\n", "\"OK\"\n", "\"OK\"\n"},
		{"error", "-ERR no\n", "(error) ERR no\n", "ERR no\n\n", "ERROR,\"ERR no\"\n", "error:\"ERR no\"\n"},
		{"error with a length", "!6\nERR no\n", "(error) ERR no\n", "ERR no\n\n", "ERROR,\"ERR no\"\n", "error:\"ERR no\"\n"},
		{"integer", ":-7\n", "(integer) -7\n", "-7\n", "-7\n", "-7\n"},
		{"bulk", "$5\na\"\x01\xc3\xa9\n", "\"a\\\"\\x01\\xc3\\xa9\"\n", "a\"\x01é\n", "\"a\\\"\\x01\\xc3\\xa9\"\n", "\"a\\\"\\u0001é\"\n"},
		{"null", "_\n", "(nil)\n", "\n", "NULL\n", "null\n"},
		{"old null", "*-1\n", "(nil)\n", "\n", "NULL\n", "null\n"},
		{"double", ",3.50\n", "(double) 3.50\n", "3.50\n", "3.50\n", "3.50\n"},
		{"boolean", "#t\n", "(true)\n", "(true)\n", "true\n", "true\n"},
		{"big number", "(123456789012345678901\n", "(big number) 123456789012345678901\n", "123456789012345678901\n", "123456789012345678901\n", "123456789012345678901\n"},
		{"verbatim", "=7\ntxt:a\tb\n", "a\tb\n", "a\tb\n", "\"a\\tb\"\n", "\"a\\tb\"\n"},
		{"empty array", "*0\n", "(empty array)\n", "\n", "\n", "[]\n"},
		{"empty set", "~0\n", "(empty set)\n", "\n", "\n", "[]\n"},
		{"empty map", "%0\n", "(empty hash)\n", "\n", "\n", "{}\n"},
		{"empty push", ">0\n", "(empty push)\n", "\n", "\n", "[]\n"},
		{"array", "*3\n$1\na\n:1\n$-1\n", "1) \"a\"\n2) (integer) 1\n3) (nil)\n", "a\n1\n\n", "\"a\",1,NULL\n", "[\"a\",1,null]\n"},
		{"nested array", "*2\n*2\n:1\n*1\n:2\n:3\n", "1) 1) (integer) 1\n   2) 1) (integer) 2\n2) (integer) 3\n", "1\n2\n3\n", "1,2,3\n", "[[1,[2]],3]\n"},
		{"array of 10", "*10\n" + strings.Repeat(":0\n", 10), " 1) (integer) 0\n 2) (integer) 0\n 3) (integer) 0\n 4) (integer) 0\n 5) (integer) 0\n 6) (integer) 0\n 7) (integer) 0\n 8) (integer) 0\n 9) (integer) 0\n10) (integer) 0\n",
			strings.Repeat("0\n", 10), "0,0,0,0,0,0,0,0,0,0\n", "[0,0,0,0,0,0,0,0,0,0]\n"},
		{"set", "~2\n+a\n+b\n", "1~ a\n2~ b\n", "a\nb\n", "\"a\",\"b\"\n", "[\"a\",\"b\"]\n"},
		{"map", "%2\n$1\nk\n$1\nv\n:5\n*1\n_\n", "1# \"k\" => \"v\"\n2# (integer) 5 => 1) (nil)\n", "k v\n5 \n", "\"k\",\"v\",5,NULL\n", "{\"k\":\"v\",\"5\":[null]}\n"},
		{"tall map", "%1\n+k\n*2\n:1\n:2\n", "1# k => \n   1) (integer) 1\n   2) (integer) 2\n", "k 1\n2\n", "\"k\",1,2\n", "{\"k\":[1,2]}\n"},
	} {
		v := value(t, test.wire)
		for format, want := range map[format]string{formatTTY: test.tty, formatRaw: test.raw, formatCSV: test.csv, formatJSON: test.json} {
			o := &options{format: format, delimiter: "\n", replyEnd: "\n"}
			if got := string(o.append(nil, v)); got != want {
				t.Errorf("%s, format %d: %q, want %q", test.name, format, got, want)
			}
		}
	}
}

func TestQuotedJSON(t *testing.T) {
	o := &options{format: formatQuotedJSON}
	if got, want := string(o.append(nil, value(t, bulk("é\t")))), `"\\xc3\\xa9\\t"`+"\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestDelimiters(t *testing.T) {
	o := &options{format: formatRaw, delimiter: ";", replyEnd: "."}
	if got := string(o.append(nil, value(t, "*3\n:1\n:2\n%1\n+a\n+b\n"))); got != "1;2;a b." {
		t.Error(got)
	}
}

func TestVerbatimCommands(t *testing.T) {
	for line, want := range map[string]bool{
		"INFO": true, "info server all": true, "cluster NODES": true, "cluster nodes x": false,
		"cluster slots": false, "CLIENT LIST TYPE normal": true, "client": false, "latency graph x": true,
		"latency graph": false, "get info": false,
	} {
		args, err := resp.SplitArgs([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if isVerbatim(args) != want {
			t.Errorf("%s: %t", line, !want)
		}
	}
}
