package vfs

import (
	"errors"
	"strings"
	"syscall"
)

// Reason words a system error as C does: Go writes the same texts in lower case.
func Reason(err error) string {
	var errno syscall.Errno
	text := err.Error()
	if errors.As(err, &errno) {
		text = errno.Error()
	}
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
