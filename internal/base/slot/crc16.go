package slot

// poly is x^16 + x^12 + x^5 + 1, the CCITT polynomial.
const poly = 0x1021

// tables[k][b] is the CRC of byte b followed by k zero bytes. Because a CRC is
// linear, eight bytes can be looked up side by side and xored, which breaks the
// chain of dependent loads that a byte-wise loop waits for.
var tables = makeTables()

func makeTables() *[8][256]uint16 {
	var t [8][256]uint16
	for b := range 256 {
		crc := uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ poly
			} else {
				crc <<= 1
			}
		}
		t[0][b] = crc
	}
	for k := 1; k < 8; k++ {
		for b := range 256 {
			prev := t[k-1][b]
			t[k][b] = prev<<8 ^ t[0][prev>>8]
		}
	}
	return &t
}

func crc16(p []byte) uint16 {
	t := tables
	var crc uint16
	for len(p) >= 8 {
		crc = t[7][p[0]^byte(crc>>8)] ^ t[6][p[1]^byte(crc)] ^
			t[5][p[2]] ^ t[4][p[3]] ^ t[3][p[4]] ^ t[2][p[5]] ^ t[1][p[6]] ^ t[0][p[7]]
		p = p[8:]
	}
	for _, b := range p {
		crc = crc<<8 ^ t[0][byte(crc>>8)^b]
	}
	return crc
}
