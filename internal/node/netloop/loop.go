//go:build linux && !portable

package netloop

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/session"
)

const (
	keepBytes = 1 << 20  // the shared write buffer is given back beyond this
	postBytes = 64 << 10 // and sent beyond this, though the turn goes on
	eventsMax = 256
)

// Loop is one event loop.
type Loop struct {
	opt    *Options
	epoll  int
	wakeFD int
	conns  []*conn // by file descriptor
	open   int
	ready  []*conn // that received something in this turn
	again  []*conn // to be read from again in the next turn
	held   atomic.Int64
	work   work
	turn   exec.Turn
	redate int64    // when turn.NowMs is to be set anew, by the engine's clock
	out    []byte   // made in this turn
	posted []posted // whose it is
	pulled []byte   // what a Source gives, nil until one does

	records sync.Pool // of *[]byte, what relays read to

	debtors debtors
	carries bool // it is counted in lane.turns

	mu       sync.Mutex
	knocked  []*session.Session
	tasks    []func()
	sleeping bool
	stopped  bool

	done chan struct{}
}

// conn is a connection of the loop.
type conn struct {
	s        *session.Session
	fd       int
	in       []byte // received, not consumed
	peak     int    // most bytes in it since the last Trim
	filled   bool   // the last read filled it
	growing  bool   // it is being moved to a larger one
	ended    bool   // the peer sends no more than what is there
	again    bool   // it is in Loop.again
	ready    bool   // it is in Loop.ready
	out      []byte // made, not sent: out[sent:]
	sent     int
	withheld *withheld
	held     int      // bytes counted in Loop.held
	waiting  bool     // for the socket to become writable
	carrier  *carrier // of a replica that is sent the log; c.out is empty then
	relay    *relay   // of a connection by TLS
	acceptor *acceptor
}

// posted says that out[from:to] goes to c.
type posted struct {
	c        *conn
	from, to int
}

// New returns a loop that Run will drive.
func New(opt *Options) (*Loop, error) {
	ep, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	wake, _, errno := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errno != 0 {
		syscall.Close(ep)
		return nil, errno
	}
	l := &Loop{opt: opt, epoll: ep, wakeFD: int(wake), done: make(chan struct{})}
	if err := l.control(syscall.EPOLL_CTL_ADD, l.wakeFD, syscall.EPOLLIN); err != nil {
		syscall.Close(ep)
		syscall.Close(l.wakeFD)
		return nil, err
	}
	return l, nil
}

// Notify implements session.Home.
func (l *Loop) Notify(s *session.Session) {
	l.mu.Lock()
	l.knocked = append(l.knocked, s)
	l.unlockAndWake()
}

// Do runs task on the loop's goroutine, soon. It returns false if the loop has stopped.
func (l *Loop) Do(task func()) bool {
	l.mu.Lock()
	if l.stopped {
		l.mu.Unlock()
		return false
	}
	l.tasks = append(l.tasks, task)
	l.unlockAndWake()
	return true
}

// Stop ends Run after the turn under way and closes all connections. It waits.
func (l *Loop) Stop() {
	l.mu.Lock()
	l.stopped = true
	l.unlockAndWake()
	<-l.done
}

func (l *Loop) unlockAndWake() {
	wake := l.sleeping
	l.sleeping = false
	l.mu.Unlock()
	if wake {
		one := [8]byte{1}
		rawWrite(l.wakeFD, one[:])
	}
}

// Run drives the loop until Stop.
func (l *Loop) Run() {
	defer close(l.done)
	events := make([]syscall.EpollEvent, eventsMax)
	for {
		timeout := -1
		l.mu.Lock()
		if len(l.knocked)+len(l.tasks)+len(l.again) > 0 || l.stopped {
			timeout = 0
		} else {
			l.sleeping = true
		}
		stopped := l.stopped
		l.mu.Unlock()
		if stopped {
			l.shut()
			return
		}
		n, err := l.wait(events, timeout)
		if err != nil {
			l.opt.Log.Error("event loop: epoll_wait failed", "err", err)
			time.Sleep(time.Millisecond) // never spin on a broken descriptor
		}
		began, ran := l.opt.Engine.Nanos(), l.turn.Ran
		l.date(began)
		l.begin()
		again := len(l.again)
		for i := range max(n, 0) {
			l.event(&events[i])
		}
		l.readAgain(again)
		l.serve()
		l.attendAll()
		if l.debtors.fresh {
			l.collect()
			l.deliver()
		}
		l.end()
		l.work.count(l.opt.Engine.Nanos()-began, l.turn.Ran-ran)
	}
}

// date sets the time of the turn that began at nanos of the engine's clock. The
// kernel is not asked again within a fraction of the millisecond that commands see.
func (l *Loop) date(nanos int64) {
	if nanos >= l.redate {
		l.turn.NowMs = time.Now().UnixMilli()
		l.redate = nanos + int64(time.Millisecond/10)
	}
}

// patience is how long a loop waits for events before it tells the scheduler that
// it does, in ms.
const patience = 1

// wait is epoll_wait. A loop that has a processor of Go's scheduler to itself waits
// a little while holding it: under load the next event is not far, and to hand the
// processor over and get it back costs more than to run the command that comes.
// The scheduler's signals interrupt this wait when it wants to stop the world. That
// makes no turn: there is nothing to do.
func (l *Loop) wait(events []syscall.EpollEvent, timeout int) (n int, err error) {
	if timeout != 0 && l.opt.Dedicated {
		switch n, errno := rawWait(l.epoll, events, patience); {
		case errno != 0 && errno != syscall.EINTR:
			return 0, errno
		case n > 0:
			return n, nil
		}
	}
	for {
		if n, err = syscall.EpollWait(l.epoll, events, timeout); err != syscall.EINTR {
			return n, err
		}
	}
}

func (l *Loop) event(ev *syscall.EpollEvent) {
	fd := int(ev.Fd)
	if fd == l.wakeFD {
		var b [8]byte
		rawRead(fd, b[:])
		return
	}
	c := l.conns[fd]
	switch {
	case c == nil: // closed earlier in this turn
		return
	case c.acceptor != nil:
		c.acceptor.accept()
		return
	}
	if ev.Events&syscall.EPOLLOUT != 0 {
		l.send(c)
	}
	c.ended = c.ended || ev.Events&(syscall.EPOLLRDHUP|syscall.EPOLLHUP|syscall.EPOLLERR) != 0
	if l.conns[fd] == c && (c.ended || ev.Events&syscall.EPOLLIN != 0) {
		l.receive(c)
	}
}

// connEvents is what a connection tells, and each thing once: the kernel then need
// not look again whether it is still so. What one read leaves is read in the next
// turn, so that nobody keeps others waiting.
const connEvents = uint32(syscall.EPOLLIN | syscall.EPOLLRDHUP | edgeTriggered)

const edgeTriggered = 1 << 31 // syscall.EPOLLET is negative

// readLater makes c be read from in the next turn, too.
func (l *Loop) readLater(c *conn) {
	if !c.again {
		c.again = true
		l.again = append(l.again, c)
	}
}

// readAgain reads from the first n connections of l.again.
func (l *Loop) readAgain(n int) {
	for i := range n {
		c := l.again[i]
		l.again[i], c.again = nil, false
		if l.conns[c.fd] == c {
			l.receive(c)
		}
	}
	l.again = l.again[:copy(l.again, l.again[n:])]
}

// receive reads once what the socket has, to be served with what other sockets have.
func (l *Loop) receive(c *conn) {
	if c.ready { // what is there is to be consumed first
		l.readLater(c)
		return
	}
	if !l.read(c) {
		return
	}
	c.ready = true
	if l.ready = append(l.ready, c); len(l.ready) == exec.AheadMax {
		l.serve()
	}
}

// serve feeds the sessions that have received something, in turn. It looks at all of them first, but not as
// they are read: what runs between two calls of the kernel finds the processor's caches full of the kernel's things.
func (l *Loop) serve() {
	for _, c := range l.ready {
		if l.conns[c.fd] == c {
			l.opt.Engine.Ahead(&l.turn, c.s, c.in)
		}
	}
	l.opt.Engine.Prefetch(&l.turn)
	for i, c := range l.ready {
		l.ready[i], c.ready = nil, false
		if l.conns[c.fd] == c { // nobody has closed it meanwhile
			l.serveOne(c)
		}
	}
	l.ready = l.ready[:0]
	l.deliver()
}

// attendAll runs tasks and looks after the sessions that were knocked at,
// until nobody waits: what one does may concern another.
func (l *Loop) attendAll() {
	for {
		l.mu.Lock()
		l.sleeping = false
		knocked, tasks := l.knocked, l.tasks
		l.knocked, l.tasks = nil, nil
		l.mu.Unlock()
		if len(knocked)+len(tasks) == 0 {
			return
		}
		for _, task := range tasks {
			task()
		}
		for _, s := range knocked {
			if c := l.connOf(s); c != nil {
				l.attend(c)
			}
		}
		l.deliver()
	}
}

func (l *Loop) connOf(s *session.Session) *conn {
	if s.FD < len(l.conns) && l.conns[s.FD] != nil && l.conns[s.FD].s == s {
		return l.conns[s.FD]
	}
	return nil
}

func (l *Loop) shut() {
	for _, c := range l.conns {
		switch {
		case c == nil:
		case c.acceptor != nil:
			c.acceptor.ln.Close()
		default:
			l.send(c)
			l.disown(c)
			l.close(c)
		}
	}
	syscall.Close(l.epoll)
	syscall.Close(l.wakeFD)
}

func (l *Loop) control(op, fd int, events uint32) error {
	return syscall.EpollCtl(l.epoll, op, fd, &syscall.EpollEvent{Events: events, Fd: int32(fd)})
}

func (l *Loop) place(c *conn) {
	for len(l.conns) <= c.fd {
		l.conns = append(l.conns, nil)
	}
	l.conns[c.fd] = c
}
