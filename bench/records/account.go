package records

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	digits      = 10
	recordBytes = digits + 1
)

// appendRecord appends the record of a number.
func appendRecord(b []byte, number int) []byte {
	at := len(b)
	b = append(b, "0000000000;"...)
	for i := at + digits - 1; i >= at && number > 0; i-- {
		b[i] = byte('0' + number%10)
		number /= 10
	}
	return b
}

// A fate is what the client knows of a record.
type fate uint8

const (
	inDoubt fate = iota
	acknowledged
)

// An Account compares what a client was told with what is in the key.
type Account struct {
	Acked     int            // acknowledged records
	InDoubt   int            // records of which the client does not know whether they were written
	Kept      int            // of those in doubt, how many were written
	Lost      int            // acknowledged, but not in the key
	FirstLost int            // number of the first lost record, -1 if there is none
	LastLost  int            // and of the last one
	Doubled   int            // records that are in the key more than once
	Displaced int            // records that stand behind one with a greater number
	Foreign   int            // pieces of the key that are no record of this client
	Replies   map[string]int // how often each error came, by its first word
}

// compare makes the account of the key's value. The number of a record is its index in fates.
func compare(fates []fate, value []byte) Account {
	a := Account{FirstLost: -1, LastLost: -1}
	found := make([]uint8, len(fates))
	greatest := -1
	for len(value) > 0 {
		piece := value[:min(recordBytes, len(value))]
		value = value[len(piece):]
		number, ok := parseRecord(piece)
		if !ok || number >= len(fates) {
			a.Foreign++
			continue
		}
		if found[number]++; found[number] == 2 {
			a.Doubled++
		}
		if number < greatest {
			a.Displaced++
		}
		greatest = max(greatest, number)
	}
	for number, f := range fates {
		there := found[number] > 0
		switch {
		case f == inDoubt:
			a.InDoubt++
			if there {
				a.Kept++
			}
		case there:
			a.Acked++
		default:
			a.Acked++
			if a.Lost++; a.FirstLost < 0 {
				a.FirstLost = number
			}
			a.LastLost = number
		}
	}
	return a
}

// parseRecord reads one record.
func parseRecord(piece []byte) (number int, ok bool) {
	if len(piece) != recordBytes || piece[digits] != ';' {
		return 0, false
	}
	for _, c := range piece[:digits] {
		if c < '0' || c > '9' {
			return 0, false
		}
		number = 10*number + int(c-'0')
	}
	return number, true
}

// Sound reports whether everything acknowledged is in the key, once and in order, and nothing else that is not in doubt.
func (a Account) Sound() bool {
	return a.Lost == 0 && a.Doubled == 0 && a.Displaced == 0 && a.Foreign == 0
}

// Add adds the counts of another key.
func (a *Account) Add(b Account) {
	a.Acked += b.Acked
	a.InDoubt += b.InDoubt
	a.Kept += b.Kept
	a.Lost += b.Lost
	a.Doubled += b.Doubled
	a.Displaced += b.Displaced
	a.Foreign += b.Foreign
	for word, n := range b.Replies {
		if a.Replies == nil {
			a.Replies = map[string]int{}
		}
		a.Replies[word] += n
	}
}

// String says in one line what is worth saying.
func (a Account) String() string {
	parts := []string{strconv.Itoa(a.Acked) + " acknowledged"}
	for _, count := range []struct {
		n    int
		name string
	}{{a.InDoubt, "in doubt"}, {a.Kept, "of them written"}, {a.Lost, "LOST"}, {a.Doubled, "DOUBLED"}, {a.Displaced, "OUT OF ORDER"}, {a.Foreign, "FOREIGN"}} {
		if count.n > 0 {
			parts = append(parts, fmt.Sprint(count.n, " ", count.name))
		}
	}
	var words []string
	for word, n := range a.Replies {
		words = append(words, fmt.Sprint(word, " x", n))
	}
	slices.Sort(words)
	return strings.Join(append(parts, words...), ", ")
}
