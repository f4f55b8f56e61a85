// Package geo is the arithmetic of places on the earth: what GEOADD and its kin keep in a sorted set is a place as a
// score, 52 bits that begin equal for places near each other. It computes as redis does, step by step, so that scores,
// ranges and texts are the same.
//
// A score halves the longitudes from -180 to 180 and the latitudes from -85.05112878 to 85.05112878 by turns, 26 times
// each; a bit says which half, the longitude's first:
//
//	bit      | 51  | 50  | 49  | 48  | ... | 1   | 0   |
//	halves   | lon | lat | lon | lat | ... | lon | lat |
//
// All places that share the first 2n bits lie in one cell, and cells are ranges of scores. A search takes the cell of its
// centre, as small as possible but so large that it and its eight neighbours cover the shape, and looks at the members of
// those (Shape.Ranges), of which not all lie in the shape (Shape.Contains).
package geo

import "math"

// The limits of places.
const (
	LonMin, LonMax = -180.0, 180.0
	LatMin, LatMax = -85.05112878, 85.05112878
)

const (
	stepsMax = 26
	// earthRadius in metres is what redis takes.
	earthRadius = 6372797.560856
	mercatorMax = 20037726.37
)

// Point is a place, in degrees.
type Point struct{ Lon, Lat float64 }

// Valid tells whether a place is within the limits.
func (p Point) Valid() bool {
	return p.Lon >= LonMin && p.Lon <= LonMax && p.Lat >= LatMin && p.Lat <= LatMax
}

// Score is the place as a score. It must be valid.
func (p Point) Score() uint64 { return encode(p, LatMin, LatMax, stepsMax).bits }

// At is the middle of the cell that a score names.
func At(score uint64) Point {
	a := cell{score, stepsMax}.area()
	return Point{
		min(max((a.min.Lon+a.max.Lon)/2, LonMin), LonMax),
		min(max((a.min.Lat+a.max.Lat)/2, LatMin), LatMax),
	}
}

// Hash is the text that others know a place by, whose latitudes go from -90 to 90: eleven characters, of which the last
// is always 0, since there are only 52 bits.
func (p Point) Hash() string {
	const letters = "0123456789bcdefghjkmnpqrstuvwxyz"
	bits := encode(p, -90, 90, stepsMax).bits
	text := []byte("00000000000")
	for i := range 10 {
		text[i] = letters[bits>>(52-5*(i+1))&31]
	}
	return string(text)
}

// Distance is the distance of two places in metres, along a great circle.
func Distance(a, b Point) float64 {
	v := math.Sin((radians(b.Lon) - radians(a.Lon)) / 2)
	if v == 0 {
		return latDistance(a.Lat, b.Lat)
	}
	lat1, lat2 := radians(a.Lat), radians(b.Lat)
	u := math.Sin((lat2 - lat1) / 2)
	h := float64(u*u) + float64(math.Cos(lat1)*math.Cos(lat2)*v*v)
	return 2 * earthRadius * math.Asin(math.Sqrt(h))
}

func latDistance(a, b float64) float64 { return earthRadius * math.Abs(radians(b)-radians(a)) }

func radians(degrees float64) float64 { return degrees * (math.Pi / 180) }

func degrees(radians float64) float64 { return radians / (math.Pi / 180) }
