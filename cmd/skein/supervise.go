package main

import (
	"log/slog"
	"net"
	"os"
)

// The kinds of supervisors, as INFO's process_supervised says them.
const (
	unsupervised = "no"
	systemd      = "systemd"
	upstart      = "upstart"
)

// supervisor is the program that started this one and wants to hear of it.
type supervisor struct {
	kind   string
	socket string // of systemd
	wanted string // a supervisor that was asked for in vain
}

// findSupervisor finds the supervisor that the directive supervised names; auto
// is whichever is there.
func findSupervisor(directive string) supervisor {
	socket, job := os.Getenv("NOTIFY_SOCKET"), os.Getenv("UPSTART_JOB")
	auto := directive == "auto"
	switch {
	case job != "" && (auto || directive == upstart):
		return supervisor{kind: upstart}
	case socket != "" && (auto || directive == systemd):
		return supervisor{kind: systemd, socket: socket}
	case auto || directive == unsupervised:
		return supervisor{kind: unsupervised}
	}
	return supervisor{kind: unsupervised, wanted: directive}
}

// announce tells log and supervisor that the server is about to start.
func (s supervisor) announce(log *slog.Logger) {
	switch {
	case s.wanted == systemd:
		log.Warn("systemd supervision requested, but NOTIFY_SOCKET not found!")
	case s.wanted == upstart:
		log.Warn("upstart supervision requested, but UPSTART_JOB not found!")
	case s.kind == upstart:
		log.Info("supervised by upstart, will stop to signal readiness.")
		stopSelf()
		os.Unsetenv("UPSTART_JOB")
	case s.kind == systemd:
		log.Info("Supervised by systemd. Please make sure you set appropriate values for TimeoutStartSec and TimeoutStopSec in your service unit.")
		s.notify("STATUS=Skein is loading...\n")
	}
}

// notify sends systemd a message: lines NAME=value as sd_notify(3) has them. A
// socket whose name begins with @ is abstract, which package net knows.
func (s supervisor) notify(message string) {
	if s.socket == "" {
		return
	}
	c, err := net.Dial("unixgram", s.socket)
	if err != nil {
		return
	}
	defer c.Close()
	c.Write([]byte(message))
}
