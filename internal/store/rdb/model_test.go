package rdb

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/data/zset"
)

// usual are redis's limits.
var usual = Limits{
	List: quicklist.Options{Fill: -2},
	Set:  set.Limits{Integers: 512, Entries: 128, Value: 64},
	ZSet: zset.Limits{Entries: 128, Value: 64},
	Hash: hash.Limits{Entries: 512, Value: 64},
}

// text is all that can be known of a value, but how it is encoded.
func text(v Value) string {
	if v.Object == nil {
		return string(v.Str)
	}
	var b strings.Builder
	switch o := v.Object.(type) {
	case *value.String:
		return string(o.AppendRange(nil, 0, o.Len()))
	case *quicklist.List:
		for e := range o.Ascend(0) {
			fmt.Fprintf(&b, "%q ", e)
		}
	case *set.Set:
		return sorted(func(add func(string)) {
			for m := range o.All() {
				add(fmt.Sprintf("%q", m))
			}
		})
	case *zset.ZSet:
		for m, score := range o.Ascend(0) {
			fmt.Fprintf(&b, "%q=%v ", m, score)
		}
	case *hash.Hash:
		return sorted(func(add func(string)) {
			for f, v := range o.All() {
				due, _ := o.Expiry(f)
				add(fmt.Sprintf("%q=%q@%d", f, v, due))
			}
		})
	case *stream.Stream:
		streamText(&b, o)
	}
	return b.String()
}

func sorted(each func(add func(string))) string {
	var all []string
	each(func(s string) { all = append(all, s) })
	slices.Sort(all)
	return strings.Join(all, " ")
}

func streamText(b *strings.Builder, s *stream.Stream) {
	fmt.Fprintf(b, "%+v %d %v ", s.Info(), s.Len(), s.First())
	for e := range s.Ascend(stream.ID{}, stream.Highest) {
		fmt.Fprintf(b, "%s", e.ID)
		for f, v := range e.Fields() {
			fmt.Fprintf(b, " %q=%q", f, v)
		}
		b.WriteString("; ")
	}
	for g := range s.Groups() {
		fmt.Fprintf(b, "group %q %s %d: ", g.Name(), g.Last, g.Read)
		for p := range g.PendingFrom(stream.ID{}) {
			fmt.Fprintf(b, "%s %q %d %d, ", p.ID, p.Consumer, p.Delivered, p.Count)
		}
		for c := range g.Consumers() {
			fmt.Fprintf(b, "%q %d %v", c.Name(), c.Seen, slices.Collect(c.PendingFrom(stream.ID{})))
		}
	}
}

// named is a value of one encoding, and the type it is written as.
type named struct {
	name string
	t    Type
	o    value.Object
}

// values are values of every encoding.
func values() []named {
	rnd := rand.New(rand.NewPCG(3, 4))
	word := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('a' + rnd.IntN(26))
		}
		return b
	}
	list := func(count, size int, opt quicklist.Options) *quicklist.List {
		l := quicklist.New()
		for i := range count {
			l.PushBack(fmt.Append(nil, i), opt)
			l.PushFront(word(size), opt)
		}
		return l
	}
	members := func(count, size int, from string) *set.Set {
		s := set.New([]byte(from), count, usual.Set)
		for i := range count {
			if s.Add(fmt.Append(nil, i*i*i), usual.Set); size > 0 {
				s.Add(word(size), usual.Set)
			}
		}
		return s
	}
	scores := func(count, size int) *zset.ZSet {
		z := zset.New(count, size, usual.ZSet)
		for i := range count {
			z.Set(word(size), float64(i%17)/4, usual.ZSet)
			z.Set(fmt.Append(nil, i), float64(-i*1e9), usual.ZSet)
		}
		z.Set([]byte("highest"), math.Inf(1), usual.ZSet)
		z.Set([]byte("lowest"), math.Inf(-1), usual.ZSet)
		z.Set([]byte("odd"), 0.1, usual.ZSet)
		return z
	}
	fields := func(count, size int, due ...int64) *hash.Hash {
		h := hash.New()
		for i := range count {
			h.Set(fmt.Append(nil, "field", i), word(size), usual.Hash)
			h.Set(fmt.Append(nil, i), fmt.Append(nil, -i), usual.Hash)
			if i < len(due) {
				h.SetExpiry(fmt.Append(nil, i), due[i])
			}
		}
		return h
	}
	return []named{
		{"string", TypeString, value.NewString(word(100_000))},
		{"list listpack", TypeListQuicklist2, list(20, 10, usual.List)},
		{"list quicklist", TypeListQuicklist2, list(300, 100, usual.List)},
		{"list plain nodes", TypeListQuicklist2, list(20, 200, quicklist.Options{Fill: 3, Plain: 100})},
		{"set intset", TypeSetIntset, members(300, 0, "0")},
		{"set listpack", TypeSet, members(50, 10, "x")},
		{"set hashtable", TypeSet, members(300, 80, "x")},
		{"zset listpack", TypeZSetListpack, scores(20, 10)},
		{"zset skiplist", TypeZSet2, scores(300, 70)},
		{"hash listpack", TypeHashListpack, fields(20, 10)},
		{"hash hashtable", TypeHash, fields(300, 100)},
		{"hash listpack with deadlines", TypeHashMetadata, fields(20, 10, 2_000_000_000_000, 1_900_000_000_000, 1)},
		{"hash hashtable with deadlines", TypeHashMetadata, fields(300, 100, 2_000_000_000_000, 1_900_000_000_000)},
		{"stream", TypeStreamListpacks2, entries(word)},
		{"stream without entries", TypeStreamListpacks2, stream.New()},
	}
}

// entries is a stream with all that there can be.
func entries(word func(int) []byte) *stream.Stream {
	s := stream.New()
	opt := stream.Options{BlockBytes: 4096, BlockEntries: 20}
	for i := range 100 {
		f := [][]byte{[]byte("field"), word(10), []byte("number"), fmt.Append(nil, i)}
		if i%7 == 0 {
			f = append(f, word(3), word(4))
		}
		if err := s.Append(stream.ID{Ms: uint64(1000 + i/3), Seq: uint64(i % 3)}, f, opt); err != nil {
			panic(err)
		}
	}
	s.Delete(stream.ID{Ms: 1005, Seq: 1})
	info := s.Info()
	info.MaxDeleted = stream.ID{Ms: 1005, Seq: 1}
	s.SetInfo(info)
	s.AddGroup([]byte("empty"), stream.ID{}, -1)
	s.AddGroup([]byte("group"), stream.ID{Ms: 1020}, 60)
	g := s.Edit([]byte("group"))
	for i := range 40 {
		name := fmt.Sprint("consumer", i%3)
		g.AddConsumer([]byte(name), 1_700_000_000_000)
		g.Touch([]byte(name), 1_700_000_000_000, 1_700_000_000_000)
		g.Deliver(stream.Pending{ID: stream.ID{Ms: uint64(1000 + i)}, Consumer: name, Delivered: 1_700_000_000_000 + int64(i), Count: uint64(i)})
	}
	g.AddConsumer([]byte("idle"), 1_600_000_000_000)
	g.Touch([]byte("idle"), 1_600_000_000_000, 1_600_000_000_000)
	return s
}

// TestEveryEncoding dumps values of each encoding, asks for the type they are to be
// written as, and reads them again, as dumps and as a file.
func TestEveryEncoding(t *testing.T) {
	var out strings.Builder
	w := NewWriter(&out, WriterOptions{FieldExpiry: true})
	w.Database(0)
	want := map[string]named{}
	var e Encoder
	for _, v := range values() {
		want[v.name] = v
		dump, err := e.Dump([]byte("before"), v.o)
		if err != nil {
			t.Fatal(v.name, err)
		}
		dump = dump[len("before"):]
		if pieces, err := e.DumpPieces(v.o); err != nil || !bytes.Equal(bytes.Join(pieces, nil), dump) {
			t.Errorf("%s is another dump in pieces, %v", v.name, err)
		}
		version := Version
		if v.t == TypeHashMetadata {
			version = VersionFieldExpiry
		}
		if Type(dump[0]) != v.t || int(dump[len(dump)-footerBytes]) != version {
			t.Errorf("%s is written as type %d in version %d", v.name, dump[0], dump[len(dump)-footerBytes])
		}
		got, err := Undump(dump, usual)
		if err != nil || text(got) != text(Value{Object: v.o}) {
			t.Fatalf("%s came back as %.300s, %v\n%.300s", v.name, text(got), err, text(Value{Object: v.o}))
		}
		if got.Object != nil && got.Object.Encoding() != v.o.Encoding() {
			t.Errorf("%s came back as %s", v.name, got.Object.Encoding())
		}
		if err := w.Key(&Key{Name: []byte(v.name), Value: Value{Object: v.o}, ExpiryMs: NoExpiry, IdleSec: Unknown, Freq: Unknown}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	var file taker
	sum, err := Read(strings.NewReader(out.String()), ReadOptions{Limits: usual}, &file)
	if err != nil || sum.Version != VersionFieldExpiry || len(file.keys) != len(want) {
		t.Fatal(sum, err, len(file.keys))
	}
	for _, k := range file.keys {
		if k.text != text(Value{Object: want[k.name].o}) {
			t.Errorf("%s of the file is %.300s", k.name, k.text)
		}
	}
}

// TestFieldExpiryIsRefused: where nobody said that the reader knows deadlines of
// fields, a hash that has some is refused by its name, and nothing of it written.
func TestFieldExpiryIsRefused(t *testing.T) {
	h := hash.New()
	h.Set([]byte("f"), []byte("v"), usual.Hash)
	h.SetExpiry([]byte("f"), 1)
	var out strings.Builder
	w := NewWriter(&out, WriterOptions{})
	err := w.Key(&Key{Name: []byte("the hash"), Value: Value{Object: h}, ExpiryMs: 5, IdleSec: Unknown, Freq: Unknown})
	if err == nil || !strings.Contains(err.Error(), `key "the hash": rdb: hash with field expiration`) {
		t.Error(err)
	}
	w.End()
	if !strings.HasPrefix(out.String(), "REDIS0010\xff") {
		t.Errorf("%q", out.String())
	}
}

// TestLimits: what was compact becomes large if it is beyond the limits here, and
// the reverse where redis does so.
func TestLimits(t *testing.T) {
	small := Limits{List: quicklist.Options{Fill: 5}, Set: set.Limits{Integers: 5, Entries: 5, Value: 64},
		ZSet: zset.Limits{Entries: 5, Value: 64}, Hash: hash.Limits{Entries: 5, Value: 64}}
	big := Limits{List: quicklist.Options{Fill: -5}, Set: set.Limits{Integers: 10_000, Entries: 10_000, Value: 1000},
		ZSet: zset.Limits{Entries: 10_000, Value: 1000}, Hash: hash.Limits{Entries: 10_000, Value: 1000}}
	for _, v := range values() {
		dump, _ := new(Encoder).Dump(nil, v.o)
		for _, test := range []struct {
			lim  Limits
			want map[string]string
		}{
			{small, map[string]string{"list listpack": "quicklist", "set intset": "hashtable", "set listpack": "hashtable", "zset listpack": "skiplist", "hash listpack": "hashtable"}},
			{big, map[string]string{"set hashtable": "listpack", "zset skiplist": "listpack", "hash hashtable": "listpack"}},
		} {
			got, err := Undump(dump, test.lim)
			if err != nil || text(got) != text(Value{Object: v.o}) {
				t.Fatalf("%s: %v", v.name, err)
			}
			if want := test.want[v.name]; want != "" && got.Object.Encoding() != want {
				t.Errorf("%s became %s", v.name, got.Object.Encoding())
			}
		}
	}
}

// TestMinusZero: a score of -0 stays what it is where a listpack, which has none, is
// no longer possible.
func TestMinusZero(t *testing.T) {
	zero := math.Copysign(0, -1)
	z := zset.Of([]zset.Item{{Member: []byte("zero"), Score: zero}, {Member: bytes.Repeat([]byte("long"), 100), Score: -1}}, usual.ZSet)
	dump, err := new(Encoder).Dump(nil, z)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Undump(dump, usual)
	if err != nil {
		t.Fatal(err)
	}
	if score, ok := v.Object.(*zset.ZSet).Score([]byte("zero")); !ok || !math.Signbit(score) {
		t.Errorf("the score is %v, %t", score, ok)
	}
}
