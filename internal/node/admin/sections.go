package admin

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// ownSections are the parts of INFO that this package writes.
func (a *Admin) ownSections() []Section {
	return []Section{
		{"Server", true, a.appendServer},
		{"Memory", true, a.appendMemory},
		{"CPU", true, appendCPU},
		{"Modules", true, func(b []byte) []byte { return b }},
		{"Cluster", true, a.appendCluster},
		{"Keyspace", true, a.appendKeyspace},
	}
}

// serverFacts are facts about program and machine.
type serverFacts struct {
	os         string // "Linux 6.1.0 x86_64"
	executable string
	revision   string // of the source, 8 hex digits
	dirty      bool   // the source was changed after that revision
	totalRAM   int64  // bytes
}

const module = "github.com/skeindb/skein"

func newServerFacts() serverFacts {
	s := serverFacts{os: systemName(), totalRAM: systemMemory(), revision: "00000000"}
	s.executable, _ = os.Executable()
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Path == module { // not a program that embeds Skein
		for _, e := range build.Settings {
			switch {
			case e.Key == "vcs.revision" && len(e.Value) >= 8:
				s.revision = e.Value[:8]
			case e.Key == "vcs.modified":
				s.dirty = e.Value == "true"
			}
		}
	}
	return s
}

func (a *Admin) appendServer(b []byte) []byte {
	now, facts := time.Now(), &a.opt.Facts
	f := fields(b)
	f.text("redis_version", RedisVersion)
	f.text("server_name", "skein")
	f.text("skein_version", facts.Version)
	f.text("redis_git_sha1", a.server.revision)
	f.flag("redis_git_dirty", a.server.dirty)
	f.text("redis_build_id", a.server.revision+"00000000")
	f.text("redis_mode", a.mode())
	f.text("os", a.server.os)
	f.num("arch_bits", strconv.IntSize)
	f.text("monotonic_clock", "POSIX clock_gettime")
	f.text("multiplexing_api", multiplexing)
	f.text("atomicvar_api", "go-builtin")
	f.text("gcc_version", "0.0.0")
	f.text("go_version", runtime.Version())
	f.num("process_id", int64(os.Getpid()))
	f.text("process_supervised", orNo(facts.Supervised))
	f.text("run_id", facts.RunID)
	f.text("tcp_port", a.port())
	f.num("server_time_usec", now.UnixMicro())
	up := int64(now.Sub(a.started) / time.Second)
	f.num("uptime_in_seconds", up)
	f.num("uptime_in_days", up/86400)
	hz := a.setting("hz")
	f.text("hz", hz)
	f.text("configured_hz", hz)
	f.num("lru_clock", clock(now.UnixMilli()))
	f.text("executable", a.server.executable)
	f.text("config_file", facts.ConfigFile)
	f.num("io_threads_active", 0)
	if a.opt.ShutdownIn != nil {
		if ms, waiting := a.opt.ShutdownIn(); waiting {
			f.num("shutdown_in_milliseconds", ms)
		}
	}
	a.appendListeners(&f)
	return f
}

func (a *Admin) mode() string {
	if a.opt.Facts.Cluster {
		return "cluster"
	}
	return "standalone"
}

func orNo(word string) string {
	if word == "" {
		return "no"
	}
	return word
}

// port is the port for clients, the TLS one if there is no other.
func (a *Admin) port() string {
	for _, name := range []string{"port", "tls-port"} {
		if port := a.setting(name); port != "" && port != "0" {
			return port
		}
	}
	return "0"
}

// clock is the 24-bit clock in seconds by which keys remember their last use.
func clock(nowMs int64) int64 { return nowMs / 1000 & (1<<24 - 1) }

func (a *Admin) appendListeners(f *fields) {
	if a.opt.Listeners == nil {
		return
	}
	for i, l := range a.opt.Listeners() {
		text := "name=" + l.Kind
		if len(l.Bind) > 0 {
			text += ",bind=" + strings.Join(l.Bind, ",bind=")
		}
		if l.Port != 0 {
			text += ",port=" + strconv.Itoa(l.Port)
		}
		f.text("listener"+strconv.Itoa(i), text)
	}
}

func (a *Admin) appendCluster(b []byte) []byte {
	f := fields(b)
	f.flag("cluster_enabled", a.opt.Facts.Cluster)
	return f
}

func (a *Admin) appendKeyspace(b []byte) []byte {
	ks, now := a.opt.Keyspace, time.Now().UnixMilli()
	for db := range ks.Databases() {
		keys := ks.Size(db)
		if keys == 0 {
			continue
		}
		expires, ttl := ks.Volatile(db, now)
		b = append(b, "db"...)
		b = strconv.AppendInt(b, int64(db), 10)
		b = append(b, ":keys="...)
		b = strconv.AppendInt(b, keys, 10)
		b = append(b, ",expires="...)
		b = strconv.AppendInt(b, expires, 10)
		b = append(b, ",avg_ttl="...)
		b = strconv.AppendInt(b, ttl, 10)
		b = append(b, "\r\n"...)
	}
	return b
}
