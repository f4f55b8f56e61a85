package config

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
)

var errWordCount = errors.New("wrong number of arguments")

// HostPort is an address; the zero value is none.
type HostPort struct {
	Host string
	Port int
}

func (a HostPort) String() string {
	if a.Host == "" {
		return ""
	}
	return a.Host + " " + strconv.Itoa(a.Port)
}

// replicaOf declares the address of the master that this node follows. In
// cluster mode the master is known from nodes.conf and never written here.
func replicaOf(name string, options ...option) Of[HostPort] {
	return declare(name, HostPort{}, kind[HostPort]{
		parse: func(_ *scope, _ HostPort, words []string) (HostPort, error) {
			if len(words) != 2 {
				return HostPort{}, errWordCount
			}
			if sameWord(words[0], "no") && sameWord(words[1], "one") {
				return HostPort{}, nil
			}
			port, ok := wholeInt(words[1], 10)
			if !ok || port < 0 || port > math.MaxUint16 {
				return HostPort{}, errors.New("Invalid master port")
			}
			return HostPort{words[0], int(port)}, nil
		},
		show: HostPort.String,
		lines: func(v *Values, name string, master HostPort) []fileLine {
			if master.Host == "" || ClusterEnabled.Get(v) {
				return nil
			}
			return []fileLine{{name + " " + quoteIfOdd(master.Host) + " " + strconv.Itoa(master.Port), true}}
		},
	}, options...)
}

// maxBindAddresses is how many addresses `bind` takes.
const maxBindAddresses = 16

// bindAddresses declares the list of addresses to listen on. An address behind a
// minus sign may be missing from the machine; * is every IPv4 address and ::* every
// IPv6 address. An empty list listens on no TCP address.
func bindAddresses(name string, initial ...string) Of[[]string] {
	return declare(name, initial, kind[[]string]{
		parse: func(_ *scope, _, words []string) ([]string, error) {
			if len(words) > maxBindAddresses {
				return nil, errors.New("Too many bind addresses specified.")
			}
			if len(words) == 1 && words[0] == "" {
				return nil, nil
			}
			return slices.Clone(words), nil
		},
		show: func(addresses []string) string { return strings.Join(addresses, " ") },
		lines: func(_ *Values, name string, addresses []string) []fileLine {
			switch {
			case slices.Equal(addresses, initial):
				return nil
			case len(addresses) == 0:
				return []fileLine{{name + ` ""`, true}}
			}
			line := name
			for _, a := range addresses {
				line += " " + quoteIfOdd(a)
			}
			return []fileLine{{line, true}}
		},
	}, MultiArg)
}

// oomScores declares the three oom_score_adj values: of a master, of a replica
// and of a background child.
func oomScores(name string, initial [3]int) Of[[3]int] {
	return declare(name, initial, kind[[3]int]{
		parse: func(s *scope, _ [3]int, words []string) (scores [3]int, err error) {
			if len(words) != len(scores) {
				return scores, errWordCount
			}
			for i, w := range words {
				n, ok := wholeInt(w, 10)
				if !ok || n < -2000 || n > 2000 {
					return scores, errors.New("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
				}
				scores[i] = int(n)
			}
			if !slices.IsSorted(scores[:]) {
				s.log(Warning, "The oom-score-adj-values configuration may not work for non-privileged processes! Please consult the documentation.")
			}
			return scores, nil
		},
		show: func(scores [3]int) string {
			return strconv.Itoa(scores[0]) + " " + strconv.Itoa(scores[1]) + " " + strconv.Itoa(scores[2])
		},
	}, MultiArg)
}

// keyspaceEvents declares the classes of keyspace notifications, as letters in
// redis's order: A, or those of g$lshzxetdn that are on, then K, E and m.
func keyspaceEvents(name string) Of[string] {
	return declare(name, "", kind[string]{
		parse: func(_ *scope, _ string, words []string) (string, error) {
			letters, ok := canonicalEvents(words[0])
			if !ok {
				return "", errors.New("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
			}
			return letters, nil
		},
		show:  func(letters string) string { return letters },
		write: quote,
	})
}

const (
	allEvents   = "g$lshzxetd" // what A stands for
	eventOrder  = allEvents + "n" + placeEvents
	placeEvents = "KEm" // where to publish, and key misses: never part of A
)

func canonicalEvents(letters string) (string, bool) {
	expanded := strings.ReplaceAll(letters, "A", allEvents)
	if strings.Trim(expanded, eventOrder) != "" {
		return "", false
	}
	var b strings.Builder
	for _, c := range eventOrder {
		if strings.ContainsRune(expanded, c) {
			b.WriteRune(c)
		}
	}
	on := b.String()
	// A swallows n too: redis writes the letters one by one only without A.
	if rest, ok := strings.CutPrefix(on, allEvents); ok {
		on = "A" + strings.TrimPrefix(rest, "n")
	}
	return on, true
}

// percentiles declares the latency percentiles that INFO shows.
func percentiles(name string, initial ...float64) Of[[]float64] {
	show := func(list []float64) string {
		words := make([]string, len(list))
		for i, p := range list {
			words[i] = strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(p, 'f', 6, 64), "0"), ".")
		}
		return strings.Join(words, " ")
	}
	return declare(name, initial, kind[[]float64]{
		parse: func(_ *scope, _ []float64, words []string) ([]float64, error) {
			if len(words) == 1 && words[0] == "" {
				return nil, nil
			}
			var list []float64
			for _, w := range words {
				p, err := strconv.ParseFloat(w, 64)
				if err != nil || math.IsNaN(p) {
					return nil, errors.New("Invalid latency-tracking-info-percentiles parameters")
				}
				if p < 0 || p > 100 {
					return nil, errors.New("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
				}
				list = append(list, p)
			}
			return list, nil
		},
		show: show,
		lines: func(_ *Values, name string, list []float64) []fileLine {
			if len(list) == 0 {
				return []fileLine{{name + ` ""`, true}}
			}
			return []fileLine{{name + " " + show(list), true}}
		},
	}, MultiArg)
}
