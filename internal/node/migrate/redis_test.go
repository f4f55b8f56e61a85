package migrate

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/slot"
)

// samples are values of every form that a dump may have, and of every way in
// which they are sent.
func samples() map[string]string {
	return map[string]string{
		"empty": "", "number": "123456", "long number": "9223372036854775807", "text": "hello",
		"packed": strings.Repeat("ab", 500), "object": strings.Repeat("0123456789", 20_000),
		"streamed": strings.Repeat("0123456789abcdef", 200_000),
	}
}

func TestToRedis(t *testing.T) {
	r := startRedis(t)
	c := newNode(t, false).client()
	keys := []string{}
	for key, text := range samples() {
		c.want("+OK", "SET", key, text)
		keys = append(keys, key)
	}
	c.want("+OK", "SET", "ttl", "v", "PX", "100000")
	keys = append(keys, "nokey", "ttl")
	c.took()
	c.want("+OK", append([]string{"MIGRATE", "127.0.0.1", r.port, "", "3", "5000", "KEYS"}, keys...)...)
	c.want(":0", "DBSIZE")
	logged, events := c.took()
	if len(logged) != 1 || !strings.HasPrefix(logged[0], "DEL ") || len(strings.Fields(logged[0])) != 10 {
		t.Errorf("logged %q", logged)
	}
	if len(events) != 8 || events[7] != "del ttl" {
		t.Errorf("events %q", events)
	}
	r.do("SELECT", "3")
	for key, text := range samples() {
		if got := r.text("GET", key); got != text {
			t.Errorf("%s: %d bytes became %d", key, len(text), len(got))
		}
	}
	if ms, _ := strconv.Atoi(r.text("PTTL", "ttl")); ms < 90_000 || ms > 100_000 {
		t.Errorf("the key has %d ms left", ms)
	}
}

// TestFromRedis lets redis migrate to a node of ours.
func TestFromRedis(t *testing.T) {
	r := startRedis(t)
	n := newNode(t, false)
	port := n.serve()
	argv := []string{"MIGRATE", "127.0.0.1", port, "", "0", "5000", "KEYS"}
	for key, text := range samples() {
		r.do("SET", key, text)
		argv = append(argv, key)
	}
	r.do("SET", "ttl", "v", "PX", "100000")
	if got := r.text(append(argv, "ttl")...); got != "OK" {
		t.Fatal(got)
	}
	c := n.client()
	for key, text := range samples() {
		if got := c.do("GET", key); !strings.HasSuffix(got, "\r\n"+text) {
			t.Errorf("%s: %d bytes became %.100q", key, len(text), got)
		}
	}
	if s, _ := strconv.Atoi(strings.TrimPrefix(c.do("TTL", "ttl"), ":")); s < 90 || s > 100 {
		t.Errorf("the key has %d s left", s)
	}
	if got := r.text("DBSIZE"); got != "0" {
		t.Errorf("%s keys stayed", got)
	}
	r.do("SET", "text", "other")
	if got := r.text("MIGRATE", "127.0.0.1", port, "text", "0", "5000"); got != "ERR Target instance replied with error: BUSYKEY Target key name already exists." {
		t.Error(got)
	}
	if got := r.text("MIGRATE", "127.0.0.1", port, "text", "0", "5000", "COPY", "REPLACE"); got != "OK" {
		t.Error(got)
	}
	c.want("$5\r\nother", "GET", "text")
}

// TestImportingSlot migrates to a redis that is importing the slot: only
// RESTORE-ASKING is let in.
func TestImportingSlot(t *testing.T) {
	owner := startRedis(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
	target := startRedis(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
	id := owner.text("CLUSTER", "MYID")
	busPort, _ := strconv.Atoi(owner.port)
	target.do("CLUSTER", "MEET", "127.0.0.1", owner.port, strconv.Itoa(busPort+1000))
	number := strconv.Itoa(int(slot.OfString("{tag}")))
	owner.do("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
	deadline := time.Now().Add(20 * time.Second)
	for !strings.HasPrefix(target.text("GET", "{tag}"), "MOVED") || target.text("CLUSTER", "SETSLOT", number, "IMPORTING", id) != "OK" {
		if time.Now().After(deadline) {
			t.Fatal(target.text("CLUSTER", "NODES"))
		}
		time.Sleep(10 * time.Millisecond)
	}
	c := newNode(t, true).client()
	c.want("+OK", "SET", "{tag}1", "a")
	c.want("+OK", "SET", "{tag}2", "b", "EX", "100")
	c.want("+OK", "MIGRATE", "127.0.0.1", target.port, "", "0", "5000", "KEYS", "{tag}1", "{tag}2", "{tag}3")
	if got := target.text("CLUSTER", "COUNTKEYSINSLOT", number); got != "2" {
		t.Errorf("%s keys came", got)
	}
	c.want(":0", "DBSIZE")
}

func TestAuthentication(t *testing.T) {
	r := startRedis(t)
	r.do("ACL", "SETUSER", "mover", "on", ">pass", "~*", "+@all")
	r.do("CONFIG", "SET", "requirepass", "secret")
	c := newNode(t, false).client()
	c.want("+OK", "SET", "k", "v")
	c.want("-ERR Target instance replied with error: NOAUTH Authentication required.",
		"MIGRATE", "127.0.0.1", r.port, "k", "0", "5000")
	c.want("-ERR Target instance replied with error: WRONGPASS invalid username-password pair or user is disabled.",
		"MIGRATE", "127.0.0.1", r.port, "k", "0", "5000", "AUTH", "wrong")
	c.want("$1\r\nv", "GET", "k")
	c.want("+OK", "MIGRATE", "127.0.0.1", r.port, "k", "0", "5000", "AUTH", "secret", "COPY")
	c.want("+OK", "MIGRATE", "127.0.0.1", r.port, "k", "0", "5000", "REPLACE", "AUTH2", "mover", "pass")
	c.want("$-1", "GET", "k")
}
