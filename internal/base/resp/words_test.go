package resp

import (
	"bytes"
	"testing"
)

func TestAppendWords(t *testing.T) {
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
			words := AppendWords(nil, []byte(in[:n])[:n:n], 2)
			ok := len(words) == 2
			if got := string(bytes.Join(words, []byte(" "))); n == len(in) && ok != (want != "") || ok && got != want {
				t.Errorf("%q: %q, want %q", in[:n], words, want)
			}
		}
	}
}
