package config

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/skeindb/skein/internal/base/glob"
)

// ClientClass is a group of clients with its own output buffer limit.
type ClientClass int

// The classes in the order that CONFIG GET shows.
const (
	NormalClients ClientClass = iota
	ReplicaClients
	PubsubClients
	clientClasses
)

// BufferLimit says when a client that does not read its output is disconnected:
// at once over HardBytes, or after SoftSeconds over SoftBytes. Zero bytes is no limit.
type BufferLimit struct {
	HardBytes   uint64
	SoftBytes   uint64
	SoftSeconds int64
}

// BufferLimits holds a limit for each class.
type BufferLimits [clientClasses]BufferLimit

func bufferLimits(name string, initial BufferLimits) Of[BufferLimits] {
	return declare(name, initial, kind[BufferLimits]{
		parse: parseBufferLimits,
		show:  showBufferLimits,
		lines: func(_ *Values, name string, limits BufferLimits) []fileLine {
			// The file says replica where CONFIG GET, for the sake of old clients,
			// still says slave.
			var lines []fileLine
			for class, word := range []string{"normal", "replica", "pubsub"} {
				l := limits[class]
				lines = append(lines, fileLine{
					fmt.Sprintf("%s %s %s %s %d", name, word, formatBytes(l.HardBytes), formatBytes(l.SoftBytes), l.SoftSeconds),
					l != initial[class],
				})
			}
			return lines
		},
	}, MultiArg)
}

func showBufferLimits(limits BufferLimits) string {
	var words []string
	for class, name := range []string{"normal", "slave", "pubsub"} {
		l := limits[class]
		words = append(words, fmt.Sprintf("%s %d %d %d", name, l.HardBytes, l.SoftBytes, l.SoftSeconds))
	}
	return strings.Join(words, " ")
}

// parseBufferLimits reads groups of class, hard limit, soft limit and seconds.
// Classes that are not named keep their limits.
func parseBufferLimits(_ *scope, limits BufferLimits, words []string) (BufferLimits, error) {
	if len(words)%4 != 0 {
		return limits, errors.New("Wrong number of arguments in buffer limit configuration.")
	}
	for ; len(words) > 0; words = words[4:] {
		class, ok := clientClass(words[0])
		if !ok {
			return limits, errors.New("Invalid client class specified in buffer limit configuration.")
		}
		hard, ok1 := parseBytes(words[1])
		soft, ok2 := parseBytes(words[2])
		seconds, ok3 := wholeInt(words[3], 10)
		if !ok1 || !ok2 || !ok3 || seconds < 0 || seconds > math.MaxInt32 {
			return limits, errors.New("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
		}
		limits[class] = BufferLimit{hard, soft, seconds}
	}
	return limits, nil
}

func clientClass(word string) (ClientClass, bool) {
	switch glob.LowerString(word) {
	case "normal":
		return NormalClients, true
	case "slave", "replica":
		return ReplicaClients, true
	case "pubsub":
		return PubsubClients, true
	}
	return 0, false
}
