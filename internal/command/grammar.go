package command

// The usage grammar.
//
// A Spec's Usage is one line that a person can read and from which the whole
// tree of arguments follows that COMMAND DOCS gives to clients. SET's is
//
//	key value [NX | XX]:condition@2.6.12 [GET@6.2.0] [EX seconds:integer@2.6.12 | … | KEEPTTL@6.0.0]:expiration
//
// What a user types comes first; what only a program wants follows it in marks.
//
//	usage  = item { item } .
//	item   = word [ "..." ]
//	       | TOKEN                                a word to be typed as it stands
//	       | TOKEN ( word | group ) [ "..." ]     an argument that a token announces
//	       | group [ "..." ]
//	       | "[" item "]" [ "..." ]               an optional argument
//	       | "[" body "]" marks [ "..." ]         an optional group
//	group  = "<" body ">" marks .
//	body   = item { item }                        a block: all, in this order
//	       | item "|" item { "|" item } .         a choice: one of them
//	word   = name [ "=" display ] [ ":" type ] [ "#" keyspec ] since .
//	TOKEN  = text [ ":" name ] since .
//	marks  = [ ":" name ] since .
//	since  = [ "@" version ] [ "@-" version ] .   since when; deprecated since when
//
// Words. A name begins with a lower-case letter, a token with anything else.
// Types are string, integer, double, key, pattern, unix-time and pure-token. An
// argument is a string unless it says otherwise or is called key or pattern.
// What clients display is the name unless "=" gives another text; if that text
// holds a colon, the type must follow it: addr=ip:port:string.
//
// Tokens. A token belongs to the word or the group behind it: in
// "[LIMIT <offset:integer count:integer>]" to the group. A token that carries
// marks of its own, or is alone in "<>", belongs to nothing. A token's own name,
// and that of a group behind it, is the token in lower case if none is given;
// every other group must have a name.
//
// Repetition. "..." behind a word or group repeats it without its token:
// "[WEIGHTS weight:integer...]" is typed WEIGHTS 1 2 3. Behind the brackets of
// one item it repeats the token as well: "[GET pattern]..." is typed GET a GET b.
//
// Keys. The key arguments of a usage belong to the Spec's Keys one after the
// other, each to the one behind the last that was mentioned; "#" and a number
// say otherwise.

import (
	"errors"
	"fmt"
	"strings"
)

// ErrGrammar is what ParseUsage's errors wrap.
var ErrGrammar = errors.New("bad usage grammar")

// maxDepth bounds nested groups; redis's deepest command (BITFIELD) has four.
const maxDepth = 32

// ParseUsage reads a usage line. Its errors wrap ErrGrammar and name the place.
func ParseUsage(usage string) ([]Arg, error) {
	p := usageParser{text: usage, keySpec: -1}
	args, choice, err := p.body("", 0)
	switch {
	case err != nil:
		return nil, err
	case choice:
		return nil, p.fail("a choice outside of brackets")
	}
	return args, nil
}

// usageParser reads text from offset at on.
type usageParser struct {
	text    string
	at      int
	keySpec int // the last one mentioned
}

func (p *usageParser) fail(format string, a ...any) error {
	return fmt.Errorf("%w: %s at offset %d of %q", ErrGrammar, fmt.Sprintf(format, a...), p.at, p.text)
}

// skip steps over spaces.
func (p *usageParser) skip() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}

// accept steps over s if it is next.
func (p *usageParser) accept(s string) bool {
	if !strings.HasPrefix(p.text[p.at:], s) {
		return false
	}
	p.at += len(s)
	return true
}

// body reads items up to the closing bracket, or up to the end if closing is "".
func (p *usageParser) body(closing string, depth int) (args []Arg, choice bool, err error) {
	if depth > maxDepth {
		return nil, false, p.fail("too many brackets")
	}
	for {
		p.skip()
		switch {
		case closing != "" && p.accept(closing):
			return args, choice, nil
		case p.at == len(p.text) && closing == "":
			return args, choice, nil
		case p.at == len(p.text):
			return nil, false, p.fail("%q is missing", closing)
		}
		if len(args) > 0 {
			bar := p.accept("|")
			if len(args) > 1 && bar != choice {
				return nil, false, p.fail("a choice between sequences: put them in <>")
			}
			choice = bar
			p.skip()
		}
		arg, err := p.item(depth)
		if err != nil {
			return nil, false, err
		}
		args = append(args, arg)
	}
}

// item reads one argument with its brackets and dots.
func (p *usageParser) item(depth int) (arg Arg, err error) {
	if p.accept("[") {
		return p.optional(depth)
	}
	if p.accept("<") {
		return p.group(depth, "")
	}
	arg, marked, err := p.word()
	if err != nil {
		return arg, err
	}
	if arg.Type == TypePureToken && arg.Token != "" && !marked {
		if arg, err = p.announced(arg, depth); err != nil {
			return arg, err
		}
	}
	if !arg.Type.Group() { // a group has read its own dots
		arg.Multiple = p.accept("...")
	}
	return arg, nil
}

// announced reads what the token announces, if anything; else it is itself.
func (p *usageParser) announced(token Arg, depth int) (Arg, error) {
	p.skip()
	if p.accept("<") {
		return p.group(depth, token.Token)
	}
	if p.at == len(p.text) || !isNameStart(p.text[p.at]) {
		return token, nil
	}
	arg, _, err := p.word()
	if arg.Type == TypePureToken {
		return arg, p.fail("token %s announces a pure token", token.Token)
	}
	arg.Token = token.Token
	return arg, err
}

// group reads a body in <>, its marks and dots. A lone item is itself.
func (p *usageParser) group(depth int, token string) (Arg, error) {
	args, choice, err := p.body(">", depth+1)
	if err != nil {
		return Arg{}, err
	}
	if len(args) == 1 {
		if token != "" {
			return Arg{}, p.fail("token %s before a group of one", token)
		}
		return p.lone(args[0])
	}
	g, err := p.marks(args, choice, token)
	g.Multiple = p.accept("...")
	return g, err
}

// optional reads a body in [], its marks and dots.
func (p *usageParser) optional(depth int) (Arg, error) {
	args, choice, err := p.body("]", depth+1)
	if err != nil {
		return Arg{}, err
	}
	var arg Arg
	if len(args) == 1 {
		if args[0].Optional {
			return Arg{}, p.fail("optional twice")
		}
		arg, err = p.lone(args[0])
	} else {
		arg, err = p.marks(args, choice, "")
		arg.Multiple = p.accept("...")
	}
	arg.Optional = true
	return arg, err
}

// lone reads the dots behind brackets that hold one item.
func (p *usageParser) lone(arg Arg) (Arg, error) {
	if p.accept("...") {
		if arg.Multiple {
			return arg, p.fail("repeated twice")
		}
		arg.Multiple = true
		arg.MultipleToken = arg.Token != ""
	}
	return arg, nil
}

// marks makes a group of args and reads its name and versions.
func (p *usageParser) marks(args []Arg, choice bool, token string) (Arg, error) {
	g := Arg{Name: strings.ToLower(token), Type: TypeBlock, Token: token, KeySpec: -1, Args: args}
	if choice {
		g.Type = TypeOneOf
	}
	if len(args) < 2 {
		return g, p.fail("an empty group")
	}
	mark, err := p.run(&g)
	if err != nil {
		return g, err
	}
	if name, ok := strings.CutPrefix(mark, ":"); ok {
		g.Name = name
	} else if mark != "" {
		return g, p.fail("%q behind a group", mark)
	}
	if !validName(g.Name) {
		return g, p.fail("a group needs a name")
	}
	return g, nil
}
