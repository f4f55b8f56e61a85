package repl

import (
	"errors"
	"sync"
	"time"
)

// pipeBytes is what may wait between the walk of a full sync and the socket of one replica.
const pipeBytes = 256 << 10

// errGone is what who writes to a pipe gets when the replica is gone.
var errGone = errors.New("repl: the replica is gone")

// pipe takes bytes from a goroutine, which waits while it is full, to an event
// loop, which never waits.
type pipe struct {
	ring func() // tells the loop that there is something after it found nothing

	mu    sync.Mutex
	moved sync.Cond // something was taken, or the pipe was closed
	buf   []byte    // a ring of pipeBytes
	from  int       // of the oldest byte
	n     int       // bytes in it
	asked bool      // the loop found nothing
	whole bool      // nothing comes any more
	gone  bool
	stuck int64 // Unix ms since when somebody waits for room without a byte being taken, 0: nobody does
}

func newPipe(ring func()) *pipe {
	p := &pipe{ring: ring, buf: make([]byte, pipeBytes)}
	p.moved.L = &p.mu
	return p
}

// Write implements io.Writer: it waits until all of b is in the pipe. The error is errGone.
func (p *pipe) Write(b []byte) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n < len(b) && !p.gone {
		if p.n == len(p.buf) {
			p.await()
			continue
		}
		at := (p.from + p.n) % len(p.buf)
		k := copy(p.buf[at:min(len(p.buf), at+len(p.buf)-p.n)], b[n:])
		p.n, n = p.n+k, n+k
		p.tell()
	}
	if p.gone {
		return n, errGone
	}
	return n, nil
}

// finish says that nothing comes any more, and waits until all was taken.
func (p *pipe) finish() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.whole = true
	p.tell()
	for p.n > 0 && !p.gone {
		p.await()
	}
	if p.gone {
		return errGone
	}
	return nil
}

func (p *pipe) await() {
	if p.stuck == 0 {
		p.stuck = time.Now().UnixMilli()
	}
	p.moved.Wait()
	p.stuck = 0
}

// tell rings if the loop found nothing before.
func (p *pipe) tell() {
	if p.asked {
		p.asked = false
		p.ring()
	}
}

// pull takes bytes out. done: there are none, and there will be none.
func (p *pipe) pull(b []byte) (n int, done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n < len(b) && p.n > 0 {
		k := copy(b[n:], p.buf[p.from:min(len(p.buf), p.from+p.n)])
		p.from, p.n, n = (p.from+k)%len(p.buf), p.n-k, n+k
	}
	if n > 0 {
		p.moved.Broadcast()
		return n, false
	}
	p.asked = !p.whole
	return 0, p.whole || p.gone
}

// close ends the pipe from the replica's side.
func (p *pipe) close() {
	p.mu.Lock()
	p.gone = true
	p.mu.Unlock()
	p.moved.Broadcast()
}

// stuckSince is since when (Unix ms) a writer waits, 0 if none does.
func (p *pipe) stuckSince() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stuck
}

// waiting is how many bytes are in the pipe.
func (p *pipe) waiting() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int64(p.n)
}
