package observe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/skeindb/skein/internal/command"
)

// doctor is LATENCY DOCTOR: what happened, and what may help.
func (o *Observer) doctor(c *command.Call) {
	t := o.tuning.Load()
	names := o.events.names()
	var b strings.Builder
	switch {
	case len(names) == 0 && t.ThresholdMs == 0:
		b.WriteString("Latency monitoring is off, so there is nothing to report. " +
			"Turn it on with \"CONFIG SET latency-monitor-threshold <milliseconds>\".\n")
	case len(names) == 0:
		fmt.Fprintf(&b, "No latency spike of %d milliseconds or more has been observed.\n", t.ThresholdMs)
	default:
		o.diagnose(&b, names, t)
	}
	c.Out.Verbatim("txt", b.String())
}

func (o *Observer) diagnose(b *strings.Builder, names []string, t *Tuning) {
	b.WriteString("Latency spikes have been observed:\n\n")
	var advice []string
	for i, name := range names {
		s, ok := o.events.find(name)
		if !ok {
			continue
		}
		a := s.analyze(o.now().Unix())
		fmt.Fprintf(b, "%d. %s: %d latency spikes (average %dms, mean deviation %dms, period %.2f sec). Worst all time event %dms.\n",
			i+1, name, len(s.samples), a.mean, a.deviation, float64(a.seconds)/float64(len(s.samples)), s.worst)
		for _, text := range adviceFor(name, t) {
			if !slices.Contains(advice, text) {
				advice = append(advice, text)
			}
		}
	}
	if len(advice) == 0 {
		b.WriteString("\nNo advice is known for these events.\n")
		return
	}
	b.WriteString("\nWhat may help:\n\n")
	for _, text := range advice {
		b.WriteString("- " + text + "\n")
	}
}

// analysis sums up a history.
type analysis struct {
	mean, deviation int64 // ms; the mean absolute deviation
	seconds         int64 // since the first sample
}

func (s *series) analyze(now int64) (a analysis) {
	n := int64(len(s.samples))
	for _, x := range s.samples {
		a.mean += x.ms
	}
	a.mean /= n
	for _, x := range s.samples {
		a.deviation += max(x.ms-a.mean, a.mean-x.ms)
	}
	a.deviation /= n
	a.seconds = max(now-s.samples[0].second, 1)
	return a
}

const (
	adviceSlowlog   = "See SLOWLOG GET for the commands that took long."
	adviceLarge     = "Deleting, expiring or evicting a large value takes time in proportion to it. Use UNLINK, or several smaller values."
	adviceScheduler = "Fast commands were slow, so the process did not get the processor: lower the load of the machine, and look for noisy neighbours if it is virtual. 'redis-cli --intrinsic-latency 100' measures it."
	adviceDisk      = "Writing to disk was slow: use local solid state disks, and keep other programs from the same disk."
	adviceFsync     = "With appendfsync always each write waits for the disk; everysec does not."
	adviceRewrite   = "no-appendfsync-on-rewrite keeps fsync away while the append-only file is rewritten."
	adviceEviction  = "Many keys had to be evicted at once: lower maxmemory in steps, and beware of commands that store large results."
)

// adviceFor is what may help against an event.
func adviceFor(event string, t *Tuning) []string {
	switch event {
	case "command":
		return append(adviceSlowThreshold(t), adviceSlowlog, adviceLarge)
	case "fast-command":
		return []string{adviceScheduler}
	case "aof-write-pending-fsync", "aof-write-alone", "aof-fstat", "rdb-unlink-temp-file", "aof-rewrite-diff-write", "aof-rename", "aof-write":
		return []string{adviceDisk}
	case "aof-write-active-child":
		return []string{adviceRewrite, adviceDisk}
	case "aof-fsync-always":
		return []string{adviceFsync, adviceDisk}
	case "expire-cycle", "expire-del", "eviction-del":
		return []string{adviceLarge}
	case "eviction-cycle":
		return []string{adviceEviction}
	}
	return nil
}

// adviceSlowThreshold is about a slowlog that misses what the monitor sees.
func adviceSlowThreshold(t *Tuning) []string {
	command := fmt.Sprintf("'CONFIG SET slowlog-log-slower-than %d'", t.ThresholdMs*1000)
	switch {
	case t.SlowMicros < 0:
		return []string{"The slowlog is off. Turn it on with " + command + "."}
	case t.SlowMicros/1000 > t.ThresholdMs:
		return []string{"The slowlog ignores commands that the latency monitor counts. Lower its limit with " + command + "."}
	}
	return nil
}
