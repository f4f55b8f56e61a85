package observe

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/testkit/commandfacts"
)

// desk is an Observer with a table of commands and a clock that the test sets.
type desk struct {
	*Observer
	t     *testing.T
	table *command.Table
	s     *session.Session
	clock time.Time
}

func newDesk(t *testing.T) *desk {
	d := &desk{Observer: New(), t: t, s: session.New(1, nil), clock: time.Unix(1_700_000_000, 0)}
	d.now = func() time.Time { return d.clock }
	d.s.Remote = netip.MustParseAddrPort("127.0.0.1:50000")
	nothing := func(*command.Call) {}
	others := []*command.Spec{
		{Name: "get", Group: "string", Arity: -2, Flags: command.Fast, Usage: "key:string...", Service: nothing},
		{Name: "keys", Group: "generic", Arity: -1, Usage: "[x...]", Service: nothing},
		{Name: "auth", Group: "connection", Arity: -2, Usage: "word...", Service: nothing,
			Hide: func(_ [][]byte, hide func(int)) { hide(1) }},
	}
	var err error
	if d.table, err = command.NewTable(d.Specs(), others); err != nil {
		t.Fatal(err)
	}
	d.Use(d.table)
	return d
}

func words(line string) (argv [][]byte) {
	for w := range strings.FieldsSeq(line) {
		argv = append(argv, []byte(w))
	}
	return argv
}

// do runs a command line and returns the reply with line ends as spaces.
func (d *desk) do(line string) string {
	argv := words(line)
	spec, err := d.table.Resolve(argv)
	if err != nil {
		return "-" + err.Error()
	}
	c := &d.s.Call
	c.Spec, c.Args = spec, argv
	spec.Service(c)
	out := strings.TrimSpace(strings.ReplaceAll(string(d.s.Out.Buf), "\r\n", " "))
	d.s.Out.Buf = nil
	return out
}

// slow puts a command line into the slowlog.
func (d *desk) slow(line string, micros int64) {
	argv := words(line)
	d.Slow(d.s, d.table.Lookup(argv[0]), argv, micros*1000, d.clock.UnixMilli())
}

// ran is a record of a call of name.
func (d *desk) ran(name string, took time.Duration) session.Record {
	return session.Record{Spec: d.table.LookupFull(name), Nanos: int64(took)}
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFacts(t *testing.T) {
	table, err := command.NewTable(New().Specs())
	if err != nil {
		t.Fatal(err)
	}
	commandfacts.Check(t, table)
}

func TestSlowlog(t *testing.T) {
	d := newDesk(t)
	d.Tune(Tuning{SlowLen: 3})
	expect(t, d.do("slowlog get"), "*0")
	d.s.SetName("me")
	for i := range 5 {
		d.slow(fmt.Sprintf("get k%d", i), int64(i))
	}
	expect(t, d.do("slowlog len"), ":3")
	expect(t, d.do("slowlog get 1"), "*1 *6 :4 :1700000000 :4 *2 $3 get $2 k4 $15 127.0.0.1:50000 $2 me")
	if got := d.do("slowlog get -1"); !strings.HasPrefix(got, "*3 *6 :4 ") || !strings.Contains(got, "*6 :2 ") {
		t.Error(got)
	}
	expect(t, d.do("slowlog get 0"), "*0")
	expect(t, d.do("slowlog get -2"), "-ERR count should be greater than or equal to -1")
	expect(t, d.do("slowlog get x"), "-ERR count should be greater than or equal to -1")
	expect(t, d.do("slowlog get 1 2"), "-ERR unknown subcommand or wrong number of arguments for 'get'. Try SLOWLOG HELP.")
	d.slow("auth secret", 1)
	if got := d.do("slowlog get 1"); !strings.Contains(got, "*2 $4 auth $10 (redacted) ") {
		t.Error(got)
	}
	expect(t, d.do("slowlog reset"), "+OK")
	expect(t, d.do("slowlog len"), ":0")
	d.slow("get", 1)
	if got := d.do("slowlog get"); !strings.HasPrefix(got, "*1 *6 :6 ") {
		t.Error("ids begin again after a reset:", got)
	}
	d.Tune(Tuning{SlowLen: 0})
	d.slow("get", 1)
	expect(t, d.do("slowlog len"), ":0")
}

func TestSlowlogAbridges(t *testing.T) {
	long := strings.Repeat("x", slowArgBytes+5)
	args := words("get " + long + strings.Repeat(" y", 40))
	short := abridge(args)
	if len(short) != slowArgs || string(short[1]) != long[:slowArgBytes]+"... (5 more bytes)" ||
		string(short[slowArgs-2]) != "y" || string(short[slowArgs-1]) != "... (11 more arguments)" {
		t.Errorf("%q", short)
	}
	args[0][0] = 'G'
	if string(short[0]) != "get" {
		t.Error("the entry is not a copy")
	}
	if n := len(abridge(args[:slowArgs])); n != slowArgs || string(abridge(args[:slowArgs])[slowArgs-1]) != "y" {
		t.Error("32 arguments are not all kept")
	}
}

func TestCommandStats(t *testing.T) {
	d := newDesk(t)
	one, two := d.Recorder(), d.Recorder()
	one([]session.Record{d.ran("get", 1500*time.Nanosecond), d.ran("slowlog|len", time.Millisecond)})
	failed := d.ran("get", 500*time.Nanosecond)
	failed.Outcome, failed.Error = session.Failed, "WRONGTYPE"
	rejected := session.Record{Spec: d.table.Lookup([]byte("keys")), Outcome: session.Rejected, Error: "NOAUTH"}
	two([]session.Record{failed, rejected, {Outcome: session.Rejected, Error: "ERR"}, {Outcome: session.Rejected, Error: "x:y#z"}})
	expect(t, string(d.AppendCommandStats(nil)),
		"cmdstat_get:calls=2,usec=2,usec_per_call=1.00,rejected_calls=0,failed_calls=1\r\n"+
			"cmdstat_keys:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0\r\n"+
			"cmdstat_slowlog|len:calls=1,usec=1000,usec_per_call=1000.00,rejected_calls=0,failed_calls=0\r\n")
	expect(t, string(d.AppendErrorStats(nil)),
		"errorstat_ERR:count=1\r\nerrorstat_NOAUTH:count=1\r\nerrorstat_WRONGTYPE:count=1\r\nerrorstat_x_y_z:count=1\r\n")
	expect(t, string(d.AppendLatencyStats(nil)),
		"latency_percentiles_usec_get:p50=0.501,p99=1.503,p99.9=1.503\r\n"+
			"latency_percentiles_usec_slowlog|len:p50=1003.519,p99=1003.519,p99.9=1003.519\r\n")
	expect(t, d.do("latency histogram get nothing slowlog|len"),
		"*4 $3 get *4 $5 calls :2 $14 histogram_usec *4 :1 :1 :2 :2 $11 slowlog|len *4 $5 calls :1 $14 histogram_usec *2 :1056 :1")
	if got := d.do("latency histogram slowlog"); !strings.HasPrefix(got, "*2 $11 slowlog|len ") {
		t.Error("the subcommands of a container:", got)
	}
	d.s.SetProto(3)
	if got := d.do("latency histogram"); !strings.HasPrefix(got, "%2 $3 get %2 $5 calls :2 $14 histogram_usec %2 :1 :1 ") {
		t.Error(got)
	}
	d.Reset()
	expect(t, string(d.AppendCommandStats(nil))+string(d.AppendErrorStats(nil))+string(d.AppendLatencyStats(nil)), "")
	expect(t, d.do("latency histogram"), "%0")

	d.Tune(Tuning{})
	one([]session.Record{d.ran("get", time.Microsecond)})
	expect(t, string(d.AppendLatencyStats(nil))+d.do("latency histogram get"), "%0")
}

func TestErrorCodesAreBounded(t *testing.T) {
	d := newDesk(t)
	record := d.Recorder()
	for i := range errorsMax + 100 {
		record([]session.Record{{Outcome: session.Rejected, Error: fmt.Sprint("E", i)}})
	}
	if n := strings.Count(string(d.AppendErrorStats(nil)), "\n"); n != errorsMax {
		t.Error(n)
	}
	if !strings.Contains(string(d.AppendStats(nil, &Others{})), "\ntotal_error_replies:1100\r\n") {
		t.Error("errors beyond the bound are not counted at all")
	}
}

func TestStats(t *testing.T) {
	d := newDesk(t)
	record := d.Recorder()
	d.Tick()
	for range 20 {
		record([]session.Record{d.ran("get", time.Microsecond), d.ran("get", time.Microsecond)})
		d.Traffic.Received(1024)
		d.Traffic.Sent(2048)
		d.Traffic.ReplReceived(512)
		d.Traffic.ReplSent(256)
		d.clock = d.clock.Add(100 * time.Millisecond)
		d.Tick()
	}
	got := string(d.AppendStats(nil, &Others{Connections: 7, Hits: 3, ExpiredStalePercent: 1.5}))
	for _, want := range []string{
		"total_connections_received:7", "total_commands_processed:40", "instantaneous_ops_per_sec:20",
		"total_net_input_bytes:30720", "total_net_output_bytes:46080", "total_net_repl_input_bytes:10240",
		"instantaneous_input_kbps:15.00", "instantaneous_output_kbps:22.50", "instantaneous_input_repl_kbps:5.00",
		"instantaneous_output_repl_kbps:2.50", "expired_stale_perc:1.50", "keyspace_hits:3",
		"total_reads_processed:40", "eventloop_duration_cmd_sum:40",
	} {
		if !strings.Contains("\n"+got, "\n"+want+"\r\n") {
			t.Error("no", want)
		}
	}
	d.Reset()
	got = string(d.AppendStats(nil, &Others{}))
	if bad := regexp.MustCompile(`(?m)^\w+:.*[1-9].*$`).FindString(got); bad != "" {
		t.Error("after a reset:", bad)
	}
}

func TestLatencyEvents(t *testing.T) {
	d := newDesk(t)
	record := d.Recorder()
	slow := []session.Record{d.ran("get", 30*time.Millisecond), d.ran("keys", 40*time.Millisecond), {Outcome: session.Rejected}}
	record(slow)
	expect(t, d.do("latency latest"), "*0")
	if got := d.do("latency doctor"); !strings.Contains(got, "CONFIG SET latency-monitor-threshold") {
		t.Error(got)
	}
	d.Tune(Tuning{ThresholdMs: 20, SlowMicros: -1})
	if got := d.do("latency doctor"); !strings.Contains(got, "No latency spike") {
		t.Error(got)
	}
	record(slow)
	d.Event("expire-cycle", 19)
	d.Event("expire-cycle", 20)
	d.Event("expire-cycle", 25)
	d.Event("expire-cycle", 22)
	d.clock = d.clock.Add(time.Second)
	d.Event("expire-cycle", 21)
	expect(t, d.do("latency latest"), "*3 *4 $7 command :1700000000 :40 :40 *4 $12 expire-cycle :1700000001 :21 :25 *4 $12 fast-command :1700000000 :30 :30")
	expect(t, d.do("latency history expire-cycle"), "*2 *2 :1700000000 :25 *2 :1700000001 :21")
	expect(t, d.do("latency history x"), "*0")
	expect(t, d.do("latency graph x"), "-ERR No samples available for event 'x'")
	got := d.do("latency doctor")
	for _, want := range []string{
		"1. command: 1 latency spikes (average 40ms, mean deviation 0ms, period 1.00 sec). Worst all time event 40ms.",
		"2. expire-cycle: 2 latency spikes (average 23ms, mean deviation 2ms, period 0.50 sec). Worst all time event 25ms.",
		"The slowlog is off", adviceScheduler, adviceLarge,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	if strings.Count(got, adviceLarge) != 1 {
		t.Error("an advice is given twice")
	}
	expect(t, d.do("latency reset COMMAND nothing"), ":1")
	expect(t, d.do("latency reset"), ":2")
	expect(t, d.do("latency latest"), "*0")
	for i := range samplesMax + 10 {
		d.clock = d.clock.Add(time.Second)
		d.Event("fork", int64(100+i))
	}
	if got := d.do("latency history fork"); !strings.HasPrefix(got, "*160 *2 :1700000012 :110 ") {
		t.Error(got[:60])
	}
	d.do("latency graph fork") // two rows of columns
}

// The heights are those of redis's sparkline: 12 steps between least and greatest.
func TestGraph(t *testing.T) {
	d := newDesk(t)
	d.Tune(Tuning{ThresholdMs: 1})
	for i, ms := range []int64{10, 20, 30, 70, 40, 10} {
		d.clock = time.Unix(1_700_000_000+int64(i)*20, 0)
		d.Event("command", ms)
	}
	d.s.SetProto(2)
	got := d.do("latency graph command")
	_, got, _ = strings.Cut(got, " ")
	expect(t, got, strings.Join([]string{
		"command - high 70 ms, low 10 ms (all time high 70 ms)",
		strings.Repeat("-", 80),
		"   #  ",
		"   |_ ",
		"  o|| ",
		"_#|||_",
		"      ",
		"111420",
		"mmm00s",
		"   ss", // the reply's last spaces are cut by do
	}, "\n"))
}

// Loops record while others ask and reset.
func TestManyAtOnce(t *testing.T) {
	d := newDesk(t)
	d.Tune(Tuning{ThresholdMs: 1, LatencyTracking: true, SlowLen: 10, Percentiles: []float64{50}})
	var wg sync.WaitGroup
	for range 3 {
		record := d.Recorder()
		wg.Go(func() {
			for range 500 {
				record([]session.Record{d.ran("get", 2*time.Millisecond)})
				d.slow("get x", 5)
			}
		})
	}
	wg.Go(func() {
		for range 50 {
			d.AppendCommandStats(nil)
			d.AppendLatencyStats(nil)
			d.AppendStats(nil, &Others{})
			d.Tick()
			d.do("latency histogram")
			d.do("latency latest")
			d.do("slowlog get")
		}
	})
	wg.Wait()
	if got := string(d.AppendCommandStats(nil)); !strings.HasPrefix(got, "cmdstat_get:calls=1500,") {
		t.Error(got)
	}
}

func TestRecordingAllocatesNothing(t *testing.T) {
	d := newDesk(t)
	record := d.Recorder()
	failed := d.ran("get", time.Microsecond)
	failed.Outcome, failed.Error = session.Failed, "ERR"
	batch := []session.Record{d.ran("get", time.Microsecond), failed}
	record(batch)
	if n := testing.AllocsPerRun(100, func() { record(batch) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	d := newDesk(&testing.T{})
	batch := []session.Record{d.ran("get", time.Microsecond)}
	record := d.Recorder()
	for b.Loop() {
		record(batch)
	}
}
