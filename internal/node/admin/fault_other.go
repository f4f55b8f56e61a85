//go:build !unix

package admin

func writeProtected() {}
