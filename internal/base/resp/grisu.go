package resp

import (
	"math"
	"math/big"
	"math/bits"
)

// Grisu2, the algorithm by which redis 7.2 finds the digits of a double (F. Loitsch, "Printing
// Floating-Point Numbers Quickly and Accurately with Integers", 2010). The digits always read
// back as the same double, but of two hundred numbers about one gets a digit more than it needs,
// or another last one than strconv's; for replies equal to redis's it takes the same steps.
//
// A double and the ends of the interval that is rounded to it are multiplied by a power of ten,
// so that the products have their point 32 to 60 bits from the right. Then the digits of the
// upper end are written until what is left of it is less than the interval is wide.

// scaled is the number frac * 2^exp.
type scaled struct {
	frac uint64
	exp  int
}

// times is the product, rounded to 64 bits.
func (a scaled) times(b scaled) scaled {
	high, low := bits.Mul64(a.frac, b.frac)
	return scaled{high + low>>63, a.exp + b.exp + 64}
}

// The powers of ten at hand: 10^powersFrom and every powersStep-th above it.
const (
	powersFrom  = -348
	powersStep  = 8
	powersCount = 87
)

// powers are they, with the topmost bit set.
var powers = makePowers()

func makePowers() (all [powersCount]scaled) {
	for i := range all {
		exponent := powersFrom + i*powersStep
		f := new(big.Float).SetPrec(2048).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exponent, -exponent))), nil))
		if exponent < 0 {
			f.Quo(big.NewFloat(1).SetPrec(2048), f)
		}
		f.SetPrec(64) // rounds
		exp := f.MantExp(f)
		frac, _ := f.SetMantExp(f, 64).Uint64()
		all[i] = scaled{frac, exp - 64}
	}
	return all
}

// powerFor is a power of ten that brings a number with the binary exponent exp into reach, and
// its decimal exponent.
func powerFor(exp int) (power scaled, exponent int) {
	i := (int(-float64(exp+powersCount)*math.Log10(2)) - powersFrom) / powersStep
	for {
		switch at := exp + powers[i].exp + 64; {
		case at < -60:
			i++
		case at > -32:
			i--
		default:
			return powers[i], powersFrom + i*powersStep
		}
	}
}

// find finds the digits of d, which is positive and finite: d = digits * 10^shift.
func (g *grisu) find(d float64) (digits []byte, shift int) {
	const hidden = 1 << 52
	u := math.Float64bits(d)
	frac, exp := u&(hidden-1), int(u>>52)-1075
	if u>>52 != 0 {
		frac |= hidden
	} else {
		exp++
	}
	up := bits.LeadingZeros64(frac)
	w := scaled{frac << up, exp - up}
	half := uint64(1) << (up - 1) // of the distance to the next number
	upper, lower := scaled{w.frac + half, w.exp}, scaled{w.frac - half, w.exp}
	if frac == hidden { // below a power of two numbers are closer
		lower.frac += half / 2
	}
	power, exponent := powerFor(upper.exp)
	w, upper, lower = w.times(power), upper.times(power), lower.times(power)
	upper.frac, lower.frac = upper.frac-1, lower.frac+1 // the products are not exact
	g.point, g.width, g.gap = -upper.exp, upper.frac-lower.frac, upper.frac-w.frac
	kappa := g.write(upper.frac)
	return g.digits[:g.n], kappa - exponent
}

// grisu writes digits. The zero value is ready.
type grisu struct {
	digits [20]byte // of which there are never more than 18
	n      int
	point  int    // bits behind the binary point
	width  uint64 // of the interval
	gap    uint64 // from the number itself to the upper end
}

// put appends a digit, but no zero before the first.
func (g *grisu) put(digit uint64) {
	if digit != 0 || g.n > 0 {
		g.digits[g.n] = byte('0' + digit)
		g.n++
	}
}

// write writes the digits of the upper end as far as they are needed and returns the power of
// ten of the last one.
func (g *grisu) write(upper uint64) (kappa int) {
	one := uint64(1) << g.point
	whole, part := upper>>g.point, upper&(one-1)
	kappa = 10
	for unit := uint64(1e9); kappa > 0; unit /= 10 {
		g.put(whole / unit)
		whole %= unit
		kappa--
		if rest := whole<<g.point + part; rest <= g.width {
			g.round(rest, unit<<g.point)
			return kappa
		}
	}
	for {
		part, g.width, g.gap = part*10, g.width*10, g.gap*10
		g.put(part >> g.point)
		part &= one - 1
		kappa--
		if part < g.width {
			g.round(part, one)
			return kappa
		}
	}
}

// round lowers the last digit, worth unit, as long as that brings what is written nearer to the
// number and keeps it in the interval. rest is how far below the upper end it is.
func (g *grisu) round(rest, unit uint64) {
	for rest < g.gap && g.width-rest >= unit && (rest+unit < g.gap || g.gap-rest > rest+unit-g.gap) {
		g.digits[g.n-1]--
		rest += unit
	}
}
