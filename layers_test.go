package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "aws-switch-role"

// layers says which of our packages each package may import, and why the
// direction is what it is: config -> plan -> session -> deliver, and only cli
// knows them all.
var layers = map[string][]string{
	"cred":       {},
	"awsconfig":  {"message"},
	"memory":     {},
	"message":    {},
	"plan":       {"awsconfig", "message"},
	"session":    {"cred", "plan"},
	"folder":     {},
	"cache":      {"cred", "plan", "session", "folder"},
	"hop":        {"cred", "message", "plan"},
	"mirror":     {"awsconfig", "folder"},
	"fanout":     {},
	"deliver":    {"cred"},
	"term":       {},
	"keyring":    {},
	"accesskey":  {"cred", "keyring"},
	"recent":     {},
	"keeper":     {"cred", "folder"},
	"emulator":   {},
	"doctor":     {"awsconfig", "plan"},
	"words":      {"message"},
	"completion": {"awsconfig", "memory", "plan", "term"},
	"figure":     {},
	"cli":        {"cred", "awsconfig", "completion", "doctor", "memory", "message", "words", "plan", "session", "cache", "keyring", "accesskey", "recent", "hop", "fanout", "deliver", "keeper", "term", "mirror", "emulator"},
}

// banned are imports that only the named packages may have.
var banned = []struct {
	path string
	only []string
	why  string
}{
	{"github.com/aws/", []string{"hop"}, "hop is the only door to AWS"},
	{"net/http", []string{"hop", "deliver", "emulator", "cli"}, "nothing else speaks HTTP; deliver serves credentials and shows a browser the way, cli serves the demo's emulator"},
	{"github.com/spf13/", []string{"cli"}, "flags and commands are cli's"},
	{"os/exec", []string{"cli", "deliver", "hop", "keyring"}, "the others start no process"},
	{"unsafe", nil, "nothing here needs it"},
	{"log", nil, "diagnostics go through a *slog.Logger made in cli"},
	{"github.com/aws/aws-sdk-go-v2/config", nil, "it reads the user's files again, with meanings of its own, and costs 10 ms"},
	{"testing", nil, "no test hook in the binary"},
}

// pure are packages that must not reach the world.
var pure = map[string][]string{
	"plan":    {"os", "net", "io/ioutil", "syscall", "time/tzdata", "math/rand", "crypto/rand"},
	"session": {"os", "net", "syscall"},
	"fanout":  {"os", "net", "syscall"},
	"cred":    {"os", "net", "syscall"},
}

func TestLayers(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}:{{join .Imports ","}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		path, list, _ := strings.Cut(strings.TrimSpace(line), ":")
		name, ok := strings.CutPrefix(path, module+"/internal/")
		imports := strings.Split(list, ",")
		if !ok {
			for _, i := range imports {
				if path == module && strings.HasPrefix(i, module+"/") && i != module+"/internal/cli" {
					t.Errorf("main imports %s: it may import cli alone", i)
				}
			}
			continue
		}
		seen[name] = true
		allowed, known := layers[name]
		if !known {
			t.Errorf("package %s has no row in the table of layers", name)
			continue
		}
		for _, i := range imports {
			if ours, ok := strings.CutPrefix(i, module+"/internal/"); ok && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s, against the table of layers", name, ours)
			}
			for _, b := range banned {
				if (i == b.path || strings.HasSuffix(b.path, "/") && strings.HasPrefix(i, b.path)) && !slices.Contains(b.only, name) {
					t.Errorf("%s imports %s: %s", name, i, b.why)
				}
			}
			if slices.Contains(pure[name], i) {
				t.Errorf("%s imports %s: it must not reach the world", name, i)
			}
		}
	}
	for name := range layers {
		if !seen[name] {
			t.Errorf("the table of layers has a row for %s, which does not exist", name)
		}
	}
}

// TestOnlyHopLinksTheSDK guards against reaching the SDK through a side door.
func TestOnlyHopLinksTheSDK(t *testing.T) {
	for _, name := range []string{"cred", "awsconfig", "plan", "session", "deliver", "keeper", "term", "keyring", "accesskey", "recent", "folder", "mirror", "emulator"} {
		out, err := exec.Command("go", "list", "-deps", "./internal/"+name).Output()
		if err != nil {
			t.Fatal(err)
		}
		for dep := range strings.Lines(string(out)) {
			if strings.HasPrefix(dep, "github.com/aws/") {
				t.Errorf("%s depends on %s", name, strings.TrimSpace(dep))
			}
		}
	}
}

// TestCompletionIsEarly keeps what completes a name from waiting for what is
// slow to initialise: Go initialises a package when all that it imports are.
func TestCompletionIsEarly(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./internal/completion").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.Lines(string(out)) {
		dep = strings.TrimSpace(dep)
		path, _, _ := strings.Cut(dep, "/")
		ours, stdlib := path == module, !strings.Contains(path, ".")
		if terminal := strings.HasPrefix(dep, "golang.org/x/sys/unix") || dep == "golang.org/x/term"; !ours && !stdlib && !terminal || dep == "net/http" || dep == "crypto/tls" || dep == "os/exec" {
			t.Errorf("completion depends on %s", dep)
		}
	}
}
