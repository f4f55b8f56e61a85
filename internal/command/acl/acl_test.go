package acl

import (
	"testing"

	"github.com/skeindb/skein/internal/command"
)

func authenticate(a *Accounts, name, password string) bool {
	return a.Authenticate([]byte(name), []byte(password)) != nil
}

func TestDefaultUserNeedsNoPassword(t *testing.T) {
	a := New()
	if !a.Open() {
		t.Error("closed")
	}
	for _, password := range []string{"", "anything"} {
		if u := a.Authenticate([]byte("default"), []byte(password)); u != a.Default() {
			t.Errorf("%q: %v", password, u)
		}
	}
	for _, name := range []string{"", "Default", "alice"} {
		if authenticate(a, name, "") {
			t.Errorf("user %q got in", name)
		}
	}
}

func TestRequirePass(t *testing.T) {
	a := New()
	a.SetPassword("foobar")
	if a.Open() {
		t.Error("open")
	}
	for password, want := range map[string]bool{"foobar": true, "": false, "Foobar": false, "foobar ": false} {
		if authenticate(a, "default", password) != want {
			t.Errorf("%q: %v", password, !want)
		}
	}
	a.SetPassword("other")
	if authenticate(a, "default", "foobar") || !authenticate(a, "default", "other") {
		t.Error("the password was not replaced")
	}
	a.SetPassword("")
	if !a.Open() || !authenticate(a, "default", "foobar") {
		t.Error("the password was not taken away")
	}
}

func TestDisabledUser(t *testing.T) {
	a := New()
	a.Default().login.Store(&login{open: true})
	if a.Open() || authenticate(a, "default", "") {
		t.Error("a disabled user got in")
	}
	a.SetPassword("x")
	if authenticate(a, "default", "x") {
		t.Error("a password enabled the user")
	}
}

func TestAnyOfSeveralPasswords(t *testing.T) {
	l := login{enabled: true, passwords: []hash{hashOf([]byte("a")), hashOf([]byte("b"))}}
	if !l.accepts([]byte("a")) || !l.accepts([]byte("b")) || l.accepts([]byte("c")) {
		t.Error("wrong")
	}
	if none := (&login{enabled: true}); none.accepts(nil) {
		t.Error("a user without passwords got in")
	}
}

func TestRestrict(t *testing.T) {
	u := New().Default()
	spec := &command.Spec{Name: "flushall", Flags: command.Write}
	if u.Restricted() || u.Check(spec, nil) != nil {
		t.Error("restricted from the beginning")
	}
	const no = command.Error("NOPERM no")
	u.Restrict(func(s *command.Spec, _ [][]byte) error {
		if s.Is(command.Write) {
			return no
		}
		return nil
	})
	if !u.Restricted() || u.Check(spec, nil) != no || u.Check(&command.Spec{}, nil) != nil {
		t.Error("not restricted")
	}
	u.Restrict(nil)
	if u.Restricted() {
		t.Error("still restricted")
	}
}

func TestCheckAllocatesNothing(t *testing.T) {
	u, spec := New().Default(), &command.Spec{}
	if n := testing.AllocsPerRun(100, func() {
		if u.Restricted() || u.Check(spec, nil) != nil {
			t.Fatal("restricted")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
