package flight

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
)

// maxLine is the longest line that is read: a nodes.conf of two thousand nodes has less.
const maxLine = 16 << 20

// Replay makes the core of a recording and gives it all its events again. each, if not nil, sees every event and what
// came of it; the effects are those of the next event after it returns. Replay returns how many events there were, and
// ErrFormat, or ErrDiverged with the number of the first event about which the core did something else. A last line
// that was cut off, as the end of a process leaves it, is no error.
func Replay(r io.Reader, each func(at core.Millis, ev core.Event, out *core.Effects)) (events int, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	if !lines.Scan() {
		return 0, fmt.Errorf("%w: it is empty", ErrFormat)
	}
	node, err := made(lines.Bytes())
	if err != nil {
		return 0, err
	}
	var out core.Effects
	more := lines.Scan()
	for more {
		text := append([]byte(nil), lines.Bytes()...)
		more = lines.Scan()
		at, ev, did, err := read(text)
		if err != nil {
			if !more && lines.Err() == nil {
				return events, nil
			}
			return events, fmt.Errorf("event %d: %w", events+1, err)
		}
		failed := node.Step(at, ev, &out)
		events++
		if fingerprint(&out, failed) != did {
			return events, fmt.Errorf("event %d, %T at %d: %w", events, ev, at, ErrDiverged)
		}
		if each != nil {
			each(at, ev, &out)
		}
	}
	if lines.Err() != nil {
		return events, fmt.Errorf("%w: %v", ErrFormat, lines.Err())
	}
	return events, nil
}

// made makes the core that the first line describes.
func made(text []byte) (*core.Node, error) {
	var o origin
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	s := &o.State
	if len(s.Nodes) > 0 && (s.Owners == nil || int(s.Me) >= len(s.Nodes) || len(s.Nodes) > maxNodes) {
		return nil, fmt.Errorf("%w: its nodes.conf makes no sense", ErrFormat)
	}
	return core.New(o.Config, o.State, rand.New(rand.NewPCG(o.Seed[0], o.Seed[1]))), nil
}

// maxNodes of a recording: more than any cluster has.
const maxNodes = 20_000

// read reads one event.
func read(text []byte) (at core.Millis, ev core.Event, did uint64, err error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return 0, nil, 0, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	if l.Event == "Received" {
		m, err := l.packet()
		return l.At, core.Received{Link: l.Link, Msg: m, RemoteIP: l.Remote, LocalIP: l.Local}, l.Did, err
	}
	parse, known := events()[l.Event]
	if !known {
		return 0, nil, 0, fmt.Errorf("%w: no event %q", ErrFormat, l.Event)
	}
	if ev, err = parse(l.Body); err != nil {
		return 0, nil, 0, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	return l.At, ev, l.Did, nil
}

// packet is what a Received brought.
func (l *line) packet() (*bus.Msg, error) {
	if len(l.Packet) == 0 {
		return &bus.Msg{Type: l.Type}, nil
	}
	m, _, err := bus.Decode(l.Packet)
	if err != nil || m == nil {
		return nil, fmt.Errorf("%w: a packet that cannot be read: %v", ErrFormat, err)
	}
	m.BadEntries, m.Ext.Unknown = l.Bad, l.Other
	return m, nil
}

type parser func(json.RawMessage) (core.Event, error)

func as[E core.Event](body json.RawMessage) (core.Event, error) {
	var ev E
	err := json.Unmarshal(body, &ev)
	return ev, err
}

// events are all events but Received, by the names of their types.
func events() map[string]parser {
	return map[string]parser{
		"Tick": as[core.Tick], "LinkUp": as[core.LinkUp], "LinkDown": as[core.LinkDown], "Saved": as[core.Saved],
		"ReplicationFacts": as[core.ReplicationFacts], "WritesPaused": as[core.WritesPaused], "Demoted": as[core.Demoted],
		"Diverged": as[core.Diverged], "ConfigChanged": as[core.ConfigChanged], "KeysFound": as[core.KeysFound],
		"DropFilter": as[core.DropFilter], "Meet": as[core.Meet], "Forget": as[core.Forget], "AddSlots": as[core.AddSlots],
		"DelSlots": as[core.DelSlots], "AddSlotRanges": as[core.AddSlotRanges], "DelSlotRanges": as[core.DelSlotRanges],
		"FlushSlots": as[core.FlushSlots], "SetSlot": as[core.SetSlot], "Replicate": as[core.Replicate],
		"Failover": as[core.Failover], "BumpEpoch": as[core.BumpEpoch], "SetConfigEpoch": as[core.SetConfigEpoch],
		"Reset": as[core.Reset], "SaveConfig": as[core.SaveConfig],
	}
}
