package config

import (
	"strings"

	"github.com/skeindb/skein/internal/base/glob"
)

// Setting is a directive's name and its value as CONFIG GET shows it.
type Setting struct{ Name, Value string }

// Get answers CONFIG GET. A pattern without wildcards is a name or an alias, in
// any case, and is echoed as it was asked for; one with wildcards matches names
// and aliases except of hidden directives. Nothing is listed twice, and what is
// not known is left out.
func (c *Config) Get(patterns []string) []Setting {
	v := c.Values()
	var found []Setting
	listed := make(map[string]bool)
	list := func(name string, d *Directive) {
		if key := glob.LowerString(name); !listed[key] {
			listed[key] = true
			found = append(found, Setting{name, v.show(d)})
		}
	}
	for _, pattern := range patterns {
		if !strings.ContainsAny(pattern, "[*?") {
			if e, ok := lookup(pattern); ok {
				list(pattern, e.Directive)
			}
			continue
		}
		for _, d := range all.rows {
			if d.Has(Hidden) {
				continue
			}
			for _, name := range []string{d.name, d.alias} {
				if name != "" && glob.Match([]byte(pattern), []byte(name), true) {
					list(name, d)
				}
			}
		}
	}
	return found
}
