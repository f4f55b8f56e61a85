package rig

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"
)

func TestFreePort(t *testing.T) {
	port, err := FreePort(17900)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", Loopback(port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if next, err := FreePort(port); err != nil || next <= port {
		t.Errorf("%d, %v: that one is in use", next, err)
	}
	if _, err := FreePort(portLimit); err != ErrNoPort {
		t.Error(err)
	}
}

func TestSleepEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
