package records

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

func TestRecords(t *testing.T) {
	for number, want := range map[int]string{0: "0000000000;", 7: "0000000007;", 1234567890: "1234567890;"} {
		b := appendRecord([]byte("x"), number)
		if string(b) != "x"+want {
			t.Errorf("the record of %d is %q", number, b[1:])
		}
		if got, ok := parseRecord(b[1:]); !ok || got != number {
			t.Errorf("%q is read as %d, %v", b[1:], got, ok)
		}
	}
	for _, bad := range []string{"", "0000000000", "0000000000,", "000000000a;", "-000000001;", "00000000000;"} {
		if number, ok := parseRecord([]byte(bad)); ok {
			t.Errorf("%q is read as %d", bad, number)
		}
	}
}

func TestCompare(t *testing.T) {
	const ok, open = acknowledged, inDoubt
	value := func(numbers ...int) (v []byte) {
		for _, n := range numbers {
			v = appendRecord(v, n)
		}
		return v
	}
	for _, c := range []struct {
		name  string
		fates []fate
		value []byte
		want  Account
		sound bool
	}{
		{"nothing written", nil, nil, Account{FirstLost: -1, LastLost: -1}, true},
		{"all there", []fate{ok, ok, ok}, value(0, 1, 2), Account{Acked: 3, FirstLost: -1, LastLost: -1}, true},
		{"in doubt, one written", []fate{ok, open, open, ok}, value(0, 2, 3), Account{Acked: 2, InDoubt: 2, Kept: 1, FirstLost: -1, LastLost: -1}, true},
		{"the end is lost", []fate{ok, ok, ok, open}, value(0), Account{Acked: 3, InDoubt: 1, Lost: 2, FirstLost: 1, LastLost: 2}, false},
		{"the key is lost", []fate{ok, ok}, nil, Account{Acked: 2, Lost: 2, FirstLost: 0, LastLost: 1}, false},
		{"a hole", []fate{ok, ok, ok}, value(0, 2), Account{Acked: 3, Lost: 1, FirstLost: 1, LastLost: 1}, false},
		{"doubled at once", []fate{ok, ok}, value(0, 0, 1), Account{Acked: 2, Doubled: 1, FirstLost: -1, LastLost: -1}, false},
		{"tripled", []fate{ok}, value(0, 0, 0), Account{Acked: 1, Doubled: 1, FirstLost: -1, LastLost: -1}, false},
		{"doubled later", []fate{ok, ok}, value(0, 1, 0), Account{Acked: 2, Doubled: 1, Displaced: 1, FirstLost: -1, LastLost: -1}, false},
		{"out of order", []fate{ok, ok, ok}, value(1, 0, 2), Account{Acked: 3, Displaced: 1, FirstLost: -1, LastLost: -1}, false},
		{"torn", []fate{ok}, append(value(0), "0000"...), Account{Acked: 1, Foreign: 1, FirstLost: -1, LastLost: -1}, false},
		{"never sent", []fate{ok}, value(0, 1), Account{Acked: 1, Foreign: 1, FirstLost: -1, LastLost: -1}, false},
	} {
		got := compare(c.fates, c.value)
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v instead of %+v", c.name, got, c.want)
		}
		if got.Sound() != c.sound {
			t.Errorf("%s: sound is %v", c.name, got.Sound())
		}
	}
}

func TestAdd(t *testing.T) {
	sum := Account{}
	sum.Add(Account{Acked: 1, InDoubt: 2, Kept: 3, Lost: 4, Doubled: 5, Displaced: 6, Foreign: 7, Replies: map[string]int{"MOVED": 1}})
	sum.Add(Account{Acked: 1, Replies: map[string]int{"MOVED": 2}})
	const want = "2 acknowledged, 2 in doubt, 3 of them written, 4 LOST, 5 DOUBLED, 6 OUT OF ORDER, 7 FOREIGN, MOVED x3"
	if sum.String() != want {
		t.Errorf("%q instead of %q", sum, want)
	}
}

func TestGap(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(1, 0).Add(time.Duration(ms) * time.Millisecond) }
	const ms = time.Millisecond
	var g gap
	if got, _ := g.take(at(500)); got != 0 {
		t.Errorf("before the first acknowledgement the gap is %v", got)
	}
	for _, now := range []int{1000, 1010, 1011, 1016} {
		g.acked(at(now))
	}
	if got, began := g.take(at(1017)); got != 10*ms || began != at(1000) {
		t.Errorf("the longest gap is %v", got)
	}
	if got, began := g.take(at(1020)); got != 4*ms || began != at(1016) {
		t.Errorf("a gap that lasts is %v so far", got)
	}
	g.acked(at(1046))
	if got, began := g.take(at(1046)); got != 30*ms || began != at(1016) {
		t.Errorf("a gap that began before it was taken is %v", got)
	}
}

func FuzzCompare(f *testing.F) {
	f.Add(uint8(3), []byte("0000000000;0000000002;"))
	f.Add(uint8(0), []byte("x"))
	f.Add(uint8(1), bytes.Repeat([]byte("0000000000;"), 300))
	f.Fuzz(func(t *testing.T, sent uint8, value []byte) {
		a := compare(bytesToFates(sent), value)
		if a.Lost > a.Acked || a.Kept > a.InDoubt || a.Acked+a.InDoubt != int(sent) || a.Foreign > len(value) {
			t.Errorf("%d sent, value %q: %+v", sent, value, a)
		}
	})
}

// bytesToFates makes as many fates, every third of them in doubt.
func bytesToFates(n uint8) (fates []fate) {
	for i := range n {
		fates = append(fates, map[bool]fate{true: inDoubt, false: acknowledged}[i%3 == 2])
	}
	return fates
}
