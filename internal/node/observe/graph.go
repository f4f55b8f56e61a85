package observe

import (
	"fmt"
	"strings"

	"github.com/skeindb/skein/internal/command"
)

// A graph has a column per sample, four rows of three heights each, and under
// each column, written downwards, how long ago it was.
const (
	graphColumns = 80
	graphRows    = 4
	graphHeights = "_o#" // of the topmost row of a column; below it is '|'
)

// graph is LATENCY GRAPH event.
func (o *Observer) graph(c *command.Call) {
	name := c.Arg(2)
	s, ok := o.events.find(name)
	if !ok {
		c.Out.Error("ERR No samples available for event '" + name + "'")
		return
	}
	low, high := s.bounds()
	var b strings.Builder
	fmt.Fprintf(&b, "%s - high %d ms, low %d ms (all time high %d ms)\n", name, high, low, s.worst)
	b.WriteString(strings.Repeat("-", graphColumns) + "\n")
	now := o.now().Unix()
	for from := 0; from < len(s.samples); from += graphColumns {
		if from > 0 {
			b.WriteByte('\n')
		}
		drawColumns(&b, s.samples[from:min(from+graphColumns, len(s.samples))], low, high, now)
	}
	c.Out.Verbatim("txt", b.String())
}

// bounds are the least and the greatest sample.
func (s *series) bounds() (low, high int64) {
	for i, x := range s.samples {
		if i == 0 || x.ms < low {
			low = x.ms
		}
		high = max(high, x.ms)
	}
	return low, high
}

func drawColumns(b *strings.Builder, samples []sample, low, high, now int64) {
	line := make([]byte, len(samples))
	for row := graphRows - 1; row >= 0; row-- {
		for i, x := range samples {
			line[i] = heightIn(row, x.ms-low, max(high-low, 1))
		}
		b.Write(append(line, '\n'))
	}
	labels, longest := make([]string, len(samples)), 0
	for i, x := range samples {
		labels[i] = ago(now - x.second)
		longest = max(longest, len(labels[i]))
	}
	for at := -1; at < longest; at++ { // the first line is empty
		for i, label := range labels {
			line[i] = ' '
			if at >= 0 && at < len(label) {
				line[i] = label[at]
			}
		}
		b.Write(append(line, '\n'))
	}
}

// heightIn is what row, counted from below, shows of a value within 0..most.
func heightIn(row int, value, most int64) byte {
	const steps = graphRows * int64(len(graphHeights))
	step := int(min(value*steps/most, steps-1)) - row*len(graphHeights)
	switch {
	case step < 0:
		return ' '
	case step >= len(graphHeights):
		return '|'
	}
	return graphHeights[step]
}

// ago writes a number of seconds in its largest unit.
func ago(seconds int64) string {
	switch {
	case seconds < 60:
		return fmt.Sprintf("%ds", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%dm", seconds/60)
	case seconds < 24*3600:
		return fmt.Sprintf("%dh", seconds/3600)
	}
	return fmt.Sprintf("%dd", seconds/(24*3600))
}
