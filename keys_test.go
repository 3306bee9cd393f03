//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportTouchesItsLinesAlone: whatever else is in the credentials file
// stays, byte for byte, with the file's mode and the symlink that leads to it.
func TestImportTouchesItsLinesAlone(t *testing.T) {
	const pair = "AWS_Access_Key_ID\t=  AKIAEMULATEDBOTBOTBO  \naws_secret_access_key=bot/SECRETbot/SECRETbot/SECRETbot/SECRET\n"
	for name, text := range map[string]string{
		"comments":           "# a\n; b\n\n[bot] # c\n# d\n" + pair + "# e = f\n[other]\nregion = eu-west-1\n",
		"no end of line":     "[bot]\n" + strings.TrimSuffix(pair, "\n"),
		"byte order mark":    "\uFEFF[bot]\n" + pair,
		"CRLF":               strings.ReplaceAll("[a]\nregion = eu-west-1\n[bot]\n"+pair+"region = eu-west-2\n", "\n", "\r\n"),
		"duplicate sections": "[bot]\nregion = eu-west-1\n[a]\nregion = eu-west-2\n[bot]\n" + pair + "[bot]\noutput = json\n",
		"the same elsewhere": "[a]\n" + pair + "[bot]\n" + pair + "[botbot]\n" + pair,
		"twice":              "[bot]\naws_access_key_id = AKIAEXAMPLEEXAMPLE01\n[bot]\n" + pair,
		"nested":             "[bot]\ns3 =\n  aws_access_key_id = nested\n" + pair,
	} {
		t.Run(name, func(t *testing.T) {
			h := newKeyHome(t, nil)
			var want strings.Builder
			inBot := false
			for line := range strings.Lines(text) {
				title := strings.TrimPrefix(line, "\uFEFF")
				if strings.HasPrefix(title, "[") {
					inBot = strings.HasPrefix(title, "[bot]")
				}
				key := strings.ToLower(line)
				if !inBot || !strings.HasPrefix(key, "aws_access_key_id") && !strings.HasPrefix(key, "aws_secret_access_key") {
					want.WriteString(line)
				}
			}
			target := filepath.Join(h.dir, "elsewhere", "keys")
			write(t, target, text, 0o640)
			if err := os.Remove(h.credentials()); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("../elsewhere/keys", h.credentials()); err != nil {
				t.Fatal(err)
			}
			h.must("with the symlink", "keys", "import", "bot")
			if got, err := os.ReadFile(target); err != nil || string(got) != want.String() {
				t.Errorf("the file is\n%q, want\n%q, %v", got, want.String(), err)
			}
			if fi, err := os.Stat(target); err != nil || fi.Mode().Perm() != 0o640 {
				t.Errorf("its mode is %v, %v", fi.Mode(), err)
			}
			if to, err := os.Readlink(h.credentials()); err != nil || to != "../elsewhere/keys" {
				t.Errorf("the symlink leads to %q, %v", to, err)
			}
			h.mustWork("from the keyring")
		})
	}
}
