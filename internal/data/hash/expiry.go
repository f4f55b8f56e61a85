package hash

import (
	"iter"

	"github.com/skeindb/skein/internal/data/zset"
)

// dueLimits are up to where the deadlines are a listpack.
var dueLimits = zset.Limits{Entries: 128, Value: 64}

// SetExpiry gives a field a deadline in ms since 1970, below 2^53, or another one; false if there is no such field.
func (h *Hash) SetExpiry(field []byte, ms int64) bool {
	if !h.Has(field) {
		return false
	}
	if h.due == nil {
		h.due = zset.New(1, len(field), dueLimits)
	}
	h.due.Set(field, float64(ms), dueLimits)
	return true
}

// Expiry is the deadline of a field; false if it has none.
func (h *Hash) Expiry(field []byte) (ms int64, ok bool) {
	if h.due == nil {
		return 0, false
	}
	score, ok := h.due.Score(field)
	return int64(score), ok
}

// Persist takes a field's deadline away, and tells whether it had one.
func (h *Hash) Persist(field []byte) bool {
	if h.due == nil || !h.due.Delete(field) {
		return false
	}
	if h.due.Len() == 0 {
		h.due = nil
	}
	return true
}

// Volatile is how many fields have a deadline.
func (h *Hash) Volatile() int {
	if h.due == nil {
		return 0
	}
	return h.due.Len()
}

// Deadlines yields the fields that have one, the earliest first. The hash must not change meanwhile.
func (h *Hash) Deadlines() iter.Seq2[[]byte, int64] {
	return func(yield func(field []byte, ms int64) bool) {
		if h.due == nil {
			return
		}
		for field, score := range h.due.Ascend(0) {
			if !yield(field, int64(score)) {
				return
			}
		}
	}
}

// NextExpiry is the earliest deadline; false if there is none.
func (h *Hash) NextExpiry() (ms int64, ok bool) {
	for _, ms := range h.Deadlines() {
		return ms, true
	}
	return 0, false
}
