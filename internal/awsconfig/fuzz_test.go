package awsconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The reference reads every line of a file, keeps everything, and shares no
// code with the package: what the package finds by searching must be what the
// reference finds by reading.

// refSection is what stands between two headers.
type refSection struct {
	header string
	line   int
	keys   map[string]refValue
	bad    int // the line of the first error, or 0
}

type refValue struct {
	Text string
	Line int
}

var (
	refHeader    = regexp.MustCompile(`(?s)^\[(.+)\]`)
	refSetting   = regexp.MustCompile(`(?s)^([^=:]+)[=:](.*)$`)
	refNested    = regexp.MustCompile(`(?s)^([^=]*[^=\s][^=]*)=(.*)$`)
	refComment   = regexp.MustCompile(`(?s)[ \t][#;].*$`)
	refWord      = `((?:[^ \t'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+)`
	refTwoWords  = regexp.MustCompile(`(?s)^` + refWord + `[ \t]+` + refWord + `$`)
	refQuotation = regexp.MustCompile(`(?s)\\.|'[^']*'|"(?:[^"\\]|\\.)*"`)
	refEscape    = regexp.MustCompile(`\\(["\\])`)
)

func refLines(text string) []string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Split(strings.ReplaceAll(text, "\r", "\n"), "\n")
}

func refSections(text string) []refSection {
	all := []refSection{{}} // the first has no header
	now := &all[0]
	var key string             // that continuation lines belong to
	under, depth := false, 0   // a setting, indented by depth
	var value, blanks []string // of key
	end := func() {
		if key != "" && len(value) > 0 {
			v := now.keys[key]
			v.Text = strings.Join(value, "\n")
			now.keys[key] = v
		}
		key, value, blanks = "", nil, nil
	}
	for i, raw := range refLines(text) {
		n := i + 1
		line := strings.TrimSpace(raw)
		if line == "" {
			blanks = append(blanks, "")
			continue
		}
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		indent := 0
		for _, r := range raw {
			if !unicode.IsSpace(r) {
				break
			}
			indent++
		}
		readable := len(line) <= 1<<20 && !strings.Contains(line, "\x00") && utf8.ValidString(line)
		fail := func() {
			if now.bad == 0 {
				now.bad = n
			}
		}
		if under && indent > depth {
			nested := refNested.FindStringSubmatch(line)
			switch {
			case !readable:
				fail()
			case key == "": // of a line that could not be read
			case value[0] != "":
				value = append(append(value, blanks...), line)
			case nested == nil:
				fail()
			default:
				now.keys[key+"."+strings.ToLower(strings.TrimSpace(nested[1]))] = refValue{strings.TrimSpace(nested[2]), n}
			}
			blanks = nil
			continue
		}
		end()
		depth = indent
		if h := refHeader.FindStringSubmatch(line); h != nil {
			all = append(all, refSection{header: strings.TrimSpace(h[1]), line: n, keys: map[string]refValue{}})
			now, under = &all[len(all)-1], false
			continue
		}
		under = true
		if now.header == "" && now.line == 0 {
			continue
		}
		setting := refSetting.FindStringSubmatch(line)
		if !readable || setting == nil || strings.HasPrefix(line, "[") {
			fail()
			continue
		}
		key = strings.ToLower(strings.TrimSpace(setting[1]))
		value = []string{strings.TrimSpace(refComment.ReplaceAllString(setting[2], ""))}
		now.keys[key] = refValue{value[0], n}
	}
	end()
	return all[1:]
}

// refName returns the name that a header of the config file gives to a section
// of this kind.
func refName(kind, header string) (string, bool) {
	words := refTwoWords.FindStringSubmatch(header)
	if words == nil || !strings.HasPrefix(header, kind) {
		return "", false
	}
	return refQuotation.ReplaceAllStringFunc(words[2], func(q string) string {
		switch q[0] {
		case '\\':
			return q[1:]
		case '\'':
			return q[1 : len(q)-1]
		}
		return refEscape.ReplaceAllString(q[1:len(q)-1], "$1")
	}), true
}

func refValid(name string) bool {
	return len(name) > 0 && len(name) <= 256 && utf8.ValidString(name) &&
		strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// refResult is a section that is asked for, merged: what Profile and Section
// return, without the names of the files.
type refResult struct {
	Line int
	Keys map[string]refValue
	Bad  int // the line of the error
}

func (r *refResult) add(s refSection) {
	if r.Line == 0 {
		r.Line, r.Keys = s.line, map[string]refValue{}
	}
	for k, v := range s.keys {
		r.Keys[k] = v
	}
	if r.Bad == 0 {
		r.Bad = s.bad
	}
}

func refResults(config, credentials string) (names []string, profiles map[string]*refResult) {
	profiles = map[string]*refResult{}
	add := func(name string, s refSection) {
		if !refValid(name) {
			return
		}
		if profiles[name] == nil {
			profiles[name] = &refResult{}
			names = append(names, name)
		}
		profiles[name].add(s)
	}
	all := refSections(config)
	prefixed := slices.ContainsFunc(all, func(s refSection) bool {
		name, ok := refName("profile", s.header)
		return ok && name == "default"
	})
	for _, s := range all {
		if name, ok := refName("profile", s.header); ok {
			add(name, s)
		} else if s.header == "default" && !prefixed {
			add("default", s)
		} else if s.header == "default" && !slices.Contains(names, "default") {
			names = append(names, "default") // it is named here, whatever it is there
			profiles["default"] = &refResult{}
		}
	}
	for _, s := range refSections(credentials) {
		add(s.header, s)
	}
	return names, profiles
}

func result(p Profile, err error) *refResult {
	var bad *SyntaxError
	if errors.As(err, &bad) {
		return &refResult{Bad: bad.Line}
	}
	r := refResult{Line: p.Line, Keys: map[string]refValue{}}
	for k, v := range p.Keys {
		r.Keys[k] = refValue{v.Text, v.Line}
	}
	return &r
}

// matchStarting checks that of the profiles whose names start alike nothing is
// lost when only they are read, whatever the pieces in which the files come.
func matchStarting(t *testing.T, c *Config, names []string) {
	t.Helper()
	for _, name := range names {
		prefix := name[:(len(name)+1)/2]
		few := &Config{config: file{path: "config"}, credentials: file{path: "credentials"}}
		var err, problem error
		few.config.data, err = starting(iotest.OneByteReader(marked(c.config.data)), prefix)
		few.credentials.data, problem = starting(marked(c.credentials.data), prefix)
		if err != nil || problem != nil {
			t.Fatal(err, problem)
		}
		starts := func(name string) bool { return strings.HasPrefix(name, prefix) }
		if d := cmp.Diff(only(names, starts), only(slices.Collect(few.Names()), starts)); d != "" {
			t.Fatalf("names that start with %q (-all +read)\n%s", prefix, d)
		}
		want, _, err := c.Profile(name)
		got, ok, problem := few.Profile(name)
		noPlaces := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().Type() == reflect.TypeFor[Origin]() }, cmp.Ignore())
		if d := cmp.Diff(want, got, noPlaces, cmpopts.EquateEmpty()); d != "" || !ok || (err == nil) != (problem == nil) {
			t.Fatalf("profile %q, %v, %v (-of all +read)\n%s", name, err, problem, d)
		}
	}
}

// marked returns a reader of a file that is data behind a byte order mark.
func marked(data []byte) io.Reader {
	return io.MultiReader(strings.NewReader(byteOrderMark), bytes.NewReader(data))
}

func only(names []string, keep func(string) bool) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !keep(n) })
}

func FuzzProfile(f *testing.F) {
	for _, test := range dialect {
		f.Add(test.config, test.credentials)
	}
	f.Add("k\n [default]\n", "  [a]\nk=v\n [a]\n[a]\n  [a]\n")
	f.Fuzz(func(t *testing.T, config, credentials string) {
		c := &Config{config: file{path: "config", data: []byte(config)}, credentials: file{path: "credentials", data: []byte(credentials)}}
		indexed := &Config{c.config, c.credentials}
		indexed.Index()
		names, profiles := refResults(config, credentials)
		if d := cmp.Diff(names, slices.Collect(c.Names())); d != "" {
			t.Fatalf("names (-reference +got)\n%s", d)
		}
		matchStarting(t, c, names)
		lines := map[string][]string{"config": refLines(config), "credentials": refLines(credentials)}
		for _, name := range names {
			p, ok, err := c.Profile(name)
			if !ok {
				t.Fatalf("profile %q is not found", name)
			}
			byIndex, found, problem := indexed.Profile(name)
			if d := cmp.Diff(p, byIndex); d != "" || !found || fmt.Sprint(problem) != fmt.Sprint(err) {
				t.Fatalf("profile %q, %t, %v (-searched +indexed)\n%s", name, found, problem, d)
			}
			want := profiles[name]
			if want.Bad != 0 {
				want = &refResult{Bad: want.Bad}
			}
			if d := cmp.Diff(want, result(p, err)); d != "" {
				t.Fatalf("profile %q (-reference +got)\n%s", name, d)
			}
			for key, v := range p.Keys {
				line := lines[v.File][v.Line-1]
				first, _, _ := strings.Cut(v.Text, "\n")
				if !strings.Contains(line, first) || !endsIn(strings.ToLower(line), key) {
					t.Fatalf("profile %q: %s is not in line %d, %q", name, key, v.Line, line)
				}
			}
		}
		for _, kind := range []string{"sso-session", "services"} {
			sections := map[string]*refResult{}
			for _, s := range refSections(config) {
				name, ok := refName(kind, s.header)
				if !ok || !refValid(name) {
					continue
				}
				if sections[name] == nil {
					sections[name] = &refResult{}
				}
				sections[name].add(s)
			}
			for name, want := range sections {
				if want.Bad != 0 {
					want = &refResult{Bad: want.Bad}
				}
				for how, c := range map[string]*Config{"searched": c, "indexed": indexed} {
					p, ok, err := c.Section(kind, name)
					if d := cmp.Diff(want, result(p, err)); d != "" || !ok {
						t.Fatalf("%s %q, %s, %t (-reference +got)\n%s", kind, name, how, ok, d)
					}
				}
			}
		}
		for e := range c.Malformed() {
			if line := strings.TrimSpace(lines[e.File][e.Line-1]); !strings.HasPrefix(line, "[") {
				t.Fatalf("%v: the line is no header: %q", e, line)
			}
		}
	})
}

// endsIn reports whether line contains key, or what follows a dot in it.
func endsIn(line, key string) bool {
	for {
		if strings.Contains(line, key) {
			return true
		}
		var nested bool
		if _, key, nested = strings.Cut(key, "."); !nested {
			return false
		}
	}
}
