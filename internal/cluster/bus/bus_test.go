package bus

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
)

// goldenPackets returns the packets recorded from real servers (see TestCapture), by file name.
func goldenPackets(t testing.TB) map[string][][]byte {
	files, err := filepath.Glob("testdata/*.bin")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden packets", err)
	}
	packets := map[string][][]byte{}
	for _, file := range files {
		stream, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for len(stream) > 0 {
			total, err := PacketLen(stream)
			if err != nil || total == 0 || total > len(stream) {
				t.Fatalf("%s: bad stream: %d, %v", file, total, err)
			}
			packets[filepath.Base(file)] = append(packets[filepath.Base(file)], stream[:total])
			stream = stream[total:]
		}
	}
	return packets
}

func TestGoldenPacketsRoundTrip(t *testing.T) {
	for file, packets := range goldenPackets(t) {
		for i, packet := range packets {
			m, n, err := Decode(packet)
			if err != nil || n != len(packet) {
				t.Fatalf("%s[%d]: Decode = %d, %v", file, i, n, err)
			}
			if m.BadEntries != 0 || m.Ext.Unknown != 0 {
				t.Errorf("%s[%d]: left out %d, unknown %d", file, i, m.BadEntries, m.Ext.Unknown)
			}
			if !strings.HasSuffix(file, "-"+m.Type.String()+".bin") {
				t.Errorf("%s[%d] is a %s", file, i, m.Type)
			}
			if again := Append(nil, m); !bytes.Equal(again, packet) {
				t.Errorf("%s[%d]: encodes to other bytes from offset %d on", file, i, firstDifference(again, packet))
			}
		}
	}
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// What the recorded cluster is known to have said.
func TestGoldenPacketsContent(t *testing.T) {
	golden := goldenPackets(t)
	decode := func(file string, i int) *Msg {
		m, _, err := Decode(golden["redis-7.0.15-"+file+".bin"][i])
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if p := decode("publish", 0).Publish; string(p.Channel) != "news" || string(p.Message) != "hello bus" {
		t.Errorf("publish %q %q", p.Channel, p.Message)
	}
	if p := decode("publishshard", 0).Publish; string(p.Channel) != "news" || string(p.Message) != "hello shard" {
		t.Errorf("publishshard %q %q", p.Channel, p.Message)
	}
	if m := decode("fail", 0); m.Fail.IsZero() || m.Fail == m.Sender {
		t.Errorf("fail about %s by %s", m.Fail, m.Sender)
	}
	if u := decode("update", 0).Update; u.Slots.Len() != 5461 || u.Node.IsZero() || u.ConfigEpoch == 0 {
		t.Errorf("update of %d slots by %s at %d", u.Slots.Len(), u.Node, u.ConfigEpoch)
	}
	if m := decode("auth-req", 0); m.SlaveOf.IsZero() || m.MFlags&MFlagForceAck == 0 || !m.Flags.Has(FlagSlave) {
		t.Errorf("auth-req of a manual failover: %+v", m)
	}
	var hostnames, announced, gossip int
	for i := range golden["redis-7.0.15-ping.bin"] {
		m := decode("ping", i)
		if m.Port < capturePort || m.Port >= capturePort+captureNodes || m.CPort != m.Port-capturePort+captureProxy {
			t.Errorf("ping from port %d, bus port %d", m.Port, m.CPort)
		}
		if strings.HasSuffix(m.Ext.Hostname, ".example.org") {
			hostnames++
		}
		if m.MyIP == "127.0.0.1" {
			announced++
		}
		for _, g := range m.Gossip {
			if g.IP != "127.0.0.1" || g.CPort < captureProxy || g.Node.IsZero() {
				t.Errorf("gossip %+v", g)
			}
			gossip++
		}
	}
	if hostnames == 0 || announced == 0 || gossip == 0 {
		t.Errorf("%d host names, %d announced addresses, %d gossip entries", hostnames, announced, gossip)
	}
}

// The 7.2 cluster had shard ids throughout, a node name on one node, and forgot a node in the end.
func TestGoldenExtensionsOf72(t *testing.T) {
	golden := goldenPackets(t)
	nodenames, forgotten := 0, 0
	for _, packet := range slices.Concat(golden["redis-7.2.4-ping.bin"], golden["redis-7.2.4-pong.bin"]) {
		m, _, err := Decode(packet)
		if err != nil || m.Ext.ShardID.IsZero() {
			t.Fatalf("%v, %+v", err, m)
		}
		if m.Ext.Nodename == "shelf-3" {
			nodenames++
		}
		for _, f := range m.Ext.Forgotten {
			if f.TTLSeconds == 0 || f.TTLSeconds > 60 || f.Node.IsZero() {
				t.Errorf("forgotten %+v", f)
			}
			forgotten++
		}
	}
	if nodenames == 0 || forgotten == 0 {
		t.Errorf("%d node names, %d forgotten nodes", nodenames, forgotten)
	}
}

func TestAnyCutOfAPacketAsksForMore(t *testing.T) {
	packet := goldenPackets(t)["redis-7.0.15-ping.bin"][3]
	for n := range packet {
		if m, used, err := Decode(packet[:n]); m != nil || used != 0 || err != nil {
			t.Fatalf("%d of %d bytes: %v, %d, %v", n, len(packet), m, used, err)
		}
	}
	// What follows a packet does not matter.
	if _, used, err := Decode(append(packet[:len(packet):len(packet)], "rubbish"...)); used != len(packet) || err != nil {
		t.Errorf("with a tail: %d, %v", used, err)
	}
}

func TestFrameErrorsCloseTheLink(t *testing.T) {
	for _, c := range []struct {
		name string
		want error
		edit func(p []byte)
	}{
		{"signature", ErrSignature, func(p []byte) { p[3] = 'c' }},
		{"http", ErrSignature, func(p []byte) { copy(p, "GET / HTTP/1.1") }},
		{"length 0", ErrTooShort, func(p []byte) { be.PutUint32(p[offTotal:], 0) }},
		{"length below the header", ErrTooShort, func(p []byte) { be.PutUint32(p[offTotal:], HeaderLen-1) }},
		{"light length", ErrTooShort, func(p []byte) { p[offType] = 0x80; be.PutUint32(p[offTotal:], 15) }},
		{"4 GiB ping", ErrTooLong, func(p []byte) { be.PutUint32(p[offTotal:], 1<<32-1) }},
		{"4 GiB publish", ErrTooLong, func(p []byte) { p[offType+1] = 4; be.PutUint32(p[offTotal:], 1<<32-1) }},
		{"4 GiB of an unknown type", ErrTooLong, func(p []byte) { p[offType+1] = 99; be.PutUint32(p[offTotal:], 1<<32-1) }},
	} {
		packet := Append(nil, &Msg{Sender: testID(1)})
		c.edit(packet)
		if m, n, err := Decode(packet); m != nil || n != 0 || err != c.want {
			t.Errorf("%s: %v, %d, %v", c.name, m, n, err)
		}
	}
	if _, _, err := Decode([]byte("*")); err != ErrSignature {
		t.Errorf("one wrong byte: %v", err)
	}
}

func TestPacketsToIgnore(t *testing.T) {
	ping := &Msg{Sender: testID(1), Ext: Ext{Hostname: "h", ShardID: testID(2)}}
	const ext = HeaderLen // the ping has no gossip
	for _, c := range []struct {
		name string
		want error
		msg  *Msg
		edit func(p []byte) []byte
	}{
		{"other version", ErrVersion, ping, put16(offVersion, 2)},
		{"unknown type", ErrType, ping, put16(offType, 12)},
		{"auth-nack", ErrType, &Msg{Type: TypeAuthNack, Sender: testID(1)}, nil},
		{"light header", ErrLight, ping, put16(offType, 0x8000+uint16(TypePublish))},
		{"sender not hexadecimal", ErrID, ping, put16(offSender, 'z'<<8|'z')},
		{"no sender", ErrID, &Msg{}, nil},
		{"master not hexadecimal", ErrID, ping, put16(offSlaveOf, 'z'<<8|'z')},
		{"announced address with a line break", ErrText, ping, put16(offMyIP, '1'<<8|'\n')},
		{"more gossip than there is", ErrLength, ping, put16(offCount, 1)},
		{"most gossip there can be", ErrLength, ping, put16(offCount, 0xffff)},
		{"bytes behind the gossip", ErrLength, &Msg{Sender: testID(1)}, grow(8)},
		{"bytes behind the extensions", ErrLength, ping, grow(8)},
		{"more extensions than there are", ErrLength, ping, put16(offExtensions, 3)},
		{"fewer extensions than there are", ErrLength, ping, put16(offExtensions, 1)},
		{"extension not padded", ErrPadding, ping, put16(ext+2, 17)},
		{"extension of length 0", ErrLength, ping, put16(ext+2, 0)},
		{"extension longer than the packet", ErrLength, ping, put16(ext+2, 0xfff8)},
		{"extension longer than memory", ErrLength, ping, put16(ext, 0xffff)},
		{"fail with a tail", ErrLength, &Msg{Type: TypeFail, Sender: testID(1), Fail: testID(2)}, grow(1)},
		{"fail about nobody", ErrID, &Msg{Type: TypeFail, Sender: testID(1)}, nil},
		{"publish without lengths", ErrLength, &Msg{Type: TypeAuthAck, Sender: testID(1)}, put16(offType, 4)},
		{"publish with a long channel", ErrLength, publish("c", "m"), put16(HeaderLen, 0xffff)},
		{"publish with a short message", ErrLength, publish("c", "m"), grow(1)},
		{"publish whose lengths overflow", ErrLength, publish("c", "m"), func(p []byte) []byte {
			be.PutUint32(p[HeaderLen:], 1<<32-1)
			be.PutUint32(p[HeaderLen+4:], 3)
			return p
		}},
		{"vote with a body", ErrLength, &Msg{Type: TypeAuthAck, Sender: testID(1)}, grow(1)},
		{"update without slots", ErrLength, &Msg{Type: TypeAuthAck, Sender: testID(1)}, put16(offType, 7)},
		{"update about nobody", ErrID, &Msg{Type: TypeUpdate, Sender: testID(1), Update: &Update{}}, nil},
		{"module without a head", ErrLength, &Msg{Type: TypeAuthAck, Sender: testID(1)}, put16(offType, 9)},
		{"module with a wrong length", ErrLength, &Msg{Type: TypeModule, Sender: testID(1), Module: &Module{}}, grow(1)},
	} {
		packet := Append(nil, c.msg)
		if c.edit != nil {
			packet = c.edit(packet)
			be.PutUint32(packet[offTotal:], uint32(len(packet)))
		}
		m, n, err := Decode(packet)
		var ignored *Ignored
		if m != nil || n != len(packet) || !errors.As(err, &ignored) || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %d, %v", c.name, m, n, err)
			continue
		}
		if ignored.Len != n || ignored.Type != Type(be.Uint16(packet[offType:])) {
			t.Errorf("%s: reported as %s of %d bytes", c.name, ignored.Type, ignored.Len)
		}
	}
}

func put16(offset int, v uint16) func([]byte) []byte {
	return func(p []byte) []byte {
		be.PutUint16(p[offset:], v)
		return p
	}
}

func grow(n int) func([]byte) []byte {
	return func(p []byte) []byte { return append(p, make([]byte, n)...) }
}

func publish(channel, message string) *Msg {
	return &Msg{Type: TypePublish, Sender: testID(1), Publish: &Publish{[]byte(channel), []byte(message)}}
}

func TestLightPacketOfValkeyIsSteppedOver(t *testing.T) {
	light := append([]byte("RCmb\x00\x00\x00\x1c\x00\x01\x00\x00\x80\x04\x00\x00"), "\x00\x00\x00\x02\x00\x00\x00\x02chms"...)
	m, n, err := Decode(light)
	if m != nil || n != len(light) || !errors.Is(err, ErrLight) {
		t.Errorf("%v, %d, %v", m, n, err)
	}
}

// A gossip entry or an extension that could damage nodes.conf is left out; the rest of the packet counts.
func TestBadEntriesAreLeftOut(t *testing.T) {
	m := &Msg{
		Sender: testID(1),
		Gossip: []Gossip{{Node: testID(2), IP: "::1"}, {Node: testID(3), IP: "1.1.1.1\nvars"}, {IP: "2.2.2.2"}},
		Ext: Ext{Hostname: "evil,host", Nodename: "a:b", Forgotten: []Forgotten{{}, {testID(4), 5}},
			ShardID: testID(5)},
	}
	got, _, err := Decode(Append(nil, m))
	if err != nil {
		t.Fatal(err)
	}
	if got.BadEntries != 5 || len(got.Gossip) != 1 || got.Gossip[0].Node != testID(2) {
		t.Errorf("left out %d, kept %+v", got.BadEntries, got.Gossip)
	}
	want := Ext{Forgotten: []Forgotten{{testID(4), 5}}, ShardID: testID(5)}
	if !reflect.DeepEqual(got.Ext, want) {
		t.Errorf("extensions %+v", got.Ext)
	}
}

func TestForeignExtensions(t *testing.T) {
	secret := appendExtHead(nil, 4, 48)
	secret = append(secret, bytes.Repeat([]byte{'s'}, 40)...)
	ipv4 := appendExtText(nil, 4, "10.0.0.1")
	zone := appendExtText(nil, 8, "eu-1")
	future := appendExtText(nil, 99, "?")
	for _, c := range []struct {
		name    string
		flags   Flags
		raw     []byte
		unknown int
	}{
		{"redis 8 secret", FlagExtensions, secret, 0},
		{"valkey 8 address", FlagExtensions | FlagLightPublish, ipv4, 0},
		{"type 4 of neither", FlagExtensions, ipv4, 1},
		{"valkey 9 zone", FlagExtensions | FlagLightPublish, zone, 0},
		{"a later one", FlagExtensions, future, 1},
	} {
		packet := Append(nil, &Msg{Sender: testID(1), Flags: c.flags, Ext: Ext{ShardID: testID(2)}})
		packet = append(packet, c.raw...)
		be.PutUint16(packet[offExtensions:], 2)
		be.PutUint32(packet[offTotal:], uint32(len(packet)))
		m, _, err := Decode(packet)
		if err != nil || m.Ext.Unknown != c.unknown || m.BadEntries != 0 || m.Ext.ShardID != testID(2) {
			t.Errorf("%s: %v, %+v", c.name, err, m)
		}
	}
}

func TestDialect(t *testing.T) {
	full := Ext{Hostname: "h", Nodename: "n", Forgotten: []Forgotten{{testID(3), 60}}, ShardID: testID(2)}
	for _, c := range []struct {
		name string
		msg  Msg
		want Dialect
	}{
		{"6.2, or 7.0 without a host name", Msg{}, Redis70},
		{"7.0 with a host name", Msg{MFlags: MFlagExtData, Ext: Ext{Hostname: "h"}}, Redis70},
		{"7.2.4", Msg{MFlags: MFlagExtData, Ext: Ext{ShardID: testID(2)}}, Redis72},
		{"7.2.4 with a host name", Msg{MFlags: MFlagExtData, Ext: full}, Redis72},
		{"8.0 to a stranger", Msg{MFlags: MFlagExtData, Flags: FlagExtensions}, Redis72},
		{"valkey 8 by its message flag alone", Msg{MFlags: MFlagExtData}, Redis72},
	} {
		if got := c.msg.Dialect(); got != c.want {
			t.Errorf("%s: dialect %d", c.name, got)
		}
	}

	for file, packets := range goldenPackets(t) {
		for i, packet := range packets {
			if m, _, _ := Decode(packet); m.Type.Heartbeat() && strings.HasPrefix(file, "redis-7.0") != (m.Dialect() == Redis70) {
				t.Errorf("%s[%d] taken for dialect %d", file, i, m.Dialect())
			}
		}
	}

	to70, _, err := Decode(AppendFor(nil, &Msg{Sender: testID(1), Ext: full}, Redis70))
	if err != nil || !reflect.DeepEqual(to70.Ext, Ext{Hostname: "h"}) || to70.MFlags != MFlagExtData {
		t.Errorf("to 7.0 with a host name: %+v, %v", to70, err)
	}
	full.Hostname = ""
	bare := AppendFor(nil, &Msg{Sender: testID(1), Ext: full, MFlags: MFlagExtData}, Redis70)
	if m, _, err := Decode(bare); err != nil || len(bare) != HeaderLen || m.MFlags != 0 {
		t.Errorf("to 7.0 without a host name: %d bytes, %v", len(bare), err)
	}
}

func TestDecoderSharesEqualSlotSets(t *testing.T) {
	var d Decoder
	one, two := &slot.Set{}, &slot.Set{}
	one.Add(1)
	two.Add(2)
	var got []*slot.Set
	for _, slots := range []*slot.Set{one, one, two} {
		m, _, err := d.Decode(Append(nil, &Msg{Sender: testID(1), Slots: slots}))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m.Slots)
	}
	if got[0] != got[1] || got[1] == got[2] || *got[0] != *one || *got[2] != *two {
		t.Error("equal sets are not shared, or different ones are")
	}
}

func TestLongTextsAreCut(t *testing.T) {
	long := strings.Repeat("1", 100)
	m, _, err := Decode(Append(nil, &Msg{Sender: testID(1), MyIP: long, Gossip: []Gossip{{Node: testID(2), IP: long}}}))
	if err != nil || m.MyIP != long[:45] || m.Gossip[0].IP != long[:45] {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestRandomMessagesRoundTrip(t *testing.T) {
	src := rand.New(rand.NewPCG(2026, 1))
	var stream []byte
	var sent []*Msg
	for range 300 {
		m := randomMsg(src)
		sent = append(sent, m)
		stream = Append(stream, m)
	}
	var d Decoder
	for i, want := range sent {
		got, n, err := d.Decode(stream)
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("message %d:\n got %+v\nwant %+v", i, got, want)
		}
		stream = stream[n:]
	}
	if len(stream) != 0 {
		t.Errorf("%d bytes left", len(stream))
	}
}

func randomMsg(src *rand.Rand) *Msg {
	m := &Msg{
		Type: Type(src.IntN(TypeCount)), Port: uint16(src.Uint32()), PPort: uint16(src.Uint32()), CPort: uint16(src.Uint32()),
		CurrentEpoch: src.Uint64(), ConfigEpoch: src.Uint64(), Offset: src.Uint64(), Sender: nodeid.Random(src),
		Slots: randomSlots(src), Flags: Flags(src.Uint32()), State: State(src.IntN(2)), MFlags: MFlags(src.IntN(4)), Refusal: Refusal(src.IntN(256)),
		MyIP: []string{"", "10.1.2.3", "fe80::1%eth0"}[src.IntN(3)],
	}
	if src.IntN(2) == 0 {
		m.SlaveOf = nodeid.Random(src)
	}
	switch m.Type {
	case TypePing, TypePong, TypeMeet:
		for range src.IntN(6) {
			m.Gossip = append(m.Gossip, Gossip{Node: nodeid.Random(src), PingSent: src.Uint32(), PongReceived: src.Uint32(),
				IP: "127.0.0.1", Port: 1, CPort: 2, PPort: 3, Flags: Flags(src.Uint32())})
		}
		if src.IntN(3) > 0 {
			m.MFlags |= MFlagExtData
			m.Ext.ShardID = nodeid.Random(src)
			m.Ext.Hostname = strings.Repeat("h", src.IntN(20))
			m.Ext.Nodename = strings.Repeat("n", src.IntN(20))
			for range src.IntN(4) {
				m.Ext.Forgotten = append(m.Ext.Forgotten, Forgotten{nodeid.Random(src), src.Uint64()})
			}
		}
	case TypeFail:
		m.Fail = nodeid.Random(src)
	case TypePublish, TypePublishShard:
		m.Publish = &Publish{make([]byte, src.IntN(9)), make([]byte, src.IntN(5000))}
	case TypeUpdate:
		m.Update = &Update{ConfigEpoch: src.Uint64(), Node: nodeid.Random(src), Slots: randomSlots(src)}
	case TypeModule:
		m.Module = &Module{ID: [8]byte{1, 2, 3}, Type: 200, Data: make([]byte, src.IntN(100))}
	}
	return m
}

func randomSlots(src *rand.Rand) *slot.Set {
	var s slot.Set
	start := uint16(src.IntN(slot.Count))
	s.AddRange(slot.Range{Start: start, End: min(start+uint16(src.IntN(9000)), slot.Count-1)})
	return &s
}

func testID(n byte) nodeid.ID { return nodeid.ID{0: n, 19: 0xaa} }

func TestFlags(t *testing.T) {
	for text, flags := range map[string]Flags{
		"myself,master":    FlagMyself | FlagMaster,
		"slave,fail?":      FlagSlave | FlagPFail,
		"slave,fail":       FlagSlave | FlagFail,
		"handshake":        FlagHandshake,
		"master,noaddr":    FlagMaster | FlagNoAddr,
		"noflags":          0,
		"slave,nofailover": FlagSlave | FlagNoFailover,
	} {
		if got := flags.String(); got != text {
			t.Errorf("%b is shown as %s, not %s", flags, got, text)
		}
		if got, err := ParseFlags(text); got != flags || err != nil {
			t.Errorf("%s is read as %b, %v", text, got, err)
		}
	}
	if got := (FlagMigrateTo | FlagMaster).String(); got != "master" {
		t.Errorf("a flag without a name is shown: %s", got)
	}
	for text, want := range map[string]string{"MASTER,loud": `unknown flag "loud"`, "master,": `unknown flag ""`} {
		if _, err := ParseFlags(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestTypeNames(t *testing.T) {
	if TypeAuthRequest.String() != "auth-req" || TypePublishShard.String() != "publishshard" || Type(77).String() != "unknown(77)" {
		t.Error("wrong names")
	}
}

func FuzzDecode(f *testing.F) {
	for _, packets := range goldenPackets(f) {
		for _, packet := range packets {
			f.Add(packet)
		}
	}
	src := rand.New(rand.NewPCG(1, 1))
	for range 30 {
		f.Add(Append(nil, randomMsg(src)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, n, err := Decode(data)
		var ignored *Ignored
		switch {
		case n < 0 || n > len(data):
			t.Fatalf("consumed %d of %d bytes", n, len(data))
		case m != nil && (n == 0 || err != nil), m == nil && n > 0 && !errors.As(err, &ignored):
			t.Fatalf("%v, %d, %v is none of the four outcomes", m, n, err)
		case m == nil:
			return
		}
		// What was understood survives a round trip.
		packet := Append(nil, m)
		again, _, err := Decode(packet)
		if err != nil || !bytes.Equal(Append(nil, again), packet) {
			t.Fatalf("%v\n got %+v\nwant %+v", err, again, m)
		}
	})
}

func BenchmarkPing(b *testing.B) {
	m := &Msg{Sender: testID(1), Slots: &slot.Set{}, Ext: Ext{ShardID: testID(2)}, Gossip: make([]Gossip, 10)}
	for i := range m.Gossip {
		m.Gossip[i] = Gossip{Node: testID(byte(i + 1)), IP: "127.0.0.1"}
	}
	var d Decoder
	buf := Append(nil, m)
	b.ReportAllocs()
	for b.Loop() {
		buf = Append(buf[:0], m)
		if _, _, err := d.Decode(buf); err != nil {
			b.Fatal(err)
		}
	}
}

// Each refusal has words, those of later versions too.
func TestRefusalText(t *testing.T) {
	seen := map[string]bool{}
	for r := RefusalNone; r <= RefusalLessData+1; r++ {
		if text := r.String(); text == "" || seen[text] {
			t.Errorf("refusal %d: %q", r, text)
		} else {
			seen[text] = true
		}
	}
	if Refusal(200).String() != (RefusalLessData + 1).String() {
		t.Error("an unknown refusal has words of its own")
	}
}
