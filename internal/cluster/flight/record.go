package flight

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
)

// Recorder writes the recording of one core. It is not safe for concurrent use. Every event is one Write, so a
// process that ends leaves what it did until then.
type Recorder struct {
	w   io.Writer
	err error
}

// Begin writes what the core is made of: rand.NewPCG takes the seed.
func Begin(w io.Writer, seed [2]uint64, config core.Config, state core.State) (*Recorder, error) {
	r := &Recorder{w: w}
	r.write(origin{seed, config, state})
	return r, r.err
}

// Record writes one event and what came of it: the effects, or the error. The first error of the writer ends the
// recording, and is returned from then on.
func (r *Recorder) Record(at core.Millis, ev core.Event, out *core.Effects, failed error) error {
	l := line{At: at, Event: strings.TrimPrefix(fmt.Sprintf("%T", ev), "core."), Did: fingerprint(out, failed)}
	if r.err != nil {
		return r.err
	}
	if packet, ok := ev.(core.Received); ok {
		l.received(packet)
	} else {
		l.Body, r.err = json.Marshal(ev)
	}
	r.write(l)
	return r.err
}

// received writes down a packet.
func (l *line) received(ev core.Received) {
	m := ev.Msg
	l.Link, l.Remote, l.Local, l.Bad, l.Other = ev.Link, ev.RemoteIP, ev.LocalIP, m.BadEntries, m.Ext.Unknown
	if m.Sender.IsZero() {
		l.Type = m.Type
	} else {
		l.Packet = bus.Append(nil, withoutPayload(m))
	}
}

// withoutPayload is a packet that carries nothing of clients.
func withoutPayload(m *bus.Msg) *bus.Msg {
	bare := *m
	switch m.Type {
	case bus.TypePublish, bus.TypePublishShard:
		bare.Publish = &bus.Publish{}
	case bus.TypeModule:
		bare.Module = &bus.Module{}
	}
	return &bare
}

func (r *Recorder) write(v any) {
	if r.err != nil {
		return
	}
	text, err := json.Marshal(v)
	if err == nil {
		_, err = r.w.Write(append(text, '\n'))
	}
	r.err = err
}
