package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestDependencies holds doc/dependencies.md to go.mod, and its figures to what
// the packages allocate before main.
func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("doc/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(string(page)) {
		if m := regexp.MustCompile("^\\| `([^`]+)` \\|(.*)\\|$").FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			rows[m[1]] = strings.Split(m[2], "|")
		}
	}
	direct := map[string]bool{}
	for _, r := range mod.Require {
		if r.Indirect {
			continue
		}
		direct[r.Path] = true
		if len(rows[r.Path]) < 3 {
			t.Errorf("%s is in go.mod, and not justified in doc/dependencies.md", r.Path)
		}
	}
	for path := range rows {
		if !direct[path] {
			t.Errorf("doc/dependencies.md has a row for %s, which go.mod does not require", path)
		}
	}

	spent := allocations(t)
	for path, row := range rows {
		if len(row) < 4 {
			if spent[path] > 0 {
				t.Errorf("%s is for the tests alone, they say, and makes %d allocations in the program", path, spent[path])
			}
			continue
		}
		told, err := strconv.Atoi(strings.TrimSpace(row[2]))
		if err != nil {
			t.Errorf("%s: how many allocations? %v", path, err)
		}
		// A later Go may differ by a few.
		if got := spent[path]; got > told+told/10+5 {
			t.Errorf("%s makes %d allocations before main, doc/dependencies.md says %d", path, got, told)
		}
	}
	if spent["github.com/aws/aws-sdk-go-v2/service/sts"] == 0 {
		t.Error("no allocations were counted")
	}
}

// allocations counts what the packages of each module allocate before main.
func allocations(t *testing.T) map[string]int {
	t.Helper()
	program := filepath.Join(t.TempDir(), "aws-switch-role")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	list, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	module := map[string]string{}
	for line := range strings.Lines(string(list)) {
		path, in, _ := strings.Cut(strings.TrimSpace(line), " ")
		module[path] = in
	}
	run := exec.Command(program, "version")
	run.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace strings.Builder
	run.Stderr = &trace
	if err := run.Run(); err != nil {
		t.Fatal(err)
	}
	spent := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^init (\S+) @.* (\d+) allocs$`).FindAllStringSubmatch(trace.String(), -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			t.Fatal(err)
		}
		spent[module[m[1]]] += n
	}
	return spent
}
