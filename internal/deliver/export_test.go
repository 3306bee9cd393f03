package deliver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aws-switch-role/internal/cred"

	"github.com/google/go-cmp/cmp"
)

// hostile are values for a profile's name that some language would read as
// more than text.
var hostile = []string{
	"plain", "it's", "it's `id`", "it's $HOME", "it's \\n", "''", "'", `'\''`, `\`, `\\'`, `\'`, `a\`, `"`, `'"`, "`id`", "$HOME", "${HOME}", "$(id)", "!!", "!x",
	"a b", "  a  b  ", "*", "?", "~", "#x", "a #x", "a;b", "a&b", "a|b", "<a>", "(a)", "{a,b}", "[a]", "%s %d", "%PATH%", "=x", "a=b",
	"-n", "--", "é", "日本", "‘a’", "‚‛", "“a”", "\u202egnp.exe", "@a", ",x",
}

// exported returns what Export writes for a profile's name, and the variables
// that it should lead to.
func exported(t *testing.T, format Format, base []string, profile string) (want map[string]string, code string) {
	t.Helper()
	c, as := session()
	as.Profile = profile
	var b bytes.Buffer
	if err := Export(&b, format, base, c, as); err != nil {
		t.Fatalf("%q: %v", profile, err)
	}
	return ours(Env(base, c, as)), b.String()
}

// ours returns the variables of env that are ours to set or unset, and the
// test's own.
func ours(env []string) map[string]string {
	vars := map[string]string{}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		if slices.Contains(scrubbed, name) || strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "KEEP") {
			vars[name] = value
		}
	}
	return vars
}

// staleBase is the environment of a shell that is full of what must go.
func staleBase(t *testing.T) []string {
	base := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LC_ALL=C.UTF-8", "KEEP=it's", "AWS_CA_BUNDLE=/ca"}
	for _, name := range scrubbed {
		base = append(base, name+"=stale")
	}
	return base
}

// TestExportToShells lets each shell evaluate the code as its users do, and
// compares the environment of a program that it then starts to what Exec would
// have given that program.
func TestExportToShells(t *testing.T) {
	tests := []struct {
		shell  string
		args   []string
		format Format
		eval   string // evaluates the file "code"
	}{
		{"dash", nil, FormatEnv, `set -eu; eval "$(cat code)"`},
		{"bash", []string{"--norc"}, FormatEnv, `set -eu; eval "$(cat code)"`},
		{"bash", []string{"--posix"}, FormatEnv, `. ./code`},
		{"zsh", []string{"-f"}, FormatEnv, `set -eu; eval "$(cat code)"`},
		{"zsh", []string{"-f", "-o", "rcquotes"}, FormatEnv, `eval "$(cat code)"`},
		{"fish", []string{"--no-config"}, FormatFish, `cat code | source`},
		{"fish", []string{"--no-config"}, FormatFish, `eval (cat code | string collect)`},
	}
	for _, tt := range tests {
		t.Run(strings.Join(append([]string{tt.shell}, tt.args...), " ")+" "+tt.eval, func(t *testing.T) {
			base := staleBase(t)
			dir := t.TempDir()
			for _, profile := range hostile {
				want, code := exported(t, tt.format, base, profile)
				if err := os.WriteFile(filepath.Join(dir, "code"), []byte(code), 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := exec.CommandContext(t.Context(), tt.shell, append(tt.args, "-c", tt.eval+"; exec env -0")...)
				cmd.Dir, cmd.Env = dir, base
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				out, err := cmd.Output()
				if err != nil || stderr.Len() > 0 {
					t.Fatalf("%q: %v: %s\n%s", profile, err, stderr.String(), code)
				}
				if diff := cmp.Diff(want, ours(strings.Split(string(out), "\x00"))); diff != "" {
					t.Errorf("%q: -want +got:\n%s", profile, diff)
				}
			}
		})
	}
}

// TestExportText fixes the text for people who read it, and for the scripts
// that do.
func TestExportText(t *testing.T) {
	c := cred.Credentials{AccessKeyID: "AKIA", SecretAccessKey: cred.NewSecret("a/SECRET&key")}
	as := As{Profile: "it's", Depth: 1}
	base := []string{"AWS_VAULT=x", "AWS_SESSION_TOKEN=", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID=x", "HOME=/h"}
	tests := map[Format]string{
		FormatEnv: `unset AWS_SESSION_TOKEN
unset AWS_VAULT
export AWS_ACCESS_KEY_ID='AKIA'
export AWS_SECRET_ACCESS_KEY='a/SECRET&key'
export AWS_SDK_LOAD_CONFIG='1'
export AWS_SWITCH_ROLE_PROFILE='it'\''s'
export AWS_SWITCH_ROLE_DEPTH='1'
export AWS_SWITCH_ROLE_KEY_ID='AKIA'
`,
		FormatFish: `set -e AWS_SESSION_TOKEN
set -e AWS_VAULT
set -gx AWS_ACCESS_KEY_ID 'AKIA'
set -gx AWS_SECRET_ACCESS_KEY 'a/SECRET&key'
set -gx AWS_SDK_LOAD_CONFIG '1'
set -gx AWS_SWITCH_ROLE_PROFILE 'it\'s'
set -gx AWS_SWITCH_ROLE_DEPTH '1'
set -gx AWS_SWITCH_ROLE_KEY_ID 'AKIA'
`,
		FormatPowerShell: `Remove-Item Env:AWS_SESSION_TOKEN -ErrorAction Ignore
Remove-Item Env:AWS_VAULT -ErrorAction Ignore
$Env:AWS_ACCESS_KEY_ID = 'AKIA'
$Env:AWS_SECRET_ACCESS_KEY = 'a/SECRET&key'
$Env:AWS_SDK_LOAD_CONFIG = '1'
$Env:AWS_SWITCH_ROLE_PROFILE = 'it''s'
$Env:AWS_SWITCH_ROLE_DEPTH = '1'
$Env:AWS_SWITCH_ROLE_KEY_ID = 'AKIA'
`,
		FormatJSON: `{"AWS_ACCESS_KEY_ID":"AKIA","AWS_SDK_LOAD_CONFIG":"1","AWS_SECRET_ACCESS_KEY":"a/SECRET&key",` +
			`"AWS_SWITCH_ROLE_DEPTH":"1","AWS_SWITCH_ROLE_KEY_ID":"AKIA","AWS_SWITCH_ROLE_PROFILE":"it's"}
`,
		FormatDotenv: `AWS_ACCESS_KEY_ID=AKIA
AWS_SECRET_ACCESS_KEY='a/SECRET&key'
AWS_SDK_LOAD_CONFIG=1
AWS_SWITCH_ROLE_PROFILE="it's"
AWS_SWITCH_ROLE_DEPTH=1
AWS_SWITCH_ROLE_KEY_ID=AKIA
`,
	}
	if len(tests) != len(Formats()) {
		t.Errorf("%d of %d formats are tested", len(tests), len(Formats()))
	}
	for _, format := range Formats() {
		var w countingWriter
		if err := Export(&w, format, base, c, as); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tests[format], w.String()); diff != "" {
			t.Errorf("%s: -want +got:\n%s", format, diff)
		}
		if w.writes != 1 {
			t.Errorf("%s: %d writes", format, w.writes)
		}
	}
}

// TestExportToPowerShell reads the code back by PowerShell's rules of
// quoting, for want of PowerShell.
func TestExportToPowerShell(t *testing.T) {
	base := staleBase(t)
	for _, profile := range hostile {
		want, code := exported(t, FormatPowerShell, base, profile)
		got := ours(base)
		for line := range strings.Lines(code) {
			if err := evalPowerShell(got, strings.TrimSuffix(line, "\n")); err != nil {
				t.Fatalf("%q: %v", profile, err)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", profile, diff)
		}
	}
}

// evalPowerShell does what PowerShell would do with one of the two statements
// that we write. In a single-quoted string any of five characters is a quote,
// two quotes on end stand for the second of them, and nothing else is special.
func evalPowerShell(env map[string]string, line string) error {
	if rest, ok := strings.CutPrefix(line, "Remove-Item Env:"); ok {
		name, flags, _ := strings.Cut(rest, " ")
		if flags != "-ErrorAction Ignore" {
			return fmt.Errorf("flags %q", flags)
		}
		delete(env, name)
		return nil
	}
	rest, ok := strings.CutPrefix(line, "$Env:")
	name, quoted, cut := strings.Cut(rest, " = '")
	if !ok || !cut {
		return fmt.Errorf("no statement: %s", line)
	}
	isQuote := func(r rune) bool { return strings.ContainsRune("'‘’‚‛", r) }
	var value []rune
	for text := []rune(quoted); len(text) > 0; text = text[1:] {
		if isQuote(text[0]) {
			if len(text) == 1 {
				env[name] = string(value)
				return nil
			}
			if !isQuote(text[1]) {
				return fmt.Errorf("text after the string: %s", line)
			}
			text = text[1:]
		}
		value = append(value, text[0])
	}
	return fmt.Errorf("no end of the string: %s", line)
}

func TestExportToJSON(t *testing.T) {
	base := staleBase(t)
	for _, profile := range hostile {
		want, text := exported(t, FormatJSON, nil, profile)
		var got map[string]string
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", profile, diff)
		}
		if _, again := exported(t, FormatJSON, base, profile); again != text {
			t.Errorf("%q: the base shows in the object: %s", profile, again)
		}
		// As a script reads it.
		cmd := exec.CommandContext(t.Context(), "jq", "-j", ".AWS_SWITCH_ROLE_PROFILE")
		cmd.Stdin = strings.NewReader(text)
		out, err := cmd.Output()
		if err != nil || string(out) != profile {
			t.Errorf("jq makes %q of %q: %v", out, profile, err)
		}
	}
}

// TestExportToDotenv lets readers of such files with different ideas of
// quoting read the same file: Node.js and a shell, and docker by its rule, which
// is to have none.
func TestExportToDotenv(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "env")
	readers := map[string][]string{
		"node": {"node", "--env-file=" + file, "-e", `for (const k in process.env) process.stdout.write(k + "=" + process.env[k] + "\0")`},
		"sh":   {"sh", "-c", `set -a; . "$0"; exec env -0`, file},
	}
	refused := 0
	for _, profile := range hostile {
		c, as := session()
		as.Profile = profile
		var b bytes.Buffer
		err := Export(&b, FormatDotenv, nil, c, as)
		if _, ok := dotenvQuote(profile); !ok {
			refused++
			if err == nil || b.Len() > 0 || !strings.Contains(err.Error(), "AWS_SWITCH_ROLE_PROFILE") {
				t.Errorf("%q: %v, and %q", profile, err, b.String())
			}
			continue
		}
		if err != nil {
			t.Fatalf("%q: %v", profile, err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		want := ours(Env(nil, c, as))
		delete(want, "AWS_PROFILE")
		for name, argv := range readers {
			cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C.UTF-8"}
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s, %q: %v", name, profile, err)
			}
			if diff := cmp.Diff(want, ours(strings.Split(string(out), "\x00"))); diff != "" {
				t.Errorf("%s, %q: -want +got:\n%s\n%s", name, profile, diff, b.String())
			}
		}
	}
	if refused == 0 || refused > len(hostile)/3 {
		t.Errorf("%d of %d values have no spelling", refused, len(hostile))
	}

	// `docker run --env-file` has no quotes: what AWS makes up needs none.
	want, text := exported(t, FormatDotenv, nil, "sub-account")
	delete(want, "AWS_PROFILE")
	got := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		got[name] = value
	}
	if !maps.Equal(want, got) {
		t.Errorf("-want +got:\n%s", cmp.Diff(want, got))
	}
}

func TestDotenvQuote(t *testing.T) {
	tests := []struct {
		value, want string
		ok          bool
	}{
		{"ASIA/+=:@x", "ASIA/+=:@x", true},
		{"a b", "'a b'", true},
		{"a `b` \"c\"", "'a `b` \"c\"'", true},
		{"it's", `"it's"`, true},
		{"$x", "", false},     // python-dotenv expands ${x} in any quotes
		{`a\b`, "", false},    // and reads escapes in single quotes
		{"it's `", "", false}, // a shell runs what is between backquotes
		{`'"`, "", false},
	}
	for _, tt := range tests {
		if got, ok := dotenvQuote(tt.value); got != tt.want || ok != tt.ok {
			t.Errorf("dotenvQuote(%q) = %q, %v; want %q, %v", tt.value, got, ok, tt.want, tt.ok)
		}
	}
}

func TestExportRefusesControlCharacters(t *testing.T) {
	for _, bad := range []string{"a\nb", "a\r", "\x00", "\x1b[31m", "\x7f", "\u0085", "\xff"} {
		for _, format := range Formats() {
			c, as := session()
			c.SessionToken = cred.NewSecret("SECRET" + bad)
			var b bytes.Buffer
			err := Export(&b, format, nil, c, as)
			if err == nil || b.Len() > 0 {
				t.Errorf("%s takes %q", format, bad)
				continue
			}
			if !strings.Contains(err.Error(), "AWS_SESSION_TOKEN") || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("%s, %q: %v", format, bad, err)
			}
		}
	}
}

func TestExportUnknownFormat(t *testing.T) {
	c, as := session()
	var b bytes.Buffer
	if err := Export(&b, "xml", nil, c, as); err == nil || b.Len() > 0 || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("%v, and %q", err, b.String())
	}
}

func TestExportReportsAShortWrite(t *testing.T) {
	c, as := session()
	for _, format := range Formats() {
		if err := Export(shortWriter{}, format, nil, c, as); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestExportRenewed(t *testing.T) {
	c, as := session()
	base := Env([]string{"PATH=/bin", "AWS_VAULT=left"}, c, as)
	var b bytes.Buffer
	fresh := cred.Credentials{AccessKeyID: "ASIANEW", SecretAccessKey: cred.NewSecret("SECRETnew")}
	if err := ExportRenewed(&b, FormatEnv, base, fresh); err != nil {
		t.Fatal(err)
	}
	want := `unset AWS_SESSION_TOKEN
unset AWS_SESSION_EXPIRATION
export AWS_ACCESS_KEY_ID='ASIANEW'
export AWS_SECRET_ACCESS_KEY='SECRETnew'
export AWS_SWITCH_ROLE_KEY_ID='ASIANEW'
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
