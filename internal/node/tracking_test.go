package node

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/skeindb/skein/internal/testkit"
)

// TestTracking plays what three clients do: "a" and "b", which speak RESP3, and "old",
// which is in pub/sub mode and speaks RESP2. A line is "who> command", which is
// answered by what follows it: first the reply, then, with "who<", what comes besides.
func TestTracking(t *testing.T) {
	for _, c := range []struct{ name, lines string }{
		{"once per read", `
			a> CLIENT TRACKING ON = +OK
			a> MGET x y = [(nil) (nil)]
			b> MSET x 1 z 1 = +OK
			a< [invalidate [x]]
			b> SET x 2 = +OK
			a> GET y = (nil)
			b> SET y 1 = +OK
			a< [invalidate [y]]`},
		{"own changes are told behind the reply", `
			a> CLIENT TRACKING ON = +OK
			a> GET x = (nil)
			a> SET x 1 = +OK
			a< [invalidate [x]]
			a> GET x = 1
			a> MULTI = +OK
			a> INCR x = +QUEUED
			a> GET y = +QUEUED
			a> EXEC = [:2 (nil)]
			a< [invalidate [x]]
			a> CLIENT TRACKING ON NOLOOP = +OK
			a> GET x = 2
			a> SET x 1 = +OK
			a> PING = +PONG`},
		{"opt in and out", `
			a> CLIENT CACHING YES = -ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled
			a> CLIENT TRACKING ON OPTIN OPTOUT = -ERR You can't specify both OPTIN mode and OPTOUT mode
			a> CLIENT TRACKING ON OPTIN = +OK
			a> GET x = (nil)
			a> CLIENT CACHING NO = -ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.
			a> CLIENT CACHING YES = +OK
			a> CLIENT TRACKINGINFO = [flags [on optin caching-yes] redirect :0 prefixes []]
			a> MULTI = +OK
			a> GET y = +QUEUED
			a> EXEC = [(nil)]
			a> GET z = (nil)
			b> MSET x 1 y 1 z 1 = +OK
			a< [invalidate [y]]
			a> CLIENT TRACKING ON OPTOUT = -ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.
			a> CLIENT TRACKING OFF = +OK
			a> CLIENT TRACKING ON OPTOUT = +OK
			a> CLIENT CACHING NO = +OK
			a> GET x = 1
			a> GET y = 1
			b> MSET x 2 y 2 = +OK
			a< [invalidate [y]]
			a> PING = +PONG`},
		{"broadcast", `
			a> CLIENT TRACKING ON BCAST PREFIX p PREFIX q = +OK
			a> CLIENT TRACKING ON BCAST PREFIX px = -ERR Prefix 'px' overlaps with an existing prefix 'p'. Prefixes for a single client must not overlap.
			a> CLIENT TRACKING ON BCAST PREFIX rr PREFIX r = -ERR Prefix 'rr' overlaps with another provided prefix 'r'. Prefixes for a single client must not overlap.
			a> CLIENT TRACKING ON = -ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.
			a> CLIENT TRACKING ON PREFIX r = -ERR PREFIX option requires BCAST mode to be enabled
			a> CLIENT TRACKING ON BCAST OPTIN = -ERR OPTIN and OPTOUT are not compatible with BCAST
			a> CLIENT TRACKING ON BCAST PREFIX r = +OK
			a> CLIENT TRACKINGINFO = [flags [on bcast] redirect :0 prefixes [p q r]]
			b> MSET q 1 p2 1 p1 1 z 1 p2 2 = +OK
			a< [invalidate [p1 p2]]
			a< [invalidate [q]]
			b> GET p1 = 1
			a> DEL r = :0
			a> SET r 1 = +OK
			a< [invalidate [r]]
			a> CLIENT TRACKING OFF = +OK
			b> SET q 2 = +OK
			a> CLIENT TRACKING ON BCAST NOLOOP = +OK
			a> SET x 1 = +OK
			b> SET y 1 = +OK
			a< [invalidate [y]]`},
		{"redirection", `
			a> CLIENT TRACKING ON REDIRECT 999 = -ERR The client ID you want redirect to does not exist
			a> CLIENT TRACKING ON REDIRECT old REDIRECT old = -ERR A client can only redirect to a single other client
			a> CLIENT TRACKING ON REDIRECT old = +OK
			a> GET x = (nil)
			a> CLIENT GETREDIR = :old
			b> SET x 1 = +OK
			old< [message __redis__:invalidate [x]]
			b> FLUSHALL = +OK
			old< [message __redis__:invalidate (nil)]
			a> GET x = (nil)
			old> QUIT = +OK
			b> SET x 1 = +OK
			a< [tracking-redir-broken :old]
			a> CLIENT TRACKINGINFO = [flags [on broken_redirect] redirect :old prefixes []]`},
		{"everything", `
			a> CLIENT TRACKING ON = +OK
			b> CLIENT TRACKING ON BCAST = +OK
			a> GET x = (nil)
			b> FLUSHALL = +OK
			b< [invalidate (nil)]
			a< [invalidate (nil)]
			a> FLUSHDB = +OK
			a< [invalidate (nil)]
			b< [invalidate (nil)]`},
		{"reads that change nothing, writes that read", `
			a> CLIENT TRACKING ON = +OK
			a> SET x 1 = +OK
			a> INCR x = :2
			b> SET x 1 = +OK
			a> LRANGE l 0 -1 = []
			a> BLMOVE m l LEFT LEFT 0 = later
			b> RPUSH m v = :1
			a< v
			a< [invalidate [l]]`},
		{"RESET", `
			a> CLIENT TRACKING ON = +OK
			a> GET x = (nil)
			a> RESET = +RESET
			a> HELLO 3 = -
			b> SET x 1 = +OK
			a> CLIENT TRACKINGINFO = [flags [off] redirect :-1 prefixes []]
			a> CLIENT GETREDIR = :-1`},
	} {
		t.Run(c.name, func(t *testing.T) { play(t, c.lines) })
	}
}

func play(t *testing.T, lines string) {
	r := run(t)
	who := map[string]*testkit.Conn{"a": r.dial(r.port), "b": r.dial(r.port), "old": r.dial(r.port)}
	ask := func(name string, args ...string) string {
		v, err := who[name].Do(args...)
		if err != nil {
			t.Fatal(name, args, err)
		}
		return testkit.Show(v)
	}
	ask("a", "HELLO", "3")
	ask("b", "HELLO", "3")
	id := strings.TrimPrefix(ask("old", "CLIENT", "ID"), ":")
	ask("old", "SUBSCRIBE", "__redis__:invalidate")
	for line := range strings.Lines(strings.TrimSpace(lines)) {
		line = strings.TrimSpace(strings.ReplaceAll(line, "old", "\x00"))
		line = strings.ReplaceAll(line, "\x00>", "old>")
		line = strings.ReplaceAll(line, "\x00<", "old<")
		line = strings.ReplaceAll(line, "\x00", id)
		if name, want, ok := strings.Cut(line, "< "); ok {
			v, err := who[name].Receive()
			if err != nil {
				t.Fatal(line, err)
			}
			if got := testkit.Show(v); got != want {
				t.Fatalf("%s is told %s, not %s", name, got, want)
			}
			continue
		}
		name, rest, _ := strings.Cut(line, "> ")
		command, want, _ := strings.Cut(rest, " = ")
		if want == "later" {
			if err := who[name].Send(strings.Fields(command)...); err != nil {
				t.Fatal(err)
			}
			r.waitFor("blocked_clients", "1")
			continue
		}
		if got := ask(name, strings.Fields(command)...); want != "-" && got != want {
			t.Fatalf("%s> %s\nanswers %s\nnot     %s", name, command, got, want)
		}
	}
}

// waitFor waits until a field of INFO has a value.
func (r *running) waitFor(field, want string) {
	r.t.Helper()
	testkit.Eventually(r.t, field+" is "+want, func() bool { return r.info(field) == want })
}

// TestTrackingTable: the table is bounded, and what is forgotten is told.
func TestTrackingTable(t *testing.T) {
	r := run(t)
	r.do("HELLO", "3")
	r.expect("+OK", "CLIENT", "TRACKING", "ON")
	const keys = 300
	for i := range keys {
		r.do("GET", "k"+strconv.Itoa(i))
	}
	if got := r.number("tracking_total_keys"); got != keys {
		t.Errorf("%d keys are tracked", got)
	}
	c := r.conn
	r.conn = r.dial(r.port)
	r.expect("+OK", "CONFIG", "SET", "tracking-table-max-keys", "10")
	told := map[string]bool{}
	for range keys - 10 {
		v, err := c.Receive()
		if err != nil {
			t.Fatal(err)
		}
		told[testkit.Show(v)] = true
	}
	if len(told) != keys-10 {
		t.Errorf("%d different keys were told", len(told))
	}
	r.waitFor("tracking_total_keys", "10")
	if got := r.number("tracking_total_items"); got != 10 {
		t.Errorf("tracking_total_items is %d", got)
	}
}

// TestTrackingMissesNothing: whoever reads a value hears of every later one, whatever
// two clients on two loops do at the same time.
func TestTrackingMissesNothing(t *testing.T) {
	r := run(t)
	reader, writer := r.dial(r.port), r.dial(r.port)
	for _, args := range [][]string{{"HELLO", "3"}, {"CLIENT", "TRACKING", "ON"}} {
		if _, err := reader.Do(args...); err != nil {
			t.Fatal(err)
		}
	}
	const writes, invalidated = 2000, "[invalidate [k]]"
	var w sync.WaitGroup
	w.Go(func() {
		for i := range writes {
			if _, err := writer.Do("SET", "k", strconv.Itoa(i)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	last := strconv.Itoa(writes - 1)
	for have, stale := "", true; have != last; {
		if stale {
			if err := reader.Send("GET", "k"); err != nil {
				t.Fatal(err)
			}
		}
		v, err := reader.Receive()
		for ; err == nil && stale && testkit.Show(v) == invalidated; v, err = reader.Receive() {
		}
		if err != nil {
			t.Fatalf("nothing comes any more, and what was read last is %s: %v", have, err)
		}
		if stale = testkit.Show(v) == invalidated; !stale {
			have = testkit.Show(v)
		}
	}
	w.Wait()
}
