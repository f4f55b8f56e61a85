package builtin

import (
	"bytes"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/hll"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func hllDebugSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "pfdebug", Group: "hyperloglog", Since: "2.8.9",
		Summary:    "Shows what is inside a HyperLogLog.",
		Complexity: "N/A",
		Arity:      3, Flags: command.Write | command.DenyOOM | command.Admin,
		Keys:     []command.KeySpec{{Flags: command.KeyRW | command.KeyAccess, Index: 2}},
		Usage:    "subcommand key",
		DocFlags: []string{"syscmd"},
		Write:    pfDebug,
	}, {
		Name: "pfselftest", Group: "hyperloglog", Since: "2.8.9",
		Summary:    "Tests the estimates of HyperLogLogs, which takes a second or two.",
		Complexity: "N/A",
		Arity:      1, Flags: command.Admin,
		DocFlags: []string{"syscmd"},
		Service:  pfSelfTest,
	}}
}

func pfDebug(c *command.Call, tx *keyspace.WriteTx) {
	word, key := c.Args[1], c.Args[2]
	r, found := tx.Peek(key)
	if !found {
		c.Out.Error("ERR The specified key does not exist")
		return
	}
	b, err := hllOf(&tx.ReadTx, r)
	if err != nil {
		c.Fail(err)
		return
	}
	switch string(bytes.ToLower(word)) {
	case "getreg":
		err = showRegisters(c, tx, r, b)
	case "decode":
		err = showRuns(c, b)
	case "encoding":
		word := "sparse"
		if hll.IsDense(b) {
			word = "dense"
		}
		c.Out.SimpleString(word)
	case "todense":
		if hll.IsDense(b) {
			c.Out.Int(0)
			return
		}
		if _, err = makeDense(tx, r, key, b); err == nil {
			c.Out.Int(1)
		}
	default:
		err = command.Error("ERR Unknown PFDEBUG subcommand '" + string(word) + "'")
	}
	if err != nil {
		c.Fail(err)
	}
}

// makeDense makes the string at key, of which b is a view, dense and returns it.
func makeDense(tx *keyspace.WriteTx, r keyspace.Ref, key, b []byte) ([]byte, error) {
	if hll.IsDense(b) {
		return b, nil
	}
	b, err := hll.ToDense(b)
	if err != nil {
		return nil, errCorruptHLL
	}
	return b, tx.SetRawAt(&r, key, b, keyspace.KeepExpiry)
}

func showRegisters(c *command.Call, tx *keyspace.WriteTx, r keyspace.Ref, b []byte) error {
	b, err := makeDense(tx, r, c.Args[2], b)
	if err != nil {
		return err
	}
	c.Out.Array(hll.Count)
	for _, run := range hll.AppendRegisters(nil, b) {
		c.Out.Int(int64(run))
	}
	return nil
}

func showRuns(c *command.Call, b []byte) error {
	if hll.IsDense(b) {
		return command.Error("ERR HLL encoding is not sparse")
	}
	c.Out.Bulk(hll.AppendRuns(nil, b))
	return nil
}

// pfSelfTest is PFSELFTEST, which runs apart from everything else.
func pfSelfTest(c *command.Call) {
	resume, parked := c.Client.Park()
	if !parked {
		c.Out.Raw(selfTest())
		return
	}
	go func() { resume(selfTest()) }()
}

// selfTest is PFSELFTEST's reply.
func selfTest() []byte {
	var out resp.Writer
	if err := hll.SelfTest(1000, 10_000_000, 3000); err != nil {
		out.Error("ERR " + err.Error())
	} else {
		out.OK()
	}
	return out.Buf
}
