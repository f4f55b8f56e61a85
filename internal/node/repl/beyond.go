package repl

import (
	"fmt"
	"strings"
)

// Redis before 7.4 does not know hashes whose fields have deadlines. A replica of that
// age empties itself before it finds that the RDB is of a version it cannot read, and
// comes back for it again and again. So it is not sent one: it is told why, by the name
// of the key, and keeps what it has. Who it is cannot be seen but by what it says: a
// replica of Skein says capa field-expiry, which others ignore.

const capaFields = "field-expiry"

// carries tells whether p can read the snapshot of j. Who only wants a file, or does
// not say where clients can reach it as replicas do, is a tool that keeps the bytes.
func (p *replica) carries(j *job) bool {
	return j.beyond == "" || p.fields || p.rdbOnly || p.port == 0
}

// refuseBeyond ends the synchronization of p, which cannot read the named key.
func (r *Repl) refuseBeyond(p *replica, key string) {
	name := strings.Trim(fmt.Sprintf("%.100q", key), `"`) // it stands in a line of the protocol
	why := fmt.Sprintf("key '%s' is a hash with field expiration, which redis before 7.4 cannot read, and the replica does not say that it can (capa %s)", name, capaFields)
	r.opt.Slog.Warn("Full resynchronization refused to replica " + p.name() + ": " + why)
	r.part(p)
	p.stream.end("-ERR Full resynchronization refused: " + why + "\r\n")
}
