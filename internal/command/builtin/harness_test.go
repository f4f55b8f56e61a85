package builtin

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/arena"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// A player runs command lines of a script: our handlers, or redis-server.
type player interface {
	// play runs one command and tells what came of it.
	play(argv [][]byte) outcome
	// set changes an option: proto (2 or 3), or one of redis's configuration.
	set(option, value string)
}

// outcome is what a command line brings forth.
type outcome struct {
	reply  []byte   // as it goes over the wire
	events []string // "set key", in order
	logged []string // what a replica receives, words in SplitArgs form
}

// server runs commands on a keyspace of its own, without network or engine.
type server struct {
	tb     testing.TB
	ks     *keyspace.Keyspace
	table  *command.Table
	hold   keyspace.Hold
	tx     keyspace.WriteTx
	call   command.Call
	keys   []command.KeyPos
	out    resp.Writer
	got    outcome
	silent bool // what is logged and announced is not kept
	unread bool // nobody reads the log
	access keyspace.Access
	tee    func(argv [][]byte) // also gets what is logged
	nowMs  int64
	db     int
}

func newServer(tb testing.TB) *server { return newServerWith(tb, arena.Options{}) }

func newServerWith(tb testing.TB, memory arena.Options) *server {
	return newServerOn(tb, keyspace.Options{Arena: memory})
}

func newServerOn(tb testing.TB, o keyspace.Options) *server {
	s := &server{tb: tb, out: resp.Writer{Proto: 2}}
	o.Log, o.Listener = s, s
	ks, err := keyspace.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(ks.Close)
	s.ks = ks
	s.tune(func(t *keyspace.Tuning) {
		t.Events, _ = keyspace.ParseClasses("KEAmn")
	})
	s.table, err = command.NewTable(Specs(), others(Specs()))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func (s *server) tune(change func(*keyspace.Tuning)) {
	t := s.ks.Tuned()
	change(&t)
	s.ks.Tune(t)
}

func (s *server) set(option, value string) {
	switch option {
	case "proto":
		s.out.Proto, _ = strconv.Atoi(value)
	case "proto-max-bulk-len":
		s.tune(func(t *keyspace.Tuning) { t.MaxString, _ = strconv.ParseInt(value, 10, 64) })
	case "lazyfree-lazy-expire":
		s.tune(func(t *keyspace.Tuning) { t.LazyExpire = value == "yes" })
	case "hash-max-listpack-entries":
		s.tune(func(t *keyspace.Tuning) { t.Limits.Hash.Entries, _ = strconv.Atoi(value) })
	case "hash-max-listpack-value":
		s.tune(func(t *keyspace.Tuning) { t.Limits.Hash.Value, _ = strconv.Atoi(value) })
	case "zset-max-listpack-entries":
		s.tune(func(t *keyspace.Tuning) { t.Limits.ZSet.Entries, _ = strconv.Atoi(value) })
	case "zset-max-listpack-value":
		s.tune(func(t *keyspace.Tuning) { t.Limits.ZSet.Value, _ = strconv.Atoi(value) })
	case "lazyfree-lazy-server-del":
		s.tune(func(t *keyspace.Tuning) { t.LazyDelete = value == "yes" })
	case "hll-sparse-max-bytes":
		s.tune(func(t *keyspace.Tuning) { t.Limits.HLL, _ = strconv.Atoi(value) })
	case "db":
		s.db, _ = strconv.Atoi(value)
	case "stream-node-max-entries":
		s.tune(func(t *keyspace.Tuning) { t.Limits.Stream.BlockEntries, _ = strconv.Atoi(value) })
	case "maxmemory-policy":
		s.tune(func(t *keyspace.Tuning) { t.Policy = policies[value] })
	default:
		s.tb.Fatalf("no option %s", option)
	}
}

func (s *server) play(argv [][]byte) outcome { return s.playAt(time.Now().UnixMilli(), argv) }

func (s *server) playAt(nowMs int64, argv [][]byte) outcome {
	s.nowMs = nowMs
	s.got = outcome{}
	s.out.Buf = nil
	s.run(argv)
	s.got.reply = s.out.Buf
	return s.got
}

// run does what the engine does for one command.
func (s *server) run(argv [][]byte) {
	spec, err := s.table.Resolve(argv)
	if err != nil {
		s.out.Error(err.Error())
		return
	}
	s.keys, _ = command.AppendKeys(s.keys[:0], spec, argv)
	s.hold.Reset(s.ks)
	for _, k := range s.keys {
		s.hold.AddSlot(slot.Of(argv[k.Index]))
	}
	if spec.Is(command.Whole) {
		s.hold.AddAll()
	}
	s.ks.Acquire(&s.hold, nil)
	defer s.ks.Release(&s.hold)
	s.call = command.Call{Spec: spec, Args: argv, Out: &s.out, Now: s.nowMs, DB: s.db, Client: impatient{}}
	s.tx.Begin(s.ks, &s.hold, s.db, s.nowMs, s.access)
	if spec.Read != nil {
		spec.Read(&s.call, &s.tx.ReadTx)
		s.tx.Commit(nil)
		return
	}
	spec.Write(&s.call, &s.tx)
	s.tx.Commit(argv)
}

// impatient is a client that never waits, as inside EXEC.
type impatient struct{ command.Client }

func (impatient) Park() (func([]byte), bool) { return nil, false }

func (impatient) Block(c *command.Call, w *command.Wait) { w.Null(c.Out) }

// Active and Append are the keyspace's Log.
func (s *server) Active() bool { return !s.unread }

func (s *server) Append(effects []keyspace.Effect, _ bool) {
	if s.silent {
		return
	}
	for _, e := range effects {
		v, err := resp.NewReader(bytes.NewReader(e.Argv)).Read()
		if err != nil {
			s.tb.Fatalf("logged %q: %v", e.Argv, err)
		}
		s.got.logged = append(s.got.logged, logLine(v.Elems))
		if s.tee != nil {
			var argv [][]byte
			for _, word := range v.Elems {
				argv = append(argv, word.Str)
			}
			s.tee(argv)
		}
	}
}

// classes are those under which redis announces each event.
var classes = map[string]keyspace.Class{
	"set": keyspace.EventString, "append": keyspace.EventString, "setrange": keyspace.EventString,
	"incrby": keyspace.EventString, "incrbyfloat": keyspace.EventString, "setbit": keyspace.EventString,
	"del": keyspace.EventGeneric, "expire": keyspace.EventGeneric, "persist": keyspace.EventGeneric,
	"expired": keyspace.EventExpired, "keymiss": keyspace.EventKeyMiss, "new": keyspace.EventNew,
	"sortstore": keyspace.EventList,
	"lpush":     keyspace.EventList, "rpush": keyspace.EventList, "lpop": keyspace.EventList, "rpop": keyspace.EventList,
	"lset": keyspace.EventList, "linsert": keyspace.EventList, "lrem": keyspace.EventList, "ltrim": keyspace.EventList,
	"hset": keyspace.EventHash, "hdel": keyspace.EventHash, "hincrby": keyspace.EventHash, "hincrbyfloat": keyspace.EventHash,
	"pfadd": keyspace.EventString,
	"sadd":  keyspace.EventSet, "srem": keyspace.EventSet, "spop": keyspace.EventSet,
	"hexpire": keyspace.EventHash, "hexpired": keyspace.EventHash, "hpersist": keyspace.EventHash,
	"sinterstore": keyspace.EventSet, "sunionstore": keyspace.EventSet, "sdiffstore": keyspace.EventSet,
	"zadd": keyspace.EventZSet, "zincr": keyspace.EventZSet, "zrem": keyspace.EventZSet,
	"zremrangebyrank": keyspace.EventZSet, "zremrangebyscore": keyspace.EventZSet, "zremrangebylex": keyspace.EventZSet,
	"zpopmin": keyspace.EventZSet, "zpopmax": keyspace.EventZSet, "zrangestore": keyspace.EventZSet,
	"zunionstore": keyspace.EventZSet, "zinterstore": keyspace.EventZSet, "zdiffstore": keyspace.EventZSet,
	"geosearchstore": keyspace.EventZSet, "georadiusstore": keyspace.EventZSet,
	"xadd": keyspace.EventStream, "xtrim": keyspace.EventStream, "xdel": keyspace.EventStream, "xsetid": keyspace.EventStream,
	"xgroup-create": keyspace.EventStream, "xgroup-setid": keyspace.EventStream, "xgroup-destroy": keyspace.EventStream,
	"xgroup-createconsumer": keyspace.EventStream, "xgroup-delconsumer": keyspace.EventStream,
	"rename_from": keyspace.EventGeneric, "rename_to": keyspace.EventGeneric,
	"copy_to": keyspace.EventGeneric, "restore": keyspace.EventGeneric,
	"move_from": keyspace.EventGeneric, "move_to": keyspace.EventGeneric,
}

var policies = map[string]keyspace.Policy{"noeviction": keyspace.NoEviction, "allkeys-lfu": keyspace.AllKeysLFU}

// KeyEvent is the keyspace's Listener.
func (s *server) KeyEvent(db int, class keyspace.Class, event string, key []byte) {
	if s.silent {
		return
	}
	if class&classes[event] == 0 {
		s.tb.Errorf("event %s has class %s", event, class)
	}
	s.got.events = append(s.got.events, eventLine(db, event, string(key)))
}

// eventLine is "set k", and in another database than 0 "set@1 k".
func eventLine(db int, event, key string) string {
	if db != 0 {
		event = fmt.Sprintf("%s@%d", event, db)
	}
	return event + " " + key
}

// others are commands that the scripts need and that the package may lack: just
// enough of each.
func others(have []*command.Spec) []*command.Spec {
	specs := []*command.Spec{{
		Name: "del", Group: "generic", Arity: -2, Flags: command.Write,
		Keys: command.AllKeys(command.KeyRW), Usage: "key...",
		Write: func(c *command.Call, tx *keyspace.WriteTx) {
			n := 0
			for _, key := range c.Args[1:] {
				if tx.Delete(key) {
					tx.Notify(keyspace.EventGeneric, "del", key)
					n++
				}
			}
			c.Out.Int(int64(n))
		},
	}, {
		Name: "pexpiretime", Group: "generic", Arity: 2, Flags: command.ReadOnly,
		Keys: command.FirstKey(command.KeyRO), Usage: "key",
		Read: func(c *command.Call, tx *keyspace.ReadTx) {
			r, found := tx.Look(c.Args[1])
			if !found {
				c.Out.Int(-2)
				return
			}
			c.Out.Int(r.Expiry())
		},
	}, {
		Name: "object", Group: "generic", Arity: -2, Flags: command.ReadOnly,
		Subs: []*command.Spec{{
			Name: "encoding", Group: "generic", Arity: 3, Flags: command.ReadOnly,
			Keys: []command.KeySpec{{Flags: command.KeyRO, Index: 2}}, Usage: "key",
			Read: func(c *command.Call, tx *keyspace.ReadTx) {
				r, found := tx.Peek(c.Args[2])
				if !found {
					c.Out.Null()
					return
				}
				c.Out.BulkString(r.Encoding())
			},
		}},
	}}
	return slices.DeleteFunc(specs, func(s *command.Spec) bool {
		return slices.ContainsFunc(have, func(h *command.Spec) bool { return h.Name == s.Name })
	})
}
