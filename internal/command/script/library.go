package script

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"sync/atomic"

	lua "github.com/yuin/gopher-lua"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// Library is a library of functions as FUNCTION LOAD has made it. It does not change.
type Library struct {
	Name      string
	Source    []byte
	Functions []*Function // by name

	body []byte // the source without its first line, but with that line's end
	code *lua.FunctionProto
}

// Function is a function that a library has registered.
type Function struct {
	Name        string
	Description string
	Described   bool
	Flags       Flags

	library *Library
	wide    atomic.Bool // it has used keys that it did not declare
}

// Errors of a library's first line, in redis's words.
const (
	errNoMetadata  command.Error = "ERR Missing library metadata"
	errMetadata    command.Error = "ERR Invalid library metadata"
	errTwoNames    command.Error = "ERR Invalid metadata value, name argument was given multiple times"
	errNoName      command.Error = "ERR Library name was not given"
	errNoFunctions command.Error = "ERR No functions registered"

	badName = "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long"
)

// newLibrary reads the first line of a source,
//
//	#!lua name=words
//
// The library has no functions yet: see boot.
func newLibrary(source []byte) (*Library, error) {
	if !bytes.HasPrefix(source, []byte("#!")) {
		return nil, errNoMetadata
	}
	end := bytes.IndexByte(source, '\n')
	if end < 0 {
		return nil, errMetadata
	}
	words, err := resp.SplitArgs(source[:end])
	if err != nil || len(words) == 0 {
		return nil, errMetadata
	}
	l, named := &Library{Source: bytes.Clone(source)}, false
	l.body = l.Source[end:]
	for _, w := range words[1:] {
		name, isName := cutFold(string(w), "name=")
		switch {
		case !isName:
			return nil, command.Errorf("ERR Invalid metadata value given: %s", w)
		case named:
			return nil, errTwoNames
		}
		l.Name, named = name, true
	}
	switch engine := words[0][2:]; {
	case !named:
		return nil, errNoName
	case !isWord(l.Name):
		return nil, command.Error("ERR " + badName)
	case !strings.EqualFold(string(engine), "lua"):
		return nil, command.Errorf("ERR Engine '%s' not found", engine)
	}
	return l, nil
}

// cutFold is strings.CutPrefix for a prefix in any case.
func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// isWord tells whether a name may be that of a library or function.
func isWord(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return name != ""
}

// catalog is all libraries at one moment. It does not change.
type catalog struct {
	libraries map[string]*Library
	functions map[string]*Function // by name in lower case
}

// list is the libraries by name.
func (c *catalog) list() []*Library {
	all := make([]*Library, 0, len(c.libraries))
	for _, l := range c.libraries {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *Library) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// find finds a function by its name in any case.
func (c *catalog) find(name []byte) *Function { return c.functions[strings.ToLower(string(name))] }

// with is the catalog with more libraries. Those of the same name are replaced or, without replace, an error.
// No two functions may have one name.
func (c *catalog) with(more []*Library, replace bool) (*catalog, error) {
	n := newCatalog()
	for _, l := range c.libraries {
		n.add(l)
	}
	for _, l := range more {
		if old := n.libraries[l.Name]; old != nil {
			if !replace {
				return nil, command.Error("ERR Library " + l.Name + " already exists")
			}
			n.remove(old)
		}
	}
	for _, l := range more {
		for _, f := range l.Functions {
			if n.functions[strings.ToLower(f.Name)] != nil {
				return nil, command.Error("ERR Function " + f.Name + " already exists")
			}
		}
		n.add(l)
	}
	return n, nil
}

func (c *catalog) without(l *Library) *catalog {
	n := newCatalog()
	for _, other := range c.libraries {
		if other != l {
			n.add(other)
		}
	}
	return n
}

func newCatalog() *catalog { return &catalog{map[string]*Library{}, map[string]*Function{}} }

func (c *catalog) add(l *Library) {
	c.libraries[l.Name] = l
	for _, f := range l.Functions {
		c.functions[strings.ToLower(f.Name)] = f
	}
}

func (c *catalog) remove(l *Library) {
	delete(c.libraries, l.Name)
	for _, f := range l.Functions {
		delete(c.functions, strings.ToLower(f.Name))
	}
}

// libraryOverhead is about what a library, or a function, takes beside its text, in bytes.
const libraryOverhead = 200

// size is about how much memory the catalog takes, in bytes.
func (c *catalog) size() int64 {
	n := 0
	for _, l := range c.libraries {
		n += libraryOverhead + len(l.Name) + len(l.Source)
		for _, f := range l.Functions {
			n += libraryOverhead + len(f.Name) + len(f.Description)
		}
	}
	return int64(n)
}
