package repl

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/oplog"
)

// The applier feeds the master's stream to the engine, as a loop feeds what a client
// sends: in batches whose keys are prefetched together. Of the stream's bytes it keeps
//
//	buf   | logged | of an open MULTI | run, in the middle | not run |  room
//	      0        logged             noted (a command's end)  fed   len(buf)
//
// A command's bytes go to the log verbatim, while its stripes are still held: so the
// offset and the data set always agree for whoever holds all stripes, and sub-replicas
// get what we got. A transaction goes when EXEC has run, whole.

// Sizes of the applier's buffer, in bytes.
const (
	applyBytes = 256 << 10
	applyRoom  = 32 << 10 // least room to read into
	applyKeep  = 4 << 20  // a larger buffer is given back when it is empty
)

// ackEvery is how often the master is told the applied offset unasked.
const ackEvery = time.Second

// applier is the life of one stream.
type applier struct {
	f *follower
	w *wire
	s *session.Session

	buf    []byte
	fed    int // given to the engine and consumed by it
	from   int // where the data of the last Feed began
	noted  int // up to here the engine has told of commands
	logged int

	db      int // selected in the stream at noted
	pieces  []piece
	effects []oplog.Effect
	cut     bool // the last Feed stopped because the session had to wait
	asked   bool // REPLCONF GETACK was met
	nextAck time.Time
	mute    bool  // no acknowledgements: the master does not know them, or is gone
	broken  error // why the stream ends

	selects, replconf, multi, exec *command.Spec
}

// piece is one command of the stream.
type piece struct {
	length int
	db     int
	class  oplog.Class
}

// apply applies the stream until the link is lost. What went wrong is in the log when
// it returns.
func (f *follower) apply(w *wire) retry {
	a := &applier{f: f, w: w, mute: f.deaf, buf: make([]byte, 0, applyBytes)}
	if !a.open() {
		return lostLink
	}
	defer a.close()
	err := a.run()
	if f.ctx.Err() != nil {
		return lostLink
	}
	var wrong protocolError
	if errors.Is(err, errSilent) {
		f.warn("MASTER timeout: no data nor PING received...")
	}
	f.notice("Connection with master lost.")
	if errors.As(err, &wrong) {
		f.distrust(a, wrong)
		return lostLink
	}
	f.notice("Caching the disconnected master state.")
	return lostLink
}

// protocolError: the stream is not what a master sends.
type protocolError string

func (e protocolError) Error() string { return string(e) }

// distrust gives up the hope that the stream can be gone on with.
func (f *follower) distrust(a *applier, wrong protocolError) {
	if strings.Contains(string(wrong), "inline") {
		f.warn("WARNING: Receiving inline protocol from master, master stream corruption? " +
			"Closing the master connection and discarding the cached master.")
	}
	sample := a.buf[a.noted:]
	f.warn("Protocol error (" + string(wrong) + ") from client: addr=" + a.s.Peer() + ". Query buffer during protocol error: " +
		string(resp.AppendRepr(nil, sample[:min(len(sample), 128)])))
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	if !f.stopped {
		f.r.resumable = false
	}
}

// open makes the session. False: the follower was stopped.
func (a *applier) open() bool {
	f := a.f
	a.s = f.r.opt.Clients.OpenMaster(f, a, endpoint(a.w.RemoteAddr()), endpoint(a.w.LocalAddr()))
	_, db := f.r.log.Position()
	a.db = max(db, 0)
	a.s.SelectDB(a.db)
	a.s.Parser.MaxBulk = maxArgument
	table := f.r.opt.Engine.Table
	a.selects, a.replconf = table.LookupFull("select"), table.LookupFull("replconf")
	a.multi, a.exec = table.LookupFull("multi"), table.LookupFull("exec")
	f.unread.Store(0)
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	if f.stopped {
		f.r.opt.Clients.Closed(a.s)
		return false
	}
	f.client = a.s
	return true
}

// maxArgument is the longest argument that a master may send: it has its own limits.
const maxArgument = 1 << 40

func (a *applier) close() {
	f := a.f
	f.r.mu.Lock()
	if f.client == a.s {
		f.client = nil
		f.r.opt.Clients.Closed(a.s)
	}
	f.r.mu.Unlock()
	f.r.opt.Engine.Forget(a.s)
	f.unread.Store(0)
}

func endpoint(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort()
	}
	return netip.AddrPort{}
}

// Notify implements session.Home. The order matters: see applier.read.
func (f *follower) Notify(*session.Session) {
	select {
	case f.bell <- struct{}{}:
	default:
	}
	if w := f.wire.Load(); w != nil {
		w.SetReadDeadline(time.Unix(1, 0)) // wakes a read that waits
	}
}

// Carries implements session.Home.
func (*follower) Carries() bool { return false }

// What ends a stream besides errors of the connection.
var (
	errKilled = errors.New("repl: the link was killed")
	errQuit   = errors.New("repl: the master said goodbye")
)

// run reads and applies until the stream ends.
func (a *applier) run() error {
	a.ack()
	for a.broken == nil {
		err := a.attend()
		switch {
		case err != nil:
		case a.s.Parked():
			a.wait()
		case a.cut:
			err = a.feed()
		default:
			if err = a.read(); err == nil {
				err = a.feed()
			}
		}
		if err != nil {
			return err
		}
		a.tick()
	}
	return a.broken
}

// read reads once, or until somebody is at the door.
func (a *applier) read() error {
	a.makeRoom()
	room := a.buf[len(a.buf):cap(a.buf)]
	n, err := 0, error(nil)
	if a.w.in.Buffered() > 0 { // came with the RDB
		n, err = a.w.in.Read(room)
	} else {
		n, err = a.w.step(room, min(stepMost, time.Until(a.nextAck)), a.f.bell)
	}
	a.buf = a.buf[:len(a.buf)+n]
	a.s.Pending.NetIn += int64(n)
	return err
}

// makeRoom drops what is in the log, and takes a larger buffer when that is not enough.
func (a *applier) makeRoom() {
	if a.logged == len(a.buf) && cap(a.buf) > applyKeep {
		a.buf = make([]byte, 0, applyBytes)
		a.fed, a.noted, a.logged = 0, 0, 0
	}
	if cap(a.buf)-len(a.buf) >= applyRoom {
		return
	}
	if a.logged > 0 {
		n := copy(a.buf, a.buf[a.logged:])
		a.buf = a.buf[:n]
		a.fed, a.noted, a.logged = a.fed-a.logged, a.noted-a.logged, 0
	}
	if cap(a.buf)-len(a.buf) < applyRoom {
		a.buf = append(make([]byte, 0, 2*cap(a.buf)), a.buf...)
	}
}

// feed gives the engine what it has not run yet.
func (a *applier) feed() error {
	a.f.nap()
	turn := &a.f.r.turn
	turn.NowMs = now()
	a.from = a.fed
	a.fed += a.f.r.opt.Engine.Feed(turn, a.s, a.buf[a.fed:])
	a.cut = a.s.Parked()
	a.f.unread.Store(int64(len(a.buf) - a.logged))
	if !a.s.Is(session.CloseAfterReply) {
		return nil
	}
	if text, ok := bytes.CutPrefix(a.s.Out.Buf, []byte("-ERR ")); ok && a.f.ctx.Err() == nil {
		return protocolError(strings.TrimSpace(string(text)))
	}
	return errQuit
}

// attend looks at what was left at the session's door.
func (a *applier) attend() error {
	select {
	case <-a.f.bell:
	default:
		return nil
	}
	_, knock := a.s.Open(nil)
	turn := &a.f.r.turn
	turn.NowMs = now()
	if knock.Kill {
		return errKilled
	}
	if knock.Replied {
		a.f.r.opt.Engine.Answer(turn, a.s, knock.Reply)
		a.s.Out.Buf = a.s.Out.Buf[:0]
	}
	if knock.Wake && len(a.s.Retry) > 0 {
		a.f.r.opt.Engine.Retry(turn, a.s)
	}
	return nil
}

// wait waits for the command that cannot run yet; the master hears of us meanwhile.
func (a *applier) wait() {
	t := time.NewTimer(time.Until(a.nextAck))
	defer t.Stop()
	select {
	case <-a.f.bell:
		a.f.bell <- struct{}{} // for attend
	case <-t.C:
	case <-a.f.ctx.Done():
		a.broken = net.ErrClosed
	}
	a.f.lastMs.Store(now()) // nobody has looked whether the master is silent
}

// tick does what is to be done once a second.
func (a *applier) tick() {
	a.f.nap()
	if time.Now().After(a.nextAck) {
		a.ack()
	}
	a.s.Active = a.f.lastMs.Load()
	a.s.Pending.In = len(a.buf) - a.fed
	a.s.Pending.InFree = cap(a.buf) - len(a.buf)
	a.s.Publish()
}

// ack tells the master how far we are. If it does not hear any more, what it has sent
// before is applied all the same: the read finds the end.
func (a *applier) ack() {
	a.nextAck = time.Now().Add(ackEvery)
	if !a.mute {
		a.mute = a.w.send("REPLCONF", "ACK", strconv.FormatInt(a.f.r.log.Offset(), 10)) != nil
	}
}

// May implements session.Link.
func (a *applier) May() bool { return !a.f.over.Load() }

// Ran implements session.Link.
func (a *applier) Ran(spec *command.Spec, args [][]byte, end int, held bool) {
	if at := a.from + end; at > a.noted {
		a.note(spec, args, at)
	}
	if held {
		return
	}
	a.judge(spec)
	if a.asked {
		a.asked = false
		a.ack()
	}
}

// note takes in a command that ends at at, and puts it into the log unless it is part
// of an open transaction.
func (a *applier) note(spec *command.Spec, args [][]byte, at int) {
	class := oplog.Replicas
	switch {
	case spec == nil:
	case spec == a.selects && len(args) == 2:
		if db, ok := resp.ParseInt(args[1]); ok && db >= 0 && db < int64(a.f.r.opt.Keyspace.Databases()) {
			a.db = int(db)
		}
	case spec == a.replconf:
		a.asked = a.asked || len(args) > 1 && strings.EqualFold(string(args[1]), "GETACK")
	case spec.Is(command.Write), spec == a.multi, spec == a.exec:
		class = oplog.Both
	}
	a.pieces = append(a.pieces, piece{at - a.noted, a.db, class})
	a.noted = at
	if !a.s.Is(session.Multi) {
		a.log()
	}
}

// log appends the commands noted.
func (a *applier) log() {
	a.effects = a.effects[:0]
	at := a.logged
	for _, p := range a.pieces {
		a.effects = append(a.effects, oplog.Effect{DB: p.db, Class: p.class, Argv: a.buf[at : at+p.length]})
		at += p.length
	}
	a.pieces = a.pieces[:0]
	r := a.f.r
	r.mu.Lock()
	if a.f.stopped { // while a command ran that needs no stripes
		r.mu.Unlock()
		return
	}
	r.log.AppendVerbatim(a.effects)
	offset := r.log.Offset()
	r.mu.Unlock()
	a.logged = at
	a.f.moved(offset)
}

// judge looks at the reply, which nobody gets. An error says that our data set is not
// the master's any more.
func (a *applier) judge(spec *command.Spec) {
	out := a.s.Out.Buf
	a.s.Out.Buf = out[:0]
	if a.s.Is(session.CloseAfterReply) || len(out) == 0 {
		return
	}
	text := errorOf(out, spec == a.exec)
	if text == "" {
		return
	}
	name := "<unknown>"
	if a.s.Last != nil {
		name = a.s.Last.FullName()
	}
	a.f.r.unexpected.Add(1)
	a.f.warn("== CRITICAL == This replica is sending an error to its master: '" + text[:min(len(text), 4096)] +
		"' after processing the command '" + name + "'")
}

// errorOf is the error that a reply is, or that the reply of EXEC has first; "" if there is none.
func errorOf(reply []byte, exec bool) string {
	if reply[0] != '-' && !(exec && bytes.Contains(reply, []byte("\r\n-"))) { // it may be in a string
		return ""
	}
	v, err := resp.NewReader(bytes.NewReader(reply)).Read()
	if err != nil {
		return ""
	}
	if v.IsError() {
		return v.Text()
	}
	for i := range v.Elems {
		if v.Elems[i].IsError() {
			return v.Elems[i].Text()
		}
	}
	return ""
}
