package builtin

import (
	"math"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/zset"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func zsetAddSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "zadd", Group: "sorted-set", Since: "1.2.0",
		Summary:    "Gives members of a sorted set their scores, adding those that are missing.",
		Complexity: "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
		Arity:      -4, Flags: command.Write | command.DenyOOM | command.Fast,
		Keys:     command.FirstKey(command.KeyRW | command.KeyUpdate),
		Usage:    "key [NX | XX]:condition@3.0.2 [GT | LT]:comparison@6.2.0 [CH:change@3.0.2] [INCR:increment@3.0.2] <score:double member>:data...",
		History:  [][2]string{{"2.4.0", "Several members may be given."}, {"3.0.2", "`XX`, `NX`, `CH` and `INCR` came."}, {"6.2.0", "`GT` and `LT` came."}},
		Elements: command.Elements{First: 3, Step: 2, Scored: true},
		Write:    func(c *command.Call, tx *keyspace.WriteTx) { zadd(c, tx, zaddFlags{}) },
	}, {
		Name: "zincrby", Group: "sorted-set", Since: "1.2.0",
		Summary:    "Adds to the score of a member of a sorted set.",
		Complexity: "O(log(N)) where N is the number of elements in the sorted set.",
		Arity:      4, Flags: command.Write | command.DenyOOM | command.Fast,
		Keys:     command.FirstKey(command.KeyRW | command.KeyAccess | command.KeyUpdate),
		Usage:    "key increment:integer member",
		Elements: command.Elements{First: 3, Step: 2},
		Write:    func(c *command.Call, tx *keyspace.WriteTx) { zadd(c, tx, zaddFlags{incr: true}) },
	}}
}

// zaddFlags are the options of ZADD.
type zaddFlags struct{ nx, xx, gt, lt, ch, incr bool }

// read reads the options.
func (f *zaddFlags) read(a *command.Args) {
	for {
		switch a.OneOf("NX", "XX", "CH", "INCR", "GT", "LT") {
		case 0:
			f.nx = true
		case 1:
			f.xx = true
		case 2:
			f.ch = true
		case 3:
			f.incr = true
		case 4:
			f.gt = true
		case 5:
			f.lt = true
		default:
			return
		}
	}
}

// check finds fault with options that contradict each other, and with the number of
// arguments behind them.
func (f *zaddFlags) check(args int) error {
	switch {
	case args == 0 || args%2 != 0:
		return command.Error(command.ErrSyntax)
	case f.nx && f.xx:
		return command.Error("ERR XX and NX options at the same time are not compatible")
	case f.nx && (f.gt || f.lt) || f.gt && f.lt:
		return command.Error("ERR GT, LT, and/or NX options at the same time are not compatible")
	case f.incr && args > 2:
		return command.Error("ERR INCR option supports a single increment-element pair")
	}
	return nil
}

// plain tells whether scores are set whatever they were.
func (f *zaddFlags) plain() bool { return !(f.nx || f.xx || f.gt || f.lt || f.incr) }

// zadd is ZADD and ZINCRBY.
func zadd(c *command.Call, tx *keyspace.WriteTx, f zaddFlags) { zaddArgs(c, tx, c.Args, f) }

// zaddArgs does what ZADD would do with argv, and tells whether it changed anything.
func zaddArgs(c *command.Call, tx *keyspace.WriteTx, argv [][]byte, f zaddFlags) (changed bool) {
	call := command.Call{Args: argv}
	a := call.Parse(2)
	f.read(&a)
	at := a.Index()
	if err := f.check(a.Left()); err != nil {
		c.Fail(err)
		return false
	}
	var room [16]float64
	scores := room[:0]
	for a.More() {
		scores = append(scores, a.Float())
		a.Next()
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return false
	}
	var open keyspace.Change[*zset.ZSet]
	if err := open.Open(tx, argv[1]); err != nil {
		c.Fail(err)
		return false
	}
	adder := zadder{zaddFlags: f, limits: tx.Limits().ZSet}
	if open.Value == nil && f.xx {
		adder.reply(c)
		return false
	}
	if open.Value == nil {
		open.Value = zset.New(len(scores), len(argv[at+1]), adder.limits)
	}
	open.Value.Expect(len(scores), adder.limits)
	for i, score := range scores {
		adder.add(open.Value, argv[at+1+2*i], score)
	}
	if adder.added+adder.updated > 0 {
		if _, err := open.Save(); err != nil {
			c.Fail(err)
			return false
		}
		event := "zadd"
		if f.incr {
			event = "zincr"
		}
		tx.CountMore(argv[1], int(adder.added+adder.updated))
		tx.Notify(keyspace.EventZSet, event, argv[1])
	}
	adder.reply(c)
	return adder.added+adder.updated > 0
}

// zadder adds members and counts what came of it.
type zadder struct {
	zaddFlags
	limits         zset.Limits
	added, updated int64
	done           bool    // the last member has a score now, whether or not it is another one
	score          float64 // which
	nan            bool
}

func (d *zadder) add(z *zset.ZSet, m []byte, score float64) {
	if !d.plain() {
		old, found := z.Score(m)
		if found && d.incr {
			score += old
			d.nan = math.IsNaN(score)
		}
		refused := found && (d.nx || d.lt && score >= old || d.gt && score <= old) || !found && d.xx
		if refused || d.nan {
			return
		}
	}
	old, found := z.Put(m, score, d.limits)
	switch {
	case !found:
		d.added++
	case old != score:
		d.updated++
	}
	d.done, d.score = true, score
}

func (d *zadder) reply(c *command.Call) {
	switch {
	case d.nan:
		c.Fail(command.Error("ERR resulting score is not a number (NaN)"))
	case d.incr && d.done:
		c.Out.Double(d.score)
	case d.incr:
		c.Out.Null()
	case d.ch:
		c.Out.Int(d.added + d.updated)
	default:
		c.Out.Int(d.added)
	}
}
