package command

import "strings"

// ArgType is the type of an argument.
type ArgType uint8

// The types of redis 7.2, in its order.
const (
	TypeString ArgType = iota
	TypeInteger
	TypeDouble
	TypeKey
	TypePattern
	TypeUnixTime
	TypePureToken
	TypeOneOf
	TypeBlock
)

var argTypeNames = [...]string{"string", "integer", "double", "key", "pattern", "unix-time", "pure-token", "oneof", "block"}

// String is redis's word for the type.
func (t ArgType) String() string { return argTypeNames[t] }

// Group tells whether an argument of this type consists of others.
func (t ArgType) Group() bool { return t == TypeOneOf || t == TypeBlock }

// Arg is one argument of a command, or a group of them.
type Arg struct {
	Name            string
	Type            ArgType
	Token           string // what announces the argument, "" if nothing does
	Display         string // what to show for it; "" for a group
	KeySpec         int    // index into Spec.Keys, -1 if it is no key
	Since           string // version, "" if as old as the command
	DeprecatedSince string // version, "" if it is not

	Optional      bool
	Multiple      bool
	MultipleToken bool // repeated together with its token

	Args []Arg // the parts of a group
}

// unbounded is the greatest number of words of an argument that repeats.
const unbounded = 1 << 30

// words is the least and the greatest number of words that args stand for.
func words(args []Arg) (least, most int) {
	for i := range args {
		l, m := args[i].words()
		least, most = least+l, min(most+m, unbounded)
	}
	return least, most
}

func (a *Arg) words() (least, most int) {
	switch a.Type {
	case TypeBlock:
		least, most = words(a.Args)
	case TypeOneOf:
		least = unbounded
		for i := range a.Args {
			l, m := a.Args[i].words()
			least, most = min(least, l), max(most, m)
		}
	default:
		least, most = 1, 1
	}
	if a.Token != "" && a.Type != TypePureToken {
		least, most = least+1, most+1
	}
	if a.Multiple {
		most = unbounded
	}
	if a.Optional {
		least = 0
	}
	return least, min(most, unbounded)
}

// Syntax shows arguments as redis-cli does: "key value [NX|XX] [GET]", and
// "key [key ...]" for an argument that repeats.
func Syntax(args []Arg) string {
	var w syntaxWriter
	w.list(args, " ")
	return w.String()
}

// helpSyntax shows arguments as HELP replies do: "<key> <value> [NX|XX] [GET]".
func helpSyntax(args []Arg) string {
	w := syntaxWriter{help: true}
	w.list(args, " ")
	return w.String()
}

// syntaxWriter builds a syntax text.
type syntaxWriter struct {
	strings.Builder
	help bool // <> around what the user fills in, () around choices
}

func (w *syntaxWriter) list(args []Arg, separator string) {
	for i := range args {
		if i > 0 {
			w.WriteString(separator)
		}
		w.arg(&args[i])
	}
}

func (w *syntaxWriter) arg(a *Arg) {
	if a.Optional {
		w.WriteByte('[')
	}
	w.announced(a)
	if a.Multiple {
		w.WriteString(" [")
		if a.MultipleToken {
			w.announced(a)
		} else {
			w.body(a)
		}
		w.WriteString(" ...]")
	}
	if a.Optional {
		w.WriteByte(']')
	}
}

// announced is the token and what it announces.
func (w *syntaxWriter) announced(a *Arg) {
	w.WriteString(a.Token)
	if a.Token != "" && a.Type != TypePureToken {
		w.WriteByte(' ')
	}
	w.body(a)
}

func (w *syntaxWriter) body(a *Arg) {
	switch a.Type {
	case TypePureToken:
		if a.Token == "" {
			w.WriteString(a.Display)
		}
	case TypeBlock:
		w.list(a.Args, " ")
	case TypeOneOf:
		brackets := w.help && !(a.Optional && a.Token == "")
		w.in(brackets, "(", ")", func() { w.list(a.Args, "|") })
	default:
		w.in(w.help, "<", ">", func() { w.WriteString(a.Display) })
	}
}

// in writes body between left and right, or alone.
func (w *syntaxWriter) in(brackets bool, left, right string, body func()) {
	if brackets {
		w.WriteString(left)
	}
	body()
	if brackets {
		w.WriteString(right)
	}
}
