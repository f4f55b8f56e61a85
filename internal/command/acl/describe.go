package acl

import "strings"

// flags are the user's flags, in redis's words and order.
func (r *rights) flags() []string {
	words := []string{"off"}
	if r.on {
		words[0] = "on"
	}
	if r.noPass {
		words = append(words, "nopass")
	}
	if r.skipSanitize {
		return append(words, "skip-sanitize-payload")
	}
	return append(words, "sanitize-payload")
}

// String are rules that make a new user have these rights, as ACL LIST and files have them.
func (r *rights) String() string {
	words := r.flags()
	for _, h := range r.passwords {
		words = append(words, "#"+h.String())
	}
	for i, s := range r.selectors {
		if i == 0 {
			words = append(words, s.String())
		} else {
			words = append(words, "("+s.String()+")")
		}
	}
	return strings.Join(words, " ")
}

func (s *selector) String() string {
	var words []string
	if keys := s.keyRules(); keys != "" {
		words = append(words, keys)
	}
	if !s.allChannels {
		words = append(words, "resetchannels")
	}
	if channels := s.channelRules(); channels != "" {
		words = append(words, channels)
	}
	return strings.Join(append(words, s.commandRules()), " ")
}

func (s *selector) commandRules() string {
	base := "-@all"
	if s.commands.has(futureBit) {
		base = "+@all"
	}
	return strings.Join(append([]string{base}, s.rules...), " ")
}

func (s *selector) keyRules() string {
	if s.allKeys {
		return "~*"
	}
	words := make([]string, len(s.keys))
	for i, p := range s.keys {
		words[i] = p.String()
	}
	return strings.Join(words, " ")
}

func (s *selector) channelRules() string {
	if s.allChannels {
		return "&*"
	}
	words := make([]string, len(s.channels))
	for i, pattern := range s.channels {
		words[i] = "&" + pattern
	}
	return strings.Join(words, " ")
}

// Lines are all users by name, each as the words of a line behind `user`.
func (a *Accounts) Lines() []string {
	var lines []string
	for _, u := range a.sorted() {
		lines = append(lines, u.line())
	}
	return lines
}

func (u *User) line() string { return u.Name + " " + u.rights.Load().String() }
