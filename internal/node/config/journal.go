package config

import "sync"

// Level is the weight of a line for the log, in the words of `loglevel`.
type Level string

const (
	Notice  Level = "notice"
	Warning Level = "warning"
)

// journal keeps what there is to say until the node has a log.
type journal struct {
	mu   sync.Mutex
	kept []message
	sink func(level Level, text string)
}

type message struct {
	level Level
	text  string
}

// LogTo hands everything that Load and later calls have to say to sink, one line
// a call, beginning with what was said so far.
func (c *Config) LogTo(sink func(level Level, text string)) {
	c.journal.mu.Lock()
	defer c.journal.mu.Unlock()
	for _, m := range c.journal.kept {
		sink(m.level, m.text)
	}
	c.journal.kept, c.journal.sink = nil, sink
}

func (j *journal) log(level Level, text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.sink != nil {
		j.sink(level, text)
		return
	}
	j.kept = append(j.kept, message{level, text})
}
