package sim

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/cluster/core"
)

var (
	seeds         = flag.Int("sim.seeds", 39, "seeds to play, over all workloads")
	scenarioSeeds = flag.Int("sim.scenario-seeds", 5, "seeds to play of each scenario")
	firstSeed     = flag.Uint64("sim.first", 0, "the first seed")
	only          = flag.String("sim.only", "", "play workloads with this in their name")
	replay        = flag.String("sim.replay", "", "a script to replay")
	long          = flag.Bool("sim.long", false, "play the scenarios that take minutes")
	digests       = flag.String("sim.digests", "", "write the digest of every course to this file: equal on every machine, with -race and without")
	bigMasters    = flag.Int("sim.big", 1000, "masters of TestBig")
	bigSeeds      = flag.Int("sim.big-seeds", 5, "seeds of TestBig")
	verbose       = flag.Bool("sim.verbose", false, "print the statistics of every course, and what happens in those that are replayed")
)

var workloadFiles = os.DirFS("testdata/workloads")

// workloads are the files in testdata/workloads, parsed.
func workloads(t testing.TB) (names []string, scripts []*Script) {
	files, err := filepath.Glob("testdata/workloads/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no workloads", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if !strings.Contains(name, *only) {
			continue
		}
		names, scripts = append(names, name), append(scripts, readScript(t, file))
	}
	return names, scripts
}

// TestWorkloads plays every workload under many seeds. A course that breaks a rule is made short, printed, and written
// to a file that TestReplay takes.
func TestWorkloads(t *testing.T) {
	names, scripts := workloads(t)
	var simulated, played atomic.Int64
	var mu sync.Mutex
	var lines []string
	start := time.Now()
	t.Run("all", func(t *testing.T) {
		for i, s := range scripts {
			n := (*seeds + i) / len(scripts)
			t.Run(names[i], func(t *testing.T) {
				t.Parallel()
				for k := range uint64(n) {
					seed := *firstSeed + k
					w := play(t, s.Plan(seed), names[i])
					simulated.Add(int64(w.Now()))
					played.Add(1)
					mu.Lock()
					lines = append(lines, fmt.Sprintf("%s %d %016x\n", names[i], seed, w.Digest()))
					mu.Unlock()
					if *verbose {
						fmt.Printf("%s %d: %d servers, %s, %+v\n", names[i], seed, len(w.servers), w.Now(), w.Stats)
					}
				}
			})
		}
	})
	if *digests != "" {
		slices.Sort(lines)
		if err := os.WriteFile(*digests, []byte(strings.Join(lines, "")), 0o644); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d seeds, %.1f hours of cluster time in %.0f s", played.Load(), float64(simulated.Load())/float64(3600*Second), time.Since(start).Seconds())
}

// play plays one plan and reports what it breaks.
func play(t *testing.T, p *Plan, name string) *World {
	t.Helper()
	w, err := p.Run(nil)
	if err != nil {
		t.Fatal(err)
	}
	if w.Violation() == nil {
		return w
	}
	t.Errorf("%s, seed %d: %v", name, p.Seed, w.Violation())
	short, end := Shrink(p, nil, 300)
	if end == nil {
		t.Fatal("the same plan broke no rule when it was played again")
	}
	file := filepath.Join(os.TempDir(), fmt.Sprintf("skein-sim-%s-%d.txt", name, p.Seed))
	text := fmt.Sprintf("# %s, seed %d: %s\n%s", name, p.Seed, end.Rule, short)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Error(err)
	}
	t.Errorf("the shortest course found ends %v\n\n%s\ngo test ./internal/sim -run TestReplay -sim.replay=%s", end, text, file)
	return w
}

func readScript(t testing.TB, file string) *Script {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(string(text), workloadFiles)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return s
}

// TestReplay plays a script again, or all that are kept: courses that broke a rule once and must not any more.
func TestReplay(t *testing.T) {
	files, _ := filepath.Glob("testdata/replay/*.txt")
	if *replay != "" {
		files = []string{*replay}
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			w, err := readScript(t, file).Plan(*firstSeed).Run(tell)
			if err != nil {
				t.Fatal(err)
			}
			if v := w.Violation(); v != nil {
				t.Error(v)
			}
		})
	}
}

// tell prints what people would read in the logs.
func tell(w *World) {
	if !*verbose {
		return
	}
	w.OnRecord = func(at Time, server string, r *core.Record) {
		if r.Level >= core.Verbose {
			fmt.Println(at, server, hexID.ReplaceAllStringFunc(r.Text(), func(id string) string {
				parsed, _ := nodeid.Parse(id)
				return w.nameOf(parsed)
			}), r.Detail)
		}
	}
}

var hexID = regexp.MustCompile(`[0-9a-f]{40}`)

// TestScenarios plays what went wrong with other servers.
func TestScenarios(t *testing.T) {
	files, _ := filepath.Glob("testdata/scenarios/*.txt")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if !strings.Contains(name, *only) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := readScript(t, file)
			for seed := range uint64(*scenarioSeeds) {
				play(t, s.Plan(*firstSeed+seed), name)
				if t.Failed() {
					return
				}
			}
		})
	}
}

// TestSameSeedSameCourse plays each workload twice.
func TestSameSeedSameCourse(t *testing.T) {
	names, scripts := workloads(t)
	for i, s := range scripts {
		t.Run(names[i], func(t *testing.T) {
			t.Parallel()
			first, _ := s.Plan(3).Run(nil)
			second, _ := s.Plan(3).Run(nil)
			if first.Digest() != second.Digest() || first.Stats != second.Stats {
				t.Errorf("%x and %x:\n%+v\n%+v", first.Digest(), second.Digest(), first.Stats, second.Stats)
			}
			if other, _ := s.Plan(4).Run(nil); other.Digest() == first.Digest() {
				t.Error("another seed gives the same course")
			}
		})
	}
}
