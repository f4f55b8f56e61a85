//go:build !unix

package main

import "errors"

func isDaemon() bool { return false }

func detach([]byte) int {
	return fail(errors.New("daemonize is not supported on this system"))
}

func reportStarted() {}

func stopSelf() {}
