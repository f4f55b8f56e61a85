package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// typed is an editor at which keys are pressed, each string in one go.
func typed(t *testing.T, h *history, d *docs, keys ...string) (*editor, *bytes.Buffer) {
	t.Helper()
	var in []io.Reader
	for _, k := range keys {
		in = append(in, strings.NewReader(k))
	}
	var out bytes.Buffer
	opt, err := parseOptions(nil, true)
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(opt, io.MultiReader(in...), &out, &out)
	c.docs, c.terminal = d, true
	return editorOn(c, h), &out
}

func readAll(t *testing.T, e *editor) (lines []string) {
	t.Helper()
	for {
		line, err := e.line()
		if err == io.EOF {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
}

const (
	up   = "\x1b[A"
	left = "\x1b[D"
)

func TestEditing(t *testing.T) {
	d := loadTestDocs(t, 3)
	for _, test := range []struct {
		keys []string
		want string // lines, each with "|" behind it
	}{
		{[]string{"ping\r", "get é\r"}, "ping|get é|"},
		{[]string{"pi\xc3", "\xa9ng\r"}, "piéng|"},        // a rune in two pieces
		{[]string{"a", "\x1b", "[D", "b\r"}, "ba|"},       // a key in two pieces
		{[]string{"p\xff\xfe\xef\xbf\xbding\r"}, "ping|"}, // no text
		{[]string{"\x1b[" + strings.Repeat("1", 100) + "A", "ok\r"}, strings.Repeat("1", 100+2-maxEscape) + "Aok|"},
		{[]string{"ping\x1b", "\r"}, "ping|"}, // the key ESC
		{[]string{"get", left + left, "X\r"}, "gXet|"},
		{[]string{"one\r", "two\r", up, up, "\r"}, "one|two|one|"},
		{[]string{"one\r", "auth pw\r", up, "\r"}, "one|auth pw|one|"},
		{[]string{"one\rtwo\rth", "ree\r"}, "one|two|three|"}, // pasted
		{[]string{"one\x03", "two\r"}, ""},                    // Ctrl-C
		{[]string{"one\r\x04", "two\r"}, "one|"},              // Ctrl-D
		{[]string{"getd\t\r"}, "getdel|"},
		{[]string{"config re\t", "\t", "\r"}, "config rewrite|"},
		{[]string{"config re\t", "\t", "\t", "x\r"}, "config rex|"},
		{[]string{"nosuch\t\r"}, "nosuch|"},
		{[]string{"getd", left, "\t\r"}, "getd|"},
	} {
		e, _ := typed(t, loadHistory(""), d, test.keys...)
		got := ""
		for _, line := range readAll(t, e) {
			got += line + "|"
		}
		if got != test.want {
			t.Errorf("%q: %q, want %q", test.keys, got, test.want)
		}
	}
}

func TestHintsAreDrawn(t *testing.T) {
	e, out := typed(t, loadHistory(""), loadTestDocs(t, 3), "get ", "k", left, "\r")
	readAll(t, e)
	grey := func(s string) string { return "\x1b[90m" + s + "\x1b[0m" }
	want := "not connected> get " + grey("key") + "\x1b[3D" + // behind the cursor, which goes back
		"\x1b[J" + "k" + grey(" key") + "\x1b[4D" +
		"\x1b[J\x1b[D" + // not at the line's end: no hint
		"\x1b[C\r\n" + "not connected> \r\n"
	if got := out.String(); got != want {
		t.Errorf("\n%q, want\n%q", got, want)
	}
}

func TestHintsEndWithTheRow(t *testing.T) {
	e, out := typed(t, loadHistory(""), loadTestDocs(t, 3), "set k v ")
	e.size = func() (int, int, error) { return 30, 24, nil }
	readAll(t, e)
	if got, want := out.String(), "\x1b[90m[NX|XX\x1b[0m\x1b[6D"; !strings.Contains(got, want) {
		t.Errorf("%q lacks %q", got, want)
	}
}

func TestHintsOff(t *testing.T) {
	d := loadTestDocs(t, 3)
	for _, prepare := range []func(e *editor){
		func(e *editor) { e.setHints(false) },
		func(e *editor) { e.client.docs, e.client.docsFail = nil, true },
		func(e *editor) { e.size = func() (int, int, error) { return 5, 5, nil } },
	} {
		e, out := typed(t, loadHistory(""), d, "get ", "\t", "k\r")
		prepare(e)
		if lines := readAll(t, e); len(lines) != 1 || strings.Contains(out.String(), "key") {
			t.Errorf("%q, %q", lines, out)
		}
	}
}

func TestHistoryIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	t.Setenv("SKEINCLI_HISTFILE", path)
	e, _ := typed(t, loadHistory(historyPath()), nil, "one\r", "one\r", "auth pw\r", " \r", "two\r")
	readAll(t, e)
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "one\ntwo\n" {
		t.Errorf("%q, %v", text, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	e, _ = typed(t, loadHistory(historyPath()), nil, up, "\r", up+up, "\r")
	if got := strings.Join(readAll(t, e), "|"); got != "two|one" {
		t.Error(got)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	if err := os.WriteFile(path, []byte(strings.Repeat("old\nolder\n", maxHistory)), 0o600); err != nil {
		t.Fatal(err)
	}
	h := loadHistory(path)
	h.Add("new")
	if h.Len() != maxHistory || h.At(0) != "new" || h.At(1) != "older" {
		t.Errorf("%d lines, %q, %q", h.Len(), h.At(0), h.At(1))
	}
	text, err := os.ReadFile(path)
	if n := bytes.Count(text, []byte("\n")); err != nil || n != maxHistory+1 {
		t.Errorf("%d lines, %v", n, err)
	}
}

func TestHistoryPath(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	for name, want := range map[string]string{"": "/home/me/.skeincli_history", "/dev/null": "", "/tmp/h": "/tmp/h"} {
		t.Setenv("SKEINCLI_HISTFILE", name)
		if got := historyPath(); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}

func TestSecrets(t *testing.T) {
	for _, line := range []string{
		"AUTH pw", "auth", `auth "pw`, "2 auth u pw", "acl SETUSER u >pw", "config set requirepass x",
		"CONFIG SET maxmemory 1 masterauth x", "config set tls-key-file-pass x", "hello 3 auth u p",
		"migrate h 1 k 0 1 AUTH pw", "migrate h 1 k 0 1 copy auth2 u pw keys a",
	} {
		if !isSecret(line) {
			t.Errorf("%s is no secret", line)
		}
	}
	for _, line := range []string{
		"", "5", "get auth", "acl", "acl list", "config", "config get requirepass", "config set maxmemory 1", "hello 3", "migrate h 1 k 0 1",
	} {
		if isSecret(line) {
			t.Errorf("%s is a secret", line)
		}
	}
}

// FuzzKeyboard: whatever comes from a terminal, the Terminal gets text only, and
// nothing that is text is lost but for control sequences.
func FuzzKeyboard(f *testing.F) {
	f.Add([]byte("get k\r\x1b[A\t\x03"), 3)
	f.Add([]byte("\x1b[1;3D\x1b[3~é\xff\xef\xbf\xbd"), 1)
	f.Add([]byte("\x1b"+strings.Repeat("0", 300)), 7)
	f.Add([]byte("\x1b\x85A0"), 1)
	f.Fuzz(func(t *testing.T, keys []byte, step int) {
		step = max(1, step&0xff)
		var in []io.Reader
		for i := 0; i < len(keys); i += step {
			in = append(in, bytes.NewReader(keys[i:min(i+step, len(keys))]))
		}
		k := &keyboard{in: io.MultiReader(in...), out: io.Discard}
		var got []byte
		for p := make([]byte, 256); ; {
			n, err := k.Read(p)
			if err != nil {
				break
			}
			got = append(got, p[:n]...)
		}
		if !utf8.Valid(got) {
			t.Fatalf("%q", got)
		}
		if !bytes.ContainsRune(keys, escape) && utf8.Valid(keys) && !bytes.ContainsRune(keys, utf8.RuneError) {
			if text := strings.ReplaceAll(string(keys), "\x1f", ""); strings.ReplaceAll(string(got), "\x1f", "") != text {
				t.Fatalf("%q of %q", got, keys)
			}
		}
	})
}
