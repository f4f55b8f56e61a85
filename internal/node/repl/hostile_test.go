package repl

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzReplica: a connection may say anything about itself, in any order, and
// acknowledge what never was. The node goes on serving others.
func FuzzReplica(f *testing.F) {
	for _, lines := range []string{
		"REPLCONF listening-port 7 capa eof\nPSYNC ? -1\nREPLCONF ACK 9999999999999999999\nREPLCONF ACK -5\nGET x\n",
		"SYNC\nSYNC\nPSYNC ? -1\nREPLCONF ACK x\nWAIT 1 0\nPSYNC x 1 FAILOVER\n",
		"MULTI\nREPLCONF ACK 1\nWAIT 1 0\nEXEC\nSYNC\nMULTI\nREPLCONF ACK 7\nROLE\nEXEC\n",
		"REPLCONF rdb-only 1 rdb-filter-only \nREPLCONF capa eof\nSYNC\nFAILOVER\nPSYNC ? 1\nFAILOVER ABORT\n",
		"PSYNC 0000000000000000000000000000000000000000 -9223372036854775808\nPSYNC ? 9223372036854775807\n",
	} {
		f.Add([]byte(lines))
	}
	f.Fuzz(func(t *testing.T, lines []byte) {
		n := newMaster(t)
		c := n.connect()
		for line := range bytes.Lines(lines) {
			words := strings.Fields(string(line))
			if len(words) == 0 || strings.EqualFold(words[0], "REPLICAOF") || strings.EqualFold(words[0], "SLAVEOF") {
				continue
			}
			c.send(words...)
		}
		n.repl.Tick(now())
		other := n.connect()
		if got := other.do("FAILOVER", "ABORT"); !strings.HasPrefix(got, "+OK") && !strings.HasPrefix(got, "-ERR No failover") {
			t.Fatal(got)
		}
		other.send("PSYNC", "?", "-1")
		n.eventually("another replica is online", func() bool { n.repl.Tick(now()); return other.phase() == online })
		other.send("REPLCONF", "ACK", "0")
		n.set("a", "1")
		n.eventually("the stream reaches it", func() bool { return strings.Contains(other.received(), cmd("SET", "a", "1")) })
	})
}
