// Command hardening runs the tests that show what the program withstands, at
// the figures of a release, and writes what they found into the table of
// doc/security.md. With -fuzz it runs the fuzz tests alone, for so long each.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"

	"aws-switch-role/internal/figure"
)

func main() {
	fuzz := flag.Duration("fuzz", 0, "run the fuzz tests alone, for so long each")
	fuzzTime := flag.Duration("fuzz-time", 8*time.Hour, "how long each fuzz test of a release runs")
	only := flag.String("only", "", "only the properties whose names match this regular expression")
	commit := flag.Bool("commit", false, "run the tests at the figures of a commit")
	lanes := flag.Int("lanes", runtime.NumCPU(), "how many fuzz tests run at a time")
	flag.Parse()
	chosen, err := regexp.Compile(*only)
	switch {
	case err != nil:
	case *fuzz > 0:
		_, err = fuzzAll(fuzzed(chosen), *fuzz, *lanes)
	default:
		err = os.Setenv("HARDENING", map[bool]string{false: "release"}[*commit])
		err = errors.Join(err, release(chosen, *fuzzTime, *lanes))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "hardening:", err)
		os.Exit(1)
	}
}

// page has the table.
var page = filepath.Join("doc", "security.md")

// release runs the properties and writes the rows of those that hold. One that
// does not is an error in the end.
func release(chosen *regexp.Regexp, fuzzTime time.Duration, lanes int) error {
	var failed []error
	for _, p := range figure.Properties {
		if !chosen.MatchString(p.Name) || p.Fuzz != nil {
			continue
		}
		begun := time.Now()
		act := run
		if p.Bench != nil {
			act = bench
		}
		found, err := act(p)
		if err == nil {
			err = write(p, found, time.Since(begun))
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", p.Name, err)
			fmt.Fprintln(os.Stderr, err)
			failed = append(failed, err)
		}
	}
	found, err := fuzzAll(fuzzed(chosen), fuzzTime, lanes)
	for _, p := range fuzzed(chosen) {
		if text := found[p.Name]; text != "" {
			err = errors.Join(err, write(p, text, fuzzTime))
		}
	}
	return errors.Join(append(failed, err)...)
}

// run runs the tests of a property and returns what they have noted.
func run(p figure.Property) (found string, err error) {
	dir, err := os.MkdirTemp("", "hardening")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	notes := filepath.Join(dir, "notes")
	fmt.Printf("%s: go test %s -run '%s', for %d minutes at most\n", p.Name, p.Package, p.Test, p.Minutes)
	cmd := exec.Command("go", "test", "-count=1", fmt.Sprintf("-timeout=%dm", p.Minutes), p.Package, "-run", p.Test)
	cmd.Env = append(os.Environ(), "HARDENING_NOTES="+notes)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", err
	}
	text, err := os.ReadFile(notes)
	if err != nil {
		return "", fmt.Errorf("nothing was noted: %w", err)
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		if name, note, _ := strings.Cut(strings.TrimSpace(line), "\t"); name == p.Name {
			all = append(all, note)
		}
	}
	if len(all) == 0 {
		return "", errors.New("nothing was noted")
	}
	return strings.Join(all, "; "), nil
}

// ratio is in a line of make bench, behind the job's name and its time.
var ratio = regexp.MustCompile(` ([0-9.]+)x `)

// bench runs the benchmarks and returns the ratios of those that tell of a
// property.
func bench(p figure.Property) (found string, err error) {
	out, err := exec.Command("go", "run", "./bench").CombinedOutput()
	fmt.Printf("%s\n", out)
	if err != nil {
		return "", err
	}
	var all []string
	for line := range strings.Lines(string(out)) {
		for _, job := range p.Bench {
			if m := ratio.FindStringSubmatch(line); m != nil && strings.HasPrefix(line, job+" ") {
				all = append(all, fmt.Sprintf("%s: %s times", job, m[1]))
			}
		}
	}
	if len(all) != len(p.Bench) {
		return "", fmt.Errorf("of %q it tells only %q", p.Bench, all)
	}
	return strings.Join(all, "; "), nil
}

// fuzzed are the chosen properties that are fuzzed.
func fuzzed(chosen *regexp.Regexp) (some []figure.Property) {
	for _, p := range figure.Properties {
		if p.Fuzz != nil && chosen.MatchString(p.Name) {
			some = append(some, p)
		}
	}
	return some
}

// executions is in what go test -fuzz tells every few seconds.
var executions = regexp.MustCompile(`elapsed: (\S+), execs: (\d+)`)

// fuzzAll fuzzes each target for so long, some at a time, each on one core. The
// corpus is kept in Go's build cache, and what fails in the package's testdata.
func fuzzAll(properties []figure.Property, length time.Duration, lanes int) (found map[string]string, err error) {
	found = map[string]string{}
	var mu sync.Mutex // guards found and err
	var all sync.WaitGroup
	lane := make(chan bool, lanes)
	for _, p := range properties {
		for _, target := range p.Fuzz {
			each := length / time.Duration(len(p.Fuzz))
			lane <- true
			all.Go(func() {
				defer func() { <-lane }()
				// Without a bound, a minute is spent on making each find smaller.
				cmd := exec.Command("go", "test", "-run=^$", "-fuzz=^"+target+"$", "-fuzztime="+each.String(), "-fuzzminimizetime=100x", "-parallel=1", "-timeout=0", p.Package)
				out, ferr := cmd.CombinedOutput()
				last := executions.FindAllSubmatch(out, -1)
				mu.Lock()
				defer mu.Unlock()
				if ferr != nil || len(last) == 0 {
					err = errors.Join(err, fmt.Errorf("%s: %w\n%s", target, ferr, out))
					return
				}
				n := string(last[len(last)-1][2])
				fmt.Printf("%s: %s on one core, %s executions, 0 failures\n", target, each, n)
				if found[p.Name] != "" {
					found[p.Name] += "; "
				}
				found[p.Name] += fmt.Sprintf("`%s` %s executions in %s on one core: 0 failures", target, thousands(n), each)
			})
		}
	}
	all.Wait()
	return found, err
}

// thousands parts a number's digits as people do.
func thousands(n string) string {
	for i := len(n) - 3; i > 0; i -= 3 {
		n = n[:i] + "," + n[i:]
	}
	return n
}

// write puts what was found of a property into its row of the table.
func write(p figure.Property, found string, took time.Duration) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	row := fmt.Sprintf("| %s | %s | %s | %s, %s |\n", p.Name, figure.Cell(p.Show), figure.Cell(found), time.Now().UTC().Format(time.DateOnly), took.Round(time.Second))
	head := []byte("| " + p.Name + " | ")
	var out []byte
	written := false
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, head) {
			line, written = []byte(row), true
		}
		out = append(out, line...)
	}
	if !written {
		return fmt.Errorf("%s has no row for it", page)
	}
	return os.WriteFile(page, out, 0o644)
}
