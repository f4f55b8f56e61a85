package node

import (
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/testkit"
)

// The loops of scripts that take longer than anybody waits for.
const (
	forever = "while true do end"
	awhile  = "for i = 1, 3e5 do end "
	long    = "for i = 1, 3e6 do end "
)

// runBusy is a node of one loop, of a cluster or none, whose clients are told soon that a
// script is busy.
func runBusy(t *testing.T, cluster bool) *running {
	t.Helper()
	words := []string{"busy-reply-threshold 20"}
	if cluster {
		words = append(words, "cluster-enabled yes")
	}
	r := runLoops(t, 1, words...)
	if cluster {
		r.expect("+OK", "CLUSTER", "ADDSLOTSRANGE", "0", "16383")
		testkit.Eventually(t, "the cluster is up", func() bool { return strings.Contains(r.do("CLUSTER", "INFO"), "cluster_state:ok") })
	}
	return r
}

// transaction sends MULTI, commands and EXEC on a connection of its own, and returns what
// will tell EXEC's reply.
func (r *running) transaction(commands ...[]string) (conn *testkit.Conn, reply <-chan string) {
	r.t.Helper()
	conn = r.dial(r.port)
	for _, words := range append([][]string{{"MULTI"}}, commands...) {
		if v, err := conn.Do(words...); err != nil || v.IsError() {
			r.t.Fatal(words, v, err)
		}
	}
	done := make(chan string, 1)
	go func() {
		v, err := conn.Do("EXEC")
		if err != nil {
			done <- err.Error()
			return
		}
		done <- testkit.Show(v)
	}()
	return conn, done
}

// kill does SCRIPT KILL until it finds something to kill.
func (r *running) kill() {
	r.t.Helper()
	testkit.Eventually(r.t, "the script can be killed", func() bool { return r.do("SCRIPT", "KILL") == "+OK" })
}

func words(line string) []string { return strings.Fields(line) }

func TestEndlessScriptInExecIsKilled(t *testing.T) {
	for _, cluster := range []bool{false, true} {
		r := runBusy(t, cluster)
		_, reply := r.transaction(words("SET {a}x 1"), []string{"EVAL", forever, "1", "{a}x"}, words("INCR {a}x"))
		testkit.Eventually(t, "the script is busy", func() bool { return strings.HasPrefix(r.do("GET", "{a}x"), "-BUSY ") })
		if cluster {
			r.expect("+OK", "SET", "b", "served")
		} else if got := r.do("GET", "b"); !strings.HasPrefix(got, "-BUSY ") {
			t.Errorf("another key: %q", got)
		}
		r.kill()
		if got := <-reply; !strings.HasPrefix(got, "[+OK -ERR Error running script") && !strings.HasPrefix(got, "[+OK -ERR Script killed") || !strings.HasSuffix(got, " :2]") {
			t.Error(got)
		}
		r.expect("2", "GET", "{a}x")
		r.expect("-NOTBUSY No scripts in execution right now.", "SCRIPT", "KILL")
	}
}

// TestLongScriptsInExec: one after the other, with others between, and keys that are not
// declared.
func TestLongScriptsInExec(t *testing.T) {
	for _, cluster := range []bool{false, true} {
		r := runBusy(t, cluster)
		_, reply := r.transaction(words("SET x 1"), []string{"EVAL", awhile + "return redis.call('incr', 'x')", "1", "x"}, words("INCR x"),
			[]string{"EVAL", awhile + "return redis.call('incr', KEYS[1])", "1", "x"}, []string{"EVAL", "return redis.call('incr', KEYS[1])", "1", "x"}, words("INCR x"))
		if got := <-reply; got != "[+OK :2 :3 :4 :5 :6]" {
			t.Error(got)
		}
		_, reply = r.transaction(words("SET x 1"), []string{"EVAL", "return redis.call('incr', 'other')", "1", "x"}, words("INCR x"))
		if got := <-reply; got != "[+OK :1 :2]" {
			t.Error(got)
		}
		r.expect(":6", "EVAL", "return redis.call('incrby', KEYS[1], 4)", "1", "x")
	}
}

// TestScriptsInShifts: more scripts last than may run at the same time, and yet each gets on.
func TestScriptsInShifts(t *testing.T) {
	r := runBusy(t, true)
	var replies []<-chan string
	for _, key := range []string{"a", "b", "c", "d"} {
		_, reply := r.transaction([]string{"EVAL", forever, "1", key})
		replies = append(replies, reply)
		testkit.Eventually(t, "the script on "+key+" is busy", func() bool { return strings.HasPrefix(r.do("GET", key), "-BUSY ") })
	}
	_, reply := r.transaction([]string{"EVAL", awhile + "return redis.call('incr', KEYS[1])", "1", "x"})
	r.expect("+OK", "SET", "y", "served")
	if got := <-reply; got != "[:1]" {
		t.Error(got)
	}
	r.kill()
	for _, reply := range replies {
		if got := <-reply; !strings.Contains(got, "Script killed by user") {
			t.Error(got)
		}
	}
}

func TestScriptInExecThatHasWrittenIsUnkillable(t *testing.T) {
	r := runBusy(t, true)
	testkit.Eventually(t, "the script cannot be killed", func() bool {
		_, reply := r.transaction([]string{"EVAL", "redis.call('set', KEYS[1], 1) " + long, "1", "x"})
		for seen := false; ; { // it may be over before it is met
			select {
			case got := <-reply:
				if got != "[(nil)]" {
					t.Error(got)
				}
				return seen
			default:
				seen = seen || strings.HasPrefix(r.do("SCRIPT", "KILL"), "-UNKILLABLE ")
			}
		}
	})
	r.expect("1", "GET", "x")
}

// TestExecOfAClientThatGoesAwayIsFinished: it is one step, whoever waits for its reply.
func TestExecOfAClientThatGoesAwayIsFinished(t *testing.T) {
	r := runBusy(t, true)
	conn, reply := r.transaction(words("SET {a}x 1"), []string{"EVAL", forever, "1", "{a}x"}, words("INCR {a}x"),
		words("CLIENT SETNAME nobody"), []string{"EVAL", "return redis.call('incr', KEYS[1])", "1", "{a}x"}, words("PUBLISH c m"))
	testkit.Eventually(t, "the script is busy", func() bool { return strings.HasPrefix(r.do("GET", "{a}x"), "-BUSY ") })
	conn.Close()
	<-reply
	testkit.Eventually(t, "the client is gone", func() bool { return !strings.Contains(r.do("CLIENT", "LIST"), "cmd=exec") })
	r.kill()
	testkit.Eventually(t, "EXEC is finished", func() bool { return r.do("GET", "{a}x") == "3" })
}

// What a script publishes to its own client comes behind its reply, however long the script goes on; behind EXEC's, if it
// is part of one.
func TestScriptPublishesToItsClient(t *testing.T) {
	r := runLoops(t, 1)
	conn := r.dial(r.port)
	eval := []string{"EVAL", "redis.call('publish', 'news', 'one') " + awhile + "redis.call('publish', 'news', 'two') return 'done'", "0"}
	want := func(what string, v resp.Value, err error) {
		t.Helper()
		if err != nil || !strings.Contains(testkit.Show(v), what) {
			t.Fatal(testkit.Show(v), err)
		}
	}
	news := func() {
		t.Helper()
		for _, text := range []string{"one", "two"} {
			v, err := conn.Receive()
			want("message news "+text, v, err)
		}
	}
	do := func(what string, words ...string) {
		t.Helper()
		v, err := conn.Do(words...)
		want(what, v, err)
	}
	do("server", "HELLO", "3")
	do("subscribe news", "SUBSCRIBE", "news")
	for range 5 {
		do("done", eval...)
		news()
	}
	do("OK", "MULTI")
	do("QUEUED", eval...)
	do("QUEUED", "PING")
	do("QUEUED", eval...)
	do("[done +PONG done]", "EXEC")
	news()
	news()
}
