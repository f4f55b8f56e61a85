package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/skeindb/skein"

func TestArchitecture(t *testing.T) {
	all, plan := readTree(t), readPlan(t)
	for name, check := range map[string]func(*testing.T, tree, *planned){
		"imports run downward":       importsRunDownward,
		"narrow doors":               narrowDoors,
		"the core is pure":           coreIsPure,
		"libraries are listed":       librariesAreListed,
		"sockets belong to services": socketsBelongToServices,
	} {
		t.Run(name, func(t *testing.T) { check(t, all, plan) })
	}
}

// tree is the module's Go files by package path.
type tree map[string][]*file

func importsRunDownward(t *testing.T, all tree, plan *planned) {
	for pkg, files := range all {
		from, placed := plan.floor[pkg]
		if !placed {
			t.Errorf("%s has no floor.\n\t%s", pkg, mendUnplaced)
			continue
		}
		for _, f := range files {
			for _, imp := range f.imports {
				to, ours := f.ours(imp)
				if !ours || to == pkg || plan.beside[pkg] {
					continue
				}
				if _, there := all[to]; !there {
					t.Errorf("%s imports %s, which is not there.\n\t%s", f.name, to, mendAbsent)
				}
				switch floor := plan.floor[to]; {
				case plan.beside[to] && !f.test:
					t.Errorf("%s imports %s, which is for tests.\n\t%s", f.name, to, mendBeside)
				case plan.beside[to] || floor < from || plan.mayImport(pkg, to):
				case floor == from && f.test: // a test may put the real neighbour where the code has an interface
				case floor > from:
					t.Errorf("%s (floor %d) imports %s (floor %d).\n\t%s", f.name, from, to, floor, mendUpward)
				default:
					t.Errorf("%s imports its neighbour %s on floor %d.\n\t%s", f.name, to, floor, mendNeighbor)
				}
			}
		}
	}
}

func narrowDoors(t *testing.T, all tree, _ *planned) {
	for pkg, allowed := range readLists(narrow) {
		for _, f := range code(all[pkg]) {
			for _, imp := range f.imports {
				if to, ours := f.ours(imp); ours && !slices.Contains(allowed, to) {
					t.Errorf("%s imports %s.\n\t%s", f.name, to, mendNarrow)
				}
			}
		}
	}
	known := names(configKnown)
	for pkg, files := range all {
		for _, f := range code(files) {
			if f.has(module+"/internal/node/config") && !slices.Contains(known, pkg) {
				t.Errorf("%s imports node/config.\n\t%s", f.name, mendConfig)
			}
		}
	}
}

// The core, and what it is made of, can only compute.
func coreIsPure(t *testing.T, all tree, _ *planned) {
	std := strings.Fields(pure)
	for _, pkg := range append(readLists(narrow)["internal/cluster/core"], "internal/cluster/core") {
		for _, f := range code(all[pkg]) {
			for _, imp := range f.imports {
				if _, ours := f.ours(imp); !ours && !slices.Contains(std, imp) {
					t.Errorf("%s imports %s.\n\t%s", f.name, imp, mendPure)
				}
			}
			for _, what := range f.impure() {
				t.Errorf("%s.\n\t%s", what, mendPure)
			}
		}
	}
}

func librariesAreListed(t *testing.T, all tree, plan *planned) {
	listed := readLists(libraries)
	for pkg, files := range all {
		for _, f := range files {
			for _, imp := range f.imports {
				if _, ours := f.ours(imp); ours || isStd(imp) {
					continue
				}
				of := func(lib string) bool { return imp == lib || strings.HasPrefix(imp, lib+"/") }
				inTests := f.test && plan.beside[pkg] && slices.ContainsFunc(strings.Fields(testLibraries), of)
				if !inTests && !slices.ContainsFunc(listed[pkg], of) {
					t.Errorf("%s imports %s.\n\t%s", f.name, imp, mendLibrary)
				}
			}
		}
	}
}

func socketsBelongToServices(t *testing.T, all tree, plan *planned) {
	for pkg, files := range all {
		if floor, placed := plan.floor[pkg]; !placed || floor >= 7 || plan.beside[pkg] {
			continue
		}
		for _, f := range code(files) {
			if f.has("net") || f.has("net/http") {
				t.Errorf("%s imports net.\n\t%s", f.name, mendSockets)
			}
		}
	}
}

// A plan that forbids nothing would pass unnoticed.
func TestPlanForbids(t *testing.T) {
	plan := readPlan(t)
	for _, c := range []struct {
		from, to string
		may      bool
	}{
		{"internal/cluster/topology", "internal/cluster/bus", true},
		{"internal/cluster/bus", "internal/cluster/topology", false},
		{"internal/node/exec", "internal/node/session", true},
		{"internal/node/clients", "internal/node/observe", false},
		{"cmd/skein", "internal/ops", true},
	} {
		if plan.mayImport(c.from, c.to) != c.may {
			t.Errorf("mayImport(%s, %s) is not %v", c.from, c.to, c.may)
		}
	}
	if plan.floor["internal/base/slot"] != 0 || plan.floor["internal/node"] != 9 || !plan.beside["interop"] {
		t.Errorf("floors read wrongly: %v", plan.floor)
	}
}

// planned is the text of floors, read.
type planned struct {
	floor  map[string]int
	beside map[string]bool
	below  map[string][]string // the neighbours that a package may import
}

func (p *planned) mayImport(from, to string) bool { return slices.Contains(p.below[from], to) }

func readPlan(t *testing.T) *planned {
	p := &planned{map[string]int{}, map[string]bool{}, map[string][]string{}}
	for line := range strings.Lines(floors) {
		if lower, upper, ok := strings.Cut(line, "<"); ok {
			for _, pkg := range names(upper) {
				p.below[pkg] = append(p.below[pkg], names(lower)...)
			}
			continue
		}
		head, list, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		for _, pkg := range names(list) {
			if _, twice := p.floor[pkg]; twice {
				t.Fatalf("%s stands on two floors", pkg)
			}
			if head == "beside" {
				p.beside[pkg], p.floor[pkg] = true, 99
				continue
			}
			n, err := strconv.Atoi(strings.Fields(head)[0])
			if err != nil {
				t.Fatalf("floor without a number: %q", line)
			}
			p.floor[pkg] = n
		}
	}
	return p
}

// readLists reads lines "package: name ...".
func readLists(text string) map[string][]string {
	m := map[string][]string{}
	for line := range strings.Lines(text) {
		if head, list, ok := strings.Cut(line, ":"); ok {
			values := strings.Fields(list)
			for i, v := range values {
				if !strings.Contains(v, ".") {
					values[i] = full(v)
				}
			}
			m[full(head)] = values
		}
	}
	return m
}

func names(list string) []string {
	fields := strings.Fields(list)
	for i := range fields {
		fields[i] = full(fields[i])
	}
	return fields
}

// full gives the path in the module: names of the plan are below internal/, or start with a slash.
func full(name string) string {
	if name == "/" {
		return "."
	}
	if rest, ok := strings.CutPrefix(name, "/"); ok {
		return rest
	}
	return path.Join("internal", name)
}

// file is a Go source file and what it imports.
type file struct {
	name    string // relative to the module's root
	imports []string
	test    bool
	set     *token.FileSet
	syntax  *ast.File
}

// ours gives the import's path in the module.
func (f *file) ours(imp string) (string, bool) {
	if imp == module {
		return ".", true
	}
	return strings.CutPrefix(imp, module+"/")
}

func (f *file) has(imp string) bool { return slices.Contains(f.imports, imp) }

// impure finds go statements and calls of math/rand's own generator, which imports alone do not show.
func (f *file) impure() (found []string) {
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		at := func(n ast.Node) string {
			return f.name + ":" + strconv.Itoa(f.set.Position(n.Pos()).Line)
		}
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, at(n)+" starts a goroutine")
		case *ast.CallExpr:
			fun, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || !f.has("math/rand/v2") {
				break
			}
			if x, ok := fun.X.(*ast.Ident); ok && x.Name == "rand" && x.Obj == nil && !strings.HasPrefix(fun.Sel.Name, "New") {
				found = append(found, at(n)+" draws from the global generator")
			}
		}
		return true
	})
	return found
}

func code(files []*file) []*file {
	return slices.DeleteFunc(slices.Clone(files), func(f *file) bool { return f.test })
}

func isStd(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return !strings.Contains(first, ".") && imp != "C"
}

// readTree reads all Go files of the module.
func readTree(t *testing.T) tree {
	root := moduleRoot(t)
	all := tree{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && p != root && (name == "testdata" || name[0] == '.' || name[0] == '_'):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		f := &file{name: filepath.ToSlash(rel), test: strings.HasSuffix(p, "_test.go"), set: token.NewFileSet()}
		if f.syntax, err = parser.ParseFile(f.set, p, nil, 0); err != nil {
			return err
		}
		for _, spec := range f.syntax.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, imp)
		}
		pkg := path.Dir(f.name)
		all[pkg] = append(all[pkg], f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func moduleRoot(t *testing.T) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
}
