package mirror

import (
	"encoding/json"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// place is a place with a clock of its own, an hour after which a session of
// newSwitch ends.
type place struct {
	Place
	t   *testing.T
	now time.Time
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, now: time.Now()}
	p.Place = Place{Path: filepath.Join(t.TempDir(), "place"), Now: func() time.Time { return p.now }}
	return p
}

func (p *place) newSwitch(active string) Switch {
	return Switch{
		Files: Files{
			Own:     load(p.t, []byte("[profile a]\nrole_arn = x\nregion = eu-west-1\n"), []byte("[default]\naws_access_key_id = SECRET\n")),
			Active:  active,
			Program: program,
		},
		Record:  []byte(`{"profile":"` + active + `"}`),
		Expires: p.now.Add(time.Hour),
	}
}

func (p *place) make(sw Switch) Shell {
	p.t.Helper()
	s, err := p.Make(sw)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

func (p *place) end(s Shell) { p.t.Helper(); end(p.t, s) }

// end makes it look as if the process of a shell had ended.
func end(t testing.TB, s Shell) {
	t.Helper()
	name := filepath.Join(s.Dir, ownerName)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var o owner
	if err := json.Unmarshal(text, &o); err != nil {
		t.Fatal(err)
	}
	o.Process = process{PID: 1 << 30}
	if text, err = json.Marshal(o); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// count returns how many entries a directory of the place has.
func (p *place) count(dir string) int {
	p.t.Helper()
	list, err := os.ReadDir(filepath.Join(p.Path, dir))
	if err != nil {
		p.t.Fatal(err)
	}
	return len(list)
}

func there(s Shell) bool {
	_, err := os.Stat(s.ConfigFile())
	return err == nil
}

func TestMake(t *testing.T) {
	p := newPlace(t)
	s := p.make(p.newSwitch("a"))
	if filepath.Dir(s.Dir) != filepath.Join(p.Path, "shells") || !isName(filepath.Base(s.Dir)) {
		t.Errorf("the directory is %s", s.Dir)
	}
	for name, mode := range map[string]fs.FileMode{
		s.Dir: fs.ModeDir | 0o700, s.ConfigFile(): 0o400, s.CredentialsFile(): 0o400,
		filepath.Join(s.Dir, "switch"): 0o600, filepath.Join(s.Dir, "owner"): 0o600,
	} {
		if info, err := os.Stat(name); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	config, err := os.ReadFile(s.ConfigFile())
	if err != nil || !strings.Contains(string(config), "credential-process --in-shell=a\nregion = eu-west-1\n") {
		t.Errorf("config: %s, %v", config, err)
	}
	if record, err := s.Record(); err != nil || string(record) != `{"profile":"a"}` {
		t.Errorf("record: %s, %v", record, err)
	}
}

// TestMakeSharesFiles: files of the same content are made once, until somebody
// writes into them.
func TestMakeSharesFiles(t *testing.T) {
	p := newPlace(t)
	one, other := p.make(p.newSwitch("a")), p.make(p.newSwitch("a"))
	if one == other {
		t.Fatal("two shells that live have one directory")
	}
	same := func(a, b string) bool {
		x, err := os.Stat(a)
		if err != nil {
			t.Fatal(err)
		}
		y, err := os.Stat(b)
		if err != nil {
			t.Fatal(err)
		}
		return os.SameFile(x, y)
	}
	if !same(one.ConfigFile(), other.ConfigFile()) || !same(one.CredentialsFile(), other.CredentialsFile()) {
		t.Error("the files are not shared")
	}
	if err := os.Chmod(one.ConfigFile(), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(one.ConfigFile(), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("[profile b]\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	third := p.make(p.newSwitch("a"))
	if text, err := os.ReadFile(third.ConfigFile()); err != nil || strings.Contains(string(text), "[profile b]") {
		t.Errorf("what was written into a file is in another shell's, %v:\n%s", err, text)
	}
}

// TestSweep: a directory stays for as long as its shell lives, and after that
// until the credentials have ended.
func TestSweep(t *testing.T) {
	p := newPlace(t)
	lives, outlived, unending := p.make(p.newSwitch("a")), p.make(p.newSwitch("b")), p.newSwitch("c")
	unending.Expires = time.Time{}
	endless := p.make(unending)
	p.end(outlived)
	p.end(endless)
	next := func() { p.make(p.newSwitch("d")) }

	p.now = p.now.Add(59 * time.Minute)
	next()
	if !there(lives) || !there(outlived) || !there(endless) {
		t.Error("swept before its credentials ended")
	}
	files := p.count("files")
	p.now = p.now.Add(2 * time.Minute)
	next()
	if !there(lives) || there(outlived) || !there(endless) {
		t.Error("not the one that had ended was swept")
	}
	if n := p.count("files"); n != files-2 {
		t.Errorf("%d files, before it were %d", n, files)
	}
	p.now = p.now.Add(11 * time.Hour)
	next()
	if !there(lives) || there(endless) {
		t.Error("credentials without an end have none")
	}
}

// TestSweepServed: where a process answers, it says when the shell has ended.
func TestSweepServed(t *testing.T) {
	p := newPlace(t)
	sw := p.newSwitch("a")
	sw.Served = true
	dead, answered := p.make(sw), p.make(sw)
	l, err := net.Listen("unix", answered.Socket())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, s := range []Shell{dead, answered} {
		if text, err := os.ReadFile(s.CredentialsFile()); err != nil || strings.Count(string(text), "\nx_security_token_expires = "+sw.Expires.UTC().Format(time.RFC3339)+"\n") != 2 {
			t.Errorf("credentials, %v:\n%s", err, text)
		}
		p.end(s)
	}
	p.make(p.newSwitch("a"))
	if there(dead) || !there(answered) {
		t.Errorf("there is the dead one: %t, the answered one: %t", there(dead), there(answered))
	}
}

// TestSweepLeavesAlone what is not its own, and what is being made.
func TestSweepLeavesAlone(t *testing.T) {
	p := newPlace(t)
	p.make(p.newSwitch("a"))
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "config"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	shells := filepath.Join(p.Path, "shells")
	for _, err := range []error{
		os.Symlink(outside, filepath.Join(shells, "0123456789abcdef")),
		os.Mkdir(filepath.Join(shells, "notes"), 0o700),
		os.Mkdir(filepath.Join(shells, "0123456789abcde0"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	p.make(p.newSwitch("b"))
	if n := p.count("shells"); n != 5 {
		t.Errorf("%d directories, want 5", n)
	}
	p.now = p.now.Add(24 * time.Hour)
	p.make(p.newSwitch("c"))
	if _, err := os.Stat(filepath.Join(outside, "config")); err != nil {
		t.Error(err)
	}
	if n := p.count("shells"); n != 5 { // c came, and what was never finished went
		t.Errorf("%d directories, want 5", n)
	}
}

// TestLoop: commands that come one after the other use one directory.
func TestLoop(t *testing.T) {
	p := newPlace(t)
	first := p.make(p.newSwitch("a"))
	for range 20 {
		p.end(first)
		p.now = p.now.Add(time.Minute)
		if s := p.make(p.newSwitch("a")); s != first {
			t.Fatalf("another directory: %s", s.Dir)
		}
	}
	p.end(first)
	if s := p.make(p.newSwitch("b")); s == first {
		t.Error("another profile has its directory")
	}
	// What outlived one of them had an hour.
	short := p.newSwitch("a")
	short.Expires = p.now.Add(time.Minute)
	if s := p.make(short); s != first {
		t.Errorf("another directory: %s", s.Dir)
	}
	p.end(first)
	p.now = p.now.Add(30 * time.Minute)
	p.make(p.newSwitch("b"))
	if !there(first) {
		t.Error("a shorter session has taken the directory from a longer one")
	}
}

// TestManyAtOnce: no two shells that live have one directory, and none is
// without its files.
func TestManyAtOnce(t *testing.T) {
	p := newPlace(t)
	for range 5 {
		p.end(p.make(p.newSwitch("a")))
	}
	sw := p.newSwitch("a")
	shells := make([]Shell, 40)
	var group sync.WaitGroup
	for i := range shells {
		group.Go(func() { shells[i] = p.make(sw) })
	}
	group.Wait()
	seen := map[Shell]bool{}
	for _, s := range shells {
		if seen[s] || !there(s) {
			t.Errorf("%s: seen %t, there %t", s.Dir, seen[s], there(s))
		}
		seen[s] = true
	}
}

// TestRenewed: a renewal moves the end of what outlives the shell.
func TestRenewed(t *testing.T) {
	p := newPlace(t)
	s := p.make(p.newSwitch("a"))
	if err := s.Renewed(p.now.Add(5 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	p.end(s)
	p.now = p.now.Add(4 * time.Hour)
	p.make(p.newSwitch("b"))
	if !there(s) {
		t.Error("swept before its renewed credentials ended")
	}

	sw := p.newSwitch("a")
	sw.Served = true
	served, other := p.make(sw), p.make(p.newSwitch("a"))
	for range 2 {
		if err := served.Renewed(time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(served.CredentialsFile())
	if err != nil || strings.Count(string(text), expiresKey) != 2 || strings.Count(string(text), expiresKey+" = 2027-01-02T03:04:05Z\n") != 2 {
		t.Errorf("credentials, %v:\n%s", err, text)
	}
	if text, err := os.ReadFile(other.CredentialsFile()); err != nil || strings.Contains(string(text), expiresKey) {
		t.Errorf("another shell's credentials, %v:\n%s", err, text)
	}
	if info, err := os.Stat(served.CredentialsFile()); err != nil || info.Mode() != 0o400 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestProgram: a program whose path cannot be written is reached by a link.
func TestProgram(t *testing.T) {
	p := newPlace(t)
	sw := p.newSwitch("a")
	sw.Files.Program = filepath.Join(t.TempDir(), `we"ird $HOME`)
	if err := os.WriteFile(sw.Files.Program, []byte("here"), 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		text, err := os.ReadFile(p.make(sw).ConfigFile())
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(text), `credential_process = "`)
		path, _, _ := strings.Cut(after, `"`)
		if !strings.HasPrefix(path, p.Path) || !writable(path) {
			t.Errorf("the program is %s", path)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != "here" {
			t.Errorf("%s, %v", text, err)
		}
	}

	nowhere := Place{Path: filepath.Join(t.TempDir(), "a$b"), Now: time.Now}
	if _, err := nowhere.Make(sw); err == nil || !strings.Contains(err.Error(), "AWS config file") {
		t.Errorf("err = %v", err)
	}
}

// TestMakeRefuses a place that others can read or that is no directory.
func TestMakeRefuses(t *testing.T) {
	p := newPlace(t)
	sw := p.newSwitch("a")
	if err := os.Mkdir(p.Path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(p.Path, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Make(sw); err == nil {
		t.Error("a place that others can read is taken")
	}
	if err := os.Chmod(p.Path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(p.Path, "shells")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Make(sw); err == nil {
		t.Error("a link is taken for the directory of the shells")
	}
	if _, err := (Shell{t.TempDir() + "/none"}).Record(); err == nil {
		t.Error("a record was found in no directory")
	}
}

// TestProcess: a process is told from one that has its number later.
func TestProcess(t *testing.T) {
	me := self()
	if !alive(me) {
		t.Error("this process is not alive")
	}
	if alive(process{PID: 1 << 30}) {
		t.Error("there is a process with an impossible number")
	}
	if me.Start != "" && alive(process{PID: me.PID, Start: me.Start + "1"}) {
		t.Error("a process that was started at another time is taken for this one")
	}
}

// BenchmarkMake is a loop of commands: all that a warm switch costs here.
func BenchmarkMake(b *testing.B) {
	config, credentials := many(10)
	p := Place{Path: filepath.Join(b.TempDir(), "place"), Now: time.Now}
	sw := Switch{Files: Files{Own: load(b, config, credentials), Active: "a", Program: program}, Expires: time.Now().Add(time.Hour)}
	for b.Loop() {
		s, err := p.Make(sw)
		if err != nil {
			b.Fatal(err)
		}
		end(b, s)
	}
}
