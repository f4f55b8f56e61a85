package acl

import (
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"slices"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// setUser is ACL SETUSER username [rule ...]: all rules take effect, or none.
func (a *Accounts) setUser(c *command.Call) {
	name := c.Arg(2)
	if hasSpaces(name) {
		c.Out.Error("ERR Usernames can't contain spaces or null characters")
		return
	}
	rules, open, ok := mergeSelectors(texts(c.Args[3:]))
	if !ok {
		c.Fail(command.Errorf("ERR Unmatched parenthesis in acl selector starting at '%s'.", c.Args[3+open]))
		return
	}
	u, old, err := a.change(name, rules)
	if err != nil {
		c.Fail(err)
		return
	}
	a.narrowed(c, u, old)
	c.Out.OK()
}

// change applies rules to a user, who is made if need be. It returns what the user was
// allowed before, nil if it is new.
func (a *Accounts) change(name string, rules []string) (u *User, old *rights, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.editing()
	made := ofNew(e.allChannels)
	if u = a.users[name]; u != nil {
		old = u.rights.Load()
		made = old.clone()
	}
	for _, rule := range rules {
		if err := e.apply(made, rule); err != nil {
			return nil, nil, command.Errorf("ERR Error in ACL SETUSER modifier '%s': %s", []byte(rule), []byte(err.Error()))
		}
	}
	a.put(name, made)
	return a.users[name], old, nil
}

// narrowed has those subscribers closed who have lost a channel.
func (a *Accounts) narrowed(c *command.Call, u *User, old *rights) {
	r := u.rights.Load()
	if old == nil || a.opt.Narrowed == nil || !losesChannels(old, r) {
		return
	}
	all := r.allowedChannels()
	a.opt.Narrowed(c, u, all.allowsChannel)
}

// allowedChannels is a selector with the channels of all selectors.
func (r *rights) allowedChannels() *selector {
	all := &selector{}
	for _, s := range r.selectors {
		all.allChannels = all.allChannels || s.allChannels
		all.channels = append(all.channels, s.channels...)
	}
	return all
}

// losesChannels tells whether r may refuse a channel that old allowed.
func losesChannels(old, r *rights) bool {
	had, has := old.allowedChannels(), r.allowedChannels()
	return !has.allChannels && (had.allChannels ||
		slices.ContainsFunc(had.channels, func(pattern string) bool { return !slices.Contains(has.channels, pattern) }))
}

// delUser is ACL DELUSER username [username ...].
func (a *Accounts) delUser(c *command.Call) {
	names := texts(c.Args[2:])
	if slices.Contains(names, DefaultName) {
		c.Out.Error("ERR The 'default' user cannot be removed")
		return
	}
	var gone []*User
	a.mu.Lock()
	for _, name := range names {
		if u := a.users[name]; u != nil {
			delete(a.users, name)
			u.set(&rights{})
			gone = append(gone, u)
		}
	}
	a.mu.Unlock()
	a.removed(c, gone)
	c.Out.Int(int64(len(gone)))
}

// getUser is ACL GETUSER username.
func (a *Accounts) getUser(c *command.Call) {
	u := a.User(c.Args[2])
	if u == nil {
		c.Out.Null()
		return
	}
	r, w := u.rights.Load(), c.Out
	w.Map(6)
	w.BulkString("flags")
	flags := r.flags()
	w.Set(len(flags))
	for _, f := range flags {
		w.BulkString(f)
	}
	w.BulkString("passwords")
	w.Array(len(r.passwords))
	for _, h := range r.passwords {
		w.BulkString(h.String())
	}
	r.selectors[0].write(w)
	w.BulkString("selectors")
	w.Array(len(r.selectors) - 1)
	for _, s := range r.selectors[1:] {
		w.Map(3)
		s.write(w)
	}
}

// write writes three fields of a map.
func (s *selector) write(w *resp.Writer) {
	for _, field := range [...][2]string{{"commands", s.commandRules()}, {"keys", s.keyRules()}, {"channels", s.channelRules()}} {
		w.BulkString(field[0])
		w.BulkString(field[1])
	}
}

func (a *Accounts) list(c *command.Call) {
	lines := a.Lines()
	c.Out.Array(len(lines))
	for _, line := range lines {
		c.Out.BulkString("user " + line)
	}
}

func (a *Accounts) names(c *command.Call) {
	users := a.sorted()
	c.Out.Array(len(users))
	for _, u := range users {
		c.Out.BulkString(u.Name)
	}
}

func whoAmI(c *command.Call) { c.Out.BulkString(c.Client.User()) }

const errNoFile = "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue " +
	"a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration."

func (a *Accounts) loadCommand(c *command.Call) {
	if a.opt.File == "" {
		c.Out.Error(errNoFile)
		return
	}
	if err := a.Load(c); err != nil {
		c.Fail(command.Errorf("ERR %s", []byte(err.Error())))
		return
	}
	c.Out.OK()
}

// saveCommand is ACL SAVE. It waits for the disk, beside the loop.
func (a *Accounts) saveCommand(c *command.Call) {
	if a.opt.File == "" {
		c.Out.Error(errNoFile)
		return
	}
	c.Aside(func(out *resp.Writer) {
		if err := a.save(); err != nil {
			a.say(slog.LevelWarn, "Writing the ACL file: "+err.Error())
			out.Error("ERR There was an error trying to save the ACLs. Please check the server logs for more information")
			return
		}
		out.OK()
	})
}

// categories is ACL CAT [category].
func (a *Accounts) categories(c *command.Call) {
	switch len(c.Args) {
	case 2:
		words := command.CategoryWords()
		c.Out.Array(len(words))
		for _, w := range words {
			c.Out.BulkString(w)
		}
	case 3:
		a.category(c)
	default:
		c.Fail(command.WrongArguments(c.Args))
	}
}

func (a *Accounts) category(c *command.Call) {
	category, ok := command.ParseCategory([]byte(cString(c.Arg(2))))
	if !ok {
		shown := c.Args[2][:min(len(c.Args[2]), 128)]
		c.Fail(command.Errorf("ERR Unknown category '%s'", shown))
		return
	}
	mark, n := c.Out.BeginArray(), 0
	for _, spec := range a.catalog.Load().all {
		if spec.AllCategories()&category != 0 && !spec.Is(command.Hidden) {
			c.Out.BulkString(spec.FullName())
			n++
		}
	}
	c.Out.EndArray(mark, n)
}

// genPass is ACL GENPASS [bits].
func genPass(c *command.Call) {
	const defaultBits, mostBits = 256, 4096
	if len(c.Args) > 3 {
		c.Fail(command.WrongArguments(c.Args))
		return
	}
	bits := int64(defaultBits)
	if len(c.Args) == 3 {
		args := c.Parse(2)
		bits = args.Int()
		if err := args.Err(); err != nil {
			c.Fail(err)
			return
		}
	}
	if bits <= 0 || bits > mostBits {
		c.Out.Error("ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096")
		return
	}
	var secret [mostBits / 8]byte
	rand.Read(secret[:])
	c.Out.BulkString(hex.EncodeToString(secret[:])[:(bits+3)/4])
}

// dryRun is ACL DRYRUN username command [arg ...].
func (a *Accounts) dryRun(c *command.Call) {
	u, args := a.User(c.Args[2]), c.Args[3:]
	if u == nil {
		c.Fail(command.Errorf("ERR User '%s' not found", c.Args[2]))
		return
	}
	spec, err := a.catalog.Load().table.Resolve(args)
	switch {
	case spec == nil:
		c.Fail(command.Errorf("ERR Command '%s' not found", args[0]))
		return
	case err != nil:
		c.Out.Error("ERR wrong number of arguments for '" + spec.FullName() + "' command")
		return
	}
	if d := u.Check(spec, args); d.Reason != Allowed {
		c.Out.BulkString(d.explain(u, spec, args))
		return
	}
	c.Out.OK()
}
