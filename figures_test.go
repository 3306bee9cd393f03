package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aws-switch-role/internal/figure"
)

// TestFigures holds the table in doc/security.md to have a row for each
// property, in order, with what a run of it has found; and the tests that it
// names to be there. make release-check writes the rows.
func TestFigures(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("doc", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "<!-- figures -->\n")
	table, _, ok := strings.Cut(table, "<!-- end of figures -->")
	rows := slices.Collect(strings.Lines(table))
	if !ok || len(rows) != len(figure.Properties)+2 {
		t.Fatalf("the table has %d rows beside its head, want %d", len(rows)-2, len(figure.Properties))
	}
	row := regexp.MustCompile(`^\| (.+?) \| (.+?) \| (.+?) \| \d{4}-\d\d-\d\d, \S+ \|\n$`)
	for i, p := range figure.Properties {
		cells := row.FindStringSubmatch(rows[i+2])
		if cells == nil || cells[1] != p.Name || cells[2] != figure.Cell(p.Show) {
			t.Errorf("row %d is %q, want that of %s", i, rows[i+2], p.Name)
		}
	}
	for _, p := range figure.Properties {
		names := p.Fuzz
		if p.Bench != nil {
			if text, err := os.ReadFile(filepath.Join("bench", "main.go")); err != nil || slices.ContainsFunc(p.Bench, func(job string) bool { return !strings.Contains(string(text), `"`+job+`"`) }) {
				t.Errorf("%s: not all of %q are jobs of bench, %v", p.Name, p.Bench, err)
			}
			continue
		}
		if p.Fuzz == nil {
			names = regexp.MustCompile(`Test\w+`).FindAllString(p.Test, -1)
		}
		files, err := filepath.Glob(filepath.Join(p.Package, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		var all []byte
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, text...)
		}
		for _, name := range names {
			if !strings.Contains(string(all), "\nfunc "+name+"(") {
				t.Errorf("%s: there is no %s in %s", p.Name, name, p.Package)
			}
		}
		if len(names) == 0 {
			t.Errorf("%s: nothing shows it", p.Name)
		}
	}
}
