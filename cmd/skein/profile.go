//go:build profile

package main

import (
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
)

// A binary built with the tag profile writes a profile of the processor's time to the file that
// SKEIN_PROFILE names, until SIGUSR2: the profile that default.pgo is made of. See scripts/pgo.
func init() {
	f, err := os.Create(os.Getenv("SKEIN_PROFILE"))
	if err != nil {
		panic(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		panic(err)
	}
	done := make(chan os.Signal, 1)
	signal.Notify(done, syscall.SIGUSR2)
	go func() {
		<-done
		pprof.StopCPUProfile()
		f.Close()
	}()
}
