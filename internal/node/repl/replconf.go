package repl

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
)

// addressMost is the longest ip-address that is believed.
const addressMost = 255

// replconfCommand is REPLCONF: what a replica tells about itself, and ACK.
func (r *Repl) replconfCommand(c *command.Call, s *session.Session) {
	if len(c.Args)%2 == 0 {
		c.Out.Error(command.ErrSyntax)
		return
	}
	for i := 1; i < len(c.Args); i += 2 {
		switch strings.ToLower(c.Arg(i)) {
		case "ack":
			r.acknowledged(s, c, i)
			return
		case "getack":
			return // the applier answers its master's
		}
		p := r.of(s)
		r.mu.Lock()
		refusal := p.tell(strings.ToLower(c.Arg(i)), c.Arg(i), c.Arg(i+1))
		r.mu.Unlock()
		if refusal != "" {
			c.Out.Error(refusal)
			return
		}
	}
	c.Out.OK()
}

// tell sets one option of p; word is in lower case, as it was typed.
func (p *replica) tell(word, typed, value string) (refusal string) {
	switch word {
	case "listening-port":
		port, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return errNotInteger
		}
		p.port = int(port)
	case "ip-address":
		if len(value) > addressMost {
			return fmt.Sprintf("ERR REPLCONF ip-address provided by replica instance is too long: %d bytes", len(value))
		}
		p.addr = value
	case "capa":
		p.eof = p.eof || strings.EqualFold(value, "eof")
		p.psync2 = p.psync2 || strings.EqualFold(value, "psync2")
		p.fields = p.fields || strings.EqualFold(value, capaFields)
	case "rdb-only":
		switch only, err := strconv.ParseInt(value, 10, 64); {
		case err != nil:
			return errNotInteger
		case only != 0 && only != 1:
			return "ERR value is out of range, value must between 0 and 1"
		default:
			p.rdbOnly = only == 1
		}
	case "rdb-filter-only":
		return p.filter(value)
	default:
		return "ERR Unrecognized REPLCONF option: " + typed
	}
	return ""
}

// filter is rdb-filter-only: the parts that the RDB is to have. Keys can only be left out.
func (p *replica) filter(parts string) (refusal string) {
	p.filtered = true
	for _, part := range strings.Fields(parts) {
		if !strings.EqualFold(part, "functions") {
			return "ERR Unsupported rdb-filter-only option: " + part
		}
	}
	return ""
}

// acknowledged is REPLCONF ACK offset [FACK offset], which has no answer.
func (r *Repl) acknowledged(s *session.Session, c *command.Call, i int) {
	p, ok := s.Following.(*replica)
	if !ok || !s.Is(session.Replica) {
		return
	}
	offset, err := strconv.ParseInt(c.Arg(i+1), 10, 64)
	if err != nil {
		return
	}
	r.mu.Lock()
	p.ack, p.ackMs = max(p.ack, offset), c.Now
	p.acked = p.acked || p.phase == syncing
	flows := p.onAck && p.phase == online
	if flows {
		p.onAck = false
	}
	again := r.again && p.ack >= r.asked
	ready := r.served()
	r.judge()
	r.mu.Unlock()
	if flows {
		p.stream.flow()
	}
	for _, w := range ready {
		w.done()
	}
	if again && !s.InMulti() { // who runs EXEC holds the stripe that ask needs
		r.ask()
	}
}
