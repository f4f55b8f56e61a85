// Package flight records everything that a core was given, from its first event on, and plays it again. A core does the
// same with the same, so what a node did in production happens once more on a desk, and can be looked at step by step.
//
// A recording is lines of JSON. The first is what the core was made of; each that follows is one event, with a
// fingerprint of what the core did about it:
//
//	{"seed":[1,2],"config":{…},"state":{…}}
//	{"at":1700000000000,"event":"Tick","body":{},"did":1234567890}
//	{"at":1700000000003,"event":"Received","link":7,"packet":"UkNtYgAA…","remote":"10.0.0.1","local":"10.0.0.2","did":42}
//
// Packets are in their wire form, without the messages that clients publish: the core does not look at these.
//
// record.go writes, replay.go reads.
package flight

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
)

// What is wrong with a recording.
var (
	ErrFormat   = errors.New("not a recording of a node")              // a line is damaged, or of another version
	ErrDiverged = errors.New("the core does something else than then") // other code, or a core that is not deterministic
)

// origin is the first line.
type origin struct {
	Seed   [2]uint64   `json:"seed"`
	Config core.Config `json:"config"`
	State  core.State  `json:"state"`
}

// line is one event.
type line struct {
	At     core.Millis     `json:"at"`
	Event  string          `json:"event"`
	Body   json.RawMessage `json:"body,omitempty"`
	Link   core.Link       `json:"link,omitempty"`
	Packet []byte          `json:"packet,omitempty"`
	Type   bus.Type        `json:"type,omitempty"`    // of a packet that made no sense: nothing else of it was heard
	Bad    int             `json:"bad,omitempty"`     // entries of the packet that were left out when it was decoded
	Other  int             `json:"unknown,omitempty"` // extensions that were skipped
	Remote string          `json:"remote,omitempty"`
	Local  string          `json:"local,omitempty"`
	Did    uint64          `json:"did"`
}

// fingerprint is one number for the effects of an event, or for the error.
func fingerprint(out *core.Effects, err error) uint64 {
	h := fnv.New64a()
	if err != nil {
		fmt.Fprintf(h, "error %v", err)
		return h.Sum64()
	}
	set := func(s *slot.Set) {
		if s != nil {
			h.Write(s[:])
		}
	}
	fmt.Fprintf(h, "%+v %+v %+v %v %v %q", out.Save, out.Change, out.Dials, out.HangUps, out.Deliver, out.Reply)
	set(out.DropKeys)
	set(out.Unsubscribe)
	for i := range out.History {
		fmt.Fprintf(h, "%+v", out.History[i])
	}
	for _, s := range out.Sends {
		fmt.Fprintf(h, "%d %d ", s.Link, s.After)
		h.Write(bus.Append(nil, s.Msg))
	}
	return h.Sum64()
}
