package builtin

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/skeindb/skein/internal/base/crc64"
	"github.com/skeindb/skein/internal/store/rdb"
)

// FuzzRestore gives RESTORE payloads that nobody made, with a right footer and
// without. It must refuse them and change nothing, or make a key that DUMP can
// dump again.
func FuzzRestore(f *testing.F) {
	var e rdb.Encoder
	for _, text := range []string{"", "hello", "-1", "70000", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"} {
		f.Add(e.DumpString(nil, []byte(text)), true)
		f.Add(e.DumpString(nil, []byte(text)), false)
	}
	f.Add([]byte("\x00\xc3\x05\x16\x00a\xe0\x0b\x00\x0b\x00........"), true)
	f.Add([]byte("\x00\x81\xff\xff\xff\xff\xff\xff\xff\xff\x0b\x00........"), true)
	s := newServer(f)
	f.Fuzz(func(t *testing.T, payload []byte, sealed bool) {
		if sealed && len(payload) >= 10 {
			payload = binary.LittleEndian.AppendUint64(payload[:len(payload)-8:len(payload)-8], crc64.Update(0, payload[:len(payload)-8]))
		}
		s.command("SET", "k", "before")
		reply := s.play([][]byte{[]byte("RESTORE"), []byte("k"), []byte("0"), payload, []byte("REPLACE")}).reply
		switch string(reply) {
		case "-ERR DUMP payload version or checksum are wrong\r\n", "-ERR Bad data format\r\n":
			if got := s.command("GET", "k"); string(got) != "$6\r\nbefore\r\n" {
				t.Fatalf("a refused payload left %q", got)
			}
		case "+OK\r\n":
			was := s.command("GET", "k")
			v, err := rdb.Undump(payload, rdb.Limits{})
			if err != nil || !bytes.Contains(was, v.Str) {
				t.Fatalf("%q of %x, %v", was, payload, err)
			}
		default:
			t.Fatalf("reply %q", reply)
		}
	})
}

// command plays a command line and returns the reply.
func (s *server) command(words ...string) []byte {
	argv := make([][]byte, len(words))
	for i, w := range words {
		argv[i] = []byte(w)
	}
	return s.play(argv).reply
}

// TestRestoreIdle is no line of a script, since a second may pass before redis-server is asked.
func TestRestoreIdle(t *testing.T) {
	s := newServer(t)
	s.play([][]byte{[]byte("SET"), []byte("k"), []byte("v")})
	dump := s.play([][]byte{[]byte("DUMP"), []byte("k")}).reply
	_, payload, _ := bytes.Cut(bytes.TrimSuffix(dump, []byte("\r\n")), []byte("\r\n"))
	s.play([][]byte{[]byte("RESTORE"), []byte("l"), []byte("0"), payload, []byte("IDLETIME"), []byte("1000")})
	got := string(s.play([][]byte{[]byte("OBJECT"), []byte("IDLETIME"), []byte("l")}).reply)
	if got != ":1000\r\n" && got != ":1001\r\n" {
		t.Errorf("idle %q", got)
	}
}
