package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestArchitecture looks for the packages, files and identifiers that
// doc/architecture.md, doc/formats.md and CONTRIBUTING.md name: there are such.
func TestArchitecture(t *testing.T) {
	declared := map[string]map[string]bool{} // by package
	for name := range layers {
		declared[name] = exported(t, filepath.Join("internal", name))
	}
	identifier := regexp.MustCompile(`^([a-z]+)\.([A-Z]\w*)`)
	for page, least := range map[string]int{"doc/architecture.md": 25, "doc/formats.md": 10, "CONTRIBUTING.md": 8} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(string(text), -1) {
			name := m[1]
			switch id := identifier.FindStringSubmatch(name); {
			case id != nil && declared[id[1]] != nil:
				found++
				if !declared[id[1]][id[2]] {
					t.Errorf("%s: %s declares no %s", page, id[1], id[2])
				}
			case strings.HasSuffix(name, ".go"), strings.HasPrefix(name, "internal/"), strings.HasPrefix(name, "testdata/"), strings.HasPrefix(name, "doc/"):
				found++
				if strings.Contains(name, "NAME") {
					name = filepath.Dir(name)
				}
				if _, err := os.Stat(name); err != nil {
					t.Errorf("%s: %v", page, err)
				}
			}
		}
		if found < least {
			t.Errorf("%s names %d files and identifiers, fewer than %d", page, found, least)
		}
	}
	// The table has every package, and no other.
	text, err := os.ReadFile("doc/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = true
		if _, ok := layers[m[1]]; !ok {
			t.Errorf("doc/architecture.md has a row for %s, which is no package", m[1])
		}
	}
	for name := range layers {
		if !rows[name] {
			t.Errorf("doc/architecture.md has no row for %s", name)
		}
	}
}

// exported are the identifiers that a package declares for others, on any
// system.
func exported(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					names[d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						names[s.Name.Name] = true
					case *ast.ValueSpec:
						for _, n := range s.Names {
							names[n.Name] = true
						}
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
