//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/tools/txtar"
)

// japanese is a letter that English does not have.
var japanese = regexp.MustCompile(`[\p{Hiragana}\p{Katakana}\p{Han}]`)

// TestMends examines the broken configurations of the doctor as a person does,
// in both languages: each finding in a file tells the line, and each one why, and
// what mends it, in the form of the schema.
func TestMends(t *testing.T) {
	cases, err := filepath.Glob("internal/doctor/testdata/broken/*.txtar")
	if err != nil || len(cases) < 60 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("doc", "schema", "doctor.json"))
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, path := range cases {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(archive.Files, func(f txtar.File) bool { return f.Name == "facts" || f.Name == "stored" }) {
			continue // it is not of files and variables alone
		}
		home := t.TempDir()
		if err := os.Mkdir(filepath.Join(home, ".aws"), 0o700); err != nil {
			t.Fatal(err)
		}
		env := []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "USER=jane", "XDG_RUNTIME_DIR=" + filepath.Join(home, "run"), "AWS_SWITCH_ROLE_KEYRING=none", "GORACE=atexit_sleep_ms=0"}
		for _, f := range archive.Files {
			switch f.Name {
			case "config", "credentials":
				if err := os.WriteFile(filepath.Join(home, ".aws", f.Name), f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
			case "env":
				env = append(env, strings.Split(strings.TrimSpace(string(f.Data)), "\n")...)
			}
		}
		for _, lang := range []string{"C", "ja_JP.UTF-8"} {
			cmd := exec.CommandContext(t.Context(), "aws-switch-role", "doctor", "--json")
			cmd.Env = append(env, "LC_ALL="+lang)
			out, _ := cmd.Output()
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
			if err == nil {
				err = schema.Validate(v)
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			var report struct {
				Findings []struct {
					ID, File, What, Why, Mend string
					Line                      int
				}
			}
			if err := json.Unmarshal(out, &report); err != nil {
				t.Fatalf("%s: %v: %s", name, err, out)
			}
			if len(report.Findings) == 0 || cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("%s: %d findings, exit status %d", name, len(report.Findings), cmd.ProcessState.ExitCode())
			}
			for _, f := range report.Findings {
				told++
				if f.File != "" && f.Line == 0 {
					t.Errorf("%s: %s is on no line of %s", name, f.ID, f.File)
				}
				if lang != "C" && !japanese.MatchString(f.What+f.Why) {
					t.Errorf("%s: %s is not in Japanese: %q, %q", name, f.ID, f.What, f.Why)
				}
				if f.What == "" || f.Why == "" {
					t.Errorf("%s: %s: %q because of %q", name, f.ID, f.What, f.Why)
				}
				if !typable.MatchString(f.Mend) {
					t.Errorf("%s: %s (%s): nothing can be typed of %q", name, f.ID, f.What, f.Mend)
				}
			}
		}
	}
	if told < 100 {
		t.Errorf("only %d findings were looked at", told)
	}
}
