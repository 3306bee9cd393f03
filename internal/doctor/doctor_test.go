package doctor

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/plan"
)

var update = flag.Bool("update", false, "rewrite the wanted findings of testdata/broken")

// TestBroken examines configurations that are wrong, each in a way of its own.
func TestBroken(t *testing.T) {
	for name, archive := range cases(t, "broken", 60) {
		t.Run(name, func(t *testing.T) {
			got := findings(t, archive)
			if got == "" {
				t.Error("nothing was found")
			}
			i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
			if *update {
				if i >= 0 {
					archive.Files = slices.Delete(archive.Files, i, i+1)
				}
				archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile("testdata/broken/"+name+".txtar", txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if i < 0 {
				t.Fatal("no section want")
			}
			if diff := cmp.Diff(string(archive.Files[i].Data), got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFine examines configurations as people have them.
func TestFine(t *testing.T) {
	for name, archive := range cases(t, "fine", 20) {
		t.Run(name, func(t *testing.T) {
			if got := findings(t, archive); got != "" {
				t.Errorf("found:\n%s", got)
			}
		})
	}
}

// cases reads the archives of a directory of testdata, of which there are at
// least so many.
func cases(t *testing.T, dir string, least int) map[string]*txtar.Archive {
	t.Helper()
	files, err := filepath.Glob("testdata/" + dir + "/*.txtar")
	if err != nil || len(files) < least {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	all := map[string]*txtar.Archive{}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".txtar")] = archive
	}
	return all
}

// findings examines one case and prints what is found, a line each.
func findings(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir() + string(os.PathSeparator)
	var f Facts
	env := map[string]string{}
	f.Stored = map[string]string{}
	for _, file := range archive.Files {
		text := string(file.Data)
		switch file.Name {
		case "config", "credentials":
			if err := os.WriteFile(dir+file.Name, file.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		case "env":
			for line := range strings.Lines(text) {
				name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
				env[name] = value
			}
		case "stored":
			words := strings.Fields(text)
			f.Stored[words[0]] = words[1]
		case "facts":
			for line := range strings.Lines(text) {
				fact(t, &f, strings.Fields(line))
			}
		}
	}
	var err error
	if f.Config, err = awsconfig.Load(dir+"config", dir+"credentials"); err != nil {
		t.Fatal(err)
	}
	f.Exists = func(path string) bool { return path != "/nowhere" }
	f.Now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Lookup = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	f.Options = plan.Options{
		InKeyring: func(profile string) (string, error) { return f.Stored[profile], nil },
		Environment: plan.Environment{
			AccessKeyID: env["AWS_ACCESS_KEY_ID"], HasSecret: env["AWS_SECRET_ACCESS_KEY"] != "", Self: "/usr/bin/aws-switch-role",
		},
	}
	var b strings.Builder
	for _, x := range Check(f) {
		b.WriteString(string(x.ID))
		if x.Origin.File != "" {
			fmt.Fprintf(&b, " at %s", x.Origin)
		}
		if x.Profile != "" {
			fmt.Fprintf(&b, " in %s", x.Profile)
		}
		if x.Others > 0 {
			fmt.Fprintf(&b, " and %d more", x.Others)
		}
		if len(x.Args) > 0 {
			fmt.Fprintf(&b, " %q", x.Args)
		}
		if x.Err != nil {
			fmt.Fprintf(&b, ": %v", x.Err)
		}
		if x.Fix != nil {
			b.WriteString("; fix:" + fixed(x.Fix))
		}
		b.WriteString("\n")
	}
	return strings.ReplaceAll(b.String(), dir, "")
}

func fixed(f *Fix) string {
	switch {
	case f.Edit != nil && f.Edit.Unmarked:
		return " no mark"
	case f.Edit != nil && f.Edit.Header != "":
		return " [" + f.Edit.Header + "]"
	case f.Edit != nil && f.Edit.Equals:
		return " " + f.Edit.Key + " -> " + f.Edit.Name + " ="
	case f.Edit != nil:
		return " " + f.Edit.Key + " -> " + f.Edit.Name
	case f.Mode != 0:
		return fmt.Sprintf(" mode %o", f.Mode)
	}
	return fmt.Sprintf(" remove %d files", len(f.Remove))
}

// fact adds what a line of a case's facts says.
func fact(t *testing.T, f *Facts, words []string) {
	t.Helper()
	number := func(s string, base int) int {
		n, err := strconv.ParseInt(s, base, 32)
		if err != nil {
			t.Fatal(err)
		}
		return int(n)
	}
	switch words[0] {
	case "file":
		f.Files = append(f.Files, File{Path: words[1], Mode: fs.FileMode(number(words[2], 8)), Secrets: slices.Contains(words, "secrets")})
	case "cache":
		f.Caches = append(f.Caches, Cache{
			Tool: words[1], Dir: words[2], Files: make([]string, number(words[3], 10)), Live: number(words[4], 10),
			Spare: slices.Contains(words, "spare"), SignIn: slices.Contains(words, "signin"),
		})
	case "prompt":
		f.Prompts = append(f.Prompts, Prompt{Theme: words[1], Setting: words[2], Instead: "x", Origin: awsconfig.Origin{File: words[3], Line: number(words[4], 10)}})
	case "keyring":
		f.Keyring = Keyring{Asked: words[1], Why: words[2]}
	default:
		t.Fatalf("no such fact: %q", words)
	}
}

func TestNotes(t *testing.T) {
	for _, c := range []struct {
		keyring Keyring
		limits  []ID
		want    []Note
	}{
		{Keyring{}, nil, nil},
		{Keyring{}, []ID{NoSecretless, OpenMemory}, []Note{{ID: NoSecretless}, {ID: OpenMemory}}},
		{Keyring{Asked: "pass", Why: "broken"}, nil, nil}, // which is a finding
		{Keyring{Chosen: "none"}, nil, []Note{{ID: NothingKept}}},
		{Keyring{Chosen: "keychain"}, nil, []Note{{KeyringChosen, []string{"keychain"}}}},
		{Keyring{Chosen: "kernel", PassedOver: []string{"keyring secret-service: not available: no bus"}}, nil, []Note{
			{KeyringForgets, []string{"kernel"}}, {KeyringPassedOver, []string{"secret-service", "not available: no bus"}},
		}},
	} {
		if diff := cmp.Diff(c.want, Notes(Facts{Keyring: c.keyring, Limits: c.limits})); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.keyring, diff)
		}
	}
}

func TestOverrides(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte("[default]\ncredential_process = /opt/keys\n[profile a]\nregion = eu-west-1\n[profile b]\nregion = us-east-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := awsconfig.Load(path, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		env    map[string]string
		inRole bool
		want   []Note
	}{
		{nil, false, nil},
		{map[string]string{"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "ap-northeast-1"}, false, []Note{{RegionOverProfiles, []string{"AWS_REGION", "us-east-1", "1"}}}},
		{map[string]string{"AWS_DEFAULT_REGION": "ap-northeast-1"}, false, []Note{{RegionOverProfiles, []string{"AWS_DEFAULT_REGION", "ap-northeast-1", "2"}}}},
		{map[string]string{"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "x"}, false, []Note{{ID: KeysOverDefault}}},
		{map[string]string{"AWS_ACCESS_KEY_ID": "AKIA", "AWS_PROFILE": "a"}, false, nil}, // which is a finding
		{map[string]string{"AWS_CONFIG_FILE": path}, false, []Note{{OtherFile, []string{"AWS_CONFIG_FILE", path}}}},
		{map[string]string{"AWS_CONFIG_FILE": path, "AWS_REGION": "x"}, true, nil},
	} {
		f := Facts{Config: c, Lookup: func(name string) (string, bool) { v, ok := tc.env[name]; return v, ok }}
		f.Options.Environment.InRole = tc.inRole
		if diff := cmp.Diff(tc.want, Notes(f)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tc.env, diff)
		}
	}
}

// BenchmarkCheck examines files of which nothing is wrong.
func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{10, 10_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			var text strings.Builder
			text.WriteString("[default]\nregion = us-east-1\n")
			for i := range n {
				source := "default"
				if i%10 == 0 && i > 0 {
					source = fmt.Sprintf("p%d", i-1)
				}
				fmt.Fprintf(&text, "[profile p%d]\nrole_arn = arn:aws:iam::%012d:role/Ops\nsource_profile = %s\nregion = eu-west-1\n", i, i, source)
			}
			path := filepath.Join(b.TempDir(), "config")
			if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				c, err := awsconfig.Load(path, "")
				if err != nil {
					b.Fatal(err)
				}
				c.Index()
				found := Check(Facts{Config: c, Options: plan.Options{InKeyring: func(string) (string, error) { return "AKIAIOSFODNN7EXAMPLE", nil }}})
				if len(found) > 0 {
					b.Fatal(found[0])
				}
			}
		})
	}
}
