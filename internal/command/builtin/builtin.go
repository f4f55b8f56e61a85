// Package builtin is the data commands, one file or a few for each family.
//
// A file holds Spec literals and, below them, their handlers: what a command is
// called, what it takes, what it is said to do and what it does stand together.
// Handlers read all their arguments first and touch data then, except where
// redis looks at the key first and a client could tell.
//
// # Replies and changes
//
// A handler writes exactly one reply. If a change fails halfway (the memory is
// full), what was replied so far is taken back and the error replied instead.
//
// What a replica gets is the command as it was called, unless running it later
// could end differently: then the handler calls WriteTx.Propagate.
//
//	called                          logged
//	SET k v EX 10                   SET k v PXAT 1700000010000
//	SET k v NX GET                  SET k v NX
//	SET k v IFEQ w                  SET k v
//	DELIFEQ k v                     DEL k
//	SETEX k 10 v, PSETEX k 10000 v  SET k v PXAT 1700000010000
//	GETSET k v                      SET k v
//	GETDEL k                        DEL k
//	GETEX k EX 10                   PEXPIREAT k 1700000010000
//	GETEX k PERSIST                 PERSIST k
//	GETEX k PXAT 1                  DEL k, or UNLINK k
//	INCRBYFLOAT k 0.1               SET k 10.6 KEEPTTL
//	EXPIRE k 10 NX                  PEXPIREAT k 1700000010000 NX
//	EXPIRE k -1                     DEL k, or UNLINK k
//	HINCRBYFLOAT h f 0.1            HSET h f 10.6; HSETEX h KEEPTTL FIELDS 1 f 10.6 if f has a deadline
//	HEXPIRE h 10 NX FIELDS 2 f g    HPEXPIREAT h 1700000010000 FIELDS 1 f, of those that got it
//	HEXPIRE h 0 FIELDS 2 f g        HDEL h f, of those that were there
//	HGETEX h EX 10 FIELDS 1 f       HPEXPIREAT, HPERSIST or HDEL likewise
//	HGETDEL h FIELDS 2 f g          HDEL h f
//	HSETEX h FNX EX 10 FIELDS …     HSETEX h PXAT 1700000010000 FIELDS …
//	SPOP k                          SREM k member
//	SPOP k 9                        SREM k member…, or if none is left DEL k, or UNLINK k
//	RESTORE k 10000 dump            RESTORE k 1700000010000 dump ABSTTL
//	LMPOP 2 k1 k2 LEFT COUNT 10     LPOP k2 3
//	BLPOP k 0                       LPOP k
//	BLMPOP 0 1 k RIGHT COUNT 10     RPOP k 3
//	BLMOVE k1 k2 LEFT RIGHT 0       LMOVE k1 k2 LEFT RIGHT
//	BRPOPLPUSH k1 k2 0              RPOPLPUSH k1 k2
//	XADD k MAXLEN ~ 9 * f v         XADD k MAXLEN = 17 1700000010000-0 f v
//	XTRIM k MINID ~ 5               XTRIM k MINID = 3-1
//	XREADGROUP GROUP g c … k >      XCLAIM k g c 0 1-1 TIME 1700000010000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1
//	XREADGROUP … NOACK … k >        XGROUP SETID k g 1-1 ENTRIESREAD 1
//	XCLAIM, XAUTOCLAIM              XCLAIM as above; XGROUP SETID for a LASTID without claims
//	ZMPOP 2 k1 k2 MIN COUNT 10      ZPOPMIN k2 3, and so does BZMPOP
//	BZPOPMAX k1 k2 0                ZPOPMAX k2
//	GEOADD k NX 13.3 38.1 place     zadd k NX 3479099956230698 place
//
// # Tests
//
// testdata holds scripts of command lines with their replies. They are played
// against the handlers and, byte for byte the same, against redis-server.
package builtin

import (
	"slices"

	"github.com/skeindb/skein/internal/command"
)

// Specs declares all data commands.
func Specs() []*command.Spec {
	return slices.Concat(
		stringReads(), stringWrites(), stringEdits(), stringCounters(), stringLCS(),
		bitSpecs(), bitRangeSpecs(), bitOpSpecs(), bitFieldSpecs(),
		hashReads(), hashWrites(), hashCounters(), hashRandomSpecs(), hashScanSpecs(),
		hashExpireSpecs(), hashTTLSpecs(), hashGetExSpecs(),
		setReads(), setEdits(), setRandoms(), setAlgebra(),
		hllSpecs(), hllDebugSpecs(),
		genericSpecs(), expireSpecs(), ttlSpecs(), scanSpecs(), flushSpecs(), nameSpecs(), objectSpecs(), dumpSpecs(),
		listSpecs(), sortSpecs(),
		zsetSpecs(), zsetAddSpecs(), zsetRemoveSpecs(), zsetRangeSpecs(), zsetPopSpecs(), zsetWaitSpecs(), zsetScanSpecs(), zsetCombineSpecs(),
		geoSpecs(), geoSearchSpecs(),
		streamSpecs(),
	)
}
