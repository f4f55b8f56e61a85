//go:build linux

package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/skeindb/skein/bench/records"
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/base/slot"
)

// event is something that happens to big values.
type event struct {
	name    string
	cluster bool
	ours    bool // redis cannot serve others meanwhile
	// prepare does what must be there before; the quiet is measured behind it.
	prepare func(s *stage) error
	// happen does it, and returns when it is done.
	happen func(s *stage) error
}

const (
	bigKey   = "big:{1}"
	otherKey = "other:{1}"
)

// events are all of them, in the order of the report.
func events() (all []event) {
	for _, kind := range kinds {
		for _, command := range []string{"DEL", "UNLINK"} {
			all = append(all, event{
				name:    map[string]string{"DEL": "del/", "UNLINK": "unlink/"}[command] + kind,
				prepare: func(s *stage) error { return fill(s.addr(0), kind, bigKey, s.o.elements) },
				happen:  func(s *stage) error { return s.do(0, ":1", command, bigKey) },
			})
		}
	}
	all = append(all,
		event{name: "flushall", prepare: manyKeys, happen: func(s *stage) error { return s.do(0, "OK", "FLUSHALL", "ASYNC") }},
		event{name: "expire", prepare: manyDeadlines, happen: awaitDeadlines},
		event{name: "script", cluster: true, ours: true, prepare: spin, happen: loopForever})
	for _, kind := range kinds {
		all = append(all,
			event{name: "restore/" + kind, cluster: true,
				prepare: func(s *stage) error { return dumpBig(s, kind) },
				happen:  func(s *stage) error { return s.exchange(0, "OK", s.restore) }},
			event{name: "migrate/" + kind, cluster: true,
				prepare: func(s *stage) error { return openSlot(s, kind) },
				happen: func(s *stage) error {
					return s.do(0, "OK", "MIGRATE", "127.0.0.1", strconv.Itoa(s.nodes[1].Port), bigKey, "0", "60000")
				}})
	}
	return all
}

func manyKey(i int) string { return fmt.Sprintf("many:%010d", i) }

func manyKeys(s *stage) error {
	if err := setKeys(s.addr(0), s.o.keys, manyKey); err != nil {
		return err
	}
	return fill(s.addr(0), "hash", bigKey, s.o.keys)
}

// manyDeadlines gives all keys the same deadline, late enough for the quiet to be measured before it.
func manyDeadlines(s *stage) error {
	begun := time.Now()
	if err := setKeys(s.addr(0), s.o.keys, manyKey); err != nil {
		return err
	}
	s.instant = time.Now().Add(3*time.Since(begun)/2 + s.o.rest + s.o.quiet + time.Second)
	if err := expireKeys(s.addr(0), s.o.keys, manyKey, s.instant.UnixMilli()); err != nil {
		return err
	}
	if left := time.Until(s.instant); left < s.o.rest+s.o.quiet {
		return fmt.Errorf("only %v left before the deadline", left)
	}
	return nil
}

// awaitDeadlines waits until all keys are gone.
func awaitDeadlines(s *stage) error {
	if left := time.Until(s.instant); left > 0 {
		time.Sleep(left)
	}
	s.begun = time.Now()
	for end := s.begun.Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		n, err := records.Ask(s.addr(0), doLimit, "DBSIZE")
		if err != nil {
			return err
		}
		if left, _ := strconv.Atoi(n); left <= getKeys {
			return nil
		}
	}
	return fmt.Errorf("the keys are there still")
}

// dumpBig makes a big value, and keeps the command only that restores it: to encode it takes this program so long that its
// other clients would notice.
func dumpBig(s *stage, kind string) error {
	if err := fill(s.addr(0), kind, bigKey, s.o.moved); err != nil {
		return err
	}
	dump, err := records.Ask(s.addr(0), doLimit, "DUMP", bigKey)
	if err != nil {
		return err
	}
	s.restore = resp.AppendCommand(nil, "RESTORE", otherKey, "0", dump)
	return s.do(0, ":1", "UNLINK", bigKey)
}

// openSlot makes a big value, and its slot one that is on its way.
func openSlot(s *stage, kind string) error {
	if err := fill(s.addr(0), kind, bigKey, s.o.moved); err != nil {
		return err
	}
	var ids [2]string
	for i := range ids {
		id, err := records.Ask(s.addr(i), doLimit, "CLUSTER", "MYID")
		if err != nil {
			return err
		}
		ids[i] = id
	}
	n := strconv.Itoa(int(slot.Of([]byte(bigKey))))
	if err := s.do(1, "OK", "CLUSTER", "SETSLOT", n, "IMPORTING", ids[0]); err != nil {
		return err
	}
	return s.do(0, "OK", "CLUSTER", "SETSLOT", n, "MIGRATING", ids[1])
}
