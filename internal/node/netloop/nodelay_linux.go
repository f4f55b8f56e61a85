//go:build linux && !portable

package netloop

import (
	"syscall"

	"github.com/skeindb/skein/internal/node/session"
)

// Delay lets the system gather small pieces of what is sent to s (Nagle's
// algorithm). Only the loop of s calls it.
func Delay(s *session.Session) {
	if s.Path == "" {
		syscall.SetsockoptInt(s.FD, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 0) // without it, it is only faster
	}
}
