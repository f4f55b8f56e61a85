package bus

import (
	"encoding/binary"
	"math"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
)

// Lengths and offsets of the header, see the package comment.
const (
	HeaderLen = 2256 // bytes of the header, and of the shortest packet
	GossipLen = 104  // bytes of a gossip entry

	signature = "RCmb"
	version   = 1
	ipLen     = 46

	offTotal        = 4
	offVersion      = 8
	offPort         = 10
	offType         = 12
	offCount        = 14
	offCurrentEpoch = 16
	offConfigEpoch  = 24
	offOffset       = 32
	offSender       = 40
	offSlots        = 80
	offSlaveOf      = 2128
	offMyIP         = 2168
	offExtensions   = 2214
	offPPort        = 2246
	offCPort        = 2248
	offFlags        = 2250
	offState        = 2252
	offMFlags       = 2253

	publishHeadLen = 8
	updateLen      = 8 + nodeid.Len + slot.Count/8
	moduleHeadLen  = 8 + 4 + 1
)

var be = binary.BigEndian

// Append appends m to dst as Redis 7.2 writes it. The body that belongs to m.Type must be there. Redis
// never has more than 65535 gossip entries or extensions in a packet; what exceeds that is left out.
func Append(dst []byte, m *Msg) []byte { return AppendFor(dst, m, Redis72) }

// AppendFor is Append for a peer that understands only what its dialect says.
func AppendFor(dst []byte, m *Msg, d Dialect) []byte {
	start := len(dst)
	dst = appendHeader(dst, m)
	switch m.Type {
	case TypePing, TypePong, TypeMeet:
		dst = appendHeartbeat(dst, start, m, d)
	case TypeFail:
		dst = appendID(dst, m.Fail)
	case TypePublish, TypePublishShard:
		dst = be.AppendUint32(dst, uint32(len(m.Publish.Channel)))
		dst = be.AppendUint32(dst, uint32(len(m.Publish.Message)))
		dst = append(dst, m.Publish.Channel...)
		dst = append(dst, m.Publish.Message...)
	case TypeUpdate:
		dst = be.AppendUint64(dst, m.Update.ConfigEpoch)
		dst = appendID(dst, m.Update.Node)
		dst = appendSlots(dst, m.Update.Slots)
	case TypeModule:
		dst = append(dst, m.Module.ID[:]...)
		dst = be.AppendUint32(dst, uint32(len(m.Module.Data)))
		dst = append(dst, m.Module.Type)
		dst = append(dst, m.Module.Data...)
	}
	be.PutUint32(dst[start+offTotal:], uint32(len(dst)-start))
	return dst
}

// appendHeader appends the header with length, gossip and extension counts still 0.
func appendHeader(dst []byte, m *Msg) []byte {
	dst = append(dst, signature...)
	dst = be.AppendUint32(dst, 0)
	dst = be.AppendUint16(dst, version)
	dst = be.AppendUint16(dst, m.Port)
	dst = be.AppendUint16(dst, uint16(m.Type))
	dst = be.AppendUint16(dst, 0)
	dst = be.AppendUint64(dst, m.CurrentEpoch)
	dst = be.AppendUint64(dst, m.ConfigEpoch)
	dst = be.AppendUint64(dst, m.Offset)
	dst = appendID(dst, m.Sender)
	dst = appendSlots(dst, m.Slots)
	dst = appendID(dst, m.SlaveOf)
	dst = appendIP(dst, m.MyIP)
	dst = append(dst, make([]byte, offPPort-offExtensions)...)
	dst = be.AppendUint16(dst, m.PPort)
	dst = be.AppendUint16(dst, m.CPort)
	dst = be.AppendUint16(dst, uint16(m.Flags))
	return append(dst, byte(m.State), byte(m.MFlags), byte(m.Refusal), 0)
}

// appendHeartbeat appends gossip and extensions and puts their counts into the header at start.
func appendHeartbeat(dst []byte, start int, m *Msg, d Dialect) []byte {
	gossip := m.Gossip[:min(len(m.Gossip), math.MaxUint16)]
	for i := range gossip {
		dst = appendGossip(dst, &gossip[i])
	}
	be.PutUint16(dst[start+offCount:], uint16(len(gossip)))

	dst, extensions := appendExt(dst, &m.Ext, d)
	be.PutUint16(dst[start+offExtensions:], extensions)
	if extensions > 0 {
		dst[start+offMFlags] |= byte(MFlagExtData)
	} else if d == Redis70 {
		dst[start+offMFlags] &^= byte(MFlagExtData)
	}
	return dst
}

func appendGossip(dst []byte, g *Gossip) []byte {
	dst = appendID(dst, g.Node)
	dst = be.AppendUint32(dst, g.PingSent)
	dst = be.AppendUint32(dst, g.PongReceived)
	dst = appendIP(dst, g.IP)
	dst = be.AppendUint16(dst, g.Port)
	dst = be.AppendUint16(dst, g.CPort)
	dst = be.AppendUint16(dst, uint16(g.Flags))
	dst = be.AppendUint16(dst, g.PPort)
	return be.AppendUint16(dst, 0)
}

// appendID appends the 40 digits of id, or 40 NULs if there is none.
func appendID(dst []byte, id nodeid.ID) []byte {
	if id.IsZero() {
		return append(dst, make([]byte, nodeid.Len)...)
	}
	return id.AppendHex(dst)
}

func appendSlots(dst []byte, slots *slot.Set) []byte {
	if slots == nil {
		return append(dst, make([]byte, slot.Count/8)...)
	}
	return append(dst, slots[:]...)
}

// appendIP appends ip in its field, cut so that a NUL still follows it.
func appendIP(dst []byte, ip string) []byte {
	ip = ip[:min(len(ip), ipLen-1)]
	dst = append(dst, ip...)
	return append(dst, make([]byte, ipLen-len(ip))...)
}
