package admin

import "strconv"

// fields are the lines of an INFO section while it is written: "name:value\r\n".
type fields []byte

func (f *fields) text(name, value string) {
	*f = append(*f, name...)
	*f = append(*f, ':')
	*f = append(*f, value...)
	*f = append(*f, "\r\n"...)
}

func (f *fields) num(name string, n int64) {
	*f = append(*f, name...)
	*f = append(*f, ':')
	*f = strconv.AppendInt(*f, n, 10)
	*f = append(*f, "\r\n"...)
}

func (f *fields) flag(name string, on bool) {
	n := int64(0)
	if on {
		n = 1
	}
	f.num(name, n)
}

// size writes a number of bytes twice: as it is, and for people.
func (f *fields) size(name string, bytes int64) {
	f.num(name, bytes)
	f.human(name, bytes)
}

func (f *fields) human(name string, bytes int64) { f.text(name+"_human", human(bytes)) }

// fixed writes x with two decimals, and unit behind it.
func (f *fields) fixed(name string, x float64, unit string) {
	*f = append(*f, name...)
	*f = append(*f, ':')
	*f = strconv.AppendFloat(*f, x, 'f', 2, 64)
	*f = append(*f, unit...)
	*f = append(*f, "\r\n"...)
}

// seconds writes microseconds as seconds.
func (f *fields) seconds(name string, micros int64) {
	*f = append(*f, name...)
	*f = append(*f, ':')
	*f = strconv.AppendInt(*f, micros/1e6, 10)
	*f = append(*f, '.')
	*f = append(*f, strconv.Itoa(int(1e6 + micros%1e6))[1:]...)
	*f = append(*f, "\r\n"...)
}

// human shows a number of bytes as redis does: 512B, 1.50K, 3.00G.
func human(bytes int64) string {
	const units = "KMGTP"
	if bytes < 1024 {
		return strconv.FormatInt(bytes, 10) + "B"
	}
	x, unit := float64(bytes)/1024, 0
	for x >= 1024 && unit < len(units)-1 {
		x, unit = x/1024, unit+1
	}
	return strconv.FormatFloat(x, 'f', 2, 64) + units[unit:unit+1]
}

// ratio is a/b, and 0 where there is nothing to compare with.
func ratio(a, b int64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}
