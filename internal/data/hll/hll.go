// Package hll is redis's HyperLogLog: an estimate of how many different elements were added, in at most 12 KiB, with a
// standard error of 0.81 %. It is a string value, and the bytes are exactly those that redis makes of the same commands.
//
//	string   | "HYLL" | encoding (1) | 0 0 0 | cardinality (8, little endian) | registers |
//
// The cardinality is what the last count said; its highest bit means that it is out of date. An element's hash names one
// of 16384 registers by 14 bits, and the register remembers the longest run of zeros, plus one, ever seen in the other 50.
//
// Encoding 0, dense: 6 bits per register, the lowest bits of the bytes first. Encoding 1, sparse: runs of registers.
//
//	00llllll             l+1 registers that are 0
//	01llllll llllllll    the same, up to 16384
//	1vvvvvll             l+1 registers that are v+1
//
// A sparse one becomes dense when it would exceed hll-sparse-max-bytes or a register exceeds 32.
//
// The functions that change a string return it, as append does, and change it in place where they can. They accept any
// bytes that Check accepts, and say ErrCorrupt if the sparse runs do not make 16384 registers.
package hll

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"strconv"
)

const (
	indexBits    = 14
	headerBytes  = 16
	registerBits = 6
	registerMax  = 1<<registerBits - 1
	denseBytes   = headerBytes + Count*registerBits/8
	outdated     = 1 << 7 // in the last byte of the cardinality

	dense  = 0
	sparse = 1
)

// Count is the number of registers.
const Count = 1 << indexBits

var (
	// ErrNotHLL: the string is no HyperLogLog.
	ErrNotHLL = errors.New("hll: not a HyperLogLog")
	// ErrCorrupt: it looks like one but its registers do not.
	ErrCorrupt = errors.New("hll: corrupt data")
)

// Registers are all registers, one byte each: what several HyperLogLogs are joined in.
type Registers [Count]uint8

// New returns an empty one, which is sparse.
func New() []byte {
	b := make([]byte, headerBytes, headerBytes+2)
	copy(b, "HYLL")
	b[4] = sparse
	return appendZeros(b, Count)
}

// Check tells whether a string looks like a HyperLogLog: ErrNotHLL if not.
func Check(b []byte) error {
	if len(b) < headerBytes || string(b[:4]) != "HYLL" || b[4] > sparse || b[4] == dense && len(b) != denseBytes {
		return ErrNotHLL
	}
	return nil
}

// IsDense tells the encoding.
func IsDense(b []byte) bool { return b[4] == dense }

// Cached is the cardinality as counted last, if it is still true.
func Cached(b []byte) (n uint64, ok bool) {
	return binary.LittleEndian.Uint64(b[8:]), b[15]&outdated == 0
}

// SetCached stores the cardinality.
func SetCached(b []byte, n uint64) { binary.LittleEndian.PutUint64(b[8:], n) }

// Invalidate says that the stored cardinality is out of date.
func Invalidate(b []byte) { b[15] |= outdated }

// Add adds an element, and tells whether a register changed. A sparse string that would become longer than sparseMax
// becomes dense.
func Add(b, element []byte, sparseMax int) (_ []byte, changed bool, err error) {
	i, run := registerOf(element)
	return Set(b, i, run, sparseMax)
}

// Raises tells whether Add would change a dense string.
func Raises(dense, element []byte) bool {
	i, run := registerOf(element)
	return getDense(dense[headerBytes:], i) < run
}

// Set raises register i to run, if it is less.
func Set(b []byte, i int, run uint8, sparseMax int) (_ []byte, changed bool, err error) {
	if IsDense(b) {
		if changed = setDense(b[headerBytes:], i, run); changed {
			Invalidate(b)
		}
		return b, changed, nil
	}
	return setSparse(b, i, run, sparseMax)
}

// registerOf is the register of an element and its run of zeros.
func registerOf(element []byte) (i int, run uint8) {
	h := murmur(element, 0xadc83b19)
	return int(h % Count), uint8(bits.TrailingZeros64(h>>indexBits|1<<(64-indexBits))) + 1
}

// murmur is MurmurHash64A.
func murmur(b []byte, seed uint64) uint64 {
	const m, r = 0xc6a4a7935bd1e995, 47
	h := seed ^ uint64(len(b))*m
	for ; len(b) >= 8; b = b[8:] {
		k := binary.LittleEndian.Uint64(b) * m
		k = (k ^ k>>r) * m
		h = (h ^ k) * m
	}
	if len(b) > 0 {
		for i, c := range b {
			h ^= uint64(c) << (8 * i)
		}
		h *= m
	}
	h = (h ^ h>>r) * m
	return h ^ h>>r
}

func getDense(r []byte, i int) uint8 {
	at, shift := i*registerBits/8, uint(i*registerBits%8)
	v := uint16(r[at])
	if at+1 < len(r) {
		v |= uint16(r[at+1]) << 8
	}
	return uint8(v>>shift) & registerMax
}

func setDense(r []byte, i int, run uint8) bool {
	if getDense(r, i) >= run {
		return false
	}
	at, shift := i*registerBits/8, uint(i*registerBits%8)
	keep, set := ^(uint16(registerMax) << shift), uint16(run)<<shift
	r[at] = r[at]&byte(keep) | byte(set)
	if at+1 < len(r) {
		r[at+1] = r[at+1]&byte(keep>>8) | byte(set>>8)
	}
	return true
}

// ToDense makes a sparse string dense.
func ToDense(b []byte) ([]byte, error) {
	if IsDense(b) {
		return b, nil
	}
	var regs Registers
	if err := regs.Merge(b); err != nil {
		return b, err
	}
	d := make([]byte, denseBytes)
	copy(d, b[:headerBytes])
	d[4] = dense
	for i, run := range regs {
		setDense(d[headerBytes:], i, run)
	}
	return d, nil
}

// Merge raises the registers to those of b. On ErrCorrupt some may have been raised.
func (r *Registers) Merge(b []byte) error {
	if IsDense(b) {
		for i := range r {
			r[i] = max(r[i], getDense(b[headerBytes:], i))
		}
		return nil
	}
	i := 0
	for p := headerBytes; p < len(b); {
		op, ok := read(b, p)
		if !ok || i+op.span > Count {
			return ErrCorrupt
		}
		if op.value > 0 {
			for j := i; j < i+op.span; j++ {
				r[j] = max(r[j], op.value)
			}
		}
		i += op.span
		p += op.size
	}
	if i != Count {
		return ErrCorrupt
	}
	return nil
}

// Store raises the registers of b to r: what PFMERGE does with its destination.
func (r *Registers) Store(b []byte, sparseMax int) ([]byte, error) {
	var err error
	for i, run := range r {
		if run > 0 {
			if b, _, err = Set(b, i, run, sparseMax); err != nil {
				return b, err
			}
		}
	}
	Invalidate(b)
	return b, nil
}

// Cardinality estimates how many different elements were added.
func Cardinality(b []byte) (uint64, error) {
	var r Registers
	if err := r.Merge(b); err != nil {
		return 0, err
	}
	return r.Cardinality(), nil
}

// Cardinality estimates how many different elements were added, after Otmar Ertl, "New cardinality estimation algorithms
// for HyperLogLog sketches". Products are rounded before they are added, so that it says the same on every processor.
func (r *Registers) Cardinality() uint64 {
	const alpha = 0.721347520444481703680 // 0.5 / ln 2
	const m, q = float64(Count), 64 - indexBits
	var have [registerMax + 1]int
	for _, run := range r {
		have[run&registerMax]++
	}
	z := m * tau((m-float64(have[q+1]))/m)
	for run := q; run >= 1; run-- {
		z = (z + float64(have[run])) * 0.5
	}
	z += float64(m * sigma(float64(have[0])/m))
	return uint64(math.Round(alpha * m * m / z))
}

func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	for y, z := 1.0, x; ; {
		x *= x
		before := z
		z += float64(x * y)
		y += y
		if z == before {
			return z
		}
	}
}

func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	for y, z := 1.0, 1-x; ; {
		x = math.Sqrt(x)
		before := z
		y *= 0.5
		z -= float64(float64((1-x)*(1-x)) * y)
		if z == before {
			return z / 3
		}
	}
}

// AppendRegisters appends all registers of a dense string.
func AppendRegisters(dst, dense []byte) []byte {
	for i := range Count {
		dst = append(dst, getDense(dense[headerBytes:], i))
	}
	return dst
}

// AppendRuns appends the runs of a sparse string as PFDEBUG DECODE shows them: z:3 Z:100 v:2,1. It does not ask whether they
// make sense: of one that is cut off, the rest counts as zero.
func AppendRuns(dst, b []byte) []byte {
	for p := headerBytes; p < len(b); {
		op, ok := read(b, p)
		if !ok {
			op, _ = read([]byte{b[p], 0}, 0)
		}
		if p > headerBytes {
			dst = append(dst, ' ')
		}
		switch {
		case op.value > 0:
			dst = strconv.AppendInt(append(dst, "v:"...), int64(op.value), 10)
			dst = append(dst, ',')
		case op.size == 2:
			dst = append(dst, "Z:"...)
		default:
			dst = append(dst, "z:"...)
		}
		dst = strconv.AppendInt(dst, int64(op.span), 10)
		p += op.size
	}
	return dst
}
