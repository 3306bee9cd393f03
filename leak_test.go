//go:build unix

package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/testscript"

	"aws-switch-role/internal/emulator"
)

// finder looks for words in whatever encoding.
type finder [][]byte

// newFinder returns a finder of words of ASCII. As they are they are found in
// what was escaped for a URL or for JSON, too, where letters and digits stay
// themselves; an encoder may also escape those.
func newFinder(words ...string) finder {
	var f finder
	for _, word := range words {
		var little, big, percent, unicode []byte
		for _, c := range utf16.Encode([]rune(word)) {
			little = append(little, byte(c), byte(c>>8))
			big = append(big, byte(c>>8), byte(c))
			percent = fmt.Appendf(percent, "%%%02x", c)
			unicode = fmt.Appendf(unicode, `\u%04x`, c)
		}
		f = append(f, []byte(word), little, big)
		for _, text := range [][]byte{hex.AppendEncode(nil, []byte(word)), percent, unicode} {
			f = append(f, text, bytes.ReplaceAll(bytes.ToUpper(text), []byte(`\U`), []byte(`\u`)))
		}
		for before := range 3 { // bytes before the word, by which its base64 differs
			text := base64.StdEncoding.AppendEncode(nil, append(make([]byte, before), word...))
			f = append(f, text[(before*8+5)/6:(before+len(word))*8/6])
		}
	}
	return f
}

// in reports whether a text has a word in it. The name of a variable is none.
func (f finder) in(text []byte) bool {
	const name = "AWS_SECRET_ACCESS_KEY"
	found := func(pattern []byte) bool { return bytes.Contains(text, pattern) }
	if !slices.ContainsFunc(f, found) {
		return false
	}
	text = bytes.ReplaceAll(text, []byte(name), nil)
	return slices.ContainsFunc(f, found)
}

// inFile is in of a file's name, and of what a regular file holds or a symbolic
// link leads to. What was there a moment ago, or may not be read, holds
// nothing of interest.
func (f finder) inFile(path string, kind fs.FileMode) (bool, error) {
	var text []byte
	var err error
	switch {
	case kind.IsRegular():
		text, err = os.ReadFile(path)
	case kind&fs.ModeSymlink != 0:
		var to string
		to, err = os.Readlink(path)
		text = []byte(to)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		err = nil
	}
	return f.in(text) || f.in([]byte(filepath.Base(path))), err
}

// secretWords are in all emulated secrets: the second one in the private key of
// a console sign-in.
var secretWords = newFinder("SECRET", "PRIVATE KEY")

// leakyFiles returns the files below a directory that have a secret in them.
func leakyFiles(dir string, except ...string) (leaks []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return ignoreUnreadable(err)
		}
		found, err := secretWords.inFile(path, d.Type())
		if found && !slices.Contains(except, path) {
			leaks = append(leaks, path)
		}
		return err
	})
	return leaks, err
}

func ignoreUnreadable(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// markAll puts a mark into the long-lived secrets of a world, and returns what
// does so with texts that have them. With it the secrets are known from those
// of any other script, in places that all share.
func markAll(w *emulator.World, mark string) *strings.Replacer {
	var pairs []string
	own := func(secret string) string {
		marked := strings.Replace(secret, "SECRET", mark, 1)
		pairs = append(pairs, secret, marked)
		return marked
	}
	for i := range w.Users {
		u := &w.Users[i]
		for k := range u.Keys {
			u.Keys[k].Secret = own(u.Keys[k].Secret)
		}
		for d := range u.Devices {
			u.Devices[d].Seed = []byte(own(string(u.Devices[d].Seed)))
		}
	}
	for i := range w.Containers {
		w.Containers[i].Authorization = own(w.Containers[i].Authorization)
	}
	pairs = slices.DeleteFunc(pairs, func(s string) bool { return s == "" }) // of a container that wants no token
	return strings.NewReplacer(pairs...)
}

// commons are the directories in which everybody may leave files.
var commons = []string{"/tmp", "/var/tmp", "/dev/shm"}

// traces are the files that a script leaves behind.
type traces struct {
	work  string
	own   finder // of the script's own secrets
	began time.Time
	// plain are files that may hold secrets, and directories of such; those
	// brought along hold the lines with secrets that the script gave them, and no others.
	plain   map[string]bool
	brought map[string]bool
	lines   map[string]bool
	commons map[string]bool // what was in them at first
}

// newTraces marks the files that a script has brought to its directory as its
// own, and notes what secrets they hold.
func newTraces(work, mark string, own *strings.Replacer) (*traces, error) {
	r := &traces{
		work: work, own: newFinder(mark), began: time.Now().Add(-time.Second), // files' times are rounded
		plain: map[string]bool{}, brought: map[string]bool{}, lines: map[string]bool{}, commons: map[string]bool{},
	}
	for _, dir := range commons {
		files, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, f := range files {
			r.commons[filepath.Join(dir, f.Name())] = true
		}
	}
	leaks, err := leakyFiles(work)
	if err != nil {
		return nil, err
	}
	for _, path := range leaks {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(own.Replace(string(text))), 0o600); err != nil {
			return nil, err
		}
		if err := r.bring(path); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// bring notes that the script has written a file.
func (r *traces) bring(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	r.brought[path] = true
	for line := range bytes.Lines(text) {
		if secretWords.in(line) {
			r.lines[string(bytes.TrimSpace(line))] = true
		}
	}
	return nil
}

// ofAWS are files in which the AWS CLI keeps its sessions and sign-ins, in
// plain text. Sign-ins are renewed there by whoever uses them.
var ofAWS = []string{"home/.aws/cli/cache/*.json", "home/.aws/sso/cache/*.json", "home/.aws/login/cache/*.json"}

// mayHold reports whether a file may hold the secrets that it does.
func (r *traces) mayHold(path string) (bool, error) {
	for at := path; len(at) > len(r.work); at = filepath.Dir(at) {
		if r.plain[at] {
			return true, nil
		}
	}
	for _, pattern := range ofAWS {
		if ok, err := filepath.Match(filepath.Join(r.work, pattern), path); ok || err != nil {
			return ok, err
		}
	}
	if !r.brought[path] {
		return false, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	var rest []byte
	for line := range bytes.Lines(text) {
		if !r.lines[string(bytes.TrimSpace(line))] {
			rest = append(rest, line...)
		}
	}
	return !secretWords.in(rest), nil
}

// exposed returns the files that hold secrets although they should not.
func (r *traces) exposed() (exposed []string, err error) {
	leaks, err := leakyFiles(r.work)
	if err != nil {
		return nil, err
	}
	for _, path := range leaks {
		may, err := r.mayHold(path)
		if err != nil {
			return nil, err
		}
		if !may {
			exposed = append(exposed, path)
		}
	}
	for _, dir := range commons {
		files, err := os.ReadDir(dir)
		if err = ignoreUnreadable(err); err != nil {
			return nil, err
		}
		for _, f := range files {
			more, err := r.inCommon(filepath.Join(dir, f.Name()), f)
			if err != nil {
				return nil, err
			}
			exposed = append(exposed, more...)
		}
	}
	return exposed, nil
}

// maxCommon is the size of the largest file that is read in a directory for
// all: bigger ones are the programs that others build there.
const maxCommon = 16 << 20

// inCommon looks for the script's own secrets in what has come to a directory
// for all since the script began, or has changed.
func (r *traces) inCommon(entry string, d fs.DirEntry) (exposed []string, err error) {
	if strings.HasPrefix(r.work, entry+string(filepath.Separator)) || strings.HasPrefix(d.Name(), "go-build") {
		return nil, nil
	}
	since := func(d fs.DirEntry) bool {
		fi, err := d.Info()
		return err == nil && fi.ModTime().After(r.began)
	}
	fresh := !r.commons[entry]
	if !fresh && !since(d) && !strings.HasPrefix(d.Name(), "aws-switch-role") {
		return nil, nil
	}
	err = filepath.WalkDir(entry, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return ignoreUnreadable(err)
		}
		if !fresh && !since(d) {
			return nil
		}
		if fi, err := d.Info(); err != nil || fi.Size() > maxCommon {
			return ignoreUnreadable(err)
		}
		found, err := r.own.inFile(path, d.Type())
		if found {
			exposed = append(exposed, path)
		}
		return err
	})
	return exposed, err
}

// check fails a script that has left a secret behind.
func (r *traces) check(script testscript.T) {
	exposed, err := r.exposed()
	for _, path := range exposed {
		err = errors.Join(err, fmt.Errorf("the script has left a secret in %s", strings.ReplaceAll(path, r.work, "$WORK")))
	}
	if err != nil {
		script.(interface{ Error(...any) }).Error(err)
	}
}

// leaky reports whether a text shows a secret: all emulated ones contain the
// word SECRET, and so does a variable's name.
func leaky(text string) bool {
	return strings.Contains(strings.ReplaceAll(text, "AWS_SECRET_ACCESS_KEY", ""), "SECRET")
}

// leakCheck fails every script on whose stderr a secret was seen, or an error
// that leaves a person without a next command.
type leakCheck struct{ *testing.T }

// Run implements testscript.T.
func (l *leakCheck) Run(name string, f func(t testscript.T)) {
	l.T.Run(name, func(t *testing.T) { f(&leakCheck{t}) })
}

// Verbose makes testscript log every command's output, even that of those
// which did as they should.
func (l *leakCheck) Verbose() bool { return true }

// Log looks through what a script did before it is shown.
func (l *leakCheck) Log(args ...any) {
	l.T.Helper()
	log := fmt.Sprint(args...)
	for _, line := range leaks(log) {
		l.T.Errorf("a secret on stderr: %s", line)
	}
	for _, line := range unexplained(log) {
		l.T.Errorf("an error without a next command: %s", line)
	}
	if l.T.Failed() || testing.Verbose() {
		l.T.Log(args...)
	}
}

// leaks returns the lines with a secret in them that a log of testscript shows
// for a stderr.
func leaks(log string) (lines []string) {
	onStderr := false
	for line := range strings.Lines(log) {
		switch {
		case line == "[stderr]\n":
			onStderr = true
		case line == "[stdout]\n", strings.HasPrefix(line, "> "):
			onStderr = false
		case onStderr && leaky(line):
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func TestLeaks(t *testing.T) {
	log := `> exec aws-switch-role export tempsession
[stdout]
export AWS_SECRET_ACCESS_KEY='a SECRET'
[stderr]
[profile x]
set AWS_SECRET_ACCESS_KEY
this SECRET
> exec echo SECRET
`
	if got, want := leaks(log), []string{"this SECRET"}; !slices.Equal(got, want) {
		t.Errorf("leaks found %q, want %q", got, want)
	}
}

// disguises are the ways in which a secret is written down.
var disguises = map[string]func(secret string) string{
	"plain":          func(s string) string { return s },
	"base64":         func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64, one on": func(s string) string { return base64.StdEncoding.EncodeToString([]byte("x" + s)) },
	"base64, two on": func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte("xy" + s)) },
	"hex":            func(s string) string { return hex.EncodeToString([]byte(s)) },
	"HEX":            func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
	"URL":            url.QueryEscape,
	"URL, all of it": func(s string) string { return "%" + strings.Join(pairs(hex.EncodeToString([]byte(s))), "%") },
	"URL, ALL OF IT": func(s string) string {
		return "%" + strings.Join(pairs(strings.ToUpper(hex.EncodeToString([]byte(s)))), "%")
	},
	"UTF-16LE":        func(s string) string { return strings.Join(strings.Split(s, ""), "\x00") + "\x00" },
	"UTF-16BE":        func(s string) string { return "\x00" + strings.Join(strings.Split(s, ""), "\x00") },
	"JSON":            func(s string) string { return fmt.Sprintf("%q", strings.ReplaceAll(s, "/", `\/`)) },
	"JSON, all of it": func(s string) string { return `\u00` + strings.Join(pairs(hex.EncodeToString([]byte(s))), `\u00`) },
	"JSON, ALL OF IT": func(s string) string {
		return `\u00` + strings.Join(pairs(strings.ToUpper(hex.EncodeToString([]byte(s)))), `\u00`)
	},
}

// pairs parts a text into pieces of two.
func pairs(s string) (parts []string) {
	for p := range slices.Chunk([]byte(s), 2) {
		parts = append(parts, string(p))
	}
	return parts
}

// TestTraces plants a secret, in each disguise, wherever a script's program
// could leave one, and demands that it is found.
func TestTraces(t *testing.T) {
	const secret = emulator.DemoSecret
	brought := "[default]\naws_secret_access_key = " + secret + "\n"
	for name, disguised := range disguises {
		t.Run(name, func(t *testing.T) {
			work := t.TempDir()
			write(t, filepath.Join(work, "home", ".aws", "credentials"), brought, 0o600)
			aws := declared()
			mark := "SECRET" + rand.Text()[:12]
			own := markAll(&aws, mark)
			r, err := newTraces(work, mark, own)
			if err != nil {
				t.Fatal(err)
			}
			none := func(when string) {
				if exposed, err := r.exposed(); err != nil || len(exposed) > 0 {
					t.Errorf("%s: exposed are %q, %v", when, exposed, err)
				}
			}
			none("nothing was done")
			text := "x" + disguised(aws.Users[0].Keys[0].Secret)
			places := []string{
				filepath.Join(work, "home", ".cache", "aws-switch-role", "sessions", "1.v1"),
				filepath.Join(work, "home", ".local", "state", "x"),
				filepath.Join(work, "run", "aws-switch-role", "x.lock"),
				filepath.Join(work, ".tmp", "x"),
				filepath.Join(work, "home", ".aws", "credentials"), // beside what is allowed there
				filepath.Join(work, "home", ".aws", "credentials.bak"),
			}
			for _, dir := range commons {
				if _, err := os.Stat(dir); err == nil {
					at, err := os.MkdirTemp(dir, "planted-")
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { _ = os.RemoveAll(at) })
					places = append(places, filepath.Join(at, "below", "x"))
				}
			}
			for _, place := range places {
				before, _ := os.ReadFile(place)
				write(t, place, string(before)+text+"\n", 0o600)
				if exposed, err := r.exposed(); err != nil || !slices.Equal(exposed, []string{place}) {
					t.Errorf("planted in %s, exposed are %q, %v", place, exposed, err)
				}
				r.plain[place] = true
				if !strings.HasPrefix(place, work) {
					_ = os.Remove(place)
				}
				none(place + " may hold it")
				delete(r.plain, place)
				if before != nil {
					write(t, place, string(before), 0o600)
				} else if err := os.RemoveAll(place); err != nil {
					t.Fatal(err)
				}
			}
			if strings.ContainsAny(text, "\x00/") || len(text) > 255 {
				return // no name is like that
			}
			if err := os.Mkdir(filepath.Join(work, text), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(text, filepath.Join(work, "link")); err != nil {
				t.Fatal(err)
			}
			if exposed, err := r.exposed(); err != nil || len(exposed) != 2 {
				t.Errorf("as a name and as a link's target, exposed are %q, %v", exposed, err)
			}
		})
	}
	t.Run("a variable's name", func(t *testing.T) {
		if secretWords.in([]byte("set AWS_SECRET_ACCESS_KEY")) || !secretWords.in([]byte("AWS_SECRET_ACCESS_KEY=a SECRET")) {
			t.Error("the name of a variable is no secret, its value is")
		}
	})
}

// TestTracesOfScripts runs scripts whose user is careless: all that leave a
// secret where none belongs fail, and no others.
func TestTracesOfScripts(t *testing.T) {
	careful := map[string]string{
		"nothing":  "exec true",
		"export":   "exec sh -c 'aws-switch-role export open >home/env'\nplain home/env",
		"sign-in":  "signin sso corp",
		"expanded": "expand x\n-- x --\n$KEY\n",
	}
	careless := map[string]string{
		"export":      "exec sh -c 'aws-switch-role export open >home/env'",
		"token":       "exec sh -c 'aws-switch-role export open | grep TOKEN >home/env'",
		"credentials": "exec sh -c 'aws-switch-role export open | sed s/ACCESS_KEY// >>home/.aws/credentials'",
		"backup":      "cp home/.aws/credentials home/.aws/credentials.bak",
		"temporary":   "exec sh -c 'echo $KEY | base64 >$TMPDIR/x'",
		"sign-in":     "signin login corp\nexec sh -c 'grep -o dpopKey.* $TOKEN_FILE >x'",
		"log":         "exec sh -c 'aws-switch-role open -- env >home/log'",
	}
	for want, scripts := range map[bool]map[string]string{false: careful, true: careless} {
		for name, script := range scripts {
			t.Run(fmt.Sprintf("%s/%v", name, want), func(t *testing.T) {
				dir := t.TempDir()
				write(t, filepath.Join(dir, "script.txtar"), script+"\n", 0o600)
				told := &verdict{}
				testscript.RunT(told, params(dir))
				if failed := len(told.errors) > 0; failed != want || told.broken != "" {
					t.Errorf("the script left %q, and broke: %s", told.errors, told.broken)
				}
			})
		}
	}
}

// verdict is a testscript.T that remembers what was wrong.
type verdict struct {
	errors []any
	broken string
}

// stop ends a script.
type stop struct{}

func (l *verdict) Run(_ string, f func(t testscript.T)) {
	defer func() {
		if p := recover(); p != nil && p != any(stop{}) {
			panic(p)
		}
	}()
	f(l)
}
func (l *verdict) Error(args ...any) { l.errors = append(l.errors, args...) }
func (l *verdict) Fatal(args ...any) { l.broken = fmt.Sprint(args...); panic(stop{}) }
func (l *verdict) Skip(args ...any)  { l.Fatal(args...) }
func (l *verdict) FailNow()          { l.Fatal("failed") }
func (l *verdict) Log(args ...any)   {}
func (l *verdict) Parallel()         {}
func (l *verdict) Verbose() bool     { return false }
