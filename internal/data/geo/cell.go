package geo

// cell is all places whose scores begin with the same 2*steps bits.
type cell struct {
	bits  uint64
	steps uint
}

// area is the corners of a cell.
type area struct{ min, max Point }

// encode is the cell of a place, where latitudes are from latMin to latMax.
func encode(p Point, latMin, latMax float64, steps uint) cell {
	lat := (p.Lat - latMin) / (latMax - latMin) * float64(uint64(1)<<steps)
	lon := (p.Lon - LonMin) / (LonMax - LonMin) * float64(uint64(1)<<steps)
	return cell{spread(uint32(lat)) | spread(uint32(lon))<<1, steps}
}

// spread puts a zero before each bit.
func spread(v uint32) uint64 {
	x := uint64(v)
	x = (x | x<<16) & 0x0000FFFF0000FFFF
	x = (x | x<<8) & 0x00FF00FF00FF00FF
	x = (x | x<<4) & 0x0F0F0F0F0F0F0F0F
	x = (x | x<<2) & 0x3333333333333333
	return (x | x<<1) & 0x5555555555555555
}

// gather is the inverse of spread; it does not look at the bits between.
func gather(x uint64) uint32 {
	x &= 0x5555555555555555
	x = (x | x>>1) & 0x3333333333333333
	x = (x | x>>2) & 0x0F0F0F0F0F0F0F0F
	x = (x | x>>4) & 0x00FF00FF00FF00FF
	x = (x | x>>8) & 0x0000FFFF0000FFFF
	return uint32(x | x>>16)
}

func (c cell) area() area {
	lat, lon := gather(c.bits), gather(c.bits>>1)
	edge := func(least, most float64, i uint32) float64 {
		return least + float64(float64(i)/float64(uint64(1)<<c.steps)*(most-least))
	}
	return area{
		Point{edge(LonMin, LonMax, lon), edge(LatMin, LatMax, lat)},
		Point{edge(LonMin, LonMax, lon+1), edge(LatMin, LatMax, lat+1)},
	}
}

// move is the cell so many to the east and to the north, around the world.
func (c cell) move(east, north int) cell {
	lon, lat, last := gather(c.bits>>1), gather(c.bits), uint32(1)<<c.steps-1
	if east != 0 {
		lon = (lon + uint32(east)) & last
	}
	if north != 0 {
		lat = (lat + uint32(north)) & last
	}
	return cell{spread(lon)<<1 | spread(lat), c.steps}
}
