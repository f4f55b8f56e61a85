package interop

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/testkit"
)

// changes are commands that change data of every type, as templates: a word in angle brackets is a key or a value of that
// sort, made by changer.fill. The range of members of different scores is not defined, hence <lex>. Scores and sums are such that redis 7.0 and 7.2 print them alike.
const changes = `
SET <string> <word>
SET <string> <word> PX <ms>
SET <string> <word> EX 1000 NX GET
SET <string> <word> XX KEEPTTL
SETEX <string> 1000 <word>
PSETEX <string> <ms> <word>
SETNX <string> <word>
GETSET <string> <word>
GETDEL <string>
GETEX <string> PX <ms>
GETEX <string> PERSIST
APPEND <string> <word>
SETRANGE <string> 10 <word>
MSET <string> <word> <string> <word>
MSETNX <string> <word> <string> <word>
INCR <counter>
DECRBY <counter> <index>
INCRBYFLOAT <counter:float> 0.25
SET <counter:float> 1 PX <ms>
SETBIT <bitmap> <count> 1
BITFIELD <bitmap> SET u8 #2 <count> OVERFLOW SAT INCRBY i5 3 7 OVERFLOW FAIL INCRBY u3 50 3
BITOP XOR <bitmap> <bitmap> <bitmap>
BITOP NOT <bitmap> <bitmap>
PFADD <hll> <word> <member>
PFMERGE <hll> <hll> <hll>
PFCOUNT <hll>
LPUSH <list> <word> <member>
RPUSH <list> <member> <count> <word>
LPUSHX <list> <word>
RPUSHX <list> <word>
LPOP <list>
RPOP <list> 2
LREM <list> <index> <member>
LSET <list> 0 <word>
LINSERT <list> BEFORE <member> <word>
LTRIM <list> 1 20
LMOVE <list> <list> LEFT RIGHT
RPOPLPUSH <list> <list>
LMPOP 2 <list> <list> LEFT COUNT 3
BLPOP <list> <list> 0.02
BRPOP <list> 0.02
BLMOVE <list> <list> RIGHT LEFT 0.02
BRPOPLPUSH <list> <list> 0.02
BLMPOP 0.02 2 <list> <list> RIGHT COUNT 2
SORT <list> ALPHA DESC STORE <list>
SORT <set> ALPHA LIMIT 0 9 STORE <list>
SADD <set> <member> <count>
SADD <set> <member> <word> <member>
SREM <set> <member> <count>
SPOP <set>
SPOP <set> 3
SPOP <set> 1000
SMOVE <set> <set> <member>
SINTERSTORE <set> <set> <set>
SUNIONSTORE <set> <set> <set>
SDIFFSTORE <set> <set> <set>
HSET <hash> <member> <word> <count> <word>
HMSET <hash> <member> <member>
HSETNX <hash> <member> <word>
HDEL <hash> <member> <count>
HINCRBY <hash> sum <index>
HINCRBYFLOAT <hash> float 0.5
ZADD <zset> <score> <member> <score> <word>
ZADD <zset> GT CH <score> <member> <score> <count>
ZADD <zset> XX LT <score> <member>
ZADD <zset> NX INCR <score> <member>
ZINCRBY <zset> <score> <member>
ZREM <zset> <member>
ZPOPMIN <zset>
ZPOPMAX <zset> 2
ZMPOP 2 <zset> <zset> MAX COUNT 2
BZPOPMIN <zset> <zset> 0.02
BZPOPMAX <zset> 0.02
BZMPOP 0.02 2 <zset> <zset> MIN COUNT 2
ZREMRANGEBYRANK <zset> 20 -1
ZREMRANGEBYSCORE <zset> (1 (2
ZADD <lex> 0 <member> 0 <word> 0 <count>
ZREMRANGEBYLEX <lex> [m1 [m3
ZREMRANGEBYLEX <lex> - (20
ZRANGESTORE <zset> <zset> 0 9 REV
ZUNIONSTORE <zset> 2 <zset> <set> WEIGHTS 2 -0.5 AGGREGATE MAX
ZINTERSTORE <zset> 2 <zset> <zset>
ZDIFFSTORE <zset> 2 <zset> <zset>
GEOADD <geo> <count> <index> <member> <index> <count> <word>
GEOADD <geo> XX CH <index> <count> <member>
ZREM <geo> <member>
GEOSEARCHSTORE <geo> <geo> FROMLONLAT 20 0 BYRADIUS 3000 km
GEORADIUS <geo> 10 10 4000 km STORE <geo>
XADD <stream> <next> field <word> number <count>
XADD <stream> MAXLEN ~ 20 <next> field <word>
XADD <stream> MINID = <id> <next> field <word>
XADD <stream> NOMKSTREAM <next> other <word>
XADD <clock> * field <word>
XADD <shared> * field <word>
XGROUP CREATE <shared> g1 0
XGROUP CREATE <shared:other> g1 0 MKSTREAM
XADD <clock> MAXLEN ~ 25 LIMIT 10 * field <word>
XDEL <stream> <id> <id>
XTRIM <stream> MAXLEN ~ 25
XTRIM <stream> MINID <id>
XGROUP CREATE <stream> <group> <id> MKSTREAM
XGROUP CREATE <clock> <group> $ MKSTREAM ENTRIESREAD 3
XGROUP SETID <stream> <group> <id>
XGROUP CREATECONSUMER <stream> <group> <member>
XGROUP DELCONSUMER <stream> <group> <consumer>
XGROUP DESTROY <stream> <group>
XREADGROUP GROUP <group> <consumer> COUNT 3 STREAMS <stream> >
XREADGROUP GROUP g1 <consumer> COUNT 3 STREAMS <shared> <shared:other> > >
XREADGROUP GROUP <group> <consumer> BLOCK 20 COUNT 2 STREAMS <stream> >
XREADGROUP GROUP <group> <consumer> BLOCK 20 NOACK STREAMS <clock> >
XACK <stream> <group> <id> <id> <id>
XCLAIM <stream> <group> <consumer> 0 <id> <id>
XCLAIM <stream> <group> <consumer> 0 <id> IDLE 5000 RETRYCOUNT 4 FORCE JUSTID
XCLAIM <stream> <group> <consumer> 0 <id> TIME 1000000 LASTID <id>
XAUTOCLAIM <stream> <group> <consumer> 1 0 COUNT 3
XSETID <stream> <next>
PEXPIRE <any> <ms>
EXPIRE <any> 1000 LT
PEXPIREAT <any> 4000000000000
EXPIREAT <any> 1
PERSIST <any>
RENAME <zset> <zset>
RENAMENX <list> <list>
COPY <hash> <hash> REPLACE
COPY <stream> <stream> REPLACE
RESTORE <hash> <ms> <payload> REPLACE
RESTORE <hash> 0 <payload> REPLACE IDLETIME 3
DEL <any>
UNLINK <any> <any>
`

// changer changes the keys of a slot all the time, on whichever of some servers is the master. One client writes, one
// serves itself of what the other writes, by the commands that block.
type changer struct {
	tag     string
	addrs   []string
	payload string // what RESTORE restores
	stop    func()
	group   sync.WaitGroup

	mu     sync.Mutex
	random *rand.Rand
	serial int
	done   map[string]int // by template: replies that were no errors
	by     map[string]int // by address: the same
	errs   []string       // some error replies
}

// startChanges begins with the changes of the keys that have the tag, on the first node, or the others when they are the
// master.
func startChanges(t *testing.T, tag string, nodes ...*server) *changer {
	t.Helper()
	c := &changer{tag: tag, addrs: addrs(nodes), random: rand.New(rand.NewPCG(5, 5)), done: map[string]int{}, by: map[string]int{}}
	quit := make(chan struct{})
	c.stop = sync.OnceFunc(func() { close(quit); c.group.Wait() })
	t.Cleanup(c.stop)
	model := tag + "model"
	nodes[0].Want(":2", "HSET", model, "restored", "1", "field", "2")
	payload, _ := nodes[0].Conn().Do("DUMP", model)
	nodes[0].Want(":1", "DEL", model)
	c.payload = payload.Text()

	all := strings.Split(strings.TrimSpace(changes), "\n")
	blocking := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s[0] != 'B' && !strings.Contains(s, "BLOCK") })
	for _, templates := range [][]string{all, blocking} {
		c.group.Go(func() { c.work(quit, templates) })
	}
	return c
}

// work runs templates until quit is closed, every twentieth time as a transaction.
func (c *changer) work(quit chan struct{}, templates []string) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	client := &roamer{addrs: c.addrs}
	defer client.close()
	for n := 0; ; n++ {
		select {
		case <-quit:
			return
		case <-tick.C:
		}
		var batch []string
		for range 1 + n%20/19*5 {
			c.mu.Lock()
			batch = append(batch, templates[c.random.IntN(len(templates))])
			c.mu.Unlock()
		}
		c.run(client, batch)
	}
}

// run has one template run, or several in a transaction.
func (c *changer) run(client *roamer, templates []string) {
	var commands [][]string
	for _, template := range templates {
		commands = append(commands, c.fill(template))
	}
	if len(commands) == 1 {
		if v, ok := client.do(commands[0]...); ok {
			c.account(client.addr(), templates[0], v)
		}
		return
	}
	if _, ok := client.do("MULTI"); !ok {
		return
	}
	for _, argv := range commands {
		if _, ok := client.do(argv...); !ok {
			client.close()
			return
		}
	}
	v, ok := client.do("EXEC")
	for i := range v.Elems {
		if ok && !v.IsError() {
			c.account(client.addr(), templates[i], v.Elems[i])
		}
	}
}

func (c *changer) account(addr, template string, v resp.Value) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v.IsError() {
		c.errs = append(c.errs, template+": "+v.Text())
		return
	}
	c.done[template]++
	c.by[addr]++
}

// fill puts keys and values into a template.
func (c *changer) fill(template string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	words := strings.Fields(template)
	for i, w := range words {
		if w[0] == '<' {
			words[i] = c.word(strings.Trim(w, "<>"))
		}
	}
	return words
}

func (c *changer) word(sort string) string {
	pick := func(of ...string) string { return of[c.random.IntN(len(of))] }
	switch sort {
	case "word":
		return strings.Repeat(pick("a", "b", "word ", "\r\n\x00\xff"), c.random.IntN(40))
	case "member":
		return fmt.Sprint("m", c.random.IntN(9))
	case "count":
		return fmt.Sprint(c.random.IntN(80))
	case "index":
		return fmt.Sprint(c.random.IntN(11) - 5)
	case "score":
		return fmt.Sprint(float64(c.random.IntN(100)-50) / 8)
	case "ms":
		return pick("1", "10", "100", "3600000")
	case "next":
		c.serial++
		return fmt.Sprint(c.serial, pick("-1", "-*"))
	case "id":
		return fmt.Sprint(max(1, c.serial-c.random.IntN(30)), pick("-0", "-1"))
	case "group":
		return pick("g1", "g2")
	case "consumer":
		return pick("one", "two", "three")
	case "payload":
		return c.payload
	case "any":
		sort = pick("string", "counter", "bitmap", "hll", "list", "set", "hash", "zset", "geo", "stream", "clock")
	}
	if strings.HasPrefix(sort, "shared") {
		return c.tag + sort
	}
	return fmt.Sprint(c.tag, sort, ":", c.random.IntN(4))
}

// waitDone waits until a node has done so many more of the changes.
func (c *changer) waitDone(t *testing.T, n *server, count int) {
	t.Helper()
	done := func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.by[n.Addr()]
	}
	before := done()
	testkit.Eventually(t, fmt.Sprintf("port %d makes changes", n.Port), func() bool { return done() >= before+count })
}

// waitAll waits until every template has had an effect.
func (c *changer) waitAll(t *testing.T) {
	t.Helper()
	missing := ""
	defer func() {
		if missing != "" {
			t.Errorf("%q never succeeds", missing)
		}
	}()
	testkit.Eventually(t, "every change is made", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		missing = ""
		for template := range strings.Lines(strings.TrimSpace(changes)) {
			if template = strings.TrimSpace(template); c.done[template] == 0 {
				missing = template
			}
		}
		return missing == ""
	})
}

// end stops the changes and compares the two nodes.
func (c *changer) end(t *testing.T, s shard) {
	t.Helper()
	c.stop()
	sum := 0
	for _, done := range c.done {
		sum += done
	}
	t.Logf("%d changes, %d error replies", sum, len(c.errs))
	for _, e := range c.errs {
		for _, wrong := range []string{"WRONGTYPE", "unknown command", "syntax error", "wrong number of arguments"} {
			if strings.Contains(e, wrong) {
				t.Error(e)
			}
		}
	}
	defer sameValues(t, s.master, s.replica, c.tag) // also when the digests differ: it tells where
	waitEqual(t, s)
}

// roamer is a client that goes to the next server when one does not take its commands.
type roamer struct {
	addrs []string
	at    int
	conn  *testkit.Conn
}

func (r *roamer) addr() string { return r.addrs[r.at] }

func (r *roamer) close() {
	if r.conn != nil {
		r.conn.Close()
	}
	r.conn = nil
}

// do runs a command, and tells whether there was a reply of a server that is the master.
func (r *roamer) do(argv ...string) (v resp.Value, ok bool) {
	var err error
	if r.conn == nil {
		r.conn, err = testkit.Dial(r.addr())
	}
	if err == nil {
		v, err = r.conn.Do(argv...)
	}
	kind, _, _ := strings.Cut(v.Text(), " ")
	away := []string{"MOVED", "CLUSTERDOWN", "READONLY", "LOADING", "MASTERDOWN", "UNBLOCKED", "EXECABORT", "NOREPLICAS"}
	if err == nil && !(v.IsError() && slices.Contains(away, kind)) {
		return v, true
	}
	r.close()
	r.at = (r.at + 1) % len(r.addrs)
	return v, false
}

// sameValues compares two servers that hold the same keys, after the digest, in what no digest tells: deadlines and the
// state of consumer groups.
func sameValues(t *testing.T, a, b *testkit.Server, tag string) {
	t.Helper()
	for _, s := range []*testkit.Server{a, b} {
		s.Do("READONLY") // which only cluster nodes take
	}
	sameReply(t, a, b, "DBSIZE")
	keys, _ := a.Conn().Do("KEYS", tag+"*")
	if len(keys.Elems) < 5 {
		t.Errorf("there are only %d keys", len(keys.Elems))
	}
	for _, v := range keys.Elems {
		key := v.Text()
		sameReply(t, a, b, "TYPE", key)
		sameReply(t, a, b, "DEBUG", "DIGEST-VALUE", key)
		sameReply(t, a, b, "PEXPIRETIME", key)
		if a.Do("TYPE", key) == "+stream" {
			sameReply(t, a, b, "XINFO", "STREAM", key, "FULL", "COUNT", "0")
		}
	}
}

// sameReply compares the replies of a master and its replica. They need not be the same at once: a key that comes to its
// deadline goes when the master is asked for it, and a little later from the replica.
func sameReply(t *testing.T, a, b *testkit.Server, ask ...string) {
	t.Helper()
	var x, y string
	if !testkit.Within(2*time.Second, func() bool {
		v, _ := a.Conn().Do(ask...)
		w, _ := b.Conn().Do(ask...)
		x, y = canonical(lasting(v)), canonical(lasting(w))
		return x == y
	}) {
		t.Errorf("%q:\n%.2000s\n%.2000s", ask, x, y)
	}
}

// untold is what XINFO says of a group and redis, and Skein with it, does not tell a replica of every XREADGROUP.
var untold = map[string]bool{"entries-read": true, "lag": true}

// lasting is a reply without what XINFO tells of clocks and of the node alone. A consumer is not told of before it owns an
// entry either.
func lasting(v resp.Value) resp.Value {
	var elems []resp.Value
	for i := 0; i < len(v.Elems); i++ {
		if name := v.Elems[i].Text(); private[name] || untold[name] {
			i++
			continue
		}
		if e := v.Elems[i].Elems; len(e) > 2 && e[len(e)-2].Text() == "pending" && len(e[len(e)-1].Elems) == 0 {
			continue
		}
		elems = append(elems, lasting(v.Elems[i]))
	}
	v.Elems = elems
	return v
}

// small makes values of a few elements large ones, so that changes convert them.
var small = []string{
	"hash-max-listpack-entries 6", "zset-max-listpack-entries 6", "set-max-intset-entries 6", "list-max-listpack-size 4",
	"stream-node-max-entries 7", "hash-max-listpack-value 30", "zset-max-listpack-value 30", "hll-sparse-max-bytes 300",
}

// TestChangesInStream: a replica of the other kind makes the same of every command, in one stream and over the cuts of its
// link.
func TestChangesInStream(t *testing.T) {
	t.Parallel()
	directives := slices.Concat(replicated, small, []string{"repl-backlog-size 64mb"})
	for name, start := range map[string][2]func(testing.TB, ...string) *testkit.Server{
		"redis follows Skein": {testkit.StartSkein, testkit.StartRedis},
		"Skein follows redis": {testkit.StartRedis, testkit.StartSkein},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := shard{start[0](t, directives...), start[1](t, directives...)}
			s.replica.Want("+OK", "REPLICAOF", "127.0.0.1", fmt.Sprint(s.master.Port))
			waitLinked(t, s)
			for round := range size(2, 30) {
				c := startChanges(t, fmt.Sprint("{", round, "}"), s.master)
				c.waitDone(t, s.master, size(1200, 4000))
				full, partial := stat(s.master, "sync_full"), stat(s.master, "sync_partial_ok")
				s.master.Want(":1", "CLIENT", "KILL", "TYPE", "replica")
				testkit.Eventually(t, "a partial synchronization", func() bool { return stat(s.master, "sync_partial_ok") > partial })
				waitLinked(t, s)
				c.waitDone(t, s.master, size(1200, 4000))
				if got := stat(s.master, "sync_full"); got != full {
					t.Errorf("%d full synchronizations", got-full)
				}
				c.waitAll(t)
				c.end(t, s)
				if t.Failed() {
					return
				}
			}
		})
	}
}
