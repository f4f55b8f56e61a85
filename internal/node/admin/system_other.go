//go:build !linux

package admin

import "runtime"

const multiplexing = "go"

func systemName() string { return runtime.GOOS + " " + runtime.GOARCH }

func systemMemory() int64 { return 0 }

func residentBytes() (n int64, ok bool) { return 0, false }

func appendThreadCPU(*fields) {}
