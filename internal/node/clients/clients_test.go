package clients

import (
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/command/pubsub"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/testkit/commandfacts"
)

// place is a node reduced to its clients.
type place struct {
	*Registry
	t        *testing.T
	table    *command.Table
	accounts *acl.Accounts
	done     []string // what hooks were called
	now      int64
}

func newPlace(t *testing.T, change func(*Options)) *place {
	p := &place{t: t, accounts: acl.New(acl.Options{}), now: 1_700_000_000_000}
	did := func(format string, a ...any) { p.done = append(p.done, fmt.Sprintf(format, a...)) }
	o := Options{
		Accounts: p.accounts, Hub: pubsub.New(pubsub.Options{}), Log: slog.New(slog.DiscardHandler), Databases: 16,
		Role:       func() string { return "master" },
		Pause:      func(all bool, untilMs int64) { did("pause %v %d", all, untilMs-p.now) },
		Unpause:    func() { did("unpause") },
		Monitoring: func(on bool) { did("monitoring %v", on) },
	}
	if change != nil {
		change(&o)
	}
	p.Registry = New(o)
	var err error
	if p.table, err = command.NewTable(p.Specs(), o.Hub.Specs()); err != nil {
		t.Fatal(err)
	}
	return p
}

// peer is one connection; the test is its loop.
type peer struct {
	*session.Session
	p *place

	mu      sync.Mutex
	knocked bool
}

func (c *peer) Notify(*session.Session) {
	c.mu.Lock()
	c.knocked = true
	c.mu.Unlock()
}

func (*peer) Carries() bool { return false }

func (p *place) connect() *peer {
	c := &peer{p: p}
	n := uint16(p.Len() + 1)
	s, refusal := p.Open(c, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 50000+n), netip.MustParseAddrPort("127.0.0.1:6379"), "")
	if refusal != "" {
		p.t.Fatal(refusal)
	}
	c.Session = s
	s.Created = p.now - 5000
	return c
}

// do runs a command line and returns what the client sees, with line ends as spaces.
func (c *peer) do(line string) string {
	var argv [][]byte
	for w := range strings.FieldsSeq(line) {
		argv = append(argv, []byte(w))
	}
	spec, err := c.p.table.Resolve(argv)
	if err != nil {
		c.Out.Error(err.Error())
		return c.read()
	}
	c.Last, c.Call.Spec, c.Call.Args, c.Call.Now = spec, spec, argv, c.p.now
	if !spec.Any(command.SkipMonitor | command.Admin) {
		c.p.Feed(c.Session, c.DB(), spec, argv)
	}
	spec.Service(&c.Call)
	c.Active = c.p.now
	c.Publish()
	return c.read()
}

func (c *peer) read() string {
	mail, _ := c.Session.Open(nil)
	s := strings.ReplaceAll(string(c.Out.Buf)+string(mail), "\r\n", " ")
	c.Out.Buf = nil
	return strings.TrimSpace(s)
}

// killed tells whether the loop has been asked to close the connection.
func (c *peer) killed() bool {
	_, k := c.Session.Open(nil)
	return k.Kill
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func match(t *testing.T, got, pattern string) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(got) {
		t.Errorf("got  %s\nwant %s", got, pattern)
	}
}

func TestFacts(t *testing.T) { commandfacts.Check(t, newPlace(t, nil).table) }

func TestPingEchoSelectQuit(t *testing.T) {
	c := newPlace(t, nil).connect()
	expect(t, c.do("ping"), "+PONG")
	expect(t, c.do("ping hi"), "$2 hi")
	expect(t, c.do("ping a b"), "-ERR wrong number of arguments for 'ping' command")
	expect(t, c.do("echo hi"), "$2 hi")
	c.do("subscribe x")
	expect(t, c.do("ping"), "*2 $4 pong $0")
	expect(t, c.do("ping hi"), "*2 $4 pong $2 hi")
	c.SetProto(3)
	expect(t, c.do("ping"), "+PONG")

	expect(t, c.do("select 3"), "+OK")
	if c.DB() != 3 {
		t.Error(c.DB())
	}
	expect(t, c.do("select 16"), "-ERR DB index is out of range")
	expect(t, c.do("select -1"), "-ERR DB index is out of range")
	expect(t, c.do("select x"), "-ERR value is not an integer or out of range")
	expect(t, c.do("select 4294967296"), "-ERR value is out of range, value must between -2147483648 and 2147483647")
	expect(t, c.do("asking"), "-ERR This instance has cluster support disabled")

	expect(t, c.do("quit"), "+OK")
	if !c.Is(session.CloseAfterReply) {
		t.Error("QUIT does not close")
	}
}

func TestClusterModes(t *testing.T) {
	c := newPlace(t, func(o *Options) { o.Cluster = true; o.Databases = 1 }).connect()
	expect(t, c.do("select 1"), "-ERR SELECT is not allowed in cluster mode")
	expect(t, c.do("select 0"), "+OK")
	expect(t, c.do("asking"), "+OK")
	expect(t, c.do("readonly"), "+OK")
	if !c.Is(session.Asking | session.Readonly) {
		t.Error("modes are not set")
	}
	expect(t, c.do("readwrite"), "+OK")
	if c.Is(session.Readonly) {
		t.Error("READWRITE has no effect")
	}
	match(t, c.do("hello"), `\$4 mode \$7 cluster`)
}

func TestHelloAndAuth(t *testing.T) {
	p := newPlace(t, nil)
	c := p.connect()
	expect(t, c.do("hello"), "*14 $6 server $5 redis $7 version $5 7.2.4 $5 proto :2 $2 id :1 $4 mode $10 standalone $4 role $6 master $7 modules *0")
	expect(t, c.do("hello 3 setname bob"), "%7 $6 server $5 redis $7 version $5 7.2.4 $5 proto :3 $2 id :1 $4 mode $10 standalone $4 role $6 master $7 modules *0")
	expect(t, c.do("client getname"), "$3 bob")
	expect(t, c.do("hello x"), "-ERR Protocol version is not an integer or out of range")
	expect(t, c.do("hello 4"), "-NOPROTO unsupported protocol version")
	expect(t, c.do("hello 2 setname"), "-ERR Syntax error in HELLO option 'setname'")
	expect(t, c.do("hello 2 setname a\x01"), "-ERR Client names cannot contain spaces, newlines or special characters.")
	expect(t, c.do("auth x"), "-"+string(acl.ErrNoPassword))
	expect(t, c.do("auth a b c"), "-ERR syntax error")
	if c.Proto() != 3 {
		t.Error("a refused HELLO changed the protocol")
	}

	p.accounts.SetPassword("secret")
	c = p.connect()
	if c.Account != nil || !c.Parser.Unauthenticated {
		t.Error("logged in without a password")
	}
	expect(t, c.do("hello 3"), "-"+errHelloNoAuth)
	expect(t, c.do("auth wrong"), "-"+string(acl.ErrWrongPass))
	expect(t, c.do("auth nobody secret"), "-"+string(acl.ErrWrongPass))
	expect(t, c.do("hello 3 auth default wrong"), "-"+string(acl.ErrWrongPass))
	expect(t, c.do("auth secret"), "+OK")
	if c.User() != "default" || c.Parser.Unauthenticated {
		t.Error("AUTH has no effect")
	}
	c = p.connect()
	match(t, c.do("hello 3 auth default secret setname x"), "^%7 ")
	if c.Name() != "x" {
		t.Error("SETNAME behind AUTH has no effect")
	}
}

func TestReset(t *testing.T) {
	p := newPlace(t, nil)
	c, other := p.connect(), p.connect()
	c.do("hello 3 setname n")
	c.do("client setinfo lib-name l")
	c.do("select 4")
	c.do("subscribe x")
	c.do("client no-touch on")
	c.do("monitor")
	c.Set(session.Multi)
	other.do("publish x 1")
	match(t, c.do("reset"), `^\+\d+\.\d{6} .*publish.*>3 \$7 message \$1 x \$1 1 .*\+RESET$`)
	if c.DB() != 0 || c.Proto() != 2 || c.Name() != "" || c.Subs.Active() || c.Is(session.Multi) || c.Is(session.Monitor) || c.Is(session.NoTouch) {
		t.Errorf("%+v", c.Facts())
	}
	match(t, c.do("client info"), " lib-name=l ")
	expect(t, other.do("publish x 2"), ":0")
	expect(t, c.read(), "")
	expect(t, strings.Join(p.done, ","), "monitoring true,monitoring false")
	c.Set(session.Replica)
	expect(t, c.do("reset"), "-ERR can only reset normal client connections")
}

func TestNames(t *testing.T) {
	c := newPlace(t, nil).connect()
	expect(t, c.do("client getname"), "$-1")
	expect(t, c.do("client setname a"), "+OK")
	expect(t, c.do("client getname"), "$1 a")
	expect(t, c.do("client setname a\tb"), "-ERR wrong number of arguments for 'client|setname' command")
	expect(t, c.do("client setname a\x7f"), "-"+errName)
	expect(t, c.do("client setinfo lib-name lib"), "+OK")
	expect(t, c.do("client setinfo lib-ver 1.2"), "+OK")
	expect(t, c.do("client setinfo x 1.2"), "-ERR Unrecognized option 'x'")
	expect(t, c.do("client setinfo LIB-ver \x01"), "-ERR LIB-ver cannot contain spaces, newlines or special characters.")
	match(t, c.do("client info"), "name=a .* lib-name=lib lib-ver=1.2")
	expect(t, c.do("client id"), ":1")
}

func TestList(t *testing.T) {
	p := newPlace(t, nil)
	a, b := p.connect(), p.connect()
	a.Pending.In, a.Pending.InFree = 26, 100
	b.do("subscribe x")
	b.do("psubscribe y z")
	const first = `id=1 addr=127.0.0.1:50001 laddr=127.0.0.1:6379 fd=0 name= age=5 idle=0 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=26 qbuf-free=100 argv-mem=10 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=\d+ events=r cmd=client\|list user=default redir=-1 resp=2 lib-name= lib-ver=`
	const second = `id=2 addr=127.0.0.1:50002 .* flags=P db=0 sub=1 psub=2 ssub=0 .* cmd=psubscribe user=default `
	match(t, a.do("client list"), `^\$\d+ `+first+"\n"+second+`.*$`)
	p.now += 7000
	match(t, a.do("client list type pubsub"), `^\$\d+ id=2 .* idle=7 `)
	match(t, a.do("client list type normal"), `^\$\d+ id=1 .*$`)
	expect(t, a.do("client list type master"), "$0")
	expect(t, a.do("client list type x"), "-ERR Unknown client type 'x'")
	match(t, a.do("client list id 2 7 1"), "^\\$\\d+ id=2 .*\nid=1 .*$")
	expect(t, a.do("client list id x"), "-ERR Invalid client ID")
	expect(t, a.do("client list id"), "-ERR syntax error")
	expect(t, a.do("client list x"), "-ERR syntax error")
	b.SetProto(3)
	match(t, b.do("client info"), `^=\d+ txt:id=2 `)

	b.Set(session.Multi | session.Blocked | session.Unix | session.Readonly | session.NoEvict | session.NoTouch | session.CloseAfterReply | session.Monitor)
	b.Pending.Out = fixedOutput + 20
	match(t, b.do("client info"), `flags=OPxbcUreT .* obl=0 oll=2 omem=32848 .* events=rw `)
}

func TestKill(t *testing.T) {
	p := newPlace(t, nil)
	a, b, c := p.connect(), p.connect(), p.connect()
	expect(t, a.do("client kill 127.0.0.1:50002"), "+OK")
	if !b.killed() || p.Len() != 2 {
		t.Error("CLIENT KILL address has no effect")
	}
	p.Closed(b.Session)
	expect(t, a.do("client kill 127.0.0.1:50002"), "-ERR No such client")
	expect(t, a.do("client kill id 3 addr 127.0.0.1:1"), ":0")
	expect(t, a.do("client kill laddr 127.0.0.1:6379 user default type normal"), ":1")
	if !c.killed() || a.Is(session.CloseAfterReply) {
		t.Error("the filters did not mean the other client")
	}
	expect(t, a.do("client kill id 1"), ":0")
	expect(t, a.do("client kill id 1 skipme no"), ":1")
	if !a.Is(session.CloseAfterReply) {
		t.Error("SKIPME no skips the caller")
	}
	for line, want := range map[string]string{
		"client kill id 0":                 "ERR client-id should be greater than 0",
		"client kill id x":                 "ERR client-id should be greater than 0",
		"client kill type x":               "ERR Unknown client type 'x'",
		"client kill user x":               "ERR No such user 'x'",
		"client kill skipme x":             "ERR syntax error",
		"client kill id 10 wrong":          "ERR syntax error",
		"client kill":                      "ERR wrong number of arguments for 'client|kill' command",
		"client kill maxage 1":             "ERR syntax error",
		"client kill type normal addr":     "ERR syntax error",
		"client unblock x":                 command.ErrNotInteger,
		"client unblock 1 y":               "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR",
		"client pause x":                   "ERR timeout is not an integer or out of range",
		"client pause -1":                  "ERR timeout is negative",
		"client pause 9223372036854775807": "ERR timeout is out of range",
		"client pause 1 x":                 "ERR CLIENT PAUSE mode must be WRITE or ALL",
		"client reply x":                   "ERR syntax error",
		"client no-evict x":                "ERR syntax error",
	} {
		expect(t, a.do(line), "-"+want)
	}
}

func TestPauseAndUnblock(t *testing.T) {
	p := newPlace(t, func(o *Options) {
		o.Unblock = func(s *session.Session, byError bool) bool { return byError }
	})
	c := p.connect()
	expect(t, c.do("client pause 100"), "+OK")
	expect(t, c.do("client pause 50 write"), "+OK")
	expect(t, c.do("client pause 0"), "+OK")
	expect(t, c.do("client unpause"), "+OK")
	expect(t, strings.Join(p.done, ", "), "pause true 100, pause false 50, unpause")
	expect(t, c.do("client unblock 1 error"), ":1")
	expect(t, c.do("client unblock 1"), ":0")
	expect(t, c.do("client unblock 9 error"), ":0")
}

func TestReply(t *testing.T) {
	c := newPlace(t, nil).connect()
	c.do("client reply skip")
	if !c.Is(session.ReplySkip) {
		t.Error("SKIP has no effect")
	}
	c.Clear(session.ReplySkip)
	c.do("client reply off")
	c.do("client reply skip")
	if !c.Is(session.ReplyOff) || c.Is(session.ReplySkip) {
		t.Error("SKIP while OFF")
	}
	expect(t, c.do("client reply on"), "+OK")
	if c.Is(session.ReplyOff) {
		t.Error("ON has no effect")
	}
}

func TestMonitor(t *testing.T) {
	p := newPlace(t, nil)
	m, c := p.connect(), p.connect()
	expect(t, m.do("monitor"), "+OK")
	expect(t, m.do("monitor"), "")
	c.do("select 2")
	c.do("echo a\"\x01")
	c.do("auth default pw")
	c.do("hello 2 auth default pw setname x")
	got := m.read()
	match(t, got, `^\+\d+\.\d{6} \[0 127.0.0.1:50002\] "select" "2" \+\d+\.\d{6} \[2 127.0.0.1:50002\] "echo" "a\\"\\x01" `)
	match(t, got, `"auth" "\(redacted\)" "\(redacted\)" .*"hello" "2" "auth" "\(redacted\)" "\(redacted\)" "setname" "x"$`)
	match(t, c.do("client list"), "id=1 .* flags=O ")
	p.Closed(m.Session)
	c.do("ping")
	expect(t, m.read(), "")
	c.Set(session.Multi)
	expect(t, c.do("monitor"), "-ERR MONITOR isn't allowed for DENY BLOCKING client")
	expect(t, strings.Join(p.done, ","), "monitoring true,monitoring false")
}

func TestAdmission(t *testing.T) {
	var p *place
	p = newPlace(t, func(o *Options) {
		o.ClusterConns = func() int {
			p.Len() // the registry is not locked meanwhile: who answers may wait for somebody who ends a session
			return 1
		}
	})
	p.Tune(Limits{MaxClients: 3, ProtectedMode: true})
	p.connect()
	p.connect()
	local := netip.MustParseAddrPort("10.0.0.1:6379")
	if _, refusal := p.Open(nil, netip.MustParseAddrPort("10.0.0.2:1"), local, ""); refusal != errMaxClients {
		t.Error(refusal)
	}
	p.opt.Cluster = true
	if _, refusal := p.Open(nil, netip.MustParseAddrPort("10.0.0.2:1"), local, ""); refusal != errMaxClientsCluster {
		t.Error(refusal)
	}
	p.Tune(Limits{MaxClients: 10, ProtectedMode: true})
	if _, refusal := p.Open(nil, netip.MustParseAddrPort("10.0.0.2:1"), local, ""); !strings.HasPrefix(refusal, "DENIED Redis is running in protected mode") {
		t.Error(refusal)
	}
	s, refusal := p.Open(nil, netip.AddrPort{}, netip.AddrPort{}, "/tmp/s")
	if refusal != "" || s.Peer() != "/tmp/s:0" {
		t.Error(refusal)
	}
	p.accounts.SetPassword("x")
	if _, refusal := p.Open(nil, netip.MustParseAddrPort("10.0.0.2:1"), local, ""); refusal != "" {
		t.Error(refusal)
	}
	if received, rejected, _ := p.Counts(); received != 4 || rejected != 3 {
		t.Error(received, rejected)
	}
	p.ResetStats()
	match(t, strings.ReplaceAll(string(p.AppendInfo(nil)), "\r\n", " "), "^connected_clients:4 cluster_connections:1 maxclients:10 client_recent_max_input_buffer:0 .*total_blocking_keys_on_nokey:0 $")
}

func TestOverLimit(t *testing.T) {
	p := newPlace(t, nil)
	const block = outputBlock + blockOverhead
	limits := Limits{MaxClients: 10}
	limits.Output[Normal] = OutputLimit{Hard: 10 * block, Soft: 5 * block, SoftSeconds: 2}
	limits.Output[PubSub] = OutputLimit{Hard: 2 * block}
	limits.Output[Replica] = OutputLimit{Hard: 2 * block}
	limits.Backlog = 50 * block
	p.Tune(limits)
	c := p.connect()
	over := func(blocks int, seconds int64) bool {
		return p.OverLimit(c.Session, blocks*outputBlock, p.now+seconds*1000) != ""
	}
	for i, step := range []struct {
		blocks  int
		seconds int64
		want    bool
	}{
		{9, 0, false}, {10, 0, true}, {0, 5, false},
		{6, 10, false}, {6, 14, true}, {4, 14, false}, {6, 15, false}, {6, 16, false},
		{0, 17, false}, {6, 30, false}, {6, 33, true},
	} {
		if over(step.blocks, step.seconds) != step.want {
			t.Error("step", i)
		}
	}
	c.do("subscribe x")
	if over(1, 0) || !over(2, 0) {
		t.Error("the limit of pub/sub clients")
	}
	c.Set(session.Replica)
	if over(49, 0) || !over(50, 0) {
		t.Error("the limit of replicas")
	}
	c.Clear(session.Replica)
	c.Set(session.Master)
	if over(9, 50) || !over(10, 50) {
		t.Error("the limit of masters")
	}
}

func TestIdle(t *testing.T) {
	p := newPlace(t, nil)
	p.Tune(Limits{MaxClients: 10, IdleSeconds: 10})
	idle, listening, busy := p.connect(), p.connect(), p.connect()
	idle.do("ping")
	listening.do("subscribe x")
	p.now += 11_000
	busy.do("ping")
	p.Tick(p.now - 1000)
	if idle.killed() {
		t.Error("closed after 10 seconds, not more")
	}
	p.Tick(p.now)
	p.Tick(p.now + 100)
	if !idle.killed() || listening.killed() || busy.killed() || p.Len() != 2 {
		t.Error("the wrong clients were closed")
	}
}

func TestEviction(t *testing.T) {
	p := newPlace(t, nil)
	small, large, larger, kept, replica := p.connect(), p.connect(), p.connect(), p.connect(), p.connect()
	large.Pending.In, larger.Pending.In, kept.Pending.In, replica.Pending.In = 50<<10, 60<<10, 70<<10, 1<<20
	kept.do("client no-evict on")
	replica.Set(session.Replica)
	for _, c := range []*peer{small, large, larger, replica} {
		c.do("ping")
	}
	p.Tune(Limits{MaxClients: 10, Memory: 1})
	if small.killed() || large.killed() || !larger.killed() || kept.killed() || replica.killed() {
		t.Error("the wrong clients were evicted")
	}
	if _, _, evicted := p.Counts(); evicted != 1 {
		t.Error(evicted)
	}
	if replicas, normal := p.Memory(); replicas < 1<<20 || normal < 120<<10 || normal > 130<<10 {
		t.Error(replicas, normal)
	}
	p.Tick(p.now)
	match(t, string(p.AppendInfo(nil)), "client_recent_max_input_buffer:1048576\r\n")

	// What makes a client too large need not come from a command.
	if why := p.OverLimit(large.Session, 1000, p.now); why != "" || large.killed() {
		t.Error(why)
	}
	large.Pending.Parsed = 20 << 10
	p.OverLimit(large.Session, 1000, p.now)
	if !large.killed() || p.Len() != 3 || p.weight != small.Weight.Load()+kept.Weight.Load() {
		t.Error("a client that grew was not evicted")
	}
	p.OverLimit(large.Session, 1<<20, p.now) // its loop has not closed it yet
	if small.killed() || p.weight > 128<<10 {
		t.Error("a client that is gone is counted")
	}
}

// A short reply that is about to be sent makes nobody too large.
func TestEvictionAtTheLimit(t *testing.T) {
	p := newPlace(t, nil)
	one, other := p.connect(), p.connect()
	one.Pending.In, other.Pending.In = 100<<10, 100<<10
	one.do("ping")
	other.do("ping")
	_, normal := p.Memory()
	p.Tune(Limits{MaxClients: 10, Memory: normal + 1})
	if p.OverLimit(one.Session, fixedOutput, p.now); one.killed() || other.killed() {
		t.Error("a client was evicted below the limit")
	}
	if p.OverLimit(one.Session, fixedOutput+1, p.now); !one.killed() || other.killed() {
		t.Error("a client beyond the limit was not evicted")
	}
}

// A client that does not read is looked at again though nothing happens to it.
func TestStuckClientIsWoken(t *testing.T) {
	p := newPlace(t, nil)
	c := p.connect()
	c.Pending.Out = fixedOutput + 1
	c.do("ping")
	p.Tick(p.now)
	if _, knock := c.Session.Open(nil); !knock.Wake {
		t.Error("it was not")
	}
}

// Loops work on their sessions while others look at them and close them.
func TestManyAtOnce(t *testing.T) {
	p := newPlace(t, nil)
	p.Tune(Limits{MaxClients: 1000, IdleSeconds: 1, Memory: 1 << 30})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				s, _ := p.Open(&peer{}, netip.MustParseAddrPort("127.0.0.1:1"), netip.AddrPort{}, "")
				c := &peer{Session: s, p: p}
				c.do("client setname x")
				c.do("monitor")
				c.do("client list")
				c.do("subscribe x")
				c.do(fmt.Sprintf("client kill id %d", s.ID()-1))
				p.Tick(p.now)
				p.AppendInfo(nil)
				p.Closed(s)
			}
		})
	}
	wg.Wait()
	if p.Len() != 0 || len(*p.monitors.Load()) != 0 {
		t.Error("clients are left")
	}
}
