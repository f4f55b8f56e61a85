package geo

import "math"

// Shape is a circle around a place, or a box if Width is set. Its measures are in units of so many metres.
type Shape struct {
	Center        Point
	Radius        float64
	Box           bool
	Width, Height float64
	Unit          float64 // metres
}

// Range is scores from Min to below Max.
type Range struct{ Min, Max uint64 }

// Contains tells whether a place is in the shape, and how far from its centre, in metres.
func (s *Shape) Contains(p Point) (distance float64, ok bool) {
	if !s.Box {
		distance = Distance(s.Center, p)
		return distance, distance <= s.Radius*s.Unit
	}
	if latDistance(p.Lat, s.Center.Lat) > s.Height*s.Unit/2 ||
		Distance(p, Point{s.Center.Lon, p.Lat}) > s.Width*s.Unit/2 {
		return 0, false
	}
	return Distance(s.Center, p), true
}

// Ranges are the scores of all cells that the shape may reach into, in the order in which redis looks at them: the
// centre's, then those to the north, south, east and west, then the corners.
func (s *Shape) Ranges() []Range {
	least, most := s.bounds()
	steps := steps(s.reach(), s.Center.Lat)
	c := encode(s.Center, LatMin, LatMax, steps)
	if steps > 1 && (c.move(0, 1).area().max.Lat < most.Lat || c.move(0, -1).area().min.Lat > least.Lat ||
		c.move(1, 0).area().max.Lon < most.Lon || c.move(-1, 0).area().min.Lon > least.Lon) {
		steps--
		c = encode(s.Center, LatMin, LatMax, steps)
	}
	a := c.area()
	var all []Range
	var last cell // of the neighbours
	for i, d := range [...]struct{ east, north int }{{0, 0}, {0, 1}, {0, -1}, {1, 0}, {-1, 0}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1}} {
		if steps >= 2 && (d.north < 0 && a.min.Lat < least.Lat || d.north > 0 && a.max.Lat > most.Lat ||
			d.east < 0 && a.min.Lon < least.Lon || d.east > 0 && a.max.Lon > most.Lon) {
			continue // the shape does not get there
		}
		n := c.move(d.east, d.north)
		if n == last {
			continue // so large a shape that its neighbours are one
		}
		if i > 0 {
			last = n
		}
		shift := 2 * (stepsMax - steps)
		all = append(all, Range{n.bits << shift, (n.bits + 1) << shift})
	}
	return all
}

// reach is how far the shape reaches from its centre, in metres.
func (s *Shape) reach() float64 {
	if !s.Box {
		return s.Radius * s.Unit
	}
	return math.Sqrt(float64(s.Width/2*(s.Width/2))+float64(s.Height/2*(s.Height/2))) * s.Unit
}

// bounds are the corners of a box about the shape. On a sphere it is wider towards the pole.
func (s *Shape) bounds() (least, most Point) {
	height, width := s.Unit*s.Radius, s.Unit*s.Radius
	if s.Box {
		height, width = s.Unit*(s.Height/2), s.Unit*(s.Width/2)
	}
	lat := degrees(height / earthRadius)
	edge := s.Center.Lat + lat
	if s.Center.Lat < 0 {
		edge = s.Center.Lat - lat
	}
	lon := degrees(width / earthRadius / math.Cos(radians(edge)))
	return Point{s.Center.Lon - lon, s.Center.Lat - lat}, Point{s.Center.Lon + lon, s.Center.Lat + lat}
}

// steps is how small cells may be for a shape that reaches so many metres.
func steps(metres, lat float64) uint {
	if metres == 0 {
		return stepsMax
	}
	n := 1
	for ; metres < mercatorMax; metres *= 2 {
		n++
	}
	n -= 2
	if lat > 66 || lat < -66 {
		n--
		if lat > 80 || lat < -80 {
			n--
		}
	}
	return uint(min(max(n, 1), stepsMax))
}
