package oplog

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

func effect(db int, c Class, words ...string) Effect {
	b := fmt.Appendf(nil, "*%d\r\n", len(words))
	for _, w := range words {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(w), w)
	}
	return Effect{DB: db, Class: c, Argv: b}
}

// readAll is what r has to read, in pieces of so many bytes.
func readAll(t testing.TB, r *Reader, piece int) string {
	t.Helper()
	var all []byte
	for buf := make([]byte, piece); ; {
		n, err := r.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return string(all)
		}
		all = append(all, buf[:n]...)
	}
}

// plain shows a stream as words.
func plain(stream string) string {
	out := ""
	for _, line := range strings.Split(stream, "\r\n") {
		switch {
		case strings.HasPrefix(line, "*"):
			out += "| "
		case !strings.HasPrefix(line, "$") && line != "":
			out += line + " "
		}
	}
	return strings.TrimSpace(out)
}

func TestStreams(t *testing.T) {
	l := New(Options{SegmentBytes: 50})
	if l.Active() {
		t.Error("active before anybody reads")
	}
	l.Append([]Effect{effect(0, Both, "LOST")}, true)
	l.SetBacklog(10_000)
	file := l.ReadFile()
	replica, err := l.ReadFrom(0, 0)
	if err != nil || !l.Active() {
		t.Fatal(err, l.Active())
	}
	for _, c := range []struct {
		effects           []Effect
		whole             bool
		toReplica, toFile string
	}{
		{[]Effect{effect(0, Both, "SET", "a", "1")}, true, "| SELECT 0 | SET a 1", "| SELECT 0 | SET a 1"},
		{[]Effect{effect(0, Both, "SET", "b", "1")}, true, "| SET b 1", "| SET b 1"},
		{[]Effect{effect(3, Both, "DEL", "a"), effect(3, Both, "DEL", "b")}, true,
			"| MULTI | SELECT 3 | DEL a | DEL b | EXEC", "| SELECT 3 | MULTI | DEL a | DEL b | EXEC"},
		{[]Effect{effect(3, Both, "DEL", "c"), effect(0, Both, "DEL", "d")}, false,
			"| DEL c | SELECT 0 | DEL d", "| DEL c | SELECT 0 | DEL d"},
		{[]Effect{effect(-1, Replicas, "PING")}, true, "| PING", ""},
		{[]Effect{effect(12, File, "SET", "local", "1")}, true, "", "| SELECT 12 | SET local 1"},
		{[]Effect{effect(0, Both, "SET", "c", "1")}, true, "| SET c 1", "| SELECT 0 | SET c 1"},
		{[]Effect{effect(0, Replicas, "PUBLISH", "c", "m"), effect(0, Both, "SET", "d", "1")}, true,
			"| MULTI | PUBLISH c m | SET d 1 | EXEC", "| MULTI | SET d 1 | EXEC"},
		{[]Effect{effect(0, File, "DEL", "x"), effect(0, File, "DEL", "y")}, true, "", "| MULTI | DEL x | DEL y | EXEC"},
		{[]Effect{effect(5, Replicas, "PUBLISH", "c", "m")}, true, "| SELECT 5 | PUBLISH c m", ""},
		{[]Effect{effect(0, Both, "SET", "e", "1")}, true, "| SELECT 0 | SET e 1", "| SET e 1"},
	} {
		before := l.Offset()
		l.Append(c.effects, c.whole)
		got := readAll(t, replica, 7)
		if plain(got) != c.toReplica || l.Offset()-before != int64(len(got)) {
			t.Errorf("replica: %s, want %s", plain(got), c.toReplica)
		}
		if got := plain(readAll(t, file, 11)); got != c.toFile {
			t.Errorf("file: %s, want %s", got, c.toFile)
		}
	}
	l.ForgetDB()
	l.Append([]Effect{effect(0, Both, "SET", "f", "1")}, true)
	if got := plain(readAll(t, replica, 100)); got != "| SELECT 0 | SET f 1" {
		t.Error("after ForgetDB:", got)
	}
	if got := plain(readAll(t, file, 100)); got != "| SET f 1" {
		t.Error("after ForgetDB, file:", got)
	}
	l.AppendVerbatim([]Effect{effect(4, Replicas, "SELECT", "4"), effect(4, Both, "SET", "g", "1")})
	if _, db := l.Position(); db != 4 {
		t.Error("selected:", db)
	}
	l.Append([]Effect{effect(4, Both, "SET", "h", "1")}, true)
	if got := plain(readAll(t, replica, 100)); got != "| SELECT 4 | SET g 1 | SET h 1" {
		t.Error("verbatim:", got)
	}
	if got := plain(readAll(t, file, 100)); got != "| SELECT 4 | SET g 1 | SET h 1" {
		t.Error("verbatim, file:", got)
	}
}

func TestBell(t *testing.T) {
	l := New(Options{SegmentBytes: 64})
	r, _ := l.ReadFrom(0, 0)
	rung := func() bool {
		select {
		case <-r.Bell():
			return true
		default:
			return false
		}
	}
	l.Append([]Effect{effect(-1, Both, "PING")}, true)
	if rung() {
		t.Error("rings though nobody found nothing")
	}
	readAll(t, r, 100)
	l.Append([]Effect{effect(-1, Both, "PING")}, true)
	l.Append([]Effect{effect(-1, Both, "PING")}, true)
	if !rung() || rung() {
		t.Error("does not ring once")
	}
	readAll(t, r, 100)
	r.Close()
	if _, err := r.Read(make([]byte, 10)); !rung() || !errors.Is(err, ErrClosed) || l.Active() {
		t.Error("after Close:", err)
	}
}

// TestBacklog asks from every offset that is said to be kept, and from others.
func TestBacklog(t *testing.T) {
	l := New(Options{SegmentBytes: 100})
	l.Append([]Effect{effect(0, Both, "SET")}, true)
	l.SetBacklog(1000)
	if _, first, kept := l.Backlog(); l.Offset() != 0 || first != 1 || kept != 0 {
		t.Errorf("an empty backlog begins at %d and keeps %d bytes", first, kept)
	}
	var stream []byte
	r, _ := l.ReadFrom(0, 0)
	for i := range 500 {
		l.Append([]Effect{effect(i/7%3, Class(i%3), "SET", fmt.Sprint(i), strings.Repeat("x", i%50))}, true)
		stream = append(stream, readAll(t, r, 64)...)
		size, first, kept := l.Backlog()
		if size != 1000 || first+kept-1 != l.Offset() || l.Memory() > 1600 || i > 200 && kept < 500 {
			t.Fatalf("%d bytes from %d on, offset is %d, %d bytes taken", kept, first, l.Offset(), l.Memory())
		}
		for _, offset := range []int64{first - 1, first, first + kept/2, first + kept - 1} {
			back, err := l.ReadFrom(offset, 0)
			if err != nil {
				t.Fatalf("offset %d of %d: %v", offset, first, err)
			}
			if got := readAll(t, back, 1000); got != string(stream[offset:]) {
				t.Fatalf("from %d: %q, want %q", offset, got, stream[offset:])
			}
			back.Close()
		}
		for _, offset := range []int64{first - 2, first + kept} {
			if _, err := l.ReadFrom(offset, 0); !errors.Is(err, ErrNotKept) {
				t.Fatalf("offset %d: %v", offset, err)
			}
		}
	}
	r.Close()
	l.SetBacklog(0)
	if size, _, _ := l.Backlog(); size != 0 || l.Active() || l.Memory() != 0 {
		t.Error("the backlog has not ended")
	}
}

func TestCutOff(t *testing.T) {
	l := New(Options{SegmentBytes: 100})
	slow, _ := l.ReadFrom(0, 500)
	file := l.ReadFile()
	if n, _ := slow.Read(make([]byte, 10)); n != 0 {
		t.Fatal("something there")
	}
	for range 60 {
		l.Append([]Effect{effect(0, Both, "SET", "key", "value")}, true)
	}
	<-slow.Bell()
	if n, err := slow.Read(make([]byte, 10)); n != 0 || !errors.Is(err, ErrCutOff) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if file.Behind() < 60*30 || plain(readAll(t, file, 1000)) != "| SELECT 0"+strings.Repeat(" | SET key value", 60) {
		t.Error("the file's reader was cut off too")
	}
	slow.Close()
	if _, err := slow.Read(make([]byte, 10)); !errors.Is(err, ErrCutOff) {
		t.Error(err)
	}
	file.Close()
	alone, _ := l.ReadFrom(l.Offset(), 500)
	for range 60 {
		l.Append([]Effect{effect(0, Both, "SET", "key", "value")}, true)
	}
	if _, err := alone.Read(make([]byte, 10)); !errors.Is(err, ErrCutOff) || l.Active() || l.Memory() != 0 {
		t.Errorf("%v, active: %v, %d bytes", err, l.Active(), l.Memory())
	}
}

func TestRestart(t *testing.T) {
	l := New(Options{SegmentBytes: 60})
	l.SetBacklog(1000)
	r, _ := l.ReadFrom(0, 0)
	file := l.ReadFile()
	for i := range 5 {
		l.Append([]Effect{effect(0, Class(i%3), "SET", "key", "old")}, true)
	}
	l.Restart(5000)
	if _, err := r.Read(make([]byte, 10)); !errors.Is(err, ErrCutOff) {
		t.Error(err)
	}
	if _, err := l.ReadFrom(4999, 0); !errors.Is(err, ErrNotKept) {
		t.Error("old bytes are kept for replicas")
	}
	now, err := l.ReadFrom(5000, 0)
	if err != nil {
		t.Fatal(err)
	}
	l.Append([]Effect{effect(0, Both, "SET", "key", "new")}, true)
	again, _ := l.ReadFrom(5000, 0)
	for _, r := range []*Reader{now, again} {
		if got := readAll(t, r, 9); plain(got) != "| SELECT 0 | SET key new" || l.Offset() != 5000+int64(len(got)) {
			t.Errorf("%s, offset %d", plain(got), l.Offset())
		}
	}
	if got := plain(readAll(t, file, 9)); got != "| SELECT 0 | SET key old | SET key old | SET key old | SET key new" {
		t.Error("file:", got)
	}
	// without backlog and readers only the offset is kept
	l = New(Options{})
	l.AppendVerbatim([]Effect{effect(0, Both, "PING"), effect(0, File, "PING")})
	if l.Offset() != 14 {
		t.Errorf("offset %d", l.Offset())
	}
}

// play appends and reads what rnd says, and compares every reader with a model.
func play(t testing.TB, steps int, rnd func(n int) int) {
	l := New(Options{SegmentBytes: 16 + rnd(200)})
	l.SetBacklog(int64(1 + rnd(2000)))
	all := l.ReadFile()
	var toReplicas, toFile []byte // models of the streams
	selected, inFile := -1, -1
	type follower struct {
		r  *Reader
		at int
	}
	var readers []*follower
	add := func(c Class, db int, b []byte) {
		if c != File {
			if db >= 0 && db != selected {
				toReplicas = appendSelect(toReplicas, db)
				selected = db
			}
			toReplicas = append(toReplicas, b...)
		}
		if c != Replicas {
			if db >= 0 && db != inFile {
				toFile = appendSelect(toFile, db)
				inFile = db
			}
			toFile = append(toFile, b...)
		}
	}
	for range steps {
		switch rnd(8) {
		case 0:
			offset := int64(len(toReplicas)) - int64(rnd(3000))
			_, first, _ := l.Backlog()
			r, err := l.ReadFrom(offset, int64(rnd(3)*800))
			if kept := offset >= first-1; kept != (err == nil) {
				t.Fatalf("offset %d, first is %d: %v", offset, first, err)
			}
			if err == nil {
				readers = append(readers, &follower{r, int(offset)})
			}
		case 1, 2, 3:
			if len(readers) == 0 {
				continue
			}
			f := readers[rnd(len(readers))]
			buf := make([]byte, rnd(400))
			n, err := f.r.Read(buf)
			if !bytes.Equal(buf[:n], toReplicas[f.at:f.at+n]) {
				t.Fatalf("at %d: %q, want %q", f.at, buf[:n], toReplicas[f.at:f.at+n])
			}
			if f.at += n; n < len(buf) && err == nil && f.at != len(toReplicas) {
				t.Fatalf("stops at %d of %d", f.at, len(toReplicas))
			}
		default:
			var effects []Effect
			whole := rnd(2) == 0
			mixed := false
			for range 1 + rnd(3) {
				e := effect(rnd(4)-1, Class(rnd(3)), "SET", "key", strings.Repeat("v", rnd(300)))
				effects = append(effects, e)
				mixed = mixed || e.Class != effects[0].Class
			}
			l.Append(effects, whole)
			framed, class := whole && len(effects) > 1, effects[0].Class
			if mixed {
				class = Both
			}
			if framed { // for replicas MULTI goes before SELECT
				if class != File {
					toReplicas = append(toReplicas, wordMulti...)
				}
				if class != Replicas {
					if db := effects[0].DB; db >= 0 && db != inFile {
						toFile = appendSelect(toFile, db)
						inFile = db
					}
					toFile = append(toFile, wordMulti...)
				}
			}
			for _, e := range effects {
				add(e.Class, e.DB, e.Argv)
			}
			if framed {
				if class != File {
					toReplicas = append(toReplicas, wordExec...)
				}
				if class != Replicas {
					if db := effects[len(effects)-1].DB; db >= 0 && db != inFile {
						toFile = appendSelect(toFile, db)
						inFile = db
					}
					toFile = append(toFile, wordExec...)
				}
			}
		}
		if l.Offset() != int64(len(toReplicas)) {
			t.Fatalf("offset %d, want %d", l.Offset(), len(toReplicas))
		}
	}
	if got := readAll(t, all, 1+rnd(500)); got != string(toFile) {
		t.Fatalf("file: %q, want %q", got, toFile)
	}
}

func TestModel(t *testing.T) {
	for seed := range uint64(200) {
		play(t, 150, rand.New(rand.NewPCG(seed, 1)).IntN)
	}
}

func FuzzReaders(f *testing.F) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 4 {
		b := make([]byte, 400)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		play(t, min(len(b)/4, 200), func(n int) int {
			if len(b) < 2 {
				return 0
			}
			x := int(b[0])<<8 | int(b[1])
			b = b[1:]
			return x % n
		})
	})
}

// TestTogether: several append and read at once; each effect names its place in
// its writer's sequence.
func TestTogether(t *testing.T) {
	l := New(Options{SegmentBytes: 500})
	l.SetBacklog(2000)
	const writers, each = 3, 1000
	last := effect(0, Both, "END")
	var reading, writing sync.WaitGroup
	for i := range 4 {
		r := l.ReadFile()
		if i > 0 {
			r, _ = l.ReadFrom(0, 0)
		}
		reading.Go(func() {
			var all []byte
			buf := make([]byte, 300+i*100)
			for !bytes.HasSuffix(all, last.Argv) {
				n, err := r.Read(buf)
				if err != nil {
					t.Error(err)
					return
				}
				if all = append(all, buf[:n]...); n == 0 {
					<-r.Bell()
				}
			}
			r.Close()
			var next [writers]int
			for _, command := range strings.Split(plain(string(all)), "| ")[1:] {
				var w, n int
				if k, _ := fmt.Sscanf(command, "SET %d %d", &w, &n); k == 2 {
					if n != next[w] {
						t.Errorf("writer %d: %d comes after %d", w, n, next[w]-1)
						return
					}
					next[w]++
				}
			}
			if next != [writers]int{each, each, each} {
				t.Errorf("read %v", next)
			}
		})
	}
	for w := range writers {
		writing.Go(func() {
			for n := range each {
				list := []Effect{effect(w, Both, "SET", fmt.Sprint(w), fmt.Sprint(n))}
				if n%10 == 0 {
					list = append(list, effect(w, Replicas, "PUBLISH", "a", "b"), effect(w, File, "LOCAL"))
				}
				l.Append(list, true)
				if n%100 == 0 {
					if r, err := l.ReadFrom(l.Offset()-10, 100); err == nil {
						r.Read(make([]byte, 50))
						r.Close()
					}
					l.Backlog()
				}
			}
		})
	}
	writing.Wait()
	l.Append([]Effect{last}, true)
	reading.Wait()
}

func BenchmarkAppend(b *testing.B) {
	l := New(Options{})
	l.SetBacklog(1 << 20)
	effects := []Effect{effect(0, Both, "SET", "key:000000012345", "value")}
	b.SetBytes(int64(len(effects[0].Argv)))
	for b.Loop() {
		l.Append(effects, true)
	}
}
