package awsconfig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoadMissingFiles(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"", filepath.Join(dir, "missing"), filepath.Join(dir, "no", "dir"), os.DevNull} {
		c, err := Load(path, path)
		if err != nil {
			t.Errorf("Load(%q): %v", path, err)
			continue
		}
		if c.ConfigFile() != path || c.CredentialsFile() != path {
			t.Errorf("the files are %q and %q", c.ConfigFile(), c.CredentialsFile())
		}
		for name := range c.Names() {
			t.Errorf("%q has a profile %q", path, name)
		}
		if _, ok, err := c.Profile("default"); ok || err != nil {
			t.Errorf("%q: Profile = %t, %v", path, ok, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("Load wrote: %v, %v", entries, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, maxFile+1); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir:   "is a directory",
		large: "larger than 64 MiB",
	} {
		for _, files := range [][2]string{{path, ""}, {"", path}} {
			_, err := Load(files[0], files[1])
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
				t.Errorf("Load(%q) = %v, want %q", files, err, want)
			}
		}
	}
	if err := os.Truncate(large, maxFile); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(large, ""); err != nil {
		t.Errorf("a file of 64 MiB: %v", err)
	}
}

func TestProfileNotFound(t *testing.T) {
	long := strings.Repeat("x", maxName+1)
	c := load(t, "[profile a]\n[profile "+long+"]\n[profile b\tc]\n[profile \"d\u202E\"]\n[profile \"e\xff\"]\n", "["+long+"]\n[d\u202E]\n[e\xff]\n")
	for _, name := range []string{"", "A", "default", "profile a", long, "d\u202E", "e\xff", "c"} {
		if p, ok, err := c.Profile(name); ok || err != nil || p.Keys != nil {
			t.Errorf("Profile(%q) = %v, %t, %v", name, p, ok, err)
		}
	}
	for name := range c.Names() {
		if name != "a" {
			t.Errorf("there is a name %q", name)
		}
	}
	for _, kind := range []string{"sso-session", "services"} {
		if _, ok, err := c.Section(kind, "a"); ok || err != nil {
			t.Errorf("Section(%q) = %t, %v", kind, ok, err)
		}
	}
}

func TestLongestName(t *testing.T) {
	name := strings.Repeat("x", maxName)
	c := load(t, "[profile "+name+"]\nk = v\n", "")
	if p, ok, err := c.Profile(name); !ok || err != nil || p.Keys["k"].Text != "v" {
		t.Errorf("Profile = %t, %v", ok, err)
	}
}

// TestSyntaxError checks that an error says where and what to do, and never
// what stands in the line.
func TestSyntaxError(t *testing.T) {
	for name, test := range map[string]struct {
		line string
		want Problem
	}{
		"no delimiter":     {"SECRET", msgSetting},
		"no key":           {"= SECRET", msgSetting},
		"unclosed header":  {"[SECRET", msgHeader},
		"NUL":              {"k = SECRET\x00", msgNUL},
		"invalid UTF-8":    {"k = SECRET\xff", msgUTF8},
		"long":             {"k = SECRET" + strings.Repeat("x", maxLine+1-len("k = SECRET")), msgLong},
		"nested":           {"k =\n  SECRET", msgNested},
		"NUL in nested":    {"k =\n  l = SECRET\x00", msgNUL},
		"UTF-8 in nested":  {"k =\n  l = SECRET\xff", msgUTF8},
		"long nested":      {"k =\n  l = SECRET" + strings.Repeat("x", maxLine+1-len("k = SECRET")), msgLong},
		"UTF-8 in a value": {"k = v\n  SECRET\xff", msgUTF8},
	} {
		t.Run(name, func(t *testing.T) {
			c := load(t, "[profile other]\n"+test.line+"\n[profile a]\nk = v\n", "[b]\n"+test.line+"\n")
			if p, ok, err := c.Profile("a"); !ok || err != nil || p.Keys["k"].Text != "v" {
				t.Errorf("it does harm elsewhere: %v, %t, %v", p, ok, err)
			}
			for profile, file := range map[string]string{"other": c.ConfigFile(), "b": c.CredentialsFile()} {
				p, ok, err := c.Profile(profile)
				var bad *SyntaxError
				if !errors.As(err, &bad) || !ok || p.Keys != nil {
					t.Fatalf("Profile(%q) = %v, %t, %v", profile, p, ok, err)
				}
				if want := (Origin{file, 2 + strings.Count(test.line, "\n")}); bad.Origin != want {
					t.Errorf("the error is at %v, want %v", bad.Origin, want)
				}
				if bad.Problem != test.want || strings.Contains(err.Error(), "SECRET") {
					t.Errorf("the error is %q, want %q", err, test.want.Text())
				}
			}
		})
	}
}

// TestCommentsAreNotRead checks that a comment may be what a setting may not.
func TestCommentsAreNotRead(t *testing.T) {
	c := load(t, "[profile a]\n# \xff\x00"+strings.Repeat("x", maxLine)+"\nk = "+strings.Repeat("v", maxLine-4)+"\n", "")
	if p, _, err := c.Profile("a"); err != nil || len(p.Keys["k"].Text) != maxLine-4 {
		t.Errorf("the error is %v", err)
	}
}

func TestMisplaced(t *testing.T) {
	c := load(t, "[a]\n[profile b]\nk = v\n  [a]\n[ a ]\n[default]\n", "[b]\n[profile b]\n[profile \"a\"]\n[profile default]\n")
	config, credentials := c.ConfigFile(), c.CredentialsFile()
	for name, want := range map[string][]Origin{
		"a":       {{config, 1}, {config, 5}, {credentials, 3}},
		"b":       {{credentials, 2}},
		"default": {{credentials, 4}},
		"c":       nil,
		"":        nil,
	} {
		if d := cmp.Diff(want, c.Misplaced(name)); d != "" {
			t.Errorf("Misplaced(%q) (-want +got)\n%s", name, d)
		}
	}
}

func TestMalformed(t *testing.T) {
	long := strings.Repeat("x", maxName+1)
	c := load(t, strings.Join([]string{
		"[profile a",
		"k = v",
		"  [profile in a value",
		"[]",
		"[profile]",
		"[profile a b]",
		"[sso-session 'a]",
		"[services a\\]",
		"[profile " + long + "]",
		"[profile \"\"]",
		"[services \"a\x01\"]",
		"[profile fine]",
		"[preview]",
		"[a b c]",
		"  [profile open",
		"# [profile comment",
	}, "\n"), strings.Join([]string{
		"[default",
		"[a b]",
		"[" + long + "]",
		"[ ]",
		"[\xff]",
	}, "\n"))
	want := []*SyntaxError{
		{Origin{c.ConfigFile(), 1}, msgHeader},
		{Origin{c.ConfigFile(), 4}, msgHeader},
		{Origin{c.ConfigFile(), 5}, msgWords},
		{Origin{c.ConfigFile(), 6}, msgWords},
		{Origin{c.ConfigFile(), 7}, msgWords},
		{Origin{c.ConfigFile(), 8}, msgWords},
		{Origin{c.ConfigFile(), 9}, msgName},
		{Origin{c.ConfigFile(), 10}, msgName},
		{Origin{c.ConfigFile(), 11}, msgName},
		{Origin{c.ConfigFile(), 15}, msgHeader},
		{Origin{c.CredentialsFile(), 1}, msgHeader},
		{Origin{c.CredentialsFile(), 3}, msgName},
		{Origin{c.CredentialsFile(), 4}, msgName},
		{Origin{c.CredentialsFile(), 5}, msgName},
	}
	if d := cmp.Diff(want, slices.Collect(c.Malformed())); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestNamesStops(t *testing.T) {
	c := load(t, "[profile a]\n[profile b]\n", "[c]\n")
	for _, last := range []string{"a", "b", "c"} {
		var seen string
		for name := range c.Names() {
			seen = name
			if name == last {
				break
			}
		}
		if seen != last {
			t.Errorf("the last name is %q, want %q", seen, last)
		}
	}
}

// many returns a config file of n role profiles, about 160 bytes each, where
// the first profile is named once more at the end.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "[profile account-%06d]\nrole_arn = arn:aws:iam::%012d:role/OrganizationAccountAccessRole\nsource_profile = default\nregion = eu-west-1\n# [team %d]\n\n", i, i, i%7)
	}
	b.WriteString("[profile account-000000]\nregion = us-east-1\n")
	return b.String()
}

func TestFarApart(t *testing.T) {
	c := load(t, many(10_000), "")
	first, ok, err := c.Profile("account-000000")
	if !ok || err != nil {
		t.Fatalf("the first profile: %t, %v", ok, err)
	}
	want := Value{"us-east-1", Origin{c.ConfigFile(), 60_002}}
	if d := cmp.Diff(want, first.Keys["region"]); d != "" || first.Line != 1 {
		t.Errorf("the first profile's region (-want +got)\n%s", d)
	}
	last, ok, err := c.Profile("account-009999")
	if !ok || err != nil {
		t.Fatalf("the last profile: %t, %v", ok, err)
	}
	want = Value{"eu-west-1", Origin{c.ConfigFile(), 59_998}}
	if d := cmp.Diff(want, last.Keys["region"]); d != "" {
		t.Errorf("the last profile's region (-want +got)\n%s", d)
	}
}

func TestProfileAllocatesForItselfAlone(t *testing.T) {
	allocs := func(profiles int) float64 {
		c := load(t, many(profiles), many(profiles))
		return testing.AllocsPerRun(10, func() {
			if _, ok, err := c.Profile("account-000005"); !ok || err != nil {
				t.Errorf("Profile = %t, %v", ok, err)
			}
		})
	}
	if few, most := allocs(10), allocs(10_000); few != most {
		t.Errorf("%v allocations in a file of 10 profiles, %v in one of 10,000", few, most)
	}
}

func benchmark(b *testing.B, f func(c *Config, last string)) {
	for _, n := range []int{10, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			text := many(n)
			c := load(b, text, "[default]\naws_access_key_id = AKIA\n")
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				f(c, fmt.Sprintf("account-%06d", n-1))
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	benchmark(b, func(c *Config, _ string) {
		if _, err := Load(c.ConfigFile(), c.CredentialsFile()); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkProfile(b *testing.B) {
	benchmark(b, func(c *Config, last string) {
		if _, ok, err := c.Profile(last); !ok || err != nil {
			b.Fatal(ok, err)
		}
	})
}

func BenchmarkNames(b *testing.B) {
	benchmark(b, func(c *Config, _ string) {
		for range c.Names() {
		}
	})
}

// BenchmarkIndexed looks all profiles up.
func BenchmarkIndexed(b *testing.B) {
	benchmark(b, func(c *Config, _ string) {
		indexed := &Config{c.config, c.credentials}
		indexed.Index()
		for name := range indexed.Names() {
			if _, ok, err := indexed.Profile(name); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
}
