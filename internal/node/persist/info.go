package persist

import (
	"strconv"
	"time"

	"github.com/skeindb/skein/internal/store/keyspace"
)

// AppendInfo appends the section Persistence of INFO.
func (p *Persist) AppendInfo(b []byte) []byte {
	changes := p.opt.Keyspace.Stats().Changes
	p.mu.Lock()
	st, saving, began, current := p.status, p.saving, p.began, p.current
	p.mu.Unlock()
	var cut keyspace.CutStats
	if current != nil {
		cut = current.cut.Stats()
	}
	running := int64(-1)
	if saving {
		running = int64(time.Since(began) / time.Second)
	}
	refusing, beside := p.opt.Loading()
	f := fields(b)
	f.flag("loading", refusing)
	f.flag("async_loading", beside && !refusing)
	f.num("current_cow_peak", cut.Copied)
	f.num("current_cow_size", cut.Copied)
	f.num("current_cow_size_age", 0)
	f.percent("current_fork_perc", cut.Done, cut.Keys)
	f.num("current_save_keys_processed", cut.Done)
	f.num("current_save_keys_total", cut.Keys)
	f.num("rdb_changes_since_last_save", changes-st.base)
	f.flag("rdb_bgsave_in_progress", saving || current != nil || p.opt.Streaming())
	f.num("rdb_last_save_time", st.lastSave)
	f.word("rdb_last_bgsave_status", st.ok)
	f.num("rdb_last_bgsave_time_sec", st.lastTook)
	f.num("rdb_current_bgsave_time_sec", running)
	f.num("rdb_saves", st.saves)
	f.num("rdb_last_cow_size", st.copied)
	f.num("rdb_last_load_keys_expired", st.expired)
	f.num("rdb_last_load_keys_loaded", st.loaded)
	f.appendOnly()
	f.num("module_fork_in_progress", 0)
	f.num("module_fork_last_cow_size", 0)
	if l := p.load.Load(); l != nil && (refusing || beside) {
		f.load(l)
	}
	return f
}

// appendOnly tells that there is no append-only file.
func (f *fields) appendOnly() {
	f.num("aof_enabled", 0)
	f.num("aof_rewrite_in_progress", 0)
	f.num("aof_rewrite_scheduled", 0)
	f.num("aof_last_rewrite_time_sec", -1)
	f.num("aof_current_rewrite_time_sec", -1)
	f.word("aof_last_bgrewrite_status", true)
	f.num("aof_rewrites", 0)
	f.num("aof_rewrites_consecutive_failures", 0)
	f.word("aof_last_write_status", true)
	f.num("aof_last_cow_size", 0)
}

// load tells how far a load is. Of a stream of unknown length the memory of the data
// set at its home is the best guess.
func (f *fields) load(l *loadState) {
	read, total, used := l.read.Load(), l.total, l.used.Load()
	of := total
	if of == 0 {
		of = max(used, read+1)
	}
	elapsed := int64(time.Since(l.began) / time.Second)
	eta := int64(1)
	if elapsed > 0 {
		eta = elapsed * max(of-read, 1) / (read + 1)
	}
	f.num("loading_start_time", l.began.Unix())
	f.num("loading_total_bytes", total)
	f.num("loading_rdb_used_mem", used)
	f.num("loading_loaded_bytes", read)
	f.percent("loading_loaded_perc", read, of)
	f.num("loading_eta_seconds", eta)
}

// fields are the lines of a section, "name:value\r\n".
type fields []byte

func (f *fields) text(name, value string) {
	*f = append(append(append(append(*f, name...), ':'), value...), "\r\n"...)
}

func (f *fields) num(name string, n int64) { f.text(name, strconv.FormatInt(n, 10)) }

func (f *fields) flag(name string, on bool) {
	if on {
		f.num(name, 1)
		return
	}
	f.num(name, 0)
}

func (f *fields) word(name string, ok bool) {
	if ok {
		f.text(name, "ok")
		return
	}
	f.text(name, "err")
}

func (f *fields) percent(name string, part, whole int64) {
	x := 0.0
	if whole > 0 {
		x = 100 * float64(part) / float64(whole)
	}
	f.text(name, strconv.FormatFloat(x, 'f', 2, 64))
}
