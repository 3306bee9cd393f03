//go:build unix

package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aws-switch-role/internal/emulator"
)

// TestOthersReadNothing has another user look at all that a day's work leaves
// behind: sessions, locks, the keyring and its index, wherever they are.
func TestOthersReadNothing(t *testing.T) {
	useRealProgram(t)
	for name, variables := range map[string][]string{
		"as a login sets it up":          {},
		"without a runtime directory":    {"XDG_RUNTIME_DIR="},
		"with directories of one's own":  {"XDG_CACHE_HOME=$HOME/c", "XDG_DATA_HOME=$HOME/d", "XDG_RUNTIME_DIR=$HOME/r"},
		"with directories open to all":   {"XDG_CACHE_HOME=$HOME/open/c", "XDG_DATA_HOME=$HOME/open/d", "XDG_RUNTIME_DIR=$HOME/open/r"},
		"with everything in one of them": {"XDG_CACHE_HOME=$HOME/open", "XDG_DATA_HOME=$HOME/open", "XDG_RUNTIME_DIR=$HOME/open"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newKeyHome(t, nil)
			for _, v := range variables {
				h.environ = append(h.environ, strings.ReplaceAll(v, "$HOME", h.dir))
			}
			write(t, filepath.Join(h.dir, ".aws", "config"), botConfig+"[profile ops]\nrole_arn = "+emulator.DemoRole("Ops")+"\nsource_profile = me\nmfa_serial = "+emulator.DemoDevice+"\n", 0o600)
			write(t, h.credentials(), botBefore+"[me]\naws_access_key_id = "+emulator.DemoKeyID+"\naws_secret_access_key = "+emulator.DemoSecret+"\n", 0o600)
			// Everybody may go into the home, as on many systems, and into
			// some directories there.
			control := filepath.Join(h.dir, "open", "control")
			write(t, control, "for all", 0o644)
			for _, dir := range []string{filepath.Dir(h.dir), h.dir, filepath.Dir(control)} {
				if err := os.Chmod(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			before := everything(t, h.dir)

			code, err := h.server.Code(emulator.DemoDevice)
			if err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{
				{"keys", "import", "--all"},
				{"ops", "--mfa-code", code, "--duration", "max", "--", "true"},
				{"bare", "--", "true"},
				{"keys", "rotate", "bot"},
				{"credential-process", "bare"},
			} {
				// This is the worst umask that a user may have set.
				cmd := h.command(append([]string{"sh", "-c", `umask 0; exec aws-switch-role "$@"`, "sh"}, args...)...)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%q: %v\n%s", args, err, out)
				}
			}

			var ours []string
			kinds := map[string]bool{}
			for path, info := range everything(t, h.dir) {
				if before[path] == nil {
					ours = append(ours, path)
					kinds[filepath.Ext(path)] = true
					if info.Mode().Perm()&0o077 != 0 {
						t.Errorf("%s has the mode %v", path, info.Mode())
					}
				}
			}
			for _, kind := range []string{".v1", ".lock", ".codes", ".json"} {
				if !kinds[kind] {
					t.Errorf("no *%s is among what the program left: %q", kind, ours)
				}
			}
			if readable := readableByOthers(t, append(ours, control)); len(readable) != 1 || readable[0] != control {
				t.Errorf("others can read %q, and should the file %s alone", readable, control)
			}
		})
	}
}

// everything is what is below a directory.
func everything(t *testing.T, dir string) map[string]fs.FileInfo {
	t.Helper()
	found := map[string]fs.FileInfo{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			found[path], err = d.Info()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// readableByOthers returns which of the paths another user can open. Who is not
// root cannot be another user, and goes by the modes.
func readableByOthers(t *testing.T, paths []string) (readable []string) {
	t.Helper()
	if os.Getuid() != 0 {
		for _, path := range paths {
			if modesLetIn(t, path) {
				readable = append(readable, path)
			}
		}
		return readable
	}
	cmd := exec.Command("/bin/sh", append([]string{"-c", `for path; do if (: <"$path") 2>/dev/null; then echo "$path"; fi; done`, "sh"}, paths...)...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// modesLetIn reports whether the modes of a path and of the directories that
// lead to it let everybody read it.
func modesLetIn(t *testing.T, path string) bool {
	t.Helper()
	need := fs.FileMode(0o004)
	for ; ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&need == 0 {
			return false
		}
		if path == filepath.Dir(path) {
			return true
		}
		need = 0o001
	}
}
