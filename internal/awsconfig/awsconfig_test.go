package awsconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// load returns what Load makes of two files with these contents.
func load(t testing.TB, config, credentials string) *Config {
	t.Helper()
	dir := t.TempDir()
	paths := [2]string{filepath.Join(dir, "config"), filepath.Join(dir, "credentials")}
	for i, text := range []string{config, credentials} {
		if err := os.WriteFile(paths[i], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(paths[0], paths[1])
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// section is one section of a Config, under the name that dialect has for it.
type section struct {
	name    string
	profile Profile
	err     error
}

// sections returns all profiles of c, then the other sections asked for.
func sections(t testing.TB, c *Config, others [][2]string) []section {
	t.Helper()
	var all []section
	for name := range c.Names() {
		p, ok, err := c.Profile(name)
		if !ok {
			t.Fatalf("profile %q has a name but is not found", name)
		}
		all = append(all, section{name, p, err})
	}
	for _, o := range others {
		p, ok, err := c.Section(o[0], o[1])
		if !ok {
			t.Fatalf("section %q is not found", o)
		}
		all = append(all, section{o[0] + " " + o[1], p, err})
	}
	return all
}

func TestDialect(t *testing.T) {
	for _, test := range dialect {
		t.Run(test.name, func(t *testing.T) {
			c := load(t, test.config, test.credentials)
			at := func(o Origin) string {
				if o.File == c.ConfigFile() {
					return fmt.Sprintf("c%d", o.Line)
				}
				return fmt.Sprintf("k%d", o.Line)
			}
			var got strings.Builder
			for _, s := range sections(t, c, test.sections) {
				var bad *SyntaxError
				if errors.As(s.err, &bad) {
					fmt.Fprintf(&got, "%s error %s\n", s.name, at(bad.Origin))
					continue
				}
				fmt.Fprintf(&got, "%s %s\n", s.name, at(s.profile.Origin))
				for _, key := range slices.Sorted(maps.Keys(s.profile.Keys)) {
					v := s.profile.Keys[key]
					fmt.Fprintf(&got, " %s=%q %s\n", key, v.Text, at(v.Origin))
				}
			}
			if d := cmp.Diff(test.want, got.String()); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// TestBotocore asks botocore about every case of the dialect: it must agree,
// or differ where the case says why.
func TestBotocore(t *testing.T) {
	pairs := make([][2]string, len(dialect))
	for i, test := range dialect {
		pairs[i] = [2]string{test.config, test.credentials}
	}
	in, err := json.Marshal(pairs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), pythonWithBotocore(t), "testdata/merged.py")
	cmd.Stdin = bytes.NewReader(in)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var results []map[string]map[string]string
	if err := json.Unmarshal(out, &results); err != nil || len(results) != len(dialect) {
		t.Fatalf("botocore gave %d results for %d cases, %v", len(results), len(dialect), err)
	}
	for i, test := range dialect {
		t.Run(test.name, func(t *testing.T) {
			ours := map[string]map[string]string{}
			for _, s := range sections(t, load(t, test.config, test.credentials), test.sections) {
				if s.err != nil {
					ours = nil // botocore refuses the whole file
					break
				}
				keys := map[string]string{}
				for k, v := range s.profile.Keys {
					keys[k] = v.Text
				}
				ours[s.name] = keys
			}
			d := cmp.Diff(results[i], ours)
			switch {
			case d != "" && test.otherwise == "":
				t.Errorf("(-botocore +ours)\n%s", d)
			case d == "" && test.otherwise != "":
				t.Errorf("botocore agrees, although %s", test.otherwise)
			}
		})
	}
}

// pythonWithBotocore returns an interpreter that can import botocore, be it
// its own package or the copy inside Debian's AWS CLI.
func pythonWithBotocore(t *testing.T) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		for _, module := range []string{"botocore", "awscli.botocore"} {
			if exec.CommandContext(t.Context(), python, "-c", "import "+module+".configloader").Run() == nil {
				return python
			}
		}
	}
	t.Fatal("no python3 can import botocore: install the package botocore or the AWS CLI")
	return ""
}
