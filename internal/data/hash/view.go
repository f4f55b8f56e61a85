package hash

import (
	"iter"
	"math/rand/v2"
)

// View is a hash at a moment: without the fields whose deadline is past. The zero View
// is an empty hash.
type View struct {
	h    *Hash
	now  float64 // ms
	past int     // hidden fields
}

// Seen is the hash as it is at nowMs: fields with an earlier deadline are hidden.
func (h *Hash) Seen(nowMs int64) View { return View{h, float64(nowMs), h.Past(nowMs)} }

// Past is how many fields have a deadline before nowMs.
func (h *Hash) Past(nowMs int64) int {
	if h.due == nil {
		return 0
	}
	return h.due.Below(float64(nowMs), false)
}

// None tells that there is no hash at all.
func (v View) None() bool { return v.h == nil }

// Len is the number of fields.
func (v View) Len() int {
	if v.h == nil {
		return 0
	}
	return v.h.Len() - v.past
}

// hides tells whether a field, if it is there, is hidden.
func (v View) hides(field []byte) bool {
	if v.past == 0 {
		return false
	}
	at, ok := v.h.due.Score(field)
	return ok && at < v.now
}

// Get is Hash.Get.
func (v View) Get(field, scratch []byte) (val []byte, ok bool) {
	if v.h == nil || v.hides(field) {
		return nil, false
	}
	return v.h.Get(field, scratch)
}

// Has is Hash.Has.
func (v View) Has(field []byte) bool { return v.h != nil && !v.hides(field) && v.h.Has(field) }

// Expiry is Hash.Expiry.
func (v View) Expiry(field []byte) (ms int64, ok bool) {
	if v.h == nil || v.hides(field) {
		return 0, false
	}
	return v.h.Expiry(field)
}

// All is Hash.All.
func (v View) All() iter.Seq2[[]byte, []byte] {
	return func(yield func(field, val []byte) bool) {
		if v.h == nil {
			return
		}
		for field, val := range v.h.All() {
			if !v.hides(field) && !yield(field, val) {
				return
			}
		}
	}
}

// Scan is Hash.Scan.
func (v View) Scan(cursor uint64, count int, visit func(field, val []byte)) (next uint64) {
	if v.h == nil {
		return 0
	}
	return v.h.Scan(cursor, count, func(field, val []byte) {
		if !v.hides(field) {
			visit(field, val)
		}
	})
}

// Places are numbers for At: one for each field, so that a random one among them is a
// random field.
type Places struct {
	v      View
	places []int // nil: all from 0 to Len
}

// Places finds the places of all fields, which takes long only if some are hidden.
func (v View) Places() Places {
	p := Places{v: v}
	if v.past > 0 {
		p.places = v.visible()
	}
	return p
}

func (v View) visible() (places []int) {
	places = make([]int, 0, v.Len())
	for i := range v.h.Len() {
		var scratch [20]byte
		if field, _ := v.h.At(i, scratch[:]); !v.hides(field) {
			places = append(places, i)
		}
	}
	return places
}

// At is field and value number i, 0 <= i < Len; see Hash.At.
func (p Places) At(i int, scratch []byte) (field, val []byte) {
	if p.places != nil {
		i = p.places[i]
	}
	return p.v.h.At(i, scratch)
}

// Random is a random field; the view is not empty.
func (v View) Random(scratch []byte) (field, val []byte) {
	for range randomTries {
		field, val = v.h.At(rand.IntN(v.h.Len()), scratch)
		if !v.hides(field) {
			return field, val
		}
	}
	return v.Places().At(rand.IntN(v.Len()), scratch)
}

// randomTries is how many hidden fields Random steps over before it lists the others.
const randomTries = 100
