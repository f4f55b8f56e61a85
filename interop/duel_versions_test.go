package interop

import (
	"regexp"
	"strings"
)

// versionDifference is what redis 7.0, our opponent, and redis 7.2, which we are
// like, reply differently to the same command.
type versionDifference struct {
	commands     string // full names; "" for all
	redis, skein string // regular expressions of the replies as canonical writes them
	reason       string
}

var versionDifferences = []versionDifference{
	{"", `^-NOPERM this user has no permissions to run the '`, `^-NOPERM User limited has no permissions to run the '`, "7.2 names the user"},
	{"", `^-EXECABORT .*: NOPERM this user has no permissions to run the '`, `^-EXECABORT .*: NOPERM User limited has no permissions to run the '`, "7.2 names the user"},
	{"", `^-NOPERM this user has no permissions to access one of the keys`, `^-NOPERM No permissions to access a key$`, "7.2 has another text"},
	{"", `^-NOPERM this user has no permissions to access one of the keys`, `^-ERR `, "in what is malformed redis may take other words for keys; we find none, and tell what is wrong"},
	{"", `^-ERR The user executing the script can't run this command or subcommand`, `^-ERR ACL failure in script: User limited has no permissions to run the '`, "7.2 names user and command"},
	{"", `^-ERR The user executing the script can't access at least one of the keys`, `^-ERR ACL failure in script: No permissions to access a key`, "7.2 has another text"},
	{"object|encoding", `^"hashtable"$`, `^"listpack"$`, "7.2 has small sets in listpacks"},
	{"object|encoding", `^"quicklist"$`, `^"listpack"$`, "7.2 has small lists in a single listpack"},
	{"object|encoding", `^"listpack"$`, `^"skiplist"$`, "ZRANGESTORE BYSCORE and BYLEX make a skiplist from 7.2 on, whatever the size"},
	{"object|encoding", `^"skiplist"$`, `^"listpack"$`, "SORT makes every sorted set that it reads a skiplist in redis; here it only reads"},
	{"object|encoding", `^"(embstr|raw)"$`, `^"(embstr|raw)"$`, "what was changed in place and is short is raw or not, as the memory allocator of redis has it"},
	{"xread xreadgroup", `^-ERR Unbalanced XREAD list`, `^-ERR Unbalanced '(xread|xreadgroup)' list`, "7.2 names the command that was sent"},
	{"xsetid", `^(\+OK|-ERR The ID specified in XSETID is smaller than the target stream top item)$`, `^-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id`, "7.2 looks at deleted entries first, and also if the stream has no others"},
	{"zrank zrevrank", `^-ERR wrong number of arguments`, ``, "WITHSCORE came with 7.2"},
	{"lpos", ``, `^-ERR value is out of range, value must between -9223372036854775807`, "7.2 refuses a RANK whose negative is no number"},
	{"object|refcount", `^:`, `^:(1|2147483647)$`, "redis shares the integers up to 9999, but not those that COPY made, and counts who shares others; here the number decides"},
}

// expected tells whether two replies to a line may differ so.
func expected(l *line, redis, skein string) bool {
	for _, d := range versionDifferences {
		if d.commands != "" && !strings.Contains(" "+d.commands+" ", " "+l.spec.FullName()+" ") {
			continue
		}
		if regexp.MustCompile(d.redis).MatchString(redis) && regexp.MustCompile(d.skein).MatchString(skein) {
			return true
		}
	}
	return false
}
