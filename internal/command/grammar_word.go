package command

import (
	"strconv"
	"strings"
)

// run reads up to the next space, bracket or dots, gives the versions at its
// end to arg and returns what stands before them.
func (p *usageParser) run(arg *Arg) (string, error) {
	from := p.at
	for p.at < len(p.text) && !strings.ContainsRune(" []<>|", rune(p.text[p.at])) {
		p.at++
	}
	text := strings.TrimSuffix(p.text[from:p.at], "...")
	p.at = from + len(text)
	text, versions, found := strings.Cut(text, "@")
	if !found {
		return text, nil
	}
	for _, v := range strings.Split(versions, "@") {
		to := &arg.Since
		if rest, ok := strings.CutPrefix(v, "-"); ok {
			to, v = &arg.DeprecatedSince, rest
		}
		if !validVersion(v) || *to != "" {
			return text, p.fail("bad version %q", v)
		}
		*to = v
	}
	return text, nil
}

// word reads a word or a token; marked tells that a token had marks.
func (p *usageParser) word() (arg Arg, marked bool, err error) {
	arg.KeySpec = -1
	text, err := p.run(&arg)
	switch {
	case err != nil:
		return arg, false, err
	case text == "":
		return arg, false, p.fail("a word expected")
	case isNameStart(text[0]):
		err = p.named(&arg, text)
		return arg, false, err
	}
	arg.Type = TypePureToken
	arg.Token, arg.Name, marked = strings.Cut(text, ":")
	if !marked {
		arg.Name = strings.ToLower(arg.Token)
	}
	if arg.Token == "" || arg.Name == "" || strings.ToUpper(arg.Token) != arg.Token {
		return arg, false, p.fail("bad token %q", text)
	}
	arg.Display = arg.Name
	return arg, marked || arg.Since != "" || arg.DeprecatedSince != "", nil
}

// named reads name, display, type and key spec of an argument.
func (p *usageParser) named(arg *Arg, text string) error {
	text, keySpec, numbered := strings.Cut(text, "#")
	word := ""
	if colon := strings.LastIndexByte(text, ':'); colon >= 0 {
		text, word = text[:colon], text[colon+1:]
	}
	var displayed bool
	if arg.Name, arg.Display, displayed = strings.Cut(text, "="); !displayed {
		arg.Display = arg.Name
	}
	var ok bool
	if arg.Type, ok = scalarType(word, arg.Name); !ok {
		return p.fail("no type %q", word)
	}
	if !validName(arg.Name) {
		return p.fail("bad name %q", arg.Name)
	}
	if numbered {
		n, err := strconv.Atoi(keySpec)
		if err != nil || n < 0 || n > maxKeySpecs {
			return p.fail("bad key spec %q", keySpec)
		}
		p.keySpec, arg.KeySpec = n, n
	} else if arg.Type == TypeKey {
		p.keySpec++
		arg.KeySpec = p.keySpec
	}
	return nil
}

// maxKeySpecs bounds the numbers behind "#".
const maxKeySpecs = 100

func isNameStart(c byte) bool { return 'a' <= c && c <= 'z' }

func validName(s string) bool {
	if s == "" || !isNameStart(s[0]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isNameStart(c) && !('0' <= c && c <= '9') && c != '-' {
			return false
		}
	}
	return true
}

func validVersion(s string) bool {
	return s != "" && strings.Trim(s, "0123456789.") == ""
}

// scalarType is the type of a single argument by the word behind its colon, or
// by its name if there is none.
func scalarType(word, name string) (ArgType, bool) {
	if word == "" {
		switch name {
		case "key":
			return TypeKey, true
		case "pattern":
			return TypePattern, true
		}
		return TypeString, true
	}
	for t := TypeString; t <= TypePureToken; t++ {
		if argTypeNames[t] == word {
			return t, true
		}
	}
	return 0, false
}
