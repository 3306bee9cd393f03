package awsconfig

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRemoveKeys(t *testing.T) {
	for _, tc := range []struct {
		name, profile, text, want string
		lines                     []int
	}{
		{"one section", "main", "[main]\naws_access_key_id = A\naws_secret_access_key = S\nregion = r\n", "[main]\nregion = r\n", []int{2, 3}},
		{"comments and blanks stay", "main", "# top\n\n[main] ; mine\n# the key\naws_access_key_id=A\n\naws_secret_access_key : S # c\n; end", "# top\n\n[main] ; mine\n# the key\n\n; end", []int{5, 7}},
		{"other sections stay", "main", "[a]\naws_access_key_id = A\n[main]\naws_access_key_id = B\n[b]\naws_access_key_id = C\n", "[a]\naws_access_key_id = A\n[main]\n[b]\naws_access_key_id = C\n", []int{4}},
		{"twice", "main", "[main]\naws_access_key_id = A\n[b]\nx = y\n[main]\naws_secret_access_key = S\n", "[main]\n[b]\nx = y\n[main]\n", []int{2, 6}},
		{"any case", "main", "[main]\nAWS_Access_Key_ID = A\n", "[main]\n", []int{2}},
		{"a continued value", "main", "[main]\naws_secret_access_key = S\n   T\n\n   # c\n   U\nregion = r\n", "[main]\n\n   # c\nregion = r\n", []int{2}},
		{"CRLF", "main", "[main]\r\naws_access_key_id = A\r\nregion = r\r\n", "[main]\r\nregion = r\r\n", []int{2}},
		{"a lone CR", "main", "[main]\raws_access_key_id = A\rregion = r\r", "[main]\rregion = r\r", []int{2}},
		{"a byte order mark", "main", byteOrderMark + "[main]\naws_access_key_id = A\n", byteOrderMark + "[main]\n", []int{2}},
		{"no end of line", "main", "[main]\nregion = r\naws_access_key_id = A", "[main]\nregion = r\n", []int{3}},
		{"indented keys", "main", "[main]\n  aws_access_key_id = A\n  region = r\n", "[main]\n  region = r\n", []int{2}},
		{"not there", "other", "[main]\naws_access_key_id = A\n", "[main]\naws_access_key_id = A\n", nil},
		{"a header in a value", "main", "[a]\nx =\n  [main]\n  aws_access_key_id = A\n", "[a]\nx =\n  [main]\n  aws_access_key_id = A\n", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "credentials")
			if err := os.WriteFile(file, []byte(tc.text), 0o640); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("credentials", filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
			link := filepath.Join(dir, "link")
			c, err := Load(filepath.Join(dir, "none"), link)
			if err != nil {
				t.Fatal(err)
			}
			at, err := c.RemoveKeys(tc.profile, "aws_access_key_id", "aws_secret_access_key")
			if err != nil {
				t.Fatal(err)
			}
			var lines []int
			for _, o := range at {
				if o.File != link {
					t.Errorf("removed from %s", o.File)
				}
				lines = append(lines, o.Line)
			}
			if diff := cmp.Diff(tc.lines, lines); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			got, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(got)); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
			if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
				t.Errorf("the symlink is gone: %v", err)
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
			if left, err := filepath.Glob(filepath.Join(dir, ".aws-switch-role-*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestRemoveKeysOfTheConfigFile(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "config")
	text := "[default]\naws_access_key_id = D\n[profile default]\naws_access_key_id = P\n[profile main]\naws_access_key_id = M\n[main]\naws_access_key_id = N\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(config, filepath.Join(dir, "none"))
	if err != nil {
		t.Fatal(err)
	}
	for profile, want := range map[string]int{"main": 1, "default": 2} {
		at, err := c.RemoveKeys(profile, "aws_access_key_id")
		if err != nil || len(at) != want {
			t.Errorf("%s: removed %v, %v, want %d", profile, at, err, want)
		}
	}
	got, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if want := "[default]\n[profile default]\n[profile main]\n[main]\naws_access_key_id = N\n"; string(got) != want {
		t.Errorf("got %q", got)
	}
}

func TestRewriteRefusesAFileThatChanges(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Rewrite(file, func(text []byte) ([]byte, error) {
		return []byte("mine"), os.WriteFile(file, []byte("theirs"), 0o600)
	})
	if !errors.Is(err, ErrChanged) {
		t.Errorf("err = %v", err)
	}
	if got, _ := os.ReadFile(file); string(got) != "theirs" {
		t.Errorf("got %q", got)
	}
}

func TestRewriteLeavesAFileAloneWhenItFails(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	fail := errors.New("no")
	if err := Rewrite(file, func([]byte) ([]byte, error) { return nil, fail }); !errors.Is(err, fail) {
		t.Errorf("err = %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	if got, _ := os.ReadFile(file); string(got) != "old" {
		t.Errorf("got %q", got)
	}
	if err := Rewrite(dir, func(b []byte) ([]byte, error) { return b, nil }); err == nil || !strings.Contains(err.Error(), "regular") {
		t.Errorf("err = %v", err)
	}
}

// FuzzRemoveKeys: what is removed is gone, and nothing else is.
func FuzzRemoveKeys(f *testing.F) {
	f.Add([]byte("[main]\naws_access_key_id = A\nregion = r\n[b]\nx = y\n"))
	f.Add([]byte("[main]\nx =\n aws_access_key_id = A\n\taws_access_key_id : B\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys := []string{"aws_access_key_id"}
		rest, lines := removeSettings(text, literal("main"), keys)
		again, more := removeSettings(rest, literal("main"), keys)
		if len(more) > 0 || string(again) != string(rest) {
			t.Fatalf("not all was removed: %q left of %q", rest, text)
		}
		if len(lines) == 0 && string(rest) != string(text) {
			t.Fatalf("%q became %q though nothing was removed", text, rest)
		}
		before, after := credentialsOf(text), credentialsOf(rest)
		for name := range before.Names() {
			b, _, berr := before.Profile(name)
			a, _, aerr := after.Profile(name)
			if berr != nil || aerr != nil {
				continue
			}
			if name == "main" {
				delete(b.Keys, keys[0])
				for k := range b.Keys {
					if strings.HasPrefix(k, keys[0]+".") {
						delete(b.Keys, k)
					}
				}
			}
			for k, v := range b.Keys {
				if a.Keys[k].Text != v.Text {
					t.Fatalf("%s.%s was %q and is %q", name, k, v.Text, a.Keys[k].Text)
				}
			}
		}
	})
}

func credentialsOf(text []byte) *Config {
	return &Config{credentials: newFile("credentials", text)}
}

func TestEdited(t *testing.T) {
	const before = "\uFEFF[ profile a ] # behind\r\n  Source_Profle : main ; kept\r\nregion = source_profle\r\n"
	profile := Edit{Line: 2, Key: "source_profle", Name: "source_profile"}
	equals := profile
	equals.Equals = true
	for _, tc := range []struct {
		edits []Edit
		want  string
	}{
		{nil, before},
		{[]Edit{profile}, "\uFEFF[ profile a ] # behind\r\n  source_profile : main ; kept\r\nregion = source_profle\r\n"},
		{[]Edit{profile, {Line: 1, Unmarked: true}}, "[ profile a ] # behind\r\n  source_profile : main ; kept\r\nregion = source_profle\r\n"},
		{
			[]Edit{equals, {Line: 1, Header: "profile a"}, {Line: 3, Key: "region", Name: "Region"}},
			"\uFEFF[profile a] # behind\r\n  source_profile = main ; kept\r\nRegion = source_profle\r\n",
		},
	} {
		if got, err := Edited([]byte(before), tc.edits...); string(got) != tc.want || err != nil {
			t.Errorf("%v: %q, %v", tc.edits, got, err)
		}
	}
	for _, wrong := range [][]Edit{
		{{Line: 1, Key: "source_profle", Name: "x"}}, {{Line: 3, Key: "source_profle", Name: "x"}}, {{Line: 4, Key: "source_profle", Name: "x"}},
		{{Line: 9, Header: "x"}}, {{Line: 2, Header: "x"}}, {profile, profile},
	} {
		if got, err := Edited([]byte(before), wrong...); !errors.Is(err, ErrChanged) || got != nil {
			t.Errorf("%v: %q, %v", wrong, got, err)
		}
	}
}
