package mirror

import (
	"bytes"
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"aws-switch-role/internal/awsconfig"
)

var update = flag.Bool("update", false, "rewrite the wanted output of testdata/*.txtar")

const program = "/usr/local/bin/aws-switch-role"

// load loads the user's files with these contents.
func load(t testing.TB, config, credentials []byte) *awsconfig.Config {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string][]byte{"config": config, "credentials": credentials} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := awsconfig.Load(filepath.Join(dir, "config"), filepath.Join(dir, "credentials"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// lines are those of a text.
func lines(text string) (all []string) {
	for line := range strings.Lines(text) {
		all = append(all, strings.TrimSuffix(line, "\n"))
	}
	return all
}

// TestFiles makes the files of each case of testdata. In a case, "active",
// "actives" and "keyring" are names of profiles, a line each; \r, \t, \e for the byte order
// mark and \x for a byte that is no UTF-8 stand for what an editor would not
// show. What is wanted shows a carriage return as \r, too.
func TestFiles(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) < 8 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	hidden := strings.NewReplacer(`\r`, "\r", `\t`, "\t", `\e`, "\uFEFF", `\x`, "\xff")
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			in := map[string]string{}
			for _, f := range archive.Files {
				in[f.Name] = hidden.Replace(string(f.Data))
			}
			f := Files{
				Own:     load(t, []byte(in["config"]), []byte(in["credentials"])),
				Active:  strings.TrimSuffix(in["active"], "\n"),
				Program: program,
			}
			f.Keyring, f.Actives = lines(in["keyring"]), lines(in["actives"])
			config, credentials := f.write()
			check(t, f, config, credentials)
			visible := func(text []byte) []byte {
				text = bytes.TrimPrefix(text, []byte(notice))
				return bytes.ReplaceAll(text, []byte("\r"), []byte(`\r`))
			}
			got := []txtar.File{{Name: "want/config", Data: visible(config)}, {Name: "want/credentials", Data: visible(credentials)}}
			i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want/") })
			if *update {
				if i >= 0 {
					archive.Files = archive.Files[:i]
				}
				archive.Files = append(archive.Files, got...)
				if err := os.WriteFile(path, txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if i < 0 {
				t.Fatal("nothing is wanted")
			}
			want := txtar.Format(&txtar.Archive{Files: archive.Files[i:]})
			if diff := cmp.Diff(string(want), string(txtar.Format(&txtar.Archive{Files: got}))); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// check holds files to what is true of all that are made.
func check(t *testing.T, f Files, config, credentials []byte) {
	t.Helper()
	made := load(t, config, credentials)
	var all []string
	for name := range f.Own.Names() {
		all = append(all, name)
	}
	all = slices.Concat(all, f.Keyring, f.Actives, []string{"default"})
	if f.Active != "" {
		all = append(all, f.Active)
	}
	for _, name := range all {
		before, _, berr := f.Own.Profile(name)
		after, ok, aerr := made.Profile(name)
		asked := name == f.Active || name == "default" || slices.Contains(f.Keyring, name) || slices.Contains(f.Actives, name)
		for key := range before.Keys {
			asked = asked || kindOf([]byte(key)) >= identity
		}
		if !asked {
			if berr == nil && (aerr != nil || !cmp.Equal(texts(before), texts(after))) {
				t.Fatalf("profile %q has become another: %v\n%v\n%v", name, aerr, texts(before), texts(after))
			}
			continue
		}
		if !ok || aerr != nil {
			t.Fatalf("profile %q cannot be read: %v\n%s", name, aerr, config)
		}
		who := name
		if name == "default" {
			who = f.Active
		}
		want := strings.TrimSuffix(strings.TrimPrefix(asking(f, who), "credential_process = "), "\n")
		if got := after.Keys["credential_process"].Text; got != want {
			t.Fatalf("profile %q asks %q, want %q", name, got, want)
		}
		kept := map[string]string{processKey: want}
		for key, text := range texts(before) {
			outer, _, _ := strings.Cut(key, ".")
			if kindOf([]byte(outer)) == setting {
				kept[key] = text
			}
		}
		if diff := cmp.Diff(kept, texts(after)); berr == nil && diff != "" {
			t.Fatalf("profile %q (-want +got):\n%s", name, diff)
		}
	}
	for _, sections := range []iter.Seq[*awsconfig.RawSection]{made.ConfigSections(), made.CredentialsSections()} {
		for s := range sections {
			if i := slices.IndexFunc(s.Lines, func(l awsconfig.Line) bool { return kindOf(l.Key) == secret }); i >= 0 {
				t.Fatalf("a part of a key is left: %q", s.Lines[i].Raw)
			}
		}
	}
}

// asking is the line by which a profile asks.
func asking(f Files, profile string) string {
	w := writer{Files: f, process: processKey + ` = "` + f.Program + `" credential-process --`}
	w.ask(profile)
	return w.out.String()
}

// texts are the values of a profile but for the lines, in a value or a nested
// block, that look like a part of a key.
func texts(p awsconfig.Profile) map[string]string {
	hidden := func(line string) bool {
		key, _, ok := strings.Cut(strings.Replace(line, ":", "=", 1), "=")
		return ok && kindOf([]byte(strings.ToLower(strings.TrimSpace(key)))) == secret
	}
	m := map[string]string{}
	for k, v := range p.Keys {
		_, inner, nested := strings.Cut(k, ".")
		if nested && hidden(inner+"=") {
			continue
		}
		first, rest, _ := strings.Cut(v.Text, "\n")
		lines := slices.DeleteFunc(strings.Split(rest, "\n"), func(l string) bool { return hidden(l) || l == "" })
		m[k] = strings.Join(append([]string{first}, lines...), "\n")
	}
	return m
}

// FuzzFiles: whatever stands in the user's files, the ones that are made can
// be read, every profile with an identity asks us, all others are as they
// were, and no part of a key is left.
func FuzzFiles(f *testing.F) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range cases {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		in := map[string][]byte{}
		for _, file := range archive.Files {
			in[file.Name] = file.Data
		}
		f.Add(in["config"], in["credentials"])
	}
	f.Add([]byte(" [profile a]\n b = 1\n  region = r\n[profile a]\nrole_arn = x\n"), []byte("[a]\naws_secret_access_key =\n  SECRET\n"))
	f.Fuzz(func(t *testing.T, config, credentials []byte) {
		files := Files{Own: load(t, config, credentials), Active: "a", Program: program}
		config, credentials = files.write()
		check(t, files, config, credentials)
	})
}

// TestWritable: what the SDKs and shells would not take as it stands is not
// written.
func TestWritable(t *testing.T) {
	for path, want := range map[string]bool{
		program: true, "/opt/a b/c-1.2_3+x": true,
		"relative": false, "": false, `/a"b`: false, "/a$b": false, "/~/b": false, "/a`b`": false, "/a\\b": filepath.Separator == '\\',
		"/a\nb": false, "/a #b": false, "/a;b": false, "/ä": false, "/a%PATH%": false, "/a@b": false,
	} {
		if got := writable(path); got != want {
			t.Errorf("writable(%q) = %t", path, got)
		}
	}
}

// TestDigest: whatever changes the files changes their name.
func TestDigest(t *testing.T) {
	own := func(config, credentials string) *awsconfig.Config {
		return load(t, []byte(config), []byte(credentials))
	}
	seen := map[string]int{}
	for i, f := range []Files{
		{Own: own("a", "b"), Active: "a", Program: program},
		{Own: own("ab", ""), Active: "a", Program: program},
		{Own: own("", "ab"), Active: "a", Program: program},
		{Own: own("a", "b"), Active: "b", Program: program},
		{Own: own("a", "b"), Active: "a", Program: program + "2"},
		{Own: own("a", "b"), Active: "a", Program: program, Keyring: []string{"k", "l"}},
		{Own: own("a", "b"), Active: "a", Program: program, Keyring: []string{"kl"}},
		{Own: own("a", "b"), Program: program, Actives: []string{"k", "l"}},
		{Own: own("a", "b"), Program: program, Actives: []string{"l"}, Keyring: []string{"k"}},
	} {
		d := f.digest()
		if j, twice := seen[d]; twice {
			t.Errorf("%d and %d have one digest", i, j)
		}
		seen[d] = i
	}
	one := Files{Own: own("a", "b"), Active: "a", Keyring: []string{"l", "k"}}
	other := Files{Own: own("a", "b"), Active: "a", Keyring: []string{"k", "l"}}
	if one.digest() != other.digest() {
		t.Error("the order of a keyring makes other files")
	}
}

// many returns the files of n profiles.
func many(n int) (config, credentials []byte) {
	var c, s bytes.Buffer
	for i := range n {
		fmt.Fprintf(&c, "[profile account-%05d-Administrator]\nrole_arn = arn:aws:iam::%012d:role/Administrator\nsource_profile = default\nregion = eu-west-1\noutput = json\n\n", i, i)
	}
	s.WriteString("[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = SECRET\n")
	return c.Bytes(), s.Bytes()
}

func BenchmarkFiles(b *testing.B) {
	for _, n := range []int{10, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			config, credentials := many(n)
			f := Files{Own: load(b, config, credentials), Active: "account-00007-Administrator", Program: program}
			b.SetBytes(int64(len(config)))
			for b.Loop() {
				f.write()
			}
		})
	}
}

func BenchmarkDigest(b *testing.B) {
	config, credentials := many(10_000)
	f := Files{Own: load(b, config, credentials), Active: "account-00007-Administrator", Program: program}
	for b.Loop() {
		f.digest()
	}
}
