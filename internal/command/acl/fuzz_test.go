package acl

import (
	"strings"
	"testing"
)

// What is read from an aclfile is described by lines that are read as the same.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"user default on nopass ~* &* +@all\n\nuser bob on >x (+get ~a %R~b) (-@all &c +select|0)",
		"user a +config|get|x\nuser a\nus\nuser b (+get\n user c %RW~* \r\n",
		"user x (\"+get\" ')",
		"user  +@all -@hash ~a&b",
	} {
		f.Add(seed)
	}
	a := newAccounts(f)
	f.Fuzz(func(t *testing.T, text string) {
		users, err := a.editing().readFile("file", text)
		if err != nil {
			if users != nil || !strings.HasSuffix(err.Error(), errNothingChanged) {
				t.Fatal(err)
			}
			return
		}
		for name, r := range users {
			line := "user " + name + " " + r.String()
			again, err := a.editing().readFile("file", line)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			second := "user " + name + " " + again[name].String()
			// What stands for all keys is written as the rule that allows all of them.
			if strings.ReplaceAll(line, " ", "") != strings.ReplaceAll(second, " ", "") && !strings.Contains(line, "~*") {
				t.Fatalf("%q became %q", line, second)
			}
		}
	})
}

// Rules of any bytes are applied or refused, and leave rights that can be told.
func FuzzRule(f *testing.F) {
	for _, seed := range []string{"on", "+get", "+@hash", "-config|get", "+select|0", "~a*", "%R~a", "&c", ">p", "<p", "#12", "!12", "(+get ~a)", "()", "%", "+|", "reset"} {
		f.Add(seed, seed)
	}
	a := newAccounts(f)
	f.Fuzz(func(t *testing.T, first, second string) {
		e, r := a.editing(), ofNew(false)
		for _, rule := range []string{first, second} {
			before := r.String()
			if err := e.apply(r, rule); err != nil && r.String() != before {
				t.Fatalf("%q is refused, but changed %s to %s", rule, before, r)
			}
		}
		if u := newUser("u", r); len(u.rights.Load().selectors) == 0 {
			t.Fatal("no root")
		}
		CheckLine([]string{"u", first, second})
	})
}
