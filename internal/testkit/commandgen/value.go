package commandgen

import (
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/command"
)

// value is a word for an argument that is no key and no token.
func (g *Generator) value(a *command.Arg) string {
	switch {
	case a.Token == "BLOCK": // before named, which has milliseconds that are no wait
		return g.pick("1", "2", "1", "-1", "x", "1.5")
	case a.Name == "timeout":
		return g.timeout()
	}
	if make := named[a.Name]; make != nil {
		return make(g)
	}
	switch {
	case a.Name == "threshold" && g.chance(2):
		return g.integer()
	case g.spec.Name == "xreadgroup" && a.Name == "ID":
		return g.pick(">", ">", "0", g.id())
	case g.spec.Group == "stream" && streamIDs[a.Name]:
		return g.id()
	case g.spec.Group == "bitmap" && a.Name == "offset":
		return g.bit()
	case g.spec.Group == "sorted-set" && strings.Contains(g.spec.Name, "lex"):
		return g.lex(a)
	case g.spec.Name == "zrange" || g.spec.Name == "zrangestore":
		return g.pick(g.integer(), g.integer(), g.bound(), g.lex(a))
	case a.Name == "min" || a.Name == "max":
		return g.bound()
	}
	switch a.Type {
	case command.TypeInteger:
		return g.integer()
	case command.TypeDouble:
		return g.double()
	case command.TypePattern:
		return g.pattern()
	}
	return g.text()
}

// named are makers of words for arguments of a certain name.
var named = map[string]func(*Generator) string{
	"seconds":                (*Generator).seconds,
	"milliseconds":           (*Generator).milliseconds,
	"ttl":                    (*Generator).milliseconds,
	"unix-time-seconds":      func(g *Generator) string { return g.moment("4102444800", "4102444801") },
	"unix-time-milliseconds": func(g *Generator) string { return g.moment("4102444800000", "4102444801000") },
	"member":                 (*Generator).element,
	"member1":                (*Generator).element,
	"member2":                (*Generator).element,
	"field":                  (*Generator).element,
	"element":                (*Generator).element,
	"pivot":                  (*Generator).element,
	"group":                  func(g *Generator) string { return g.pick("G", "G", "H") },
	"consumer":               func(g *Generator) string { return g.pick("C", "C", "D") },
	"min-idle-time":          func(g *Generator) string { return g.pick("0", "0", "0", "1000000", "-1", "x") },
	"cursor":                 func(g *Generator) string { return g.pick("0", "0", "0", "0", "0", "x", "-1", "") },
	"db":                     (*Generator).database,
	"destination-db":         (*Generator).database,
	"index1":                 (*Generator).database,
	"index2":                 (*Generator).database,
	"encoding":               (*Generator).bits,
	"type":                   func(g *Generator) string { return g.pick("string", "list", "set", "ZSET", "hash", "stream", "x") },
	"subcommand":             func(g *Generator) string { return g.pick("encoding", "DECODE", "todense", "getreg", "x") },
	"serialized-value":       func(g *Generator) string { return g.pick(g.payloads...) },
	"longitude":              func(g *Generator) string { return g.degrees(185) },
	"latitude":               func(g *Generator) string { return g.degrees(90) },
	"radius":                 (*Generator).distance,
	"width":                  (*Generator).distance,
	"height":                 (*Generator).distance,
	"freq":                   func(g *Generator) string { return g.pick("0", "5", "255", "256", "-1") },
	"frequency":              func(g *Generator) string { return g.pick("0", "5", "255", "256", "-1") },
	"by-pattern":             (*Generator).pattern,
	"get-pattern":            (*Generator).pattern,
	"bit":                    func(g *Generator) string { return g.pick("0", "1", "0", "1", "2", "x") },
}

// streamIDs are names of arguments that are IDs of entries.
var streamIDs = map[string]bool{
	"id": true, "start": true, "end": true, "threshold": true, "lastid": true, "last-id": true, "min": true, "max": true,
	"ID": true, "max-deleted-id": true, "id-selector": true,
}

func (g *Generator) integer() string {
	switch g.rand.IntN(24) {
	case 0:
		return g.pick("9223372036854775807", "-9223372036854775808", "9223372036854775808", "4294967296", "-4294967297")
	case 1:
		return g.pick("x", "", "1.0", " 1", "+1", "01", "-0")
	case 2:
		return strconv.Itoa(g.rand.IntN(400) - 200)
	}
	return strconv.Itoa(g.rand.IntN(12) - 3)
}

func (g *Generator) double() string {
	switch g.rand.IntN(16) {
	case 0:
		return g.pick("inf", "-inf", "+inf", "nan", "x", "", "1e400", "0x10", "1e-400", "-0", "Infinity")
	case 1, 2, 3:
		return strconv.FormatFloat(g.rand.NormFloat64()*100, 'g', 3+g.rand.IntN(14), 64)
	case 4:
		return g.pick("1e20", "1.5e300", "9007199254740993", "0.1", "3.0", "1e5", "-2.5")
	}
	return strconv.Itoa(g.rand.IntN(10) - 3)
}

// bound is an end of a range of scores.
func (g *Generator) bound() string {
	if g.chance(5) {
		return g.pick("(", "") + g.pick("-inf", "+inf", "inf")
	}
	return g.pick("(", "", "", "") + g.double()
}

// lex is an end of a range of names.
func (g *Generator) lex(a *command.Arg) string {
	if a.Type == command.TypeInteger {
		return g.integer()
	}
	if a.Name != "min" && a.Name != "max" && a.Name != "start" && a.Name != "stop" {
		return g.text()
	}
	if g.chance(4) {
		return g.pick("-", "+")
	}
	return g.pick("[", "[", "(", "(", "[", "") + g.element()
}

// element is a member, field or element: few different ones.
func (g *Generator) element() string {
	switch g.rand.IntN(14) {
	case 0:
		return g.text()
	case 1:
		return strings.Repeat("long", 18)
	case 2, 3, 4:
		return strconv.Itoa(g.rand.IntN(30))
	}
	return string(rune('a' + g.rand.IntN(20)))
}

// text is a string of any kind.
func (g *Generator) text() string {
	switch g.rand.IntN(12) {
	case 0:
		b := make([]byte, g.rand.IntN(40))
		for i := range b {
			b[i] = byte(g.rand.Uint32())
		}
		return string(b)
	case 1:
		return strings.Repeat(g.pick("ab", "x", "0"), g.rand.IntN(100))
	case 2:
		return ""
	case 3, 4, 5:
		return g.integer()
	case 6:
		return g.double()
	}
	return g.pick("foo", "bar", "hello world", "a", "b", "c")
}

func (g *Generator) pattern() string {
	return g.pick("*", "*", "?1", "[a-h]*", "s*", "*1*", "\\*", "x", "", "h1->*", "#", "w_*", "z?"+g.tag)
}

// seconds are deadlines that are over at once or not soon.
func (g *Generator) seconds() string {
	return g.pick("1000", "2000", "100000", "100000", "0", "-1", "x", "9223372036854775807", "9223372036854775")
}

// moment is a deadline. One that is over leaves a key that goes when somebody meets
// it.
func (g *Generator) moment(future ...string) string {
	if g.opt.Repeatable || g.chance(2) {
		return g.pick(future...)
	}
	return g.pick("1", "0", "-1", "x")
}

func (g *Generator) milliseconds() string {
	return g.pick("0", "1000000", "2000000", "100000000", "-1", "x", "9223372036854775807")
}

// timeout is never 0, which would wait for ever.
func (g *Generator) timeout() string { return g.pick("0.001", "0.002", "1e-3", "-1", "x", "0.0015") }

func (g *Generator) database() string { return g.pick("0", "1", "2", "1", "15", "16", "-1", "x") }

// bit is an offset of BITFIELD, SETBIT and their kin.
func (g *Generator) bit() string {
	if g.spec.Name == "bitfield" || g.spec.Name == "bitfield_ro" {
		return g.pick("#", "") + strconv.Itoa(g.rand.IntN(200))
	}
	if g.chance(12) {
		return g.integer()
	}
	return strconv.Itoa(g.rand.IntN(700))
}

// bits is a type of BITFIELD.
func (g *Generator) bits() string {
	if g.chance(20) {
		return g.pick("u64", "i65", "u0", "x8", "")
	}
	return g.pick("u", "i") + strconv.Itoa(1+g.rand.IntN(63))
}

// id is the ID of an entry.
func (g *Generator) id() string {
	switch g.rand.IntN(14) {
	case 0:
		return g.pick("x", "-", "+", "$", ">", "0-0", "1-x", "")
	case 1:
		return "(" + strconv.Itoa(g.rand.IntN(300))
	case 2:
		return g.pick("-", "+", "0", ">")
	case 3:
		if !g.opt.Repeatable {
			return "*"
		}
	case 4:
		return strconv.Itoa(g.rand.IntN(300)) + "-*"
	}
	return strconv.Itoa(g.rand.IntN(300)) + "-" + strconv.Itoa(g.rand.IntN(4))
}

func (g *Generator) degrees(most float64) string {
	if g.chance(15) {
		return g.double()
	}
	if g.chance(2) { // near one another
		return strconv.FormatFloat(10+g.rand.Float64(), 'f', 5, 64)
	}
	return strconv.FormatFloat((2*g.rand.Float64()-1)*most, 'f', 6, 64)
}

func (g *Generator) distance() string {
	if g.chance(12) {
		return g.double()
	}
	return g.pick("100", "1000", "100000", "10000000", "0.5", "40000000")
}
