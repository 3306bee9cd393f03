//go:build unix

package main

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// elsewhere are the files of doc/formats.md that TestFormats does not make.
var elsewhere = map[string]string{
	"RUN/shells/ID/needs-code": "it is there when an MFA session has ended: TestSecretless",
}

// TestFormats leaves all kinds of files behind: each is in doc/formats.md, and
// each of that page is left.
func TestFormats(t *testing.T) {
	p := newDocPlace(t, docPrograms(t))
	config := filepath.Join(p.home, ".aws", "config")
	write(t, config, string(read(t, config))+ssoConfig, 0o600)
	out, err := p.typed([]string{"bash", "-e", "-o", "pipefail"}, `
aws-switch-role keys import default
aws-switch-role tempsession --duration max -- true
aws-switch-role each 'prod-*' -- true
aws-switch-role sso login corp --browser 'browser shown %u person=jane@example.com'
aws-switch-role --secretless prod-a -- find "$HOME" ! -type d
`)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	page := string(read(t, "doc/formats.md"))
	left := map[string]bool{}
	names := []struct{ in, as string }{
		{filepath.Join(p.home, ".cache", "aws-switch-role"), "CACHE"},
		{filepath.Join(p.home, ".config", "aws-switch-role"), "DATA"},
		{filepath.Join(p.home, ".local", "state", "aws-switch-role"), "STATE"},
		{filepath.Join(p.home, "run", "aws-switch-role"), "RUN"},
	}
	digest := regexp.MustCompile(`\b[0-9a-f]{32,}\b`)
	id := regexp.MustCompile(`\b[0-9a-f]{16}\b`)
	see := func(path string) {
		for _, n := range names {
			rest, ok := strings.CutPrefix(path, n.in)
			if !ok {
				continue
			}
			name := id.ReplaceAllString(digest.ReplaceAllString(n.as+rest, "DIGEST"), "ID")
			left[name] = true
			if !strings.Contains(page, "`"+name+"`") {
				t.Errorf("%s is not in doc/formats.md: %s", name, path)
			}
		}
	}
	for line := range strings.Lines(out) {
		see(strings.TrimSpace(line)) // while the secretless shell is there
	}
	err = filepath.WalkDir(p.home, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			see(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("`((?:CACHE|DATA|STATE|RUN)/[^`]+)`").FindAllStringSubmatch(page, -1) {
		if !left[m[1]] && elsewhere[m[1]] == "" {
			t.Errorf("doc/formats.md tells of %s, and nothing leaves such a file", m[1])
		}
	}
}
