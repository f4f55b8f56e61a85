package script

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/skeindb/skein/internal/base/glob"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/store/rdb"
)

// Functions are the libraries of a node and the commands about them. What calls a function reads the catalog;
// what changes it holds all stripes and puts another one in its place.
type Functions struct {
	engine *Engine
	now    atomic.Pointer[catalog]
}

// NewFunctions returns a node's functions, of which there are none yet.
func NewFunctions(e *Engine) *Functions {
	f := &Functions{engine: e}
	f.now.Store(newCatalog())
	return f
}

// loadTimeout is how long a client's library may take to register its functions.
const loadTimeout = 500 * time.Millisecond

// Sources are the libraries as they are saved, by name.
func (f *Functions) Sources() [][]byte {
	var sources [][]byte
	for _, l := range f.now.Load().list() {
		sources = append(sources, l.Source)
	}
	return sources
}

// Prepare makes the libraries of a data set. install puts them in the place of those that are there.
func (f *Functions) Prepare(sources [][]byte) (install func(), err error) {
	c, err := f.compile(sources)
	if err != nil {
		return nil, err
	}
	return func() { f.now.Store(c) }, nil
}

// Merge has the libraries of a file join those that are there. Without replace it is an
// error if one of them is there already; then nothing is changed.
func (f *Functions) Merge(sources [][]byte, replace bool) error {
	c, err := f.compile(sources)
	if err != nil {
		return err
	}
	if c, err = f.now.Load().with(c.list(), replace); err == nil {
		f.now.Store(c)
	}
	return err
}

// compile makes a catalog of libraries from a file or dump.
func (f *Functions) compile(sources [][]byte) (*catalog, error) {
	c := newCatalog()
	for _, source := range sources {
		l, err := newLibrary(source)
		if err != nil {
			return nil, err
		}
		if c.libraries[l.Name] != nil {
			return nil, command.Error("ERR Library '" + l.Name + "' already exists")
		}
		if err = f.boot(l, 0); err == nil {
			c, err = c.with([]*Library{l}, false)
		}
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Size counts libraries and functions and says about how much memory they take, in bytes.
func (f *Functions) Size() (libraries, functions int, bytes int64) {
	c := f.now.Load()
	return len(c.libraries), len(c.functions), c.size()
}

func (f *Functions) load(c *command.Call, tx *keyspace.WriteTx) {
	replace := false
	for _, word := range c.Args[2 : len(c.Args)-1] {
		if !strings.EqualFold(string(word), "replace") {
			c.Fail(command.Errorf("ERR Unknown option given: %s", word))
			return
		}
		replace = true
	}
	timeout := loadTimeout
	if tx.Applied() {
		timeout = 0
	}
	l, err := f.add(c.Args[len(c.Args)-1], replace, timeout)
	if err != nil {
		c.Fail(err)
		return
	}
	tx.DirtyAll()
	c.Out.BulkString(l.Name)
}

func (f *Functions) add(source []byte, replace bool, timeout time.Duration) (*Library, error) {
	l, err := newLibrary(source)
	if err != nil {
		return nil, err
	}
	now := f.now.Load()
	if now.libraries[l.Name] != nil && !replace {
		return nil, command.Error("ERR Library '" + l.Name + "' already exists")
	}
	if err = f.boot(l, timeout); err != nil {
		return nil, err
	}
	next, err := now.with([]*Library{l}, replace)
	if err != nil {
		return nil, err
	}
	f.now.Store(next)
	return l, nil
}

func (f *Functions) delete(c *command.Call, tx *keyspace.WriteTx) {
	now := f.now.Load()
	l := now.libraries[c.Arg(2)]
	if l == nil {
		c.Out.Error("ERR Library not found")
		return
	}
	f.now.Store(now.without(l))
	tx.DirtyAll()
	c.Out.OK()
}

// flush forgets all libraries. Memory returns by itself, however it is asked for.
func (f *Functions) flush(c *command.Call, tx *keyspace.WriteTx) {
	if len(c.Args) > 3 {
		c.Fail(command.WrongArguments(c.Args))
		return
	}
	if a := c.Parse(2); a.More() && a.OneOf("SYNC", "ASYNC") < 0 {
		c.Out.Error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
		return
	}
	f.now.Store(newCatalog())
	tx.DirtyAll()
	c.Out.OK()
}

func (f *Functions) list(c *command.Call) {
	pattern, code := []byte(nil), false
	for i := 2; i < len(c.Args); i++ {
		switch word := c.Args[i]; {
		case !code && strings.EqualFold(string(word), "withcode"):
			code = true
		case pattern == nil && strings.EqualFold(string(word), "libraryname"):
			if i++; i == len(c.Args) {
				c.Out.Error("ERR library name argument was not given")
				return
			}
			pattern = c.Args[i]
		default:
			c.Fail(command.Errorf("ERR Unknown argument %s", word))
			return
		}
	}
	var shown []*Library
	for _, l := range f.now.Load().list() {
		if pattern == nil || glob.Match(pattern, []byte(l.Name), true) {
			shown = append(shown, l)
		}
	}
	c.Out.Array(len(shown))
	for _, l := range shown {
		l.show(c, code)
	}
}

func (l *Library) show(c *command.Call, code bool) {
	out, fields := c.Out, 3
	if code {
		fields++
	}
	out.Map(fields)
	out.BulkString("library_name")
	out.BulkString(l.Name)
	out.BulkString("engine")
	out.BulkString("LUA")
	out.BulkString("functions")
	out.Array(len(l.Functions))
	for _, fn := range l.Functions {
		out.Map(3)
		out.BulkString("name")
		out.BulkString(fn.Name)
		out.BulkString("description")
		if fn.Described {
			out.BulkString(fn.Description)
		} else {
			out.Null()
		}
		out.BulkString("flags")
		words := fn.Flags.Words()
		out.Set(len(words))
		for _, w := range words {
			out.SimpleString(w)
		}
	}
	if code {
		out.BulkString("library_code")
		out.Bulk(l.Source)
	}
}

func (f *Functions) stats(c *command.Call) {
	out := c.Out
	out.Map(2)
	out.BulkString("running_script")
	if name, argv, ms, ok := f.engine.opt.Host.Running(); ok {
		out.Map(3)
		out.BulkString("name")
		out.BulkString(name)
		out.BulkString("command")
		out.Array(len(argv))
		for _, a := range argv {
			out.Bulk(a)
		}
		out.BulkString("duration_ms")
		out.Int(ms)
	} else {
		out.Null()
	}
	libraries, functions, _ := f.Size()
	out.BulkString("engines")
	out.Map(1)
	out.BulkString("LUA")
	out.Map(2)
	out.BulkString("libraries_count")
	out.Int(int64(libraries))
	out.BulkString("functions_count")
	out.Int(int64(functions))
}

func (f *Functions) kill(c *command.Call) {
	if err := f.engine.opt.Host.Kill(false); err != nil {
		c.Fail(err)
		return
	}
	c.Out.OK()
}

func (f *Functions) dump(c *command.Call) {
	var e rdb.Encoder
	c.Out.Bulk(e.DumpLibraries(nil, f.Sources()))
}

func (f *Functions) restore(c *command.Call, tx *keyspace.WriteTx) {
	if len(c.Args) > 4 {
		c.Fail(command.WrongArguments(c.Args))
		return
	}
	policy := restoreAppend
	if a := c.Parse(3); a.More() {
		if policy = a.OneOf("APPEND", "REPLACE", "FLUSH"); policy < 0 {
			c.Out.Error("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.")
			return
		}
	}
	next, err := f.restored(c.Args[2], policy)
	if err != nil {
		c.Fail(err)
		return
	}
	f.now.Store(next)
	tx.DirtyAll()
	c.Out.OK()
}

// What FUNCTION RESTORE does with the libraries that are there.
const (
	restoreAppend = iota
	restoreReplace
	restoreFlush
)

// restored is the catalog after the libraries of a dump have joined it.
func (f *Functions) restored(dump []byte, policy int) (*catalog, error) {
	sources, err := rdb.UndumpLibraries(dump)
	switch {
	case err == rdb.ErrFooter:
		return nil, command.Error("ERR DUMP payload version or checksum are wrong")
	case err == rdb.ErrLibraryBeta:
		return nil, command.Error("ERR Pre-GA function format not supported")
	case err == rdb.ErrNotLibrary:
		return nil, command.Error("ERR given type is not a function")
	case errors.Is(err, rdb.ErrCorrupt):
		return nil, command.Error("ERR Failed loading library payload")
	case err != nil:
		return nil, fmt.Errorf("ERR %w", err)
	}
	c, err := f.compile(sources)
	if err != nil || policy == restoreFlush {
		return c, err
	}
	return f.now.Load().with(c.list(), policy == restoreReplace)
}
