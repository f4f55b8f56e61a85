package config

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// SavePoint asks for a snapshot when Changes keys were changed and Seconds have
// passed since the last one.
type SavePoint struct {
	Seconds int64
	Changes int64
}

func (p SavePoint) String() string { return fmt.Sprintf("%d %d", p.Seconds, p.Changes) }

func savePoints(name string, initial ...SavePoint) Of[[]SavePoint] {
	return declare(name, initial, kind[[]SavePoint]{
		parse: parseSave,
		show: func(points []SavePoint) string {
			words := make([]string, len(points))
			for i, p := range points {
				words[i] = p.String()
			}
			return strings.Join(words, " ")
		},
		lines: func(_ *Values, name string, points []SavePoint) []fileLine {
			// Without any line the default would come back at the next start.
			if len(points) == 0 {
				return []fileLine{{name + ` ""`, true}}
			}
			var lines []fileLine
			for _, p := range points {
				lines = append(lines, fileLine{name + " " + p.String(), true})
			}
			return lines
		},
	}, MultiArg)
}

// parseSave reads pairs of seconds and changes. Lines of a file add up, after
// the first has done away with the default; CONFIG SET replaces. The single
// empty word forgets what there was.
func parseSave(s *scope, old []SavePoint, words []string) ([]SavePoint, error) {
	forget := !s.file || s.first
	if len(words) == 1 && words[0] == "" {
		forget, words = true, nil
	}
	points, err := parseSavePairs(words)
	if err != nil {
		return nil, err
	}
	if forget {
		return points, nil
	}
	return append(old[:len(old):len(old)], points...), nil
}

func parseSavePairs(words []string) ([]SavePoint, error) {
	invalid := errors.New("Invalid save parameters")
	if len(words)%2 != 0 {
		return nil, invalid
	}
	var points []SavePoint
	for i := 0; i < len(words); i += 2 {
		seconds, ok1 := wholeInt(words[i], 10)
		changes, ok2 := wholeInt(words[i+1], 10)
		if !ok1 || !ok2 || seconds < 1 || changes < 0 || changes > math.MaxInt32 {
			return nil, invalid
		}
		points = append(points, SavePoint{seconds, changes})
	}
	return points, nil
}
