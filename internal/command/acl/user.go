package acl

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"sync/atomic"
)

// User is an account. A session keeps a pointer to its own, also when the user is
// removed: then it may do nothing any more.
type User struct {
	Name string

	rights atomic.Pointer[rights]
	limits atomic.Pointer[rights] // the same; nil while a selector allows everything
}

func newUser(name string, r *rights) *User {
	u := &User{Name: name}
	u.set(r)
	return u
}

// set makes r what the user may do; r does not change any more.
func (u *User) set(r *rights) {
	u.rights.Store(r)
	if slices.ContainsFunc(r.selectors, (*selector).everything) {
		r = nil
	}
	u.limits.Store(r)
}

// Restricted tells whether Check has to be asked at all: mostly not.
func (u *User) Restricted() bool { return u.limits.Load() != nil }

// rights are what a user may do, and how it gets in.
type rights struct {
	on, noPass   bool
	skipSanitize bool
	passwords    []hash
	selectors    []*selector // the first is the root
}

// ofNew are the rights of a user that was just made: none.
func ofNew(allChannels bool) *rights {
	return &rights{selectors: []*selector{{allChannels: allChannels}}}
}

// ofDefault are the rights of the default user while nobody has changed them.
func ofDefault() *rights {
	root := &selector{allKeys: true, allChannels: true}
	root.allowAll()
	return &rights{on: true, noPass: true, selectors: []*selector{root}}
}

func (r *rights) clone() *rights {
	c := *r
	c.passwords = slices.Clone(r.passwords)
	c.selectors = make([]*selector, len(r.selectors))
	for i, s := range r.selectors {
		c.selectors[i] = s.clone()
	}
	return &c
}

// hash is the SHA-256 of a password. Passwords themselves are not kept.
type hash [sha256.Size]byte

func hashOf(password []byte) hash { return sha256.Sum256(password) }

func (h hash) String() string { return hex.EncodeToString(h[:]) }

// parseHash reads 64 hexadecimal digits; letters are lower case only.
func parseHash(text string) (h hash, ok bool) {
	if len(text) != hex.EncodedLen(len(h)) {
		return h, false
	}
	_, err := hex.Decode(h[:], []byte(text))
	return h, err == nil && h.String() == text
}

// accepts tells whether the password is right. How long that takes does not
// depend on how much of it is.
func (r *rights) accepts(password []byte) bool {
	if !r.on || r.noPass {
		return r.on
	}
	given, right := hashOf(password), 0
	for i := range r.passwords {
		right |= subtle.ConstantTimeCompare(given[:], r.passwords[i][:])
	}
	return right == 1
}
