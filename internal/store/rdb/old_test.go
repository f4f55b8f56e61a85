package rdb

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/stream"
)

// ziplist is a ziplist of entries as they stand behind the length of the one before.
func ziplist(entries ...string) string {
	body, last, before := "", ziplistHead, 0
	for _, e := range entries {
		last = ziplistHead + len(body)
		head := string(rune(before))
		if before >= zipLong {
			head = "\xfe" + string(binary.LittleEndian.AppendUint32(nil, uint32(before)))
		}
		before = len(head) + len(e)
		body += head + e
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(ziplistHead+len(body)+1))
	b = binary.LittleEndian.AppendUint32(b, uint32(last))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(entries)))
	return string(b) + body + "\xff"
}

// stored is s as a string in a file, not compressed.
func stored(s string) string { return string(AppendLen(nil, uint64(len(s)))) + s }

// integers are those of every width, and strings of every length.
var everyEntry = []string{
	"\x01a", "\xf1", "\xfd", "\xfe\x80", "\xc0\x00\x80", "\xf0\xff\xff\x7f", "\xd0\x00\x00\x00\x80", "\xe0\xff\xff\xff\xff\xff\xff\xff\x7f",
	"\x41\x2c" + strings.Repeat("m", 300), "\x80\x00\x00\x00\x02zz", "\x00", "\x01b",
}

const everyText = `"a" "0" "12" "-128" "-32768" "8388607" "-2147483648" "9223372036854775807" `

type old struct {
	name, body, text string
}

// oldValues are values as only older servers write them, and newer ones.
func oldValues() []old {
	pairs := func(e ...string) string { return stored(string(listpack.Of(e...))) }
	id := string(binaryID(stream.ID{Ms: 5, Seq: 1}))
	block := stored(string(listpack.Of("2", "0", "1", "f", "0", "2", "0", "0", "v", "4", "2", "1", "0", "w", "4")))
	millis := func(ms uint64) string { return string(binary.LittleEndian.AppendUint64(nil, ms)) }
	return []old{
		{"list", "\x01\x03\x01a\xc0\x05\x01a", `"a" "5" "a" `},
		{"list in a ziplist", "\x0a" + stored(ziplist(everyEntry...)), everyText + `"` + strings.Repeat("m", 300) + `" "zz" "" "b" `},
		{"list of ziplists", "\x0e\x03" + stored(ziplist("\x01a")) + stored(ziplist()) + stored(ziplist("\x01b", "\xf2")), `"a" "b" "1" `},
		{"list of nodes", "\x12\x03\x02" + pairs("a", "1") + "\x01\x03big\x02" + pairs("z"), `"a" "1" "big" "z" `},
		{"set in a listpack", "\x14" + pairs("b", "1", "a"), `"1" "a" "b"`},
		{"Intset integrity check failed", "\x0b\x0c\x02\x00\x00\x00\x02\x00\x00\x00\xff\xff\x07\x00", `"-1" "7"`},
		{"sorted set with scores as text", "\x03\x04\x01a\x031.5\x01b\xff\x01c\xfe\x01d\x02-2", `"b"=-Inf "d"=-2 "a"=1.5 "c"=+Inf `},
		{"sorted set in a ziplist", "\x0c" + stored(ziplist("\x01b", "\x041.25", "\x01a", "\xf3")), `"b"=1.25 "a"=2 `},
		{"hash in a ziplist", "\x0d" + stored(ziplist("\x01b", "\x041.25", "\xf4", "\xf3")), `"3"="2"@0 "b"="1.25"@0`},
		{"hash in a zipmap", "\x09" + stored("\x02\x01a\x01\x00b\x02cc\x02\x03dd...\xff"), `"a"="b"@0 "cc"="dd"@0`},
		{"hash in a large zipmap", "\x09" + stored("\xfe\xfe\x03\x00\x00\x00aaa\xfe\x02\x00\x00\x00\x00bb\xff"), `"aaa"="bb"@0`},
		{"hash with deadlines", "\x18" + millis(1000) + "\x03\x01\x01a\x01b\x00\x01c\x01d\x05\x01e\x01f", `"a"="b"@1000 "c"="d"@0 "e"="f"@1004`},
		{"hash with deadlines in a listpack", "\x19" + millis(1000) + pairs("a", "b", "1000", "e", "f", "1004", "c", "d", "0"), `"a"="b"@1000 "c"="d"@0 "e"="f"@1004`},
		{"stream of redis 5", "\x0f\x01\x10" + id + block + "\x02\x06\x01" + "\x01\x05group\x06\x01" +
			"\x01" + id + millis(7000) + "\x03" + "\x01\x01c" + millis(8000) + "\x01" + id,
			`{Last:6-1 MaxDeleted:0-0 Added:2} 2 5-1 5-1 "f"="v"; 6-1 "f"="w"; group "group" 6-1 2: 5-1 "c" 7000 3, "c" 8000 [5-1]`},
		{"stream of redis 7.2", "\x15\x01\x10" + id + block + "\x02\x06\x01" + "\x05\x01\x00\x00\x09" + "\x01\x05group\x06\x01\x81\xff\xff\xff\xff\xff\xff\xff\xff" +
			"\x01" + id + millis(7000) + "\x03" + "\x01\x01c" + millis(8000) + millis(7500) + "\x01" + id,
			`{Last:6-1 MaxDeleted:0-0 Added:9} 2 5-1 5-1 "f"="v"; 6-1 "f"="w"; group "group" 6-1 -1: 5-1 "c" 7000 3, "c" 8000 [5-1]`},
	}
}

func TestOldValues(t *testing.T) {
	for _, v := range oldValues() {
		got, err := Undump(sealed(v.body, 12), usual)
		if err != nil || text(got) != v.text {
			t.Errorf("%s: %s, %v, want %s", v.name, text(got), err, v.text)
		}
	}
}

// TestEveryByteOfValues damages each byte of values: they are refused, or are
// values that bear everything.
func TestEveryByteOfValues(t *testing.T) {
	try := func(name, body string) {
		v, err := Undump(sealed(body, 10), usual)
		fromStream(t, []byte(body), v, err)
		if err == nil && v.Object != nil {
			handle(t, v.Object)
		}
	}
	for _, v := range oldValues() {
		for i := range v.body {
			for _, flip := range []byte{1, 2, 0x40, 0x80, 0xff} {
				b := []byte(v.body)
				b[i] ^= flip
				try(v.name, string(b))
			}
			try(v.name, v.body[:i])
		}
	}
	for _, v := range values() {
		dump := string(dumped(Value{Object: v.o}))
		body := dump[:min(len(dump)-footerBytes, 400)]
		for i := range body {
			b := []byte(body)
			b[i] ^= 0x81
			try(v.name, string(b))
		}
	}
}

func TestRefusedValues(t *testing.T) {
	lp := func(e ...string) string { return stored(string(listpack.Of(e...))) }
	for body, want := range map[string]string{
		"\x01\x00":                     "empty collection: type 1 (list)",
		"\x02\x00":                     "empty collection",
		"\x04\x00":                     "empty collection",
		"\x05\x00":                     "empty collection",
		"\x0e\x00":                     "empty collection",
		"\x0e\x01" + stored(ziplist()): "empty collection",
		"\x0a" + stored(ziplist()):     "empty collection",
		"\x10" + lp():                  "empty collection: Hash listpack at byte 1",
		"\x14" + lp():                  "empty collection",
		"\x0d" + stored(ziplist()):     "empty collection",
		"\x12\x01\x03" + lp("a"):       "Quicklist integrity check failed: node of kind 3",
		"\x12\x01\x01\x00":             "Quicklist integrity check failed: node of kind 1, 0 bytes",
		"\x02\x02\x01a\x01a":           `Duplicate set members detected: "a" at byte 4`,
		"\x14" + lp("a", "b", "a"):     "Set listpack integrity check failed",
		"\x0b\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x07\x00\xff\xff": "Intset integrity check failed",
		"\x05\x02\x01a12345678\x01a12345678":                       `Duplicate zset fields detected: "a"`,
		"\x03\x01\x01a\xfd":                                        "Zset with NAN score detected",
		"\x03\x01\x01a\x01x":                                       `score "x"`,
		"\x11" + lp("a", "b"):                                      "Zset integrity check failed",
		"\x11" + lp("a"):                                           "Zset integrity check failed",
		"\x04\x02\x01a\x01b\x01a\x01b":                             `Duplicate hash fields detected: "a"`,
		"\x10" + lp("a"):                                           "Hash integrity check failed",
		"\x10" + lp("a", "b", "a", "b"):                            "Hash integrity check failed",
		"\x09" + stored("\x01\x01a\x01\x00b\x01a\x01\x00b\xff"):    "Zipmap integrity check failed",
		"\x09" + stored("\x00\xff"):                                "Zipmap integrity check failed",
		"\x18\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01\x01a\x01b":   "deadline 18446744073709551615",
		"\x19\x00\x00\x00\x00\x00\x00\x00\x00" + lp("a", "b"):      "Hash listpack integrity check failed: 2 elements",
		"\x19\x00\x00\x00\x00\x00\x00\x00\x00" + lp("a", "b", "c"): `Hash listpack integrity check failed: field "a"`,
		"\x13\x01\x01a":                                            "Stream node key entry is not the size of a stream ID: 1 bytes at byte 2",
		"\x13\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00":             "Stream length inconsistent with rax entries: 0, not 1",
		"\x13\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x01g\x00\x00\x00\x00\x00\x01g\x00\x00\x00\x00\x00":                            `Duplicated consumer group name "g"`,
		"\x13\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01g\x00\x00\x00\x011234567812345678abcdefgh\x01\x00":                         "Stream CG PEL entry without consumer",
		"\x13\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01g\x00\x00\x00\x00\x01\x01c12345678\x011234567812345678":                    "Consumer entry not found in group global PEL",
		"\x13\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01g\x00\x00\x00\x021234567812345678abcdefgh\x011234567812345678abcdefgh\x01": "Duplicated global PEL entry loading stream consumer group",
	} {
		if _, err := Undump(sealed(body, 10), usual); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%x: %v, want %s", body, err, want)
		}
	}
}

// TestEmptyKeys: keys without anything are left out of a file, as redis does.
func TestEmptyKeys(t *testing.T) {
	body := "\x02\x01a\x00" + "\x00\x01b\x01v" + "\x10\x01c" + stored(string(listpack.New()))
	var got taker
	var empty []string
	o := ReadOptions{Limits: usual, Empty: func(name []byte) { empty = append(empty, string(name)) }}
	if _, err := Read(strings.NewReader(finished("REDIS0010", body)), o, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.keys) != 1 || fmt.Sprint(empty) != "[a c]" {
		t.Error(got.keys, empty)
	}
}
