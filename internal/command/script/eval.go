package script

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

const (
	errNoScript     = "NOSCRIPT No matching script. Please use EVAL."
	errManyKeys     = "ERR Number of keys can't be greater than number of args"
	errNegativeKeys = "ERR Number of keys can't be negative"
	firstKey        = 3
	digestLength    = 40
)

// keysAndArgs are what follows the number of keys in a call of a script or a function. If that is wrong, c is answered:
// with notANumber if it is none.
func keysAndArgs(c *command.Call, notANumber string) (keys, args [][]byte, ok bool) {
	n, isNumber := resp.ParseInt(c.Args[2])
	switch {
	case !isNumber:
		c.Out.Error(notANumber)
	case n > int64(len(c.Args)-firstKey):
		c.Out.Error(errManyKeys)
	case n < 0:
		c.Out.Error(errNegativeKeys)
	default:
		return c.Args[firstKey : firstKey+n], c.Args[firstKey+n:], true
	}
	return nil, nil, false
}

// form is one of the four commands that run scripts of clients.
type form struct {
	bySHA    bool
	readOnly bool
}

// eval makes the handler of one.
func (e *Engine) eval(f form) func(*command.Call) {
	return func(c *command.Call) {
		if f.bySHA && len(c.Args[1]) != digestLength {
			c.Out.Error(errNoScript)
			return
		}
		keys, args, ok := keysAndArgs(c, command.ErrNotInteger)
		if !ok {
			return
		}
		s := e.script(c, f)
		if s == nil {
			return
		}
		e.opt.Host.Run(c, &Job{
			Name: s.Digest, Eval: true, Flags: s.Flags, ReadOnly: f.readOnly,
			Widen: func() { s.wide.Store(true) },
			Body: func(d Door, out *resp.Writer, ready func()) bool {
				vm := e.VM()
				defer e.Rest(vm)
				vm.real.RawSetString("KEYS", vm.Strings(keys))
				vm.real.RawSetString("ARGV", vm.Strings(args))
				ready()
				return vm.Run(d, s.job(f), vm.L.NewFunctionFromProto(s.code), nil, out)
			},
		})
	}
}

// job is what messages need to know of a run of s.
func (s *Script) job(f form) *Job {
	return &Job{Name: s.Digest, Eval: true, Flags: s.Flags, ReadOnly: f.readOnly}
}

// script is the one that c means; nil: c is answered.
func (e *Engine) script(c *command.Call, f form) *Script {
	if f.bySHA {
		s := e.Find(c.Args[1])
		if s == nil {
			c.Out.Error(errNoScript)
		}
		return s
	}
	s, err := e.Load(c.Args[1])
	if err != nil {
		c.Fail(err)
	}
	return s
}

// known is the script of a command line, if it is in the cache.
func (e *Engine) known(argv [][]byte, f form) *Script {
	if f.bySHA {
		return e.Find(argv[1])
	}
	return e.Find([]byte(Digest(argv[1])))
}

// flagsOf is Spec.FlagsFor.
func (e *Engine) flagsOf(of command.Flags, f form) func(argv [][]byte) command.Flags {
	return func(argv [][]byte) command.Flags {
		s := e.known(argv, f)
		if s != nil {
			return s.Flags.CommandFlags(of)
		}
		if f.bySHA {
			return of
		}
		flags, _, err := shebang(argv[1])
		if err != nil {
			return of
		}
		return flags.CommandFlags(of)
	}
}

// wide is Spec.Wide: standalone, a script may use any key. In a cluster it may too if it
// declares none, and if it has done so before.
func (e *Engine) wide(f form) func(argv [][]byte) bool {
	return func(argv [][]byte) bool {
		if !e.opt.Cluster || len(argv) < firstKey {
			return true
		}
		if n, ok := resp.ParseInt(argv[2]); !ok || n <= 0 {
			return true
		}
		s := e.known(argv, f)
		return s != nil && s.wide.Load()
	}
}
