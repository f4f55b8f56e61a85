package migrate

import (
	"bytes"
	"errors"
	"time"

	"github.com/skeindb/skein/internal/command"
)

// errNotRedis: what the target says is neither +OK nor an error.
var errNotRedis = errors.New("migrate: unexpected answer of the target")

// answers reads the lines that the target sends back. Behind the first error of
// the connection there are none; behind a refused AUTH or SELECT none counts.
type answers struct {
	c        *conn
	timeout  time.Duration
	restored int    // answers to RESTORE that came
	spoiled  bool   // AUTH or SELECT was refused
	refusal  string // the first error the target replied
	broken   error
}

func (a *answers) refused() error {
	return command.Error("ERR Target instance replied with error: " + a.refusal)
}

// line is the text of the next answer if that is an error.
func (a *answers) line() (text string, isError bool) {
	if a.broken != nil {
		return "", false
	}
	a.c.SetReadDeadline(time.Now().Add(a.timeout))
	line, err := a.c.in.ReadSlice('\n')
	if err != nil { // longer than the buffer, too: that is no redis
		a.broken = err
		return "", false
	}
	switch line[0] {
	case '-':
		return string(bytes.TrimRight(line[1:], "\r\n")), true
	case '+':
		return "", false
	}
	a.broken = errNotRedis
	return "", false
}

// refuse keeps the first refusal.
func (a *answers) refuse(text string) {
	if a.refusal == "" {
		a.refusal = text
	}
}

// prelude reads the answer to AUTH or SELECT.
func (a *answers) prelude() {
	if text, isError := a.line(); isError {
		a.spoiled = true
		a.refuse(text)
	}
}

// next reads the answer to a RESTORE and tells whether the target has the key.
func (a *answers) next() bool {
	text, isError := a.line()
	if a.broken != nil {
		return false
	}
	a.restored++
	if isError {
		a.refuse(text)
	}
	return !isError && !a.spoiled
}
