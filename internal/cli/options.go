package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/skeindb/skein/internal/base/resp"
)

// options is what the command line says.
type options struct {
	host   string
	port   int
	socket string // overrides host and port
	uri    string
	user   string
	pass   string
	db     int
	tls    security

	askPass   bool
	noWarning bool

	cluster bool
	resp2   bool
	resp3   bool

	format      format
	delimiter   string // between the elements of a raw reply
	replyEnd    string // behind a raw reply
	pushes      bool   // show what a RESP3 server tells unasked
	errorCode   bool
	quotedInput bool
	stdinLast   bool
	stdinTag    string
	repeat      int64 // negative: for ever
	interval    time.Duration

	args []string // the command, if any
}

var (
	errHelp       = errors.New("help is asked for")
	errVersion    = errors.New("the version is asked for")
	errQuoting    = errors.New("Invalid quoted string")
	errNoStdinTag = errors.New("Using -X option but stdin tag not match.")
)

// switches are the options that become others when all are read.
type switches struct {
	version, raw, noRaw, csv, json, quotedJSON bool
	showPushes                                 string
	seconds                                    float64
}

// flagSet declares the options. They end at the first word that is none, which
// begins the command.
func flagSet(o *options, s *switches) *pflag.FlagSet {
	f := pflag.NewFlagSet("skein cli", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.SetInterspersed(false)
	f.SortFlags = false
	f.StringVarP(&o.host, "host", "h", "127.0.0.1", "Server hostname.")
	f.IntVarP(&o.port, "port", "p", 6379, "Server port.")
	f.StringVarP(&o.socket, "socket", "s", "", "Server socket (overrides hostname and port).")
	f.StringVarP(&o.uri, "uri", "u", "", "Server URI: redis://user:password@host:port/db, rediss:// for TLS.")
	o.tls.declare(f)
	f.BoolVarP(&o.cluster, "cluster-mode", "c", false, "Follow -ASK and -MOVED redirections.")
	f.IntVarP(&o.db, "db", "n", 0, "Database number.")
	f.StringVarP(&o.pass, "pass", "a", "", "Password. The environment variable REDISCLI_AUTH is the safer place for it.")
	f.StringVar(&o.user, "user", "", "Send AUTH with this user name and the password.")
	f.BoolVar(&o.askPass, "askpass", false, "Ask for the password.")
	f.BoolVar(&o.noWarning, "no-auth-warning", false, "Do not warn of a password on the command line.")
	f.BoolVarP(&o.resp2, "resp2", "2", false, "Speak RESP2.")
	f.BoolVarP(&o.resp3, "resp3", "3", false, "Speak RESP3.")
	f.Int64VarP(&o.repeat, "repeat", "r", 1, "Run the command this many times, -1 for ever.")
	f.Float64VarP(&s.seconds, "interval", "i", 0, "With -r, seconds to wait between the times; 0.1 is possible.")
	f.BoolVarP(&o.stdinLast, "stdin-arg", "x", false, "Read the last argument from standard input.")
	f.StringVarP(&o.stdinTag, "stdin-tag", "X", "", "Read the argument that is this word from standard input.")
	f.BoolVar(&o.quotedInput, "quoted-input", false, "Arguments are quoted strings, with escapes.")
	f.BoolVarP(&o.errorCode, "error-code", "e", false, "Exit with 1 when a command fails.")
	f.BoolVar(&s.raw, "raw", false, "Raw replies (default when standard output is no terminal).")
	f.BoolVar(&s.noRaw, "no-raw", false, "Formatted replies even when standard output is no terminal.")
	f.StringVarP(&o.delimiter, "delimiter", "d", "\n", "What parts the elements of a raw reply.")
	f.StringVarP(&o.replyEnd, "reply-delimiter", "D", "\n", "What ends a raw reply.")
	f.BoolVar(&s.csv, "csv", false, "Replies as CSV.")
	f.BoolVar(&s.json, "json", false, "Replies as JSON (speaks RESP3 unless -2 is given).")
	f.BoolVar(&s.quotedJSON, "quoted-json", false, "Replies as JSON of ASCII-safe strings.")
	f.StringVar(&s.showPushes, "show-pushes", "", "Show RESP3 push messages, yes or no (default: yes on a terminal).")
	f.BoolVarP(&s.version, "version", "v", false, "Print the version and exit.")
	return f
}

// parseOptions reads the command line; terminal tells whether replies go to one.
// Its errors are for the user to read.
func parseOptions(args []string, terminal bool) (*options, error) {
	o, s := &options{}, &switches{}
	flags := flagSet(o, s)
	if err := flags.Parse(args); err != nil {
		return nil, flagError(err, args)
	}
	if s.version {
		return nil, errVersion
	}
	if o.uri != "" {
		if err := o.readURI(o.uri); err != nil {
			return nil, err
		}
	}
	o.args = flags.Args()
	o.interval = time.Duration(s.seconds * float64(time.Second))
	o.pushes = terminal
	if s.showPushes != "" {
		o.pushes = s.showPushes[0] == 'y' || s.showPushes[0] == 'Y'
	}
	implied := o.chooseFormat(s, terminal)
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := o.tls.load(); err != nil {
		return nil, err
	}
	o.resp3 = (o.resp3 || implied) && !o.resp2
	return o, nil
}

// chooseFormat sets the format, and tells whether it is one that wants RESP3.
func (o *options) chooseFormat(s *switches, terminal bool) (resp3 bool) {
	switch {
	case s.json:
		o.format = formatJSON
	case s.quotedJSON:
		o.format = formatQuotedJSON
	case s.csv:
		o.format = formatCSV
	case s.raw || !terminal && !s.noRaw:
		o.format = formatRaw
	default:
		o.format = formatTTY
	}
	return s.json || s.quotedJSON
}

// check finds what does not go together, in redis-cli's words.
func (o *options) check() error {
	switch {
	case o.port < 0 || o.port > 65535:
		return errors.New("Invalid server port.")
	case o.socket != "" && o.cluster:
		return errors.New("Options -c and -s are mutually exclusive.")
	case o.resp2 && o.resp3:
		return errors.New("Options -2 and -3 are mutually exclusive.")
	case o.stdinLast && o.stdinTag != "":
		return errors.New("Options -x and -X are mutually exclusive.")
	}
	return nil
}

// flagError says in redis-cli's words what was wrong with an option. A lone -h
// is a question for help, for whoever does not know that it takes a host.
func flagError(err error, args []string) error {
	if errors.Is(err, pflag.ErrHelp) || args[len(args)-1] == "-h" {
		return errHelp
	}
	var (
		unknown *pflag.NotExistError
		lacking *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	name, short := "", false
	switch {
	case errors.As(err, &unknown):
		name, short = unknown.GetSpecifiedName(), unknown.GetSpecifiedShortnames() != ""
	case errors.As(err, &lacking):
		name, short = lacking.GetSpecifiedName(), lacking.GetSpecifiedShortnames() != ""
	case errors.As(err, &invalid):
		return fmt.Errorf("Bad value for option --%s: '%s'", invalid.GetFlag().Name, invalid.GetValue())
	default:
		return err
	}
	if short {
		name = "-" + name
	} else {
		name = "--" + name
	}
	return fmt.Errorf("Unrecognized option or bad number of args for: '%s'", name)
}

func usage() string {
	return "Usage: skein cli [OPTIONS] [cmd [arg [arg ...]]]\n\n" +
		flagSet(&options{}, &switches{}).FlagUsages() + `
Examples:
  cat /etc/passwd | skein cli -x set mypasswd
  skein cli -r 100 lpush mylist x
  skein cli -r 100 -i 1 info | grep used_memory_human:

Without a command, commands are read from standard input, on a terminal at a
prompt. Type "help" there for information on commands and settings.
`
}

// command is the command of the command line, completed from standard input.
func (o *options) command(in io.Reader) ([][]byte, error) {
	args := make([][]byte, len(o.args))
	for i, arg := range o.args {
		args[i] = []byte(arg)
		if o.quotedInput {
			words, err := resp.SplitArgs(args[i])
			if err != nil || len(words) != 1 {
				return nil, errQuoting
			}
			args[i] = words[0]
		}
	}
	switch {
	case o.stdinLast:
		last, err := io.ReadAll(in)
		return append(args, last), err
	case o.stdinTag != "":
		for i := range args {
			if bytes.Equal(args[i], []byte(o.stdinTag)) {
				var err error
				args[i], err = io.ReadAll(in)
				return args, err
			}
		}
		return nil, errNoStdinTag
	}
	return args, nil
}
