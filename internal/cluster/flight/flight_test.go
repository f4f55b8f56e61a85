package flight

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
)

// recording is of a core that is asked this and that, and to which a stranger speaks.
func recording(t testing.TB) []byte {
	t.Helper()
	var text bytes.Buffer
	config := core.DefaultConfig()
	r, err := Begin(&text, [2]uint64{1, 2}, config, core.State{})
	if err != nil {
		t.Fatal(err)
	}
	node := core.New(config, core.State{}, rand.New(rand.NewPCG(1, 2)))
	stranger := &bus.Msg{Type: bus.TypeMeet, Port: 7001, CPort: 17001, Flags: bus.FlagMaster}
	stranger.Sender[0] = 7
	var out core.Effects
	at := core.Millis(1_700_000_000_000)
	for _, ev := range []core.Event{
		core.ConfigChanged{Config: config}, core.Tick{}, core.LinkUp{Link: 1},
		core.AddSlotRanges{Ranges: [][2]int64{{0, 100}, {200, 300}}}, core.Forget{Node: "nobody"}, core.Saved{Seq: 1},
		core.Received{Link: 1, Msg: stranger, RemoteIP: "10.0.0.1", LocalIP: "10.0.0.2"},
		core.Received{Link: 1, Msg: &bus.Msg{Type: bus.Type(99)}},
		core.ReplicationFacts{Offset: 5}, core.SetConfigEpoch{Epoch: 9}, core.Tick{}, core.BumpEpoch{}, core.Reset{Hard: true},
	} {
		at += 100
		failed := node.Step(at, ev, &out)
		if err := r.Record(at, ev, &out, failed); err != nil {
			t.Fatal(err)
		}
	}
	return text.Bytes()
}

func TestReplay(t *testing.T) {
	text := recording(t)
	met := false
	events, err := Replay(bytes.NewReader(text), func(_ core.Millis, ev core.Event, out *core.Effects) {
		if r, ok := ev.(core.Received); ok && r.Msg.Type == bus.TypeMeet {
			met = len(out.Sends) == 1 && out.Sends[0].Msg.Type == bus.TypePong
		}
	})
	if events != 13 || err != nil || !met {
		t.Errorf("%d events, a MEET was answered: %t, %v", events, met, err)
	}
	if events, err := Replay(bytes.NewReader(text[:len(text)-20]), nil); events != 12 || err != nil {
		t.Errorf("a process that ended while it wrote: %d events, %v", events, err)
	}
	other := bytes.Replace(text, []byte(`nobody`), []byte(`nobodi`), 1)
	if events, err := Replay(bytes.NewReader(other), nil); events >= 13 || !errors.Is(err, ErrDiverged) {
		t.Errorf("another event: %d events, %v", events, err)
	}
	for _, bad := range []string{"", "x", "{}\n{}\n{}\n", string(text[:bytes.IndexByte(text, '\n')+1]) + "{\"event\":\"Flood\"}\n{}\n",
		`{"state":{"Nodes":[{}],"Me":3}}`} {
		if _, err := Replay(strings.NewReader(bad), nil); !errors.Is(err, ErrFormat) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestDiskIsFull(t *testing.T) {
	r, err := Begin(full{}, [2]uint64{}, core.Config{}, core.State{})
	if err == nil || r.Record(1, core.Tick{}, new(core.Effects), nil) == nil {
		t.Error("nothing was said")
	}
}

func FuzzReplay(f *testing.F) {
	f.Add(recording(f))
	f.Add([]byte(`{"state":{"Nodes":[{"Master":0}],"Me":0}}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) { Replay(bytes.NewReader(text), nil) })
}
