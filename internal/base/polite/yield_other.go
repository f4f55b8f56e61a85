//go:build !linux

package polite

func yield() {}
