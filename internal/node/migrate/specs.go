package migrate

import (
	"github.com/skeindb/skein/internal/command"
)

// Specs declares MIGRATE.
func (m *Migrator) Specs() []*command.Spec {
	const does = command.KeyRW | command.KeyAccess | command.KeyDelete
	return []*command.Spec{{
		Name: "migrate", Group: "generic", Since: "2.6.0",
		Summary:    "Moves keys to another instance, each in one step.",
		Complexity: "This command actually executes a DUMP+DEL in the source instance, and a RESTORE in the target instance. See the pages of these commands for time complexity. Also an O(N) data transfer between the two instances is performed.",
		Arity:      -6, Flags: command.Write,
		Categories: []string{"keyspace", "dangerous"},
		Keys: []command.KeySpec{
			{Flags: does, Index: 3},
			{Flags: does | command.KeyIncomplete, Keyword: "KEYS", StartFrom: -2, Last: -1},
		},
		GetKeys: migrateKeys,
		Hide:    hideSecrets,
		Tips:    []string{"nondeterministic_output"},
		Usage:   `host port:integer <key | "":empty-string>:key-selector destination-db:integer timeout:integer [COPY@3.0.0] [REPLACE@3.0.0] [AUTH auth=password@4.0.7 | AUTH2 <username password>@6.0.0]:authentication [KEYS keys=key:key@3.0.6...]`,
		History: [][2]string{
			{"3.0.0", "`COPY` and `REPLACE` came."},
			{"3.0.6", "`KEYS` came."},
			{"4.0.7", "`AUTH` came."},
			{"6.0.0", "`AUTH2` came."},
		},
		Write: m.migrate,
	}}
}

// migrateKeys finds the keys: the third argument, or those behind KEYS. Both is
// a mistake, for the handler to tell, and gives none.
func migrateKeys(dst []command.KeyPos, argv [][]byte) ([]command.KeyPos, error) {
	const does = command.KeyRW | command.KeyAccess | command.KeyDelete
	if len(argv) < 6 {
		return dst, command.ErrKeyArguments
	}
	at := options(argv, nil)
	switch {
	case at == len(argv):
		return append(dst, command.KeyPos{Index: 3, Flags: does}), nil
	case len(argv[3]) > 0:
		return dst, nil
	}
	for i := at + 1; i < len(argv); i++ {
		dst = append(dst, command.KeyPos{Index: i, Flags: does})
	}
	return dst, nil
}

// hideSecrets tells where user names and passwords stand.
func hideSecrets(argv [][]byte, hide func(i int)) { options(argv, hide) }

// options walks over the options up to KEYS, and returns where that stands, or
// the end. secret, if not nil, is told of each argument of AUTH and AUTH2.
func options(argv [][]byte, secret func(i int)) (at int) {
	c := command.Call{Args: argv}
	a := c.Parse(6)
	for a.More() {
		if a.Is("KEYS") {
			return a.Index() - 1
		}
		n := 1 + a.OneOf("AUTH", "AUTH2")
		if n == 0 {
			a.Next()
		}
		for ; n > 0 && a.More(); n-- {
			if secret != nil {
				secret(a.Index())
			}
			a.Next()
		}
	}
	return len(argv)
}
