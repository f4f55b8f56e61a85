package cli

import "strings"

// verbatim are the commands whose replies are made for people: the words they
// begin with, and how many words they have (0: any number).
var verbatim = [...]struct {
	words string
	count int
}{
	{"info", 0}, {"lolwut", 0},
	{"debug htstats", 0}, {"debug htstats-key", 0}, {"debug client-eviction", 0},
	{"memory malloc-stats", 0}, {"memory doctor", 0},
	{"cluster nodes", 2}, {"cluster info", 2},
	{"client list", 0}, {"client info", 0},
	{"latency graph", 3}, {"latency doctor", 2},
	{"proxy info", 0},
}

func isVerbatim(args [][]byte) bool {
	first := strings.ToLower(string(args[0]))
	two := first
	if len(args) > 1 {
		two += " " + strings.ToLower(string(args[1]))
	}
	for _, v := range verbatim {
		if (v.words == first || v.words == two) && (v.count == 0 || v.count == len(args)) {
			return true
		}
	}
	return false
}
