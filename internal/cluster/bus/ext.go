package bus

import (
	"bytes"
	"math"
	"strings"

	"github.com/skeindb/skein/internal/base/nodeid"
)

// Dialect is the set of extensions that a peer understands.
type Dialect uint8

// The dialects.
const (
	Redis72 Dialect = iota // all of ours
	Redis70                // the host name only
)

// Dialect tells what the sender of a heartbeat understands. Only PING, PONG and MEET say so.
//
// Redis 7.2.4 puts its shard id into every heartbeat; later versions and Valkey set a flag of the node or
// the extension flag of the message always. A 7.0 node does neither: it has the extension flag for a host
// name and for nothing else.
func (m *Msg) Dialect() Dialect {
	onlyHostname := m.Ext.Hostname != "" && m.Ext.Nodename == "" && m.Ext.Forgotten == nil &&
		m.Ext.ShardID.IsZero() && m.Ext.Unknown == 0
	if m.Flags.Has(FlagExtensions) || m.MFlags&MFlagExtData != 0 && !onlyHostname {
		return Redis72
	}
	return Redis70
}

// The extension types. Type 4 has two meanings, see the package comment.
const (
	extHostname = iota
	extNodename
	extForgotten
	extShardID
	extSecretOrIPv4
	extClientIPv6
	extClientPort
	extClientTLSPort
	extZone
	extPriority
)

const (
	extHeadLen   = 8
	extFixedLen  = extHeadLen + nodeid.Len // of the shard id and of the internal secret
	forgottenLen = extHeadLen + nodeid.Len + 8
)

// appendExt appends the extensions in the order of Redis and returns how many they are.
func appendExt(dst []byte, ext *Ext, d Dialect) (_ []byte, count uint16) {
	if ext.Hostname != "" {
		dst = appendExtText(dst, extHostname, ext.Hostname)
		count++
	}
	if d == Redis70 {
		return dst, count
	}
	if ext.Nodename != "" {
		dst = appendExtText(dst, extNodename, ext.Nodename)
		count++
	}
	const othersAtMost = 3
	for _, f := range ext.Forgotten[:min(len(ext.Forgotten), math.MaxUint16-othersAtMost)] {
		dst = appendExtHead(dst, extForgotten, forgottenLen)
		dst = appendID(dst, f.Node)
		dst = be.AppendUint64(dst, f.TTLSeconds)
		count++
	}
	if !ext.ShardID.IsZero() {
		dst = appendExtHead(dst, extShardID, extFixedLen)
		dst = appendID(dst, ext.ShardID)
		count++
	}
	return dst, count
}

func appendExtHead(dst []byte, extType uint16, length int) []byte {
	dst = be.AppendUint32(dst, uint32(length))
	dst = be.AppendUint16(dst, extType)
	return be.AppendUint16(dst, 0)
}

func appendExtText(dst []byte, extType uint16, text string) []byte {
	padded := (len(text) + 1 + 7) &^ 7
	dst = appendExtHead(dst, extType, extHeadLen+padded)
	dst = append(dst, text...)
	return append(dst, make([]byte, padded-len(text))...)
}

// decodeExt reads count extensions, which must fill buf, into m.
func decodeExt(m *Msg, buf []byte, count int) error {
	for range count {
		if len(buf) < extHeadLen {
			return ErrLength
		}
		length := uint64(be.Uint32(buf))
		if length%8 != 0 {
			return ErrPadding
		}
		if length < extHeadLen || length > uint64(len(buf)) {
			return ErrLength
		}
		decodeOneExt(m, be.Uint16(buf[4:]), buf[extHeadLen:length])
		buf = buf[length:]
	}
	if len(buf) > 0 {
		return ErrLength
	}
	return nil
}

// decodeOneExt takes over one extension. One with a bad body is left out and counted.
func decodeOneExt(m *Msg, extType uint16, body []byte) {
	ok := true
	switch extType {
	case extHostname:
		m.Ext.Hostname, ok = extText(body)
	case extNodename:
		m.Ext.Nodename, ok = extNodenameText(body)
	case extForgotten:
		var f Forgotten
		if f, ok = extForgottenNode(body); ok {
			m.Ext.Forgotten = append(m.Ext.Forgotten, f)
		}
	case extShardID:
		m.Ext.ShardID, ok = extID(body)
	case extSecretOrIPv4:
		isSecret := extHeadLen+len(body) == extFixedLen
		isIPv4 := m.Flags.Has(FlagLightPublish)
		if !isSecret && !isIPv4 {
			m.Ext.Unknown++
		}
	case extClientIPv6, extClientPort, extClientTLSPort, extZone, extPriority:
	default:
		m.Ext.Unknown++
	}
	if !ok {
		m.BadEntries++
	}
}

func extText(body []byte) (string, bool) {
	text, _, terminated := bytes.Cut(body, []byte{0})
	if !terminated || len(text) > maxTextLen || !cleanText(text) {
		return "", false
	}
	return string(text), true
}

// extNodenameText refuses the characters that Redis forbids in a node name as well: nodes.conf could not be
// read with them.
func extNodenameText(body []byte) (string, bool) {
	name, ok := extText(body)
	if !ok || strings.ContainsAny(name, "!#$%&()*+:;<>?@[]^{|}~") {
		return "", false
	}
	return name, true
}

func extID(body []byte) (nodeid.ID, bool) {
	if len(body) != nodeid.Len {
		return nodeid.ID{}, false
	}
	id, err := nodeid.Parse(body)
	return id, err == nil
}

func extForgottenNode(body []byte) (Forgotten, bool) {
	if len(body) != forgottenLen-extHeadLen {
		return Forgotten{}, false
	}
	id, err := nodeid.Parse(body[:nodeid.Len])
	return Forgotten{Node: id, TTLSeconds: be.Uint64(body[nodeid.Len:])}, err == nil
}

// maxTextLen limits host and node names, in bytes. A host name has at most 255; redis knows no limit for
// the other.
const maxTextLen = 4096

// cleanText reports whether text can stand in a line of nodes.conf: printable ASCII or UTF-8 bytes without
// blanks, quotes, or the comma and the equals sign that separate the fields.
func cleanText(text []byte) bool {
	for _, c := range text {
		if c <= ' ' || c == 0x7f || c == ',' || c == '=' || c == '"' || c == '\'' || c == '\\' {
			return false
		}
	}
	return true
}
