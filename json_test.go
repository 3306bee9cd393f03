//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/spf13/cobra"

	"aws-switch-role/internal/cli"
	"aws-switch-role/internal/emulator"
)

const jsonHome = `
[default]
region = us-east-1 # home
[profile ops]
role_arn = arn:aws:iam::222222222222:role/Ops
source_profile = default
[profile tempsession]
role_arn = arn:aws:iam::222222222222:role/Ops
source_profile = default
mfa_serial = arn:aws:iam::111111111111:mfa/me
[profile open]
role_arn = arn:aws:iam::222222222222:role/Open
source_profile = default
region = eu-west-1
switch_role_protected = true
[profile astray]
role_arn = arn:aws:iam::222222222222:role/Open
source_profle = default
[profile lost]
role_arn = arn:aws:iam::222222222222:role/Open
source_profile = nowhere
`

// values are what a command prints: one value or, of each, lines or an array.
func values(t *testing.T, schema string, out []byte) (all []any) {
	t.Helper()
	texts := [][]byte{out}
	if schema == "each" && bytes.HasPrefix(out, []byte("{")) {
		texts = bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	}
	for _, text := range texts {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		all = append(all, v)
	}
	if list, ok := all[0].([]any); ok && schema == "each" {
		all = list
	}
	if len(all) == 0 {
		t.Error("nothing was printed")
	}
	return all
}

// TestJSON holds what the commands print for programs against the schemas of
// doc/schema, and sees that each schema is tried.
func TestJSON(t *testing.T) {
	server, err := emulator.New(emulator.Demo(), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + overHTTP(t, server)
	home := newHome(t, jsonHome)
	code, err := server.Code(emulator.DemoDevice)
	if err != nil {
		t.Fatal(err)
	}
	for _, before := range [][]string{
		{"export", "tempsession", "--mfa-code", code},
		{"keys", "import", "default"},
	} {
		out, err := switchIn(t, home, url, before...)
		if err != nil {
			t.Fatalf("%v: %v\n%s", before, err, out)
		}
	}
	tried := map[string]bool{}
	for _, c := range []struct{ schema, line string }{
		{"doctor", "doctor --json"},
		{"doctor", "doctor tempsession --json --online --no-input"},
		{"doctor", "doctor ops --json --online"},
		{"explain", "explain tempsession --json"},
		{"explain", "explain open --json --duration max"},
		{"explain", "explain ops --json --trust-policy"},
		{"status", "open --yes -- aws-switch-role status --json"},
		{"status", "open --yes -- aws-switch-role status --json --online"},
		{"status", "open --yes --secretless -- aws-switch-role status --json"},
		{"sessions", "sessions list --json"},
		{"keys", "keys list --json"},
		{"list", "list --json"},
		{"mfa", "mfa tempsession --json"},
		{"each", "each ops open --yes --json -- echo hi"},
		{"each", "each lost ops --json -- false"},
		{"each", "each ops open --yes --merge -- aws-switch-role list --json"},
		{"each", "each ops --json --dry-run -- true"},
		{"credential-process", "credential-process open --yes"},
		{"export", "export open --yes --format json"},
	} {
		tried[c.schema+".json"] = true
		t.Run(c.line, func(t *testing.T) {
			out, _ := commandIn(t, home, url, strings.Fields(c.line)...).Output()
			schema, err := jsonschema.NewCompiler().Compile(filepath.Join("doc", "schema", c.schema+".json"))
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range values(t, c.schema, out) {
				if list, ok := v.([]any); ok && len(list) == 0 {
					t.Error("an empty list shows nothing")
				}
				if err := schema.Validate(v); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			}
		})
	}
	files, err := os.ReadDir("doc/schema")
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(files, func(f os.DirEntry) bool { return !tried[f.Name()] }); i >= 0 {
		t.Errorf("nothing is held against %s", files[i].Name())
	}
}

// TestJSONPage has every command that prints JSON on the page about it.
func TestJSONPage(t *testing.T) {
	page := string(read(t, "doc/json.md"))
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		name := strings.TrimPrefix(c.CommandPath(), "aws-switch-role ")
		if c.Flags().Lookup("json") != nil && !strings.Contains(page, "`"+name+" --json`") {
			t.Errorf("doc/json.md does not tell of %s --json", name)
		}
		for _, sub := range c.Commands() {
			look(sub)
		}
	}
	look(cli.Commands())
	schemas, err := filepath.Glob("doc/schema/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, schema := range schemas {
		if !strings.Contains(page, "(schema/"+filepath.Base(schema)+")") {
			t.Errorf("doc/json.md does not lead to %s", schema)
		}
	}
}
