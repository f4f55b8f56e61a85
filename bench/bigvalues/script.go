//go:build linux

package main

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/skeindb/skein/bench/records"
)

// spin starts another process that keeps one core busy: its effect is the quiet with which a script that does the
// same is compared.
func spin(s *stage) error {
	s.spinner = exec.Command("sh", "-c", "while :; do :; done")
	s.spinner.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := s.spinner.Start(); err != nil {
		return err
	}
	return s.do(0, "OK", "CONFIG", "SET", "busy-reply-threshold", "100")
}

// rested ends the spinner.
func (s *stage) rested() {
	if s.spinner != nil && s.spinner.Process != nil {
		s.spinner.Process.Kill()
		s.spinner.Wait()
		s.spinner = nil
	}
}

// loopForever has a script without end run for the window, and ends it by SCRIPT KILL.
func loopForever(s *stage) error {
	s.rested()
	reply := make(chan error, 1)
	go func() { reply <- endless(s.addr(0)) }()
	select {
	case err := <-reply:
		return fmt.Errorf("the script has ended by itself: %v", err)
	case <-time.After(s.o.window):
	}
	if err := s.do(0, "OK", "SCRIPT", "KILL"); err != nil {
		return err
	}
	return <-reply
}

// endless runs the script; it is an error if it is not killed.
func endless(addr string) error {
	c, err := records.Dial(addr, doLimit)
	if err != nil {
		return err
	}
	defer c.Close()
	v, err := c.Do("EVAL", "while true do end", "1", bigKey)
	if err == nil && !strings.Contains(v.Text(), "Script killed by user") {
		err = fmt.Errorf("it answered %.200s", v.Text())
	}
	return err
}
