//go:build !linux || portable

package netloop

import "github.com/skeindb/skein/internal/node/session"

// Delay lets the system gather small pieces of what is sent to s; here it does nothing.
func Delay(*session.Session) {}
