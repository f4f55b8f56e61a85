package builtin

import (
	"errors"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func streamAddSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "xadd", Group: "stream", Since: "5.0.0",
		Summary:    "Adds an entry to a stream, making the stream if there is none.",
		Complexity: "O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.",
		Arity:      -5, Flags: command.Write | command.DenyOOM | command.Fast,
		Keys: []command.KeySpec{{
			Flags: command.KeyRW | command.KeyUpdate,
			Notes: "It may remove entries, too", Index: 1,
		}},
		Tips:  []string{"nondeterministic_output"},
		Usage: "key [NOMKSTREAM@6.2.0] [<MAXLEN | MINID@6.2.0>:strategy [=:equal | ~:approximately]:operator threshold [LIMIT count:integer@6.2.0]]:trim <*:auto-id | id>:id-selector <field value>:data...",
		History: [][2]string{
			{"6.2.0", "`NOMKSTREAM`, `MINID` and `LIMIT` came."},
			{"7.0.0", "The ID may be `<ms>-*`."},
		},
		Write: xadd,
	}}
}

const (
	errAddZero      command.Error = "ERR The ID specified in XADD must be greater than 0-0"
	errAddExhausted command.Error = "ERR The stream has exhausted the last possible ID, unable to add more items"
	errAddOrder     command.Error = "ERR The ID specified in XADD is equal or smaller than the target stream top item"
	errAddSize      command.Error = "ERR Elements are too large to be stored"
)

// adding is what an XADD asks for.
type adding struct {
	trimming
	noStream bool // NOMKSTREAM
	id       stream.ID
	anyID    bool // *
	anySeq   bool // ms-*
	idAt     int  // index of the ID
}

func (o *adding) read(c *command.Call, tx *keyspace.WriteTx) error {
	a := c.Parse(2)
	for a.More() && o.idAt == 0 {
		switch {
		case isByte(a.Peek(), '*'):
			o.anyID, o.idAt = true, a.Index()
		case o.is(&a):
		case a.Is("NOMKSTREAM"):
			o.noStream = true
		default:
			o.idAt = a.Index()
			o.readID(&a)
		}
	}
	o.complete(&a, tx, false)
	if err := a.Err(); err != nil {
		return err
	}
	if n := len(c.Args) - o.idAt - 1; o.idAt == 0 || n < 2 || n%2 != 0 {
		return errArity(c)
	}
	if !o.anyID && !o.anySeq && o.id == (stream.ID{}) {
		return errAddZero
	}
	return nil
}

func (o *adding) readID(a *command.Args) {
	arg := a.Peek()
	if n := len(arg); n > 2 && n <= maxIDLen && string(arg[n-2:]) == "-*" {
		ms, ok := parseUint(arg[:n-2])
		if ok {
			a.Next()
			o.anySeq, o.id.Ms = true, ms
			return
		}
	}
	o.id = strictID(a)
}

// choose is the ID of the entry to come.
func (o *adding) choose(now int64, last stream.ID) (id stream.ID, err error) {
	switch {
	case last == stream.Highest:
		return id, errAddExhausted
	case o.anyID:
		id = stream.ID{Ms: uint64(now)}
		if id.Ms <= last.Ms {
			id, _ = last.Next()
		}
	case o.anySeq && o.id.Ms == last.Ms:
		if id, _ = last.Next(); id.Ms != last.Ms {
			return id, errAddOrder
		}
	default:
		id = o.id
	}
	if !last.Less(id) {
		return id, errAddOrder
	}
	return id, nil
}

func xadd(c *command.Call, tx *keyspace.WriteTx) {
	var o adding
	if err := o.read(c, tx); err != nil {
		c.Fail(err)
		return
	}
	key := c.Args[1]
	var change streamChange
	err := change.Open(tx, key)
	switch {
	case err != nil:
		c.Fail(err)
		return
	case !change.Found() && o.noStream:
		c.Out.Null()
		return
	case !change.Found():
		change.Value = stream.New()
	}
	s := change.Value
	id, err := o.choose(c.Now, s.Info().Last)
	if err == nil {
		err = s.Append(id, c.Args[o.idAt+1:], tx.Limits().Stream)
	}
	if err != nil {
		c.Fail(addError(err))
		return
	}
	trimmed := o.trim(s)
	if _, err := change.Save(); err != nil {
		c.Fail(err)
		return
	}
	o.propagate(c, tx, s, id)
	tx.Notify(keyspace.EventStream, "xadd", key)
	if trimmed > 0 {
		tx.Notify(keyspace.EventStream, "xtrim", key)
	}
	replyID(c.Out, id)
}

// addError is redis's word for an error of Append.
func addError(err error) error {
	if errors.Is(err, stream.ErrTooLarge) {
		return errAddSize
	}
	return err
}

// propagate logs the command with what it came to.
func (o *adding) propagate(c *command.Call, tx *keyspace.WriteTx, s *stream.Stream, id stream.ID) {
	if !o.about && !o.anyID && !o.anySeq || !tx.Logged() {
		return
	}
	var room [16][]byte
	var text [41]byte
	argv := append(room[:0], c.Args...)
	o.settle(argv, s)
	if o.anyID || o.anySeq {
		argv[o.idAt] = id.Append(text[:0])
	}
	tx.Propagate(argv...)
}
