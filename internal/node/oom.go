package node

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/skeindb/skein/internal/node/config"
)

// oomScorePath is where Linux keeps how gladly it would kill the process for its
// memory, from -1000 to 1000. It is one number for all nodes of the process.
const oomScorePath = "/proc/self/oom_score_adj"

// oomScore is the directives oom-score-adj and oom-score-adj-values at work.
type oomScore struct {
	mu       sync.Mutex
	adjusted bool
	base     int // what the number was before
}

var errOOMScore = errors.New("Failed to set current oom_score_adj. Check server logs.")

// adjust makes the number what v wants of a master or a replica, or what it was.
func (o *oomScore) adjust(v *config.Values, replica bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	mode := config.OOMScoreAdj.Get(v)
	if mode == "no" {
		if !o.adjusted {
			return nil
		}
		o.adjusted = false
		return writeOOMScore(o.base)
	}
	if !o.adjusted {
		base, err := readOOMScore()
		if err != nil {
			return err
		}
		o.adjusted, o.base = true, base
	}
	class := 0
	if replica {
		class = 1
	}
	score := config.OOMScoreAdjValues.Get(v)[class]
	if mode != "absolute" {
		score += o.base
	}
	return writeOOMScore(min(max(score, -1000), 1000))
}

func readOOMScore() (int, error) {
	text, err := os.ReadFile(oomScorePath)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

func writeOOMScore(score int) error {
	return os.WriteFile(oomScorePath, strconv.AppendInt(nil, int64(score), 10), 0)
}

// tuneOOMScore is called at the start, by CONFIG SET, and when the role changes.
func (n *Node) tuneOOMScore(v *config.Values) error {
	if err := n.oom.adjust(v, n.keyspace.Replica.Load()); err != nil {
		n.slog.Warn("Unable to adjust " + oomScorePath + ": " + cause(err).Error())
		return errOOMScore
	}
	return nil
}
