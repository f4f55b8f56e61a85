package resp

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// parseAll returns all commands of input, quoted, and the error that ended it.
func parseAll(p *Parser, input []byte) (commands []string, rest int, err error) {
	input = bytes.Clone(input) // inline commands are unescaped in place
	for {
		n, ok, err := p.Next(input)
		if n > len(input) {
			panic("consumed more than there was")
		}
		input = input[n:]
		if !ok {
			return commands, len(input), err
		}
		commands = append(commands, fmt.Sprintf("%q", p.Args))
	}
}

func TestParser(t *testing.T) {
	for _, test := range []struct {
		input string
		want  string
	}{
		{"", ""},
		{"*1\r\n$4\r\nPING\r\n", `["PING"]`},
		{"*2\r\n$3\r\nGET\r\n$0\r\n\r\n", `["GET" ""]`},
		{"*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n", `["GET" "a\r\nb"]`},
		{"*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nQUIT\r\n", `["PING"] ["QUIT"]`},
		{"*1\r\n$12\r\n123456789012\r\nPING\r\n", `["123456789012"] ["PING"]`},
		{"*1\r\n$4\r\nPINGxy*1\r\nz$4\r\nQUITxy", `["PING"] Protocol error: expected '$', got 'z'`},
		{"PING\r\n", `["PING"]`},
		{"PING\n", `["PING"]`},
		{"  SET a \"b c\" 'd'\r\n", `["SET" "a" "b c" "d"]`},
		{"\r\n\n  \r\n*0\r\n*-1\r\n*-5\r\nPING\r\n", `["PING"]`},
		{"\"\"\r\n", `[""]`},
		{"*3\r\n$3\r\nSET\r\n", ``},
		{"*", ``},
		{"*1\r", ``},
		{"*1\r\n$4\r\nPING\r", ``},
		{"*abc\r\n", "Protocol error: invalid multibulk length"},
		{"*\r\n", "Protocol error: invalid multibulk length"},
		{"*01\r\n", "Protocol error: invalid multibulk length"},
		{"*3000000000\r\n", "Protocol error: invalid multibulk length"},
		{"*99999999999999999999999999\r\n", "Protocol error: invalid multibulk length"},
		{"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", "Protocol error: expected '$', got 'f'"},
		{"*1\r\n\r\n", "Protocol error: expected '$', got '\r'"},
		{"*1\r\n$-10\r\n", "Protocol error: invalid bulk length"},
		{"*1\r\n$-1\r\n", "Protocol error: invalid bulk length"},
		{"*1\r\n$2000000000\r\n", "Protocol error: invalid bulk length"},
		{"*1\r\n$536870913\r\n", "Protocol error: invalid bulk length"},
		{"*1\r\n$blabla\r\n", "Protocol error: invalid bulk length"},
		{"*1\r\n$007\r\n", "Protocol error: invalid bulk length"},
		{"GET \"a\r\n", "Protocol error: unbalanced quotes in request"},
		{"GET \"a\"b\r\n", "Protocol error: unbalanced quotes in request"},
		{strings.Repeat("a", MaxInline), ""},
		{strings.Repeat("a", MaxInline+1), "Protocol error: too big inline request"},
		{"*" + strings.Repeat("1", MaxInline-1), ""},
		{"*" + strings.Repeat("1", MaxInline), "Protocol error: too big mbulk count string"},
		{"*1\r\n$" + strings.Repeat("1", MaxInline-1), ""},
		{"*1\r\n$" + strings.Repeat("1", MaxInline), "Protocol error: too big bulk count string"},
	} {
		var p Parser
		commands, _, err := parseAll(&p, []byte(test.input))
		if err != nil {
			commands = append(commands, err.Error())
		}
		if got := strings.Join(commands, " "); got != test.want {
			t.Errorf("%.60q:\n got %s\nwant %s", test.input, got, test.want)
		}
		var protocol ProtocolError
		if err != nil && !errors.As(err, &protocol) {
			t.Errorf("%.60q: %T is not a ProtocolError", test.input, err)
		}
	}
}

func TestParserLimits(t *testing.T) {
	closed := Parser{Unauthenticated: true}
	small := Parser{MaxBulk: 5, MaxArgs: 2, MaxInline: 10}
	for _, test := range []struct {
		parser Parser
		input  string
		want   error
	}{
		{closed, "*10\r\n", nil},
		{closed, "*11\r\n", ErrUnauthMultibulkLength},
		{closed, "*1\r\n$16384\r\n", nil},
		{closed, "*1\r\n$16385\r\n", ErrUnauthBulkLength},
		{Parser{MaxBulk: math.MaxInt64}, "*1\r\n$9223372036854775807\r\nabc", ErrBulkLength},
		{Parser{MaxBulk: math.MaxInt64}, "*1\r\n$1099511627776\r\nabc", nil},
		{small, "*2\r\n$5\r\n", nil},
		{small, "*3\r\n", ErrMultibulkLength},
		{small, "*1\r\n$6\r\n", ErrBulkLength},
		{small, "1234567890", nil},
		{small, "12345678901", ErrInlineTooBig},
		{small, "*1\r\n$123456789", nil},
		{small, "*1\r\n$1234567890", ErrBulkCountTooBig},
	} {
		p := test.parser
		if _, _, err := p.Next([]byte(test.input)); err != test.want {
			t.Errorf("%q: error %v, want %v", test.input, err, test.want)
		}
	}
}

func TestParserConsumesEmptyCommands(t *testing.T) {
	var p Parser
	n, ok, err := p.Next([]byte("\n\r\n*0\r\n*1\r\n$4\r\nPI"))
	if n != 7 || ok || err != nil {
		t.Fatalf("Next = %d, %v, %v; want the 7 bytes of empty commands", n, ok, err)
	}
	n, ok, err = p.Next([]byte("*1\r\n$4\r\nPING\r\n"))
	if n != 14 || !ok || err != nil || p.Inline {
		t.Fatalf("Next = %d, %v, %v", n, ok, err)
	}
}

func TestParserNeed(t *testing.T) {
	var p Parser
	input := []byte("*2\r\n$3\r\nSET\r\n$100000\r\nabc")
	if p.Next(input[:15]); p.Need() != 0 {
		t.Errorf("in the middle of a length: need %d, want 0", p.Need())
	}
	if p.Next(input); p.Need() != 100000-3+2 {
		t.Errorf("need %d, want %d", p.Need(), 100000-3+2)
	}
	moved := append(bytes.Clone(input), make([]byte, p.Need())...)
	n, ok, err := p.Next(moved)
	if n != len(moved) || !ok || err != nil || len(p.Args[1]) != 100000 {
		t.Fatalf("Next = %d, %v, %v", n, ok, err)
	}
	if p.Need() != 0 {
		t.Errorf("after the command: need %d", p.Need())
	}
	p.Next(input)
	p.Reset()
	if n, ok, _ := p.Next([]byte("PING\n")); n != 5 || !ok || !p.Inline {
		t.Errorf("after Reset: Next = %d, %v", n, ok)
	}
}

// An owner may keep several commands by putting another Args in place.
func TestParserArgsMayBeReplaced(t *testing.T) {
	var p Parser
	buf := []byte("*1\r\n$1\r\na\r\nb\n*1\r\n$1\r\nc\r\n")
	var batch [][][]byte
	for range 3 {
		p.Args = nil
		n, ok, err := p.Next(buf)
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		batch = append(batch, p.Args)
		buf = buf[n:]
	}
	if got := fmt.Sprintf("%s", batch); got != "[[a] [b] [c]]" {
		t.Fatalf("kept %s", got)
	}

	p.Next([]byte("*2\r\n$1\r\na\r\n"))
	p.Args = [][]byte{{'x'}}
	p.Next([]byte("*2\r\n$1\r\na\r\n$1\r\nb\r\n"))
	if got := fmt.Sprintf("%s", p.Args); got != "[a b]" {
		t.Fatalf("resumed command is %s", got)
	}
}

func TestParserAllocatesNothing(t *testing.T) {
	buf := bytes.Repeat([]byte(getRequest+setRequest+"GET key:1\r\n"), 20)
	var p Parser
	allocs := testing.AllocsPerRun(100, func() {
		for off := 0; off < len(buf); {
			n, ok, err := p.Next(buf[off:])
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			off += n
		}
		p.Next(buf[:len(getRequest)-3]) // a request that arrives in two pieces
		p.Next(buf[:len(getRequest)])
	})
	if allocs != 0 {
		t.Fatalf("parsing a pipeline allocates %v times", allocs)
	}
}

func TestParserReleasesManyArgs(t *testing.T) {
	big := AppendArray(nil, 5000)
	for range 5000 {
		big = AppendBulkString(big, "x")
	}
	var p Parser
	if _, ok, _ := p.Next(big); !ok || len(p.Args) != 5000 {
		t.Fatal("a command of 5000 arguments was not parsed")
	}
	p.Next([]byte(getRequest))
	if cap(p.Args) > keptArgs || cap(p.spans) > keptArgs {
		t.Fatalf("room for %d arguments is kept", cap(p.Args))
	}
}

// Input that arrives in pieces, in a buffer that moves, must give the commands
// and the error that it gives at once.
func FuzzParser(f *testing.F) {
	for _, seed := range []string{
		getRequest + setRequest, "PING\r\nSET a 'b c'\n", "*0\r\n*1\r\n$4\r\nPING\r\n\r\n",
		"*1\r\n$-1\r\n", "*2\r\n$3\r\nGET\r\nx", "*1\r\n\r\n", "a \"\\x41\\n\" 'x'\n", "*01\r\n", "*1\r\n$0\r\n\r\n*",
	} {
		f.Add([]byte(seed), uint64(1))
	}
	f.Fuzz(func(t *testing.T, input []byte, seed uint64) {
		limits := Parser{MaxBulk: 1 << 16, MaxInline: 64}
		whole := limits
		want, _, wantErr := parseAll(&whole, input)

		rnd := rand.New(rand.NewPCG(seed, 0))
		pieces := limits
		var got []string
		var err error
		var buf []byte
		for rest := input; len(rest) > 0 && err == nil; {
			n := 1 + rnd.IntN(min(len(rest), 20))
			buf = append(bytes.Clone(buf), rest[:n]...)
			rest = rest[n:]
			for {
				var n int
				var ok bool
				n, ok, err = pieces.Next(buf)
				buf = buf[n:]
				if !ok {
					break
				}
				got = append(got, fmt.Sprintf("%q", pieces.Args))
				pieces.Args = nil
			}
		}
		// As in redis, a line is too long only while its end is not there:
		// what passes at once may fail in pieces, for this reason alone.
		switch err {
		case ErrInlineTooBig, ErrMultibulkCountTooBig, ErrBulkCountTooBig:
			if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
				t.Fatalf("in pieces %s\nat once   %s", got, want)
			}
		default:
			if err != wantErr || !slices.Equal(got, want) {
				t.Fatalf("in pieces %s %v\nat once   %s %v", got, err, want, wantErr)
			}
		}
	})
}

const (
	getRequest = "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000012\r\n"
	setRequest = "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000012\r\n$3\r\nxxx\r\n"
)

func benchmarkParse(b *testing.B, request string) {
	buf := []byte(strings.Repeat(request, 16))
	var p Parser
	b.SetBytes(int64(len(request)))
	for i := 0; i < b.N; {
		for off := 0; off < len(buf); i++ {
			n, ok, err := p.Next(buf[off:])
			if !ok || err != nil {
				b.Fatal(ok, err)
			}
			off += n
		}
	}
}

func BenchmarkParseGet(b *testing.B) { benchmarkParse(b, getRequest) }
func BenchmarkParseSet(b *testing.B) { benchmarkParse(b, setRequest) }
