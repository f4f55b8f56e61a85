package repl

import (
	"errors"
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/store/keyspace"
)

// idLen is the length of a replication ID.
const idLen = 40

// psyncAnswer is what the master makes of our PSYNC.
type psyncAnswer struct {
	partial bool   // the stream goes on where we are
	id      string // of the history; "": the one that we know, or, in a full sync, none
	offset  int64  // of a full sync
	sync    bool   // the master knows no PSYNC: ask for the RDB by SYNC
}

// psync asks for the stream from where we are on, and returns the answer. An error
// is in the log already.
func (f *follower) psync(w *wire) (psyncAnswer, error) {
	id, offset := f.position()
	words := []string{"PSYNC", id, offset}
	if f.handOver != nil {
		words = append(words, "FAILOVER")
	}
	if err := w.send(words...); err != nil {
		f.warn("Unable to send PSYNC to master: -Writing to master: " + reason(err))
		f.handedOver(errors.New("Write error to failover target"))
		return psyncAnswer{}, err
	}
	for {
		line, err := w.line()
		switch {
		case err != nil && (errors.Is(err, errSilent) || f.ctx.Err() != nil):
			return psyncAnswer{}, err
		case err != nil:
			f.warn("Failed to read response from the server: " + reason(err))
			f.warn("Master did not reply to PSYNC, will try later")
			f.handedOver(errRejected)
			return psyncAnswer{}, err
		case line == "": // the master is alive, and busy
			continue
		}
		answer, err := f.understand(line)
		if answer.partial && id == "?" {
			f.warn("Unexpected reply to PSYNC from master: " + line)
			answer, err = psyncAnswer{}, errRefused
		}
		if err != nil || answer.sync {
			f.handedOver(errRejected)
		} else {
			f.handedOver(nil)
		}
		return answer, err
	}
}

// errRejected: the target of FAILOVER did not become a master.
var errRejected = errors.New("Failover target rejected psync request")

// handedOver tells FAILOVER, once, what became of it.
func (f *follower) handedOver(err error) {
	if tell := f.handOver; tell != nil {
		f.handOver = nil
		tell(err)
	}
}

// position is what to ask for.
func (f *follower) position() (id, offset string) {
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	if !f.r.resumable {
		f.notice("Partial resynchronization not possible (no cached master)")
		return "?", "-1"
	}
	id, offset = f.r.hist.ID, strconv.FormatInt(f.r.log.Offset()+1, 10)
	f.notice("Trying a partial resynchronization (request " + id + ":" + offset + ").")
	return id, offset
}

// understand reads the answer to PSYNC.
func (f *follower) understand(line string) (psyncAnswer, error) {
	switch {
	case strings.HasPrefix(line, "+FULLRESYNC"):
		a, ok := parseFullResync(line)
		if !ok {
			f.warn("Master replied with wrong +FULLRESYNC syntax.")
			return psyncAnswer{}, nil
		}
		f.notice("Full resync from master: " + a.id + ":" + strconv.FormatInt(a.offset, 10))
		return a, nil
	case strings.HasPrefix(line, "+CONTINUE"):
		f.notice("Successful partial resynchronization with master.")
		return parseContinue(line), nil
	case strings.HasPrefix(line, "-NOMASTERLINK"), strings.HasPrefix(line, "-LOADING"):
		f.notice("Master is currently unable to PSYNC but should be in the future: " + line)
		return psyncAnswer{}, errRefused
	case strings.HasPrefix(line, "-ERR"):
		f.notice("Master does not support PSYNC or is in error state (reply: " + line + ")")
	default:
		f.warn("Unexpected reply to PSYNC from master: " + line)
	}
	return psyncAnswer{sync: true}, nil
}

// parseFullResync reads "+FULLRESYNC <id> <offset>".
func parseFullResync(line string) (psyncAnswer, bool) {
	words := strings.Split(line, " ")
	if len(words) < 3 || len(words[1]) != idLen {
		return psyncAnswer{}, false
	}
	offset, err := strconv.ParseInt(words[2], 10, 64)
	if err != nil || offset < 0 {
		return psyncAnswer{}, false
	}
	return psyncAnswer{id: words[1], offset: offset}, true
}

// parseContinue reads "+CONTINUE" or "+CONTINUE <id>".
func parseContinue(line string) psyncAnswer {
	id, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(line, "+CONTINUE"), " "), " ")
	if len(id) != idLen {
		id = ""
	}
	return psyncAnswer{partial: true, id: id}
}

// synchronize makes our data set and log those of the master, and then applies what
// comes.
func (f *follower) synchronize(w *wire, a psyncAnswer) retry {
	if a.partial {
		if !f.resume(a.id) {
			return later
		}
		f.notice("MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.")
		return f.apply(w)
	}
	if a.sync {
		f.notice("Retrying with SYNC...")
		if err := w.write([]byte("SYNC\r\n")); err != nil {
			f.warn("I/O error writing to MASTER: " + reason(err))
			return later
		}
	}
	f.total.Store(-1)
	f.got.Store(0)
	f.gotMs.Store(now())
	if !f.enter(receiving) {
		return later
	}
	if again, ok := f.receive(w, a); !ok {
		return again
	}
	f.notice("MASTER <-> REPLICA sync: Finished with success")
	return f.apply(w)
}

// resume goes on with the history that we have, under the id that the master calls
// it by now. False: the follower was stopped.
func (f *follower) resume(id string) bool {
	r := f.r
	var all keyspace.Hold
	r.opt.Keyspace.AcquireAll(&all)
	defer r.opt.Keyspace.Release(&all)
	r.mu.Lock()
	if f.stopped {
		r.mu.Unlock()
		return false
	}
	if !r.backlogOn() {
		r.openBacklog()
	}
	known := r.hist.ID
	r.mu.Unlock()
	if id != "" && id != known {
		f.notice("Master replication ID changed to " + id)
		r.rename(id)
	}
	f.deaf = false
	return f.enter(connected)
}
