package acl

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/skeindb/skein/internal/command"
)

const (
	// groupMs is for how long the same event makes no new entry.
	groupMs = 60_000
	// groupScan is among how many of the newest entries the same event is looked for.
	groupScan = 10
	// logShown is how many entries ACL LOG shows if it is not told.
	logShown = 10
)

// entry is one line of ACL LOG.
type entry struct {
	count        int64
	reason       Reason
	context      Context
	object, user string
	client       string // of the last event
	id           int64
	createdMs    int64
	updatedMs    int64
}

func (e *entry) same(o *entry) bool {
	apart := e.updatedMs - o.updatedMs
	return e.reason == o.reason && e.context == o.context && max(apart, -apart) <= groupMs && e.object == o.object && e.user == o.user
}

// securityLog is ACL LOG, the newest entry first, and what INFO counts.
type securityLog struct {
	mu      sync.Mutex
	entries []entry
	next    int64
	denied  [Channel + 1]int64
}

// add notes an event: it counts for an entry of the same, which becomes the newest, or
// makes a new one. No more than most entries are kept.
func (l *securityLog) add(e entry, most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.denied[e.reason]++
	recent := l.entries[:min(len(l.entries), groupScan)]
	if i := slices.IndexFunc(recent, func(had entry) bool { return had.same(&e) }); i >= 0 {
		had := l.entries[i]
		had.count, had.client, had.updatedMs = had.count+1, e.client, e.updatedMs
		copy(l.entries[1:], l.entries[:i])
		l.entries[0] = had
		return
	}
	e.count, e.id, e.createdMs = 1, l.next, e.updatedMs
	l.next++
	l.entries = slices.Insert(l.entries, 0, e)
	if len(l.entries) > most {
		clear(l.entries[most:])
		l.entries = l.entries[:most]
	}
}

func (l *securityLog) reset() {
	l.mu.Lock()
	l.entries = nil
	l.mu.Unlock()
}

// newest are up to n entries.
func (l *securityLog) newest(n int64) []entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.entries[:min(int64(len(l.entries)), n)])
}

// AppendStats appends the lines of INFO's section Stats about refusals.
func (a *Accounts) AppendStats(dst []byte) []byte {
	a.log.mu.Lock()
	defer a.log.mu.Unlock()
	n := &a.log.denied
	return fmt.Appendf(dst, "acl_access_denied_auth:%d\r\nacl_access_denied_cmd:%d\r\nacl_access_denied_key:%d\r\nacl_access_denied_channel:%d\r\n",
		n[Auth], n[Command], n[Key], n[Channel])
}

// logCommand is ACL LOG [count | RESET].
func (a *Accounts) logCommand(c *command.Call) {
	count := int64(logShown)
	switch {
	case len(c.Args) > 3:
		c.Fail(command.WrongArguments(c.Args))
		return
	case len(c.Args) == 3 && strings.EqualFold(c.Arg(2), "reset"):
		a.log.reset()
		c.Out.OK()
		return
	case len(c.Args) == 3:
		args := c.Parse(2)
		count = max(args.Int(), 0)
		if err := args.Err(); err != nil {
			c.Fail(err)
			return
		}
	}
	entries := a.log.newest(count)
	c.Out.Array(len(entries))
	for i := range entries {
		entries[i].write(c)
	}
}

func (e *entry) write(c *command.Call) {
	w := c.Out
	text := func(name, value string) {
		w.BulkString(name)
		w.BulkString(value)
	}
	number := func(name string, value int64) {
		w.BulkString(name)
		w.Int(value)
	}
	w.Map(10)
	number("count", e.count)
	text("reason", reasonWords[e.reason])
	text("context", contextWords[e.context])
	text("object", e.object)
	text("username", e.user)
	w.BulkString("age-seconds")
	w.Double(float64(c.Now-e.updatedMs) / 1000)
	text("client-info", e.client)
	number("entry-id", e.id)
	number("timestamp-created", e.createdMs)
	number("timestamp-last-updated", e.updatedMs)
}
