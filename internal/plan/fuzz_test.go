package plan

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/message"
)

// FuzzPlan plans every profile of any two files: each plan keeps AWS's rules,
// and each error that a file is at fault for names it.
func FuzzPlan(f *testing.F) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for i, file := range cases {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		text := map[string]string{}
		for _, part := range archive.Files {
			text[part.Name] = string(part.Data)
		}
		f.Add(text["config"], text["credentials"], "", uint8(i))
	}
	f.Add("", "", "arn:aws:iam::222222222222:role/Ops", uint8(0))
	dir := f.TempDir()
	config, credentials := filepath.Join(dir, "config"), filepath.Join(dir, "credentials")
	f.Fuzz(func(t *testing.T, configText, credentialsText, name string, options uint8) {
		if err := errors.Join(os.WriteFile(config, []byte(configText), 0o600), os.WriteFile(credentials, []byte(credentialsText), 0o600)); err != nil {
			t.Fatal(err)
		}
		c, err := awsconfig.Load(config, credentials)
		if err != nil {
			t.Fatal(err)
		}
		o := Options{UserName: "jane", Longest: options&1 != 0, NoSession: options&2 != 0, DurationDefault: options&4 != 0}
		if options&8 != 0 {
			o.Duration = 8 * time.Hour
		}
		if options&16 != 0 {
			o.Environment.AccessKeyID, o.Environment.HasSecret = "AKIAEXAMPLEDEFAULT1", true
		}
		o.Environment.HasToken = options&32 != 0
		if options&64 != 0 {
			o.Environment.InRole, o.Environment.BaseKeyID = true, "AKIAEXAMPLEDEFAULT2"
		}
		if options&128 != 0 {
			o.SourceProfile, o.SourceProfileDefault = "default", options&4 != 0
		}
		names := append(slices.Collect(c.Names()), name)
		for i, name := range slices.Repeat(names, 2) {
			o.Console = i < len(names)
			p, err := For(c, name, o)
			if err != nil {
				checkError(t, err, config, credentials)
				continue
			}
			checkInvariants(t, p)
			if err := Print(io.Discard, p, message.Text.String, nil); err != nil || p.Profile == "" {
				t.Fatalf("%+v, %v", p, err)
			}
			again, err := For(c, name, o)
			if last := len(p.Hops) - 1; err != nil || again.Key(last) != p.Key(last) {
				t.Fatalf("%s is planned anew as %+v, %v", name, again, err)
			}
		}
	})
}

// checkError holds an error to naming what is at fault: a line of a file, a
// flag or a variable. Only of an unknown profile there is none.
func checkError(t *testing.T, err error, files ...string) {
	t.Helper()
	if e, ok := errors.AsType[*awsconfig.SyntaxError](err); ok {
		if !slices.Contains(files, e.File) || e.Line < 1 {
			t.Fatalf("no line is named: %#v", e)
		}
		return
	}
	e, ok := err.(*Error)
	switch {
	case !ok:
		t.Fatalf("%T: %v", err, err)
	case e.Kind == 0 || e.Msg.String() == "":
		t.Fatalf("an error without words: %#v", e)
	case slices.Contains(files, e.Origin.File) && e.Origin.Line >= 1, e.From != "", e.Kind == UnknownProfile:
	default:
		t.Fatalf("nothing is named as being at fault: %#v", e)
	}
	for i, s := range e.Loop {
		if last := i == len(e.Loop)-1; last != (s.Line == 0) || last && s.Profile != e.Loop[0].Profile {
			t.Fatalf("a loop that is none: %+v", e.Loop)
		}
	}
}
