// Package commandfacts knows what redis 7.2.4 says of its own commands, and
// compares a table of ours with it.
//
// The facts (arity, flags, categories, key specifications, argument trees,
// versions) were derived from redis's command files by a program that left out
// all prose. testdata/redis-7.2.4-commands.jsonl holds one command per line:
//
//	{"name":"config|get","group":"server","since":"2.0.0","arity":-3,"flags":["ADMIN",…],"categories":[…],"args":[…]}
package commandfacts

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"strings"
)

//go:embed testdata/redis-7.2.4-commands.jsonl
var file string

// Fact is what redis says of one command.
type Fact struct {
	Name       string   `json:"name"` // full: "config|get"
	Group      string   `json:"group"`
	Since      string   `json:"since"`
	Complexity string   `json:"complexity"`
	Arity      int      `json:"arity"`
	Flags      []string `json:"flags"`      // declared ones, upper case: "NO_AUTH"
	Categories []string `json:"categories"` // all, implied ones too
	Keys       []Key    `json:"keys"`
	Tips       []string `json:"tips"`
	History    []string `json:"history"` // versions only
	DocFlags   []string `json:"docFlags"`
	Deprecated string   `json:"deprecated"`
	Args       []Arg    `json:"args"`
}

// Key is one key specification.
type Key struct {
	Flags     []string `json:"flags"`
	Notes     bool     `json:"notes"` // redis explains it
	Unknown   bool     `json:"unknown"`
	Index     int      `json:"index"`
	Keyword   string   `json:"keyword"`
	StartFrom int      `json:"startFrom"`
	Range     *[3]int  `json:"range"`  // last key, step, limit
	KeyNum    *[3]int  `json:"keynum"` // index of the number, first key, step
}

// Arg is one argument of the tree.
type Arg struct {
	Name          string `json:"name"`
	Type          string `json:"type"`
	Token         string `json:"token"`
	Display       string `json:"display"` // "" if it is the name
	KeySpec       *int   `json:"keySpec"`
	Since         string `json:"since"`
	Deprecated    string `json:"deprecated"`
	Optional      bool   `json:"optional"`
	Multiple      bool   `json:"multiple"`
	MultipleToken bool   `json:"multipleToken"`
	Args          []Arg  `json:"args"`
}

// Load returns the facts by full name.
func Load() (map[string]*Fact, error) {
	facts := map[string]*Fact{}
	lines := bufio.NewScanner(strings.NewReader(file))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var f Fact
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			return nil, err
		}
		facts[f.Name] = &f
	}
	return facts, lines.Err()
}
