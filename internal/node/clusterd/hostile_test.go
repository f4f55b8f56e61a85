package clusterd

import (
	"bytes"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// dialBus opens a connection to a node's bus port as anybody may.
func dialBus(t *testing.T, n *testNode) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(n.bus))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// stranger is a ping of a node that nobody knows.
func stranger() *bus.Msg {
	m := &bus.Msg{Type: bus.TypePing, Port: 7000, CPort: 17000, Slots: new(slot.Set), Flags: bus.FlagMyself | bus.FlagMaster}
	m.Sender[0] = 0xab
	return m
}

// readPacket reads one packet.
func readPacket(t *testing.T, conn net.Conn) *bus.Msg {
	t.Helper()
	var buf []byte
	for {
		m, _, err := bus.Decode(buf)
		if err != nil {
			t.Fatal(err)
		}
		if m != nil {
			return m
		}
		chunk := make([]byte, 4096)
		n, err := conn.Read(chunk)
		if err != nil {
			t.Fatal(err)
		}
		buf = append(buf, chunk[:n]...)
	}
}

// answers checks that a node answers the ping of a stranger.
func answers(t *testing.T, n *testNode) {
	t.Helper()
	conn := dialBus(t, n)
	defer conn.Close()
	conn.Write(bus.Append(nil, stranger()))
	if m := readPacket(t, conn); m.Type != bus.TypePong || m.Sender.String() != n.id() {
		t.Errorf("answer: %v", m)
	}
}

// closed waits until the other side closes the connection.
func closed(t *testing.T, conn net.Conn) {
	t.Helper()
	buf := make([]byte, 4096)
	for {
		if _, err := conn.Read(buf); err != nil {
			if ne, ok := err.(net.Error); ok && ne.Timeout() {
				t.Error("the link stays open")
			}
			return
		}
	}
}

func TestHostileBytes(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	good := bus.Append(nil, stranger())
	for i := range 200 {
		conn := dialBus(t, n)
		var junk []byte
		switch i % 4 {
		case 0: // noise
			junk = make([]byte, rnd.IntN(10000))
			for j := range junk {
				junk[j] = byte(rnd.Uint32())
			}
		case 1: // a packet that ends early
			junk = good[:rnd.IntN(len(good))]
		case 2: // a packet with bytes changed
			junk = bytes.Clone(good)
			for range 1 + rnd.IntN(20) {
				junk[rnd.IntN(len(junk))] = byte(rnd.Uint32())
			}
		case 3: // any type, any body
			junk = bytes.Clone(good)
			junk[12], junk[13] = 0, byte(rnd.IntN(14))
			junk[14], junk[15] = byte(rnd.Uint32()), byte(rnd.Uint32())
			junk = append(junk, junk...)
		}
		conn.Write(junk)
		conn.Close()
	}
	answers(t, n)
	eventually(t, "the links are forgotten", func() bool { return n.links() == 0 })
	if got := n.fact("cluster_known_nodes"); got != "1" {
		t.Errorf("known nodes: %s", got)
	}
}

func TestBadFramesCloseTheLink(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	short := bus.Append(nil, stranger())
	short[4], short[5], short[6], short[7] = 0, 0, 0, 16
	huge := bus.Append(nil, stranger())
	huge[4] = 0x7f
	for name, b := range map[string][]byte{"no packet": []byte("GET / HTTP/1.1\r\n\r\n"), "too short": short, "too long": huge} {
		conn := dialBus(t, n)
		conn.Write(b)
		closed(t, conn)
		eventually(t, "it is logged: "+name, func() bool {
			return strings.Contains(n.logged.String(), "Bad message length or signature received on the Cluster bus from 127.0.0.1")
		})
	}
	answers(t, n)
}

// TestBadContentKeepsTheLink sends packets that are to be ignored before one that is answered.
func TestBadContentKeepsTheLink(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	conn := dialBus(t, n)
	version, length, unknown := bus.Append(nil, stranger()), bus.Append(nil, stranger()), bus.Append(nil, stranger())
	version[9] = 9
	length[15] = 3 // gossip entries that are not there
	unknown[13] = 77
	for _, b := range [][]byte{version, length, unknown, bus.Append(nil, stranger())} {
		conn.Write(b)
	}
	if m := readPacket(t, conn); m.Type != bus.TypePong {
		t.Errorf("answer: %v", m.Type)
	}
	eventually(t, "the unknown type is logged", func() bool {
		return strings.Contains(n.logged.String(), "Received unknown packet type: 77")
	})
}

// TestBytesOneByOne feeds a packet in the smallest pieces.
func TestBytesOneByOne(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	conn := dialBus(t, n)
	for _, b := range bus.Append(nil, stranger()) {
		conn.Write([]byte{b})
	}
	if m := readPacket(t, conn); m.Type != bus.TypePong {
		t.Errorf("answer: %v", m.Type)
	}
}

// TestReceiveBuffer claims a large packet and sends little of it: memory follows what was sent.
func TestReceiveBuffer(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	conn := dialBus(t, n)
	m := stranger()
	m.Type = bus.TypePublish
	m.Publish = &bus.Publish{Channel: []byte("c"), Message: make([]byte, 1<<20)}
	packet := bus.Append(nil, m)
	conn.Write(packet[:100_000])
	eventually(t, "a part is read", func() bool { return n.d.LinkBytes() >= 100_000 })
	if got := n.d.LinkBytes(); got > 300_000 {
		t.Errorf("%d bytes for a link that sent 100000", got)
	}
	conn.Write(packet[100_000:])
	conn.Write(bus.Append(nil, stranger()))
	readPacket(t, conn)
	eventually(t, "the buffer is given back", func() bool { return n.d.LinkBytes() < 10_000 })
}

// TestUnreadAnswers asks without end and reads no answer: we stop listening before much waits to be sent.
func TestUnreadAnswers(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ours, theirs := net.Pipe() // which holds nothing back
	defer ours.Close()
	n.d.take(theirs)
	ping := bus.Append(nil, stranger())
	for range 10 * replyRoom / len(ping) {
		ours.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := ours.Write(ping); err != nil {
			if got := n.d.LinkBytes(); got > 2*replyRoom {
				t.Errorf("%d bytes wait", got)
			}
			answers(t, n)
			return
		}
	}
	t.Error("all questions were read")
}
