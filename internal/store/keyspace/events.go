package keyspace

// Class is a set of keyspace event classes, as notify-keyspace-events selects them.
type Class uint16

// The classes of redis 7.2 with their letters.
const (
	EventKeyspace Class = 1 << iota // K
	EventKeyevent                   // E
	EventGeneric                    // g
	EventString                     // $
	EventList                       // l
	EventSet                        // s
	EventHash                       // h
	EventZSet                       // z
	EventExpired                    // x
	EventEvicted                    // e
	EventStream                     // t
	EventKeyMiss                    // m
	EventModule                     // d
	EventNew                        // n

	// EventsAll is the letter A: everything but key misses and new keys.
	EventsAll = EventGeneric | EventString | EventList | EventSet | EventHash | EventZSet |
		EventExpired | EventEvicted | EventStream | EventModule
)

const classLetters = "KEg$lshzxetmdn"

// ParseClasses reads the letters of notify-keyspace-events.
func ParseClasses(letters string) (c Class, ok bool) {
	for i := range len(letters) {
		if letters[i] == 'A' {
			c |= EventsAll
			continue
		}
		n := 0
		for n < len(classLetters) && classLetters[n] != letters[i] {
			n++
		}
		if n == len(classLetters) {
			return 0, false
		}
		c |= 1 << n
	}
	return c, true
}

// String is the canonical form of the letters, as CONFIG GET shows it.
func (c Class) String() string {
	out := make([]byte, 0, len(classLetters))
	if c&EventsAll == EventsAll {
		out = append(out, 'A')
		c &^= EventsAll
	}
	for _, n := range []int{2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 0, 1, 11} { // redis's order: g$lshzxetdn, then K E m
		if c&(1<<n) != 0 {
			out = append(out, classLetters[n])
		}
	}
	return string(out)
}

// Listener is what the keyspace tells of each commit while it still holds the
// commit's stripes; it must not block. Package node supplies it.
type Listener interface {
	// KeyEvent is called for each event whose class is wanted (Tuning.Events).
	// Beside its class, class has K and E as the tuning has them.
	KeyEvent(db int, class Class, event string, key []byte)
}

// Notify records that event happened to key. It is delivered at once: the
// stripe is held, so events of one key keep their order.
func (tx *ReadTx) Notify(class Class, event string, key []byte) {
	if tx.events&class != 0 && tx.ks.opt.Listener != nil {
		tx.ks.opt.Listener.KeyEvent(tx.db, class|tx.events&(EventKeyspace|EventKeyevent), event, key)
	}
}
