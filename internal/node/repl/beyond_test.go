package repl

import (
	"strings"
	"testing"
)

// TestFieldDeadlinesAreRefused: a replica that does not say that it knows them gets no RDB with a hash whose fields have
// deadlines, and is told which; those that do, and tools, get it.
func TestFieldDeadlinesAreRefused(t *testing.T) {
	n := newMaster(t)
	n.set("a", "1")
	beyond := "h"
	n.repl.opt.Beyond = func() string { return beyond }
	const why = `key 'h' is a hash with field expiration, which redis before 7.4 cannot read`
	for _, words := range [][]string{
		{"listening-port", "7001", "capa", "eof", "capa", "psync2"},
		{"listening-port", "7001", "capa", "unheard-of"},
	} {
		c := n.connect()
		c.do(append([]string{"REPLCONF"}, words...)...)
		if got := c.do("PSYNC", "?", "-1"); !strings.HasPrefix(got, "-ERR Full resynchronization refused: "+why) {
			t.Errorf("%v: %s", words, got)
		}
		c.wantClosed()
		n.repl.jobs.Wait()
	}
	if got := n.log.count(why); got != 2 {
		t.Errorf("the log says %d times why", got)
	}
	for _, words := range [][]string{
		{"listening-port", "7001", "capa", "eof", "capa", "field-expiry"},
		{"listening-port", "7001", "capa", "eof", "rdb-only", "1"},
		{"capa", "eof"},
	} {
		c := n.connect()
		c.do(append([]string{"REPLCONF"}, words...)...)
		if got := c.do("PSYNC", "?", "-1"); !strings.HasPrefix(got, "+FULLRESYNC") {
			t.Errorf("%v: %s", words, got)
		}
		n.repl.jobs.Wait()
	}
	n.world(func() { beyond = "" })
	n.connect().sync()
}
