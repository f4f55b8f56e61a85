package bus

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
)

// Reasons to close a link: it is not known where its next packet starts.
var (
	ErrSignature = errors.New("bad signature: not a packet of the cluster bus")
	ErrTooShort  = errors.New("bad length: shorter than the header of a packet")
	ErrTooLong   = errors.New("bad length: longer than any packet of its type")
)

// Reasons to ignore a packet. They come wrapped in an *Ignored.
var (
	ErrVersion = errors.New("unknown protocol version")
	ErrType    = errors.New("unknown packet type")
	ErrLight   = errors.New("light header, which we did not ask for")
	ErrLength  = errors.New("length does not fit the content")
	ErrPadding = errors.New("an extension is not padded to eight bytes")
	ErrID      = errors.New("an id is not 40 lower-case hexadecimal digits")
	ErrText    = errors.New("the announced address is not a text")
)

// Ignored says that a packet is to be dropped and the link kept.
type Ignored struct {
	Type   Type  // as it stands in the packet; redis counts the packet as received
	Len    int   // bytes of the packet
	Reason error // one of ErrVersion … ErrText
}

// Error names the type, the length and the reason.
func (e *Ignored) Error() string {
	return fmt.Sprintf("bus: ignored a %s packet of %d bytes: %v", e.Type, e.Len, e.Reason)
}

// Unwrap returns the reason.
func (e *Ignored) Unwrap() error { return e.Reason }

// Limits of the packet length in bytes. Redis has none. Only a published message or the payload of a
// module can be large: twice redis's default limit of a bulk string. The largest heartbeat that the
// 16-bit counts allow for has 6.5 MiB of gossip and 3.5 MiB of extensions.
const (
	MaxPayloadPacketLen = 1 << 30
	MaxPacketLen        = 16 << 20
)

const (
	lightHeaderLen = 16
	frameLen       = offType + 2 // what PacketLen needs to see
)

// PacketLen returns the length of the packet at the start of buf, or 0 if too little of it is there to
// tell. The errors are those that close the link. At least that many bytes will be needed, but a caller
// must not reserve them in advance: a hostile peer claims much and sends little.
func PacketLen(buf []byte) (int, error) {
	if known := min(len(buf), len(signature)); string(buf[:known]) != signature[:known] {
		return 0, ErrSignature
	}
	if len(buf) < frameLen {
		return 0, nil
	}
	total := be.Uint32(buf[offTotal:])
	typ := Type(be.Uint16(buf[offType:]))

	shortest, longest := uint32(HeaderLen), uint32(MaxPacketLen)
	if typ&typeLight != 0 {
		shortest = lightHeaderLen
	}
	switch typ &^ typeLight {
	case TypePublish, TypePublishShard, TypeModule:
		longest = MaxPayloadPacketLen
	}
	if total < shortest {
		return 0, ErrTooShort
	}
	if total > longest {
		return 0, ErrTooLong
	}
	return int(total), nil
}

// Decoder reads the packets of one link. The zero value is ready. It remembers the last slot set, so that
// heartbeats which repeat it share one immutable copy.
type Decoder struct {
	slots *slot.Set
}

// Decode reads the packet at the start of buf with a new Decoder.
func Decode(buf []byte) (m *Msg, n int, err error) {
	var d Decoder
	return d.Decode(buf)
}

// Decode reads the packet at the start of buf. There are four outcomes:
//
//	m     n   err
//	set   >0  nil       a message of n bytes
//	nil   0   nil       buf ends inside the packet: read more
//	nil   >0  *Ignored  drop n bytes and go on
//	nil   0   other     close the link
//
// The payloads of PUBLISH and MODULE point into buf; everything else is copied.
func (d *Decoder) Decode(buf []byte) (m *Msg, n int, err error) {
	total, err := PacketLen(buf)
	if err != nil || total == 0 || len(buf) < total {
		return nil, 0, err
	}
	packet := buf[:total:total]
	if m, err = d.decodePacket(packet); err != nil {
		return nil, total, &Ignored{Type: Type(be.Uint16(packet[offType:])), Len: total, Reason: err}
	}
	return m, total, nil
}

// decodePacket reads one whole packet with a sound frame.
func (d *Decoder) decodePacket(p []byte) (*Msg, error) {
	if be.Uint16(p[offVersion:]) != version {
		return nil, ErrVersion
	}
	if Type(be.Uint16(p[offType:]))&typeLight != 0 {
		return nil, ErrLight
	}
	m, err := d.decodeHeader(p)
	if err != nil {
		return nil, err
	}
	body := p[HeaderLen:]
	switch m.Type {
	case TypePing, TypePong, TypeMeet:
		return m, decodeHeartbeat(m, p)
	case TypeFail:
		return m, decodeFail(m, body)
	case TypePublish, TypePublishShard:
		return m, decodePublish(m, body)
	case TypeAuthRequest, TypeAuthAck, TypeMFStart:
		return m, expectLen(body, 0)
	case TypeUpdate:
		return m, decodeUpdate(m, body)
	case TypeModule:
		return m, decodeModule(m, body)
	}
	return nil, ErrType
}

func (d *Decoder) decodeHeader(p []byte) (*Msg, error) {
	m := &Msg{
		Type:         Type(be.Uint16(p[offType:])),
		Port:         be.Uint16(p[offPort:]),
		PPort:        be.Uint16(p[offPPort:]),
		CPort:        be.Uint16(p[offCPort:]),
		CurrentEpoch: be.Uint64(p[offCurrentEpoch:]),
		ConfigEpoch:  be.Uint64(p[offConfigEpoch:]),
		Offset:       be.Uint64(p[offOffset:]),
		Flags:        Flags(be.Uint16(p[offFlags:])),
		State:        State(p[offState]),
		MFlags:       MFlags(p[offMFlags]),
		Refusal:      Refusal(p[offMFlags+1]),
		Slots:        d.sharedSlots(p[offSlots:offSlaveOf]),
	}
	var err error
	if m.Sender, err = nodeid.Parse(p[offSender:offSlots]); err != nil {
		return nil, ErrID
	}
	if slaveOf := p[offSlaveOf:offMyIP]; slaveOf[0] != 0 {
		if m.SlaveOf, err = nodeid.Parse(slaveOf); err != nil {
			return nil, ErrID
		}
	}
	var ok bool
	if m.MyIP, ok = ipText(p[offMyIP : offMyIP+ipLen]); !ok {
		return nil, ErrText
	}
	return m, nil
}

// sharedSlots returns the set in the wire form raw, the remembered one if it is the same.
func (d *Decoder) sharedSlots(raw []byte) *slot.Set {
	if d.slots == nil || !bytes.Equal(d.slots[:], raw) {
		set := slot.Set(raw)
		d.slots = &set
	}
	return d.slots
}

func decodeHeartbeat(m *Msg, p []byte) error {
	count := int(be.Uint16(p[offCount:]))
	body := p[HeaderLen:]
	if len(body) < count*GossipLen {
		return ErrLength
	}
	if count > 0 {
		m.Gossip = make([]Gossip, 0, count)
	}
	for ; count > 0; count-- {
		if g, ok := decodeGossip(body); ok {
			m.Gossip = append(m.Gossip, g)
		} else {
			m.BadEntries++
		}
		body = body[GossipLen:]
	}
	if m.MFlags&MFlagExtData == 0 {
		return expectLen(body, 0)
	}
	return decodeExt(m, body, int(be.Uint16(p[offExtensions:])))
}

func decodeGossip(p []byte) (Gossip, bool) {
	id, err := nodeid.Parse(p[:nodeid.Len])
	ip, ok := ipText(p[48 : 48+ipLen])
	return Gossip{
		Node:         id,
		PingSent:     be.Uint32(p[40:]),
		PongReceived: be.Uint32(p[44:]),
		IP:           ip,
		Port:         be.Uint16(p[94:]),
		CPort:        be.Uint16(p[96:]),
		Flags:        Flags(be.Uint16(p[98:])),
		PPort:        be.Uint16(p[100:]),
	}, err == nil && ok
}

func decodeFail(m *Msg, body []byte) (err error) {
	if err = expectLen(body, nodeid.Len); err != nil {
		return err
	}
	if m.Fail, err = nodeid.Parse(body); err != nil {
		return ErrID
	}
	return nil
}

func decodePublish(m *Msg, body []byte) error {
	if len(body) < publishHeadLen {
		return ErrLength
	}
	channel, message := uint64(be.Uint32(body)), uint64(be.Uint32(body[4:]))
	body = body[publishHeadLen:]
	if channel+message != uint64(len(body)) {
		return ErrLength
	}
	m.Publish = &Publish{Channel: body[:channel:channel], Message: body[channel:]}
	return nil
}

func decodeUpdate(m *Msg, body []byte) error {
	if err := expectLen(body, updateLen); err != nil {
		return err
	}
	id, err := nodeid.Parse(body[8 : 8+nodeid.Len])
	if err != nil {
		return ErrID
	}
	slots := slot.Set(body[8+nodeid.Len:])
	m.Update = &Update{ConfigEpoch: be.Uint64(body), Node: id, Slots: &slots}
	return nil
}

func decodeModule(m *Msg, body []byte) error {
	if len(body) < moduleHeadLen {
		return ErrLength
	}
	if uint64(be.Uint32(body[8:])) != uint64(len(body)-moduleHeadLen) {
		return ErrLength
	}
	m.Module = &Module{ID: [8]byte(body), Type: body[12], Data: body[moduleHeadLen:]}
	return nil
}

func expectLen(body []byte, n int) error {
	if len(body) != n {
		return ErrLength
	}
	return nil
}

// ipText reads an address up to its NUL. It may be a host name: redis does not insist on digits.
func ipText(field []byte) (string, bool) {
	text, _, terminated := bytes.Cut(field, []byte{0})
	if !terminated || !cleanText(text) {
		return "", false
	}
	return string(text), true
}
