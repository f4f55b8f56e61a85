package arch

// floors is the plan. A line is
//
//	number name: folder/package ...     packages of a floor; a package may import all floors below its own
//	a b < c d                           neighbours on one floor: c and d may import a and b; tests may import all neighbours
//	beside: package ...                 may import anything; only tests may import them
//
// Packages stand here from the day they are planned, so that a new room finds its place.
const floors = `
0 ground: base/crc64 base/glob base/lzf base/nodeid base/polite base/resp base/slot base/stats base/tick base/vfs

1 shapes: data/arena data/table data/value data/tree data/dict data/listpack data/intset data/hll data/geo
1 shapes: data/quicklist data/hash data/set data/zset data/stream
data/arena < data/table data/tree data/dict
data/tree < data/dict
data/value data/tree data/listpack < data/quicklist data/hash data/set data/zset data/stream
data/dict < data/hash data/set data/zset
data/intset < data/set
data/zset < data/hash

1 wire: cluster/bus cluster/topology cluster/nodesconf
cluster/bus < cluster/topology cluster/nodesconf
cluster/topology < cluster/nodesconf

2 brain: cluster/core cluster/flight cluster/plan
cluster/core < cluster/flight

3 store: store/keyspace store/oplog store/rdb store/aof

4 frame: command command/acl command/pubsub command/tracking
command < command/acl command/pubsub command/tracking

5 meaning: command/builtin command/script command/script/lualib
command/script/lualib < command/script

6 engine: node/session node/exec node/clients node/observe
node/session < node/exec node/clients node/observe

7 services: node/admin node/clusterd node/config node/migrate node/persist node/repl node/secure

8 edge: node/netloop

9 whole: node

10 products: / cli ops sim skeintest /cmd/skein /bench /bench/records /bench/rig /bench/failover /bench/bigvalues
ops < / cli skeintest /cmd/skein
sim < skeintest /cmd/skein
/ < skeintest /cmd/skein
cli < /cmd/skein
/bench/rig < /bench /bench/failover /bench/bigvalues
/bench/records < /bench/rig /bench/failover /bench/bigvalues

beside: arch testkit testkit/commandfacts testkit/commandgen /interop
`

// pure lists the packages of the standard library with which nothing can be done but computing: no files, no
// sockets, no clock, no goroutines. (fmt is for errors; math/rand/v2 for the generator that is passed in.)
const pure = `bytes cmp encoding/binary encoding/hex errors fmt io iter maps math math/bits math/rand/v2 net/netip
	slices sort strconv strings unicode/utf8`

// narrow holds what is stricter than the floors. In a line "a: b c", package a imports of this module b and c only.
const narrow = `
cluster/core: base/nodeid base/slot cluster/bus cluster/topology
store/rdb: base/crc64 base/lzf base/polite base/resp data/value data/listpack data/quicklist data/set data/zset data/hash data/stream store/oplog
store/aof: base/resp base/vfs data/value store/oplog
cli: base/resp command
sim: base/nodeid base/slot cluster/bus cluster/topology cluster/core cluster/flight
cluster/flight: base/slot cluster/bus cluster/core
`

// configKnown lists who may import node/config: every other package takes Options of its own.
const configKnown = `node ops / skeintest /cmd/skein`

// libraries lists the foreign modules and who may use them. The data plane, the cluster and the structures are our own.
const libraries = `
command/script: github.com/yuin/gopher-lua
command/script/lualib: github.com/yuin/gopher-lua
cli: github.com/fatih/color github.com/spf13/pflag golang.org/x/term
/cmd/skein: github.com/schollz/progressbar/v3 gonum.org/v1/plot golang.org/x/term
`

// testLibraries may be used in tests of the packages beside the floors: clients of others, to test against.
const testLibraries = `github.com/redis/go-redis/v9 github.com/redis/rueidis
	github.com/hibiken/asynq github.com/go-redsync/redsync/v4 github.com/go-redis/redis_rate/v10`

// What to do about a violation.
const (
	mendUnplaced = `Give it a line in floors (policy_test.go) and in ARCHITECTURE.md: the lowest floor where all that it imports lies below.`
	mendAbsent   = `A package that is placed and imported, but is not there: was it renamed? Change policy_test.go too.`
	mendUpward   = `Declare, in the lower package, the smallest interface or func type that it needs, and let internal/node supply it.`
	mendNeighbor = `Neighbours meet in a floor above. Move what both need one floor down, or declare an interface and let internal/node supply it.`
	mendBeside   = `Only tests use what stands beside the floors. Move the helper into the package, or the use into a _test.go file.`
	mendNarrow   = `This package is held to fewer imports than its floor allows, see narrow in policy_test.go. Hand it values, not packages.`
	mendPure     = `The core computes and nothing else. What happens outside comes in as an Event, what must happen goes out in Effects.`
	mendConfig   = `Add a field to the package's Options and let internal/node fill it from the directive.`
	mendLibrary  = `Do without it, or list it in policy_test.go and say in ARCHITECTURE.md why it is needed. It must be pure Go.`
	mendSockets  = `Sockets belong to the services and the edge (floors 7 and 8). Take an io.Reader, an io.Writer or a dial function.`
)
