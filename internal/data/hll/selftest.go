package hll

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// SelfTest is what PFSELFTEST does: it stores random registers, and it counts many
// elements, elements of them, and sees that a dense and a sparse string agree and are
// not far from the truth. Its errors are redis's.
func SelfTest(rounds, elements, sparseMax int) error {
	for range rounds {
		if err := testRegisters(); err != nil {
			return err
		}
	}
	return testEstimate(elements, sparseMax)
}

func testRegisters() error {
	var want Registers
	var dense [denseBytes - headerBytes]byte
	for i := range want {
		want[i] = uint8(rand.UintN(registerMax + 1))
		setDense(dense[:], i, want[i])
	}
	for i, w := range want {
		if got := getDense(dense[:], i); got != w {
			return fmt.Errorf("TESTFAILED Register %d should be %d but is %d", i, w, got)
		}
	}
	return nil
}

func testEstimate(elements, sparseMax int) error {
	a, err := ToDense(New())
	if err != nil {
		return err
	}
	b, next, seed := New(), 1, rand.Uint64()
	var e [8]byte
	for n := 1; n <= elements; n++ {
		binary.LittleEndian.PutUint64(e[:], uint64(n)^seed)
		a, _, _ = Add(a, e[:], sparseMax)
		if b, _, err = Add(b, e[:], sparseMax); err != nil {
			return err
		}
		if n == next {
			if err := judge(a, b, n, sparseMax); err != nil {
				return err
			}
			next *= 10
		}
	}
	return nil
}

// judge compares the estimates of a, dense, and b, which may still be sparse, with
// the number n of elements.
func judge(a, b []byte, n, sparseMax int) error {
	if n < sparseMax/2 && IsDense(b) {
		return errors.New("TESTFAILED sparse encoding not used")
	}
	x, _ := Cardinality(a)
	y, err := Cardinality(b)
	if err != nil || x != y {
		return errors.New("TESTFAILED dense/sparse disagree")
	}
	most := math.Ceil(1.04 / math.Sqrt(Count) * 6 * float64(n))
	if n == 10 { // where one collision is much
		most = 1
	}
	if off := math.Abs(float64(n) - float64(x)); off > most {
		return fmt.Errorf("TESTFAILED Too big error. card:%d abserr:%d", n, int(off))
	}
	return nil
}
