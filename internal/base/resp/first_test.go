package resp

import (
	"bytes"
	"testing"
)

func TestFirst(t *testing.T) {
	for in, want := range map[string]string{
		"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n":                  "GET k",
		"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$1000000\r\nabc": "SET key",
		"*3\r\n$3\r\nSET\r\n$0\r\n\r\n":                   "SET ",
		"*1\r\n$4\r\nPING\r\n":                            "",
		"GET k\r\n":                                       "",
		"*2\r\n$3\r\nGET\r\n$1\r\nk":                      "",
		"*2\r\n$3\r\nGET\r\n$10\r\nk\r\n":                 "",
		"*2\r\n:3\r\nGET\r\n":                             "",
		"*2\r\n$-1\r\n$1\r\nk\r\n":                        "",
		"*2\r\n$03\r\nGET\r\n$1\r\nk\r\n":                 "",
		"*99999\r\n$3\r\nGET\r\n$1\r\nk\r\n":              "",
		"":                                                "",
		"*":                                               "",
		"*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n": "DEL k",
	} {
		for n := range len(in) + 1 { // cut anywhere, it must not go beyond
			name, word, ok := First([]byte(in[:n])[:n:n])
			if got := string(name) + " " + string(word); n == len(in) && ok != (want != "") || ok && got != want {
				t.Errorf("%q: %q, %v, want %q", in[:n], got, ok, want)
			}
			words := AppendWords(nil, []byte(in[:n])[:n:n], 2)
			if got := string(bytes.Join(words, []byte(" "))); ok && got != want || !ok && len(words) > 1 {
				t.Errorf("%q: words %q, want %q", in[:n], words, want)
			}
		}
	}
}
