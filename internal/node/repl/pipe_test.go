package repl

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

// TestPipe: what goes in comes out, however it is cut, and the reader is told when
// there is something again.
func TestPipe(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	want := make([]byte, 3*pipeBytes+12345)
	for i := range want {
		want[i] = byte(rnd.Uint32())
	}
	bell := make(chan struct{}, 1)
	p := newPipe(func() { bell <- struct{}{} })
	failed := make(chan error, 1)
	go func() {
		for rest := want; len(rest) > 0; {
			n := min(1+rand.IntN(100000), len(rest))
			if _, err := p.Write(rest[:n]); err != nil {
				failed <- err
				return
			}
			rest = rest[n:]
		}
		failed <- p.finish()
	}()
	var got []byte
	buf := make([]byte, 70000)
	for {
		n, done := p.pull(buf[:1+rnd.IntN(len(buf))])
		got = append(got, buf[:n]...)
		if done {
			break
		}
		if n == 0 {
			<-bell
		}
	}
	if err := <-failed; err != nil || !bytes.Equal(got, want) {
		t.Error(err, len(got), len(want))
	}
}

// TestPipeGone: nobody waits for a replica that is gone.
func TestPipeGone(t *testing.T) {
	p := newPipe(func() {})
	failed := make(chan error, 1)
	go func() {
		_, err := p.Write(make([]byte, pipeBytes+1))
		failed <- err
	}()
	for p.stuckSince() == 0 {
	}
	p.close()
	if err := <-failed; !errors.Is(err, errGone) {
		t.Error(err)
	}
	if _, err := p.Write([]byte("x")); !errors.Is(err, errGone) {
		t.Error(err)
	}
	if err := p.finish(); !errors.Is(err, errGone) {
		t.Error(err)
	}
}
