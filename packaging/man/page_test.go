package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"aws-switch-role/internal/cli"
)

// TestPages makes all pages, and has mandoc find nothing wrong with them.
func TestPages(t *testing.T) {
	dir := t.TempDir()
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "man1", "*.1"))
	if err != nil {
		t.Fatal(err)
	}
	has := func(name string) bool {
		return slices.Contains(pages, filepath.Join(dir, "man1", name+".1"))
	}
	// The names stand here as well, lest both sides forget some.
	for _, name := range strings.Fields(`shell exec export credential-process serve console each list status explain
		doctor profile profile-add mfa keys keys-add keys-import keys-list keys-remove keys-rotate sessions
		sessions-list sessions-clear sso sso-login sso-logout sso-populate init refresh demo version completion-bash`) {
		if !has("aws-switch-role-" + name) {
			t.Errorf("no page for %s", name)
		}
	}
	if !has("aws-switch-role") {
		t.Fatal("no main page")
	}
	lint, err := exec.Command("mandoc", append([]string{"-Tlint", "-Wstyle"}, pages...)...).CombinedOutput()
	if err != nil || len(lint) > 0 {
		t.Errorf("mandoc: %v\n%s", err, lint)
	}
	for _, file := range []string{"bash/aws-switch-role", "zsh/_aws-switch-role", "fish/aws-switch-role.fish"} {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestMainPage reads the main page as a person sees it.
func TestMainPage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.1")
	if err := os.WriteFile(file, page(cli.Commands(), time.Unix(0, 0)), 0o600); err != nil {
		t.Fatal(err)
	}
	shown, err := exec.Command("mandoc", "-Tutf8", "-Owidth=100", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`.\x08`).ReplaceAllString(string(shown), "")
	for _, want := range []string{
		"aws-switch-role - become any AWS IAM role from the terminal\n",
		"\nEXIT STATUS\n", "\nENVIRONMENT\n", "\nFILES\n", "\nCOMMANDS\n", "\nEXAMPLES\n",
		"       --mfa-code code\n", "       --renew[=roles]\n", "aws-switch-role-doctor(1)\n",
		"aws-switch-role sub-account -- aws s3 ls\n", "       ~/.aws/config, ~/.aws/credentials\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestEnvironment looks through the code for variables of ours: each is a
// flag's, or on the main page.
func TestEnvironment(t *testing.T) {
	var told strings.Builder
	for _, s := range sections {
		for _, i := range s.items {
			told.WriteString(i.term + ", ")
		}
	}
	cli.Commands().Flags().VisitAll(func(f *pflag.Flag) {
		told.WriteString("AWS_SWITCH_ROLE_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")) + ", ")
	})
	variable := regexp.MustCompile(`"(AWS_SWITCH_ROLE_[A-Z_]+[A-Z])"`)
	found := 0
	err := filepath.WalkDir("../../internal", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		for _, m := range variable.FindAllStringSubmatch(string(code), -1) {
			found++
			if !strings.Contains(told.String(), m[1]+",") {
				t.Errorf("%s: %s is not on the main page", path, m[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 5 {
		t.Errorf("only %d variables were found", found)
	}
}
