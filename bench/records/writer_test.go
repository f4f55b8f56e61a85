package records

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/testkit"
)

// node is a server that does APPEND, GET and UNLINK of one key, unless it has been told to answer otherwise.
type node struct {
	addr string
	l    net.Listener

	*key
	moods []mood
}

// key is what the nodes of a test share.
type key struct {
	mu    sync.Mutex
	value []byte
}

// A mood is how a node treats one APPEND.
type mood struct {
	reply string // instead of the right one; "" hangs up
	write bool   // nevertheless
}

func startNode(t *testing.T, k *key) *node {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	n := &node{addr: l.Addr().String(), l: l, key: k}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go n.serve(c)
		}
	}()
	return n
}

// behave makes the node treat the next APPENDs so.
func (n *node) behave(m ...mood) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.moods = append(n.moods, m...)
}

func (n *node) serve(c net.Conn) {
	defer c.Close()
	in := resp.NewReader(c)
	for {
		v, err := in.Read()
		if err != nil {
			return
		}
		reply := n.do(v.Elems)
		if reply == "" {
			return
		}
		fmt.Fprint(c, reply)
	}
}

func (n *node) do(args []resp.Value) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch args[0].Text() {
	case "GET":
		return fmt.Sprintf("$%d\r\n%s\r\n", len(n.value), n.value)
	case "UNLINK":
		return ":1\r\n"
	}
	m := mood{reply: ":1\r\n", write: true}
	if len(n.moods) > 0 {
		m, n.moods = n.moods[0], n.moods[1:]
	}
	if m.write {
		n.value = append(n.value, args[2].Str...)
	}
	return m.reply
}

func awaitAcked(t *testing.T, w *Writer, more int, by string) {
	t.Helper()
	before, _ := w.Acked()
	testkit.Eventually(t, "records are acknowledged by "+by, func() bool {
		now, owner := w.Acked()
		return now >= before+more && (by == "" || owner == by)
	})
}

func TestWriterKnowsWhatWasWritten(t *testing.T) {
	var k key
	n := startNode(t, &k)
	w := Start(Options{Addrs: []string{n.addr}, Key: "key"})
	awaitAcked(t, w, 5, n.addr)
	n.behave(
		mood{reply: "-CLUSTERDOWN The cluster is down\r\n"}, mood{reply: "-NOREPLICAS Not enough good replicas to write.\r\n"},
		mood{reply: "", write: true}, mood{reply: ""}, mood{reply: "-ERR no idea\r\n", write: true})
	awaitAcked(t, w, 5, n.addr)
	a, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if !a.Sound() || a.Acked < 10 || a.InDoubt != 3 || a.Kept != 2 {
		t.Errorf("%+v", a)
	}
	if text := a.String(); !strings.Contains(text, "CLUSTERDOWN x1") || !strings.Contains(text, "NOREPLICAS x1") ||
		!strings.Contains(text, "connection lost x2") || !strings.Contains(text, "ERR no idea x1") {
		t.Error(text)
	}
}

func TestWriterFollowsAndFindsLosses(t *testing.T) {
	var k key
	a, b := startNode(t, &k), startNode(t, &k)
	w := Start(Options{Addrs: []string{a.addr, b.addr}, Key: "key"})
	awaitAcked(t, w, 3, a.addr)
	a.behave(mood{reply: "-MOVED 1 " + b.addr + "\r\n"})
	awaitAcked(t, w, 3, b.addr)
	b.behave(mood{reply: ":1\r\n"}) // acknowledged, not written
	awaitAcked(t, w, 3, b.addr)
	if a, err := w.Audit(); err != nil || a.Lost != 1 || a.Foreign != 0 {
		t.Errorf("in the middle: %+v, %v", a, err)
	}
	b.l.Close()
	b.behave(mood{reply: ""})
	awaitAcked(t, w, 3, a.addr)
	account, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if account.Lost != 1 || account.FirstLost < 6 || account.Doubled+account.Displaced+account.Foreign > 0 || account.InDoubt != 1 {
		t.Errorf("%+v", account)
	}
	w.Stop()
}
