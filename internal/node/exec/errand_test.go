package exec

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/node/session"
)

// doorbell is a home that says when it is knocked at.
type doorbell chan struct{}

func (d doorbell) Notify(*session.Session) { d <- struct{}{} }

func (doorbell) Carries() bool { return false }

// dumpOf is what DUMP gives for a set of so many elements.
func dumpOf(t *testing.T, r *rig, n int) string {
	words := []string{"SADD", "big"}
	for i := range n {
		words = append(words, fmt.Sprint("element:", i))
	}
	bell := make(doorbell, 8)
	s := session.New(78, bell)
	s.Account = r.client().Account
	r.feed(t, s, say(words...))
	s.Out.Buf = s.Out.Buf[:0]
	if r.Feed(&r.turn, s, say("DUMP", "big")); s.Parked() { // much is dumped aside, too
		<-bell
		_, knock := s.Open(nil)
		r.Answer(&r.turn, s, knock.Reply)
	}
	v, err := resp.NewReader(bytes.NewReader(s.Out.Buf)).Read()
	if err != nil || v.IsError() {
		t.Fatal(v, err)
	}
	return v.Text()
}

// TestRestoreOfMuchIsPreparedAside: the session waits, its stripe does not.
func TestRestoreOfMuchIsPreparedAside(t *testing.T) {
	r := newRig(t)
	dump := dumpOf(t, r, 5000)
	for _, gives := range []bool{false, true} {
		bell := make(doorbell, 8)
		s, other := session.New(77, bell), r.client()
		s.Account, s.Gives = other.Account, gives
		in := append(say("RESTORE", "copy", "0", dump, "REPLACE"), say("SCARD", "copy")...)
		n := r.Feed(&r.turn, s, in)
		if !s.Parked() || len(s.Out.Buf) > 0 || s.Taken != gives {
			t.Fatalf("parked %v, taken %v, answered %q", s.Parked(), s.Taken, s.Out.Buf)
		}
		if got := r.feed(t, other, say("EXISTS", "copy")); string(got) != ":0\r\n" {
			t.Errorf("meanwhile: %q", got)
		}
		r.Retry(&r.turn, s) // woken too early, perhaps
		for s.Parked() {
			<-bell
			r.Retry(&r.turn, s)
		}
		r.Feed(&r.turn, s, in[n:])
		if got := string(s.Out.Buf); got != "+OK\r\n:5000\r\n" {
			t.Errorf("answered %q", got)
		}
		r.feed(t, other, say("DEL", "copy"))
	}
}

// TestRestoreLooksAgain: what the key is counts when the value is there.
func TestRestoreLooksAgain(t *testing.T) {
	r := newRig(t)
	dump := dumpOf(t, r, 5000)
	for _, c := range []struct{ payload, meanwhile, want string }{
		{dump, "SET copy x", "-BUSYKEY Target key name already exists.\r\n"},
		{dump[:len(dump)-1] + "?", "PING", "-ERR DUMP payload version or checksum are wrong\r\n"},
		{dump, "PING", "+OK\r\n"},
	} {
		bell := make(doorbell, 8)
		s, other := session.New(77, bell), r.client()
		s.Account = other.Account
		r.Feed(&r.turn, s, say("RESTORE", "copy", "0", c.payload))
		r.feed(t, other, say(strings.Fields(c.meanwhile)...))
		for s.Parked() {
			<-bell
			r.Retry(&r.turn, s)
		}
		if got := string(s.Out.Buf); got != c.want || s.Errand != nil {
			t.Errorf("%s: %q", c.meanwhile, got)
		}
		r.feed(t, other, say("DEL", "copy"))
	}
}

// TestRestoreInsideExecIsDoneOnTheSpot: a transaction is one step.
func TestRestoreInsideExecIsDoneOnTheSpot(t *testing.T) {
	r := newRig(t)
	dump := dumpOf(t, r, 5000)
	s := r.client()
	r.feed(t, s, say("MULTI"))
	r.feed(t, s, say("RESTORE", "copy", "0", dump))
	if got := r.feed(t, s, say("EXEC")); string(got) != "*1\r\n+OK\r\n" {
		t.Errorf("%q", got)
	}
}
