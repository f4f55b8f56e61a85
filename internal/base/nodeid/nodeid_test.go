package nodeid

import (
	"bytes"
	crand "crypto/rand"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestParseAndFormat(t *testing.T) {
	const text = "07c37dfeb235213a872192d90877d0cd55635b91"
	id, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if id.String() != text || string(id.AppendHex([]byte("id="))) != "id="+text {
		t.Errorf("%s came back as %s", text, id)
	}
	if fromBytes, _ := Parse([]byte(text)); fromBytes != id {
		t.Errorf("as bytes it is %s", fromBytes)
	}
	if id.IsZero() || !(ID{}).IsZero() {
		t.Error("IsZero is wrong")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", "07c37d", strings.Repeat("a", 39), strings.Repeat("a", 41),
		strings.Repeat("A", 40),          // upper case
		strings.Repeat("z", 40),          // redis would take it
		strings.Repeat("a", 39) + "\x00", // NUL
		strings.Repeat("0", 40),          // nobody
	} {
		if _, err := Parse(text); !errors.Is(err, ErrSyntax) {
			t.Errorf("Parse(%q) = %v", text, err)
		}
	}
}

func TestOrderIsThatOfTheText(t *testing.T) {
	src := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		a, b := Random(src), Random(src)
		if src.IntN(3) == 0 {
			copy(b[:], a[:src.IntN(20)])
		}
		if got, want := a.Compare(b), strings.Compare(a.String(), b.String()); got != want {
			t.Fatalf("Compare(%s, %s) = %d, the texts say %d", a, b, got, want)
		}
	}
}

func TestRandomIsSeeded(t *testing.T) {
	one, two := Random(rand.NewPCG(7, 7)), Random(rand.NewPCG(7, 7))
	if one != two || one == Random(rand.NewPCG(7, 8)) {
		t.Error("an id does not follow from its seed alone")
	}
}

func TestRead(t *testing.T) {
	id, err := Read(crand.Reader)
	if err != nil || id.IsZero() {
		t.Errorf("Read = %s, %v", id, err)
	}
	if _, err := Read(bytes.NewReader(make([]byte, 50))); err == nil {
		t.Error("an endless zero id must end with the reader's error")
	}
}

func TestNoAllocation(t *testing.T) {
	text := []byte("07c37dfeb235213a872192d90877d0cd55635b91")
	buf := make([]byte, 0, Len)
	if n := testing.AllocsPerRun(100, func() {
		id, _ := Parse(text)
		buf = id.AppendHex(buf[:0])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("07c37dfeb235213a872192d90877d0cd55635b91")
	f.Add(strings.Repeat("0", 40))
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := Parse(text); err == nil && id.String() != text {
			t.Errorf("%q came back as %s", text, id)
		}
	})
}
