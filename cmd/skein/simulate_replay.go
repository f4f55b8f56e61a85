package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/cluster/flight"
)

// replayFlight gives a core what the node of a recording was given (cluster-flight-file), and prints what it notes: what the
// node's log says, and what its log level left out.
func replayFlight(path string, stdout io.Writer) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	events, err := flight.Replay(file, func(at core.Millis, _ core.Event, out *core.Effects) {
		for i := range out.History {
			fmt.Fprintln(stdout, time.UnixMilli(int64(at)).UTC().Format("2006-01-02 15:04:05.000"), out.History[i].Text())
		}
	})
	if err == nil {
		fmt.Fprintf(stdout, "%d events, and the core did with each what it did then.\n", events)
	}
	return err
}
