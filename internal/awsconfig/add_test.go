package awsconfig

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// added is a section to add, and how it looks in a file.
var (
	added     = Section{"new", []Setting{{"role_arn", "arn:aws:iam::222222222222:role/Ops"}, {"source_profile", "main"}}}
	addedText = "[profile new]\nrole_arn = arn:aws:iam::222222222222:role/Ops\nsource_profile = main\n"
)

func TestAdd(t *testing.T) {
	crlf := strings.ReplaceAll(addedText, "\n", "\r\n")
	for _, tc := range []struct {
		name, text, want string
		line             int
	}{
		{"empty", "", addedText, 1},
		{"others", "[profile a]\nregion = r\n", "[profile a]\nregion = r\n\n" + addedText, 4},
		{"an empty line at the end", "[profile a]\n\n", "[profile a]\n\n" + addedText, 3},
		{"no end of line", "# only this", "# only this\n\n" + addedText, 3},
		{"CRLF", "[profile a]\r\nregion = r\r\n", "[profile a]\r\nregion = r\r\n\r\n" + crlf, 4},
		{"CRLF, an empty line", "[profile a]\r\n\r\n", "[profile a]\r\n\r\n" + crlf, 3},
		{"CRLF, no end of line", "[profile a]\r\nregion = r", "[profile a]\r\nregion = r\r\n\r\n" + crlf, 4},
		{"a byte order mark", byteOrderMark + "# c\n", byteOrderMark + "# c\n\n" + addedText, 3},
		{"nothing but a byte order mark", byteOrderMark, byteOrderMark + addedText, 1},
		{"an indented setting", "[profile a]\n  s3 =\n    x = y\n", "[profile a]\n  s3 =\n    x = y\n\n" + addedText, 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
			if err := errors.Join(os.WriteFile(file, []byte(tc.text), 0o640), os.Symlink("file", link)); err != nil {
				t.Fatal(err)
			}
			c := loadFiles(t, link, filepath.Join(dir, "none"))
			with, err := c.With(added)
			if err != nil {
				t.Fatal(err)
			}
			at, err := c.Add(added)
			if err != nil || at != (Origin{link, tc.line}) {
				t.Errorf("added at %v, %v; want line %d", at, err, tc.line)
			}
			same(t, file, tc.want)
			if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
				t.Errorf("the link is gone: %v", err)
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("the mode is %v, %v", info.Mode(), err)
			}
			for _, c := range []*Config{with, loadFiles(t, link, filepath.Join(dir, "none"))} {
				p, ok, err := c.Profile("new")
				if !ok || err != nil || len(p.Keys) != 2 || p.Keys["source_profile"].Text != "main" || p.Line != tc.line {
					t.Errorf("it reads as %v, %v, %v", p, ok, err)
				}
			}
			if _, err := c.Add(added); !errors.Is(err, ErrChanged) {
				t.Errorf("added twice: %v", err)
			}
			same(t, file, tc.want)
		})
	}
}

func loadFiles(t *testing.T, config, credentials string) *Config {
	t.Helper()
	c, err := Load(config, credentials)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func same(t *testing.T, file, want string) {
	t.Helper()
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("the file is %q, %v; want %q", got, err, want)
	}
}

// A file that is not there yet is made, with its directory, for the user
// alone; a link that leads nowhere yet is followed.
func TestAddMakesFile(t *testing.T) {
	for _, linked := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), ".aws")
		file := filepath.Join(dir, "config")
		want := file
		if linked {
			want = filepath.Join(t.TempDir(), "dotfile")
			if err := errors.Join(os.Mkdir(dir, 0o700), os.Symlink(want, file)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := loadFiles(t, file, filepath.Join(dir, "credentials")).Add(added); err != nil {
			t.Fatal(err)
		}
		same(t, want, addedText)
		for path, mode := range map[string]os.FileMode{dir: 0o700, want: 0o600} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
				t.Errorf("%s has mode %v, %v", path, info.Mode(), err)
			}
		}
	}
}

func TestAddDefault(t *testing.T) {
	s := Section{Name: "default", Settings: []Setting{{"region", "eu-central-1"}}}
	if got := s.String(); got != "[default]\nregion = eu-central-1\n" {
		t.Errorf("it is %q", got)
	}
}

func TestAddRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "config")
	for _, name := range []string{"", "a b", "a\tb", "a\nb", "a]", "[a", `a"`, "a'", `a\`, "a#", "a;", "-a", "\x1b[2J", strings.Repeat("x", 300), "\xff"} {
		c := loadFiles(t, file, file)
		if _, err := c.Add(Section{Name: name}); err == nil {
			t.Errorf("the name %q is taken", name)
		}
		if _, err := c.With(Section{Name: name}); err == nil {
			t.Errorf("the name %q is taken for a trial", name)
		}
	}
	for _, value := range []string{"", " x", "x ", "a\nb = c", "a # b", "a\x1b[2J", "\xff"} {
		c := loadFiles(t, file, file)
		if _, err := c.Add(Section{"new", []Setting{{"region", value}}}); err == nil {
			t.Errorf("the value %q is taken", value)
		}
		if _, err := c.Set("new", Setting{"region", value}); err == nil {
			t.Errorf("the value %q is set", value)
		}
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
	for _, name := range []string{"a", "Zürich", "東京", "a/b@c=d,e.f_g-h:i", "a%b"} {
		with, err := loadFiles(t, file, file).With(Section{name, added.Settings})
		if err != nil {
			t.Errorf("the name %q is refused: %v", name, err)
			continue
		}
		if _, ok, err := with.Profile(name); !ok || err != nil {
			t.Errorf("the name %q is not found again: %v", name, err)
		}
	}
}

func TestSet(t *testing.T) {
	const line = "mfa_serial = arn"
	for _, tc := range []struct {
		name, profile, config, credentials string // ↓ stands where the line goes, | around what it replaces
	}{
		{"below the others", "x", "[profile x]\nregion = r\n↓[profile y]\nregion = r\n", ""},
		{"above blank lines and comments", "x", "[profile x]\nregion = r\n↓\n# y\n[profile y]\n", ""},
		{"below a group", "x", "[profile x]\ns3 =\n  a = b\n↓\n[profile y]\n", ""},
		{"in an empty section", "x", "[profile x]\n↓\n[profile y]\nregion = r\n", ""},
		{"at the end", "x", "[profile x]\nregion = r\n↓", ""},
		{"no end of line", "x", "[profile x]\nregion = r^↓", ""},
		{"no end of line behind the header", "x", "[profile x]^↓", ""},
		{"CRLF", "x", "[profile x]\r\nregion = r\r\n↓[profile y]\r\n", ""},
		{"instead of another", "x", "[profile x]\n↓|mfa_serial = old # c\n|region = r\n", ""},
		{"instead of another in any case", "x", "[profile x]\n↓|MFA_Serial: old\n|region = r\n", ""},
		{"instead of a long one", "x", "[profile x]\n↓|mfa_serial = old\n   older\n|region = r\n", ""},
		{"instead of one without an end of line", "x", "[profile x]\n↓|mfa_serial = old|", ""},
		{"instead of the last one", "x", "[profile x]\nmfa_serial = older\n↓|mfa_serial = old\n|region = r\n", ""},
		{"in indented lines", "x", "[profile x]\n  region = r\n  ↓", ""},
		{"instead of an indented one", "x", "[profile x]\n↓|  mfa_serial = old\n|  region = r\n", ""},
		{"not in a like one", "x", "[x]\n[profile xx]\nregion = r\n[profile x]\n↓", ""},
		{"default", "default", "[default]\n↓[profile x]\n", "[default]\naws_access_key_id = A\n"},
		{"profile default", "default", "[default]\n[profile default]\n↓[profile x]\n", ""},
		{"in the credentials file", "x", "", "[x]\naws_access_key_id = A\n↓[y]\n"},
		{"where the credentials file has one", "x", "[profile x]\nmfa_serial = mine\n", "[x]\n↓|mfa_serial = old\n|"},
		{"a byte order mark", "x", byteOrderMark + "[profile x]\nregion = r\n↓", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			var paths []string
			var want []string
			var at Origin
			for i, marked := range []string{tc.config, tc.credentials} {
				paths = append(paths, filepath.Join(dir, []string{"config", "credentials"}[i]))
				end := "\n"
				if strings.Contains(marked, "\r\n") {
					end = "\r\n"
				}
				before := strings.NewReplacer("  ↓", "", "↓", "", "|", "", "^", "").Replace(marked)
				if err := os.WriteFile(paths[i], []byte(before), 0o600); err != nil {
					t.Fatal(err)
				}
				after := strings.ReplaceAll(marked, "^", end)
				if head, rest, ok := strings.Cut(after, "↓"); ok {
					at = Origin{paths[i], strings.Count(head, "\n") + 1}
					indent := ""
					if replaced, behind, ok := strings.Cut(strings.TrimPrefix(rest, "|"), "|"); ok && strings.HasPrefix(rest, "|") {
						indent, rest = replaced[:len(replaced)-len(strings.TrimLeft(replaced, " "))], behind
					}
					after = head + indent + line + end + rest
				}
				want = append(want, after)
			}
			c := loadFiles(t, paths[0], paths[1])
			got, err := c.Set(tc.profile, Setting{"mfa_serial", "arn"})
			if err != nil || got != at {
				t.Errorf("set at %v, %v; want %v", got, err, at)
			}
			for i, path := range paths {
				same(t, path, want[i])
			}
			p, _, err := loadFiles(t, paths[0], paths[1]).Profile(tc.profile)
			if v := p.Keys["mfa_serial"]; err != nil || v.Text != "arn" || v.Origin != at {
				t.Errorf("it reads as %v, %v", p.Keys, err)
			}
		})
	}
	if _, err := loadFiles(t, "none", "none").Set("x", Setting{"mfa_serial", "arn"}); !errors.Is(err, ErrNoSection) {
		t.Errorf("set in a profile that does not exist: %v", err)
	}
}
