package cache

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/figure"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/session"
)

// children are what the test binary does, instead of testing, when it is
// started as another process. They are given the base directory of a newDir.
var children = map[string]func(base string) error{
	"write": writeForEver,
	"walk":  walkOnce,
	"hold":  holdForEver,
}

const childVariable = "CACHE_TEST_CHILD"

func TestMain(m *testing.M) {
	if child := children[os.Getenv(childVariable)]; child != nil {
		if err := child(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// command is a child yet to be started. It does not outlive the test.
func command(t *testing.T, child, base string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0], base)
	cmd.Env = append(os.Environ(), childVariable+"="+child)
	cmd.Stderr = os.Stderr
	return cmd
}

// ready starts a command and returns when it has said that it is ready.
func ready(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("%q, %v", line, err)
	}
}

// childDir is a newDir with the true time.
func childDir(base string) *Dir {
	return New(filepath.Join(base, "sessions"), filepath.Join(base, "locks"), keyFunc, Options{})
}

// writeForEver saves a session again and again until it is killed.
func writeForEver(base string) error {
	d := childDir(base)
	for n := os.Getpid(); ; n++ {
		if err := d.Save(chain(ops), 2, creds(n, time.Now().Add(time.Hour))); err != nil {
			return err
		}
		if n == os.Getpid() {
			fmt.Println("ready")
		}
	}
}

// whole reports whether all parts of a session are of one write.
func whole(c cred.Credentials) bool {
	var n int
	_, err := fmt.Sscanf(c.AccessKeyID, "ASIA%d", &n)
	return err == nil && equal(c, creds(n, c.Expires))
}

// TestKilledWriters: whenever a writer dies, readers find one of the sessions
// it saved, whole, and no file ever holds a secret.
func TestKilledWriters(t *testing.T) {
	base := t.TempDir()
	d := childDir(base)
	k := chain(ops).Key(2)
	if err := d.Save(chain(ops), 2, creds(0, time.Now().Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for reads := 0; ; reads++ {
			if c, err := d.Load(k); err != nil || !whole(c) {
				t.Errorf("read %d: %v, %v", reads, c, err)
				return
			}
			if leak := findSecret(base, exampleSecrets()); leak != "" {
				t.Error(leak)
				return
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	strays := 0
	kills := figure.Of(200, 10_000)
	for range kills {
		cmd := command(t, "write", base)
		ready(t, cmd)
		time.Sleep(rand.N(3 * time.Millisecond))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
	}
	close(stop)
	wg.Wait()
	for _, name := range names(t, d) {
		if strings.HasPrefix(name, tempPrefix) {
			strays++
		}
	}
	if strays == 0 {
		t.Error("no writer was killed in the middle of a write: nothing was shown")
	}
	c := creds(7, time.Now().Add(time.Hour).Truncate(time.Second))
	if err := d.Save(chain(ops), 2, c); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, d, k, c)
	if !t.Failed() {
		note(t, "kill -9 at each write of the cache", "%d kills, %d with a file half written: 0 unreadable, 0 lost, 0 in plain text", kills, strays)
	}
}

// note tells what a test has found of a property, in its log and in the table
// of doc/security.md.
func note(t *testing.T, property, format string, args ...any) {
	t.Helper()
	t.Logf(format, args...)
	if err := figure.Note(property, format, args...); err != nil {
		t.Error(err)
	}
}

// calls is the file in which children count the requests they make.
func calls(base string) string { return filepath.Join(base, "calls") }

// walkOnce gets a role's session as the program does, and prints its key id.
func walkOnce(base string) error {
	e := &session.Engine{
		Store: childDir(base),
		Perform: func(_ context.Context, h plan.Hop, _ cred.Credentials) (cred.Credentials, error) {
			if _, isKey := h.(plan.StoredKey); isKey {
				return cred.Credentials{AccessKeyID: "AKIABASE", SecretAccessKey: cred.NewSecret("s")}, nil
			}
			f, err := os.OpenFile(calls(base), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				return cred.Credentials{}, err
			}
			defer f.Close()
			if _, err := fmt.Fprintf(f, "%T\n", h); err != nil {
				return cred.Credentials{}, err
			}
			time.Sleep(200 * time.Millisecond)
			return creds(os.Getpid(), time.Now().Add(time.Hour)), nil
		},
		Now:  time.Now,
		Warn: func(err error) { fmt.Fprintln(os.Stderr, "warning:", err) },
	}
	c, err := e.Credentials(context.Background(), chain(ops))
	fmt.Println(c.AccessKeyID)
	return err
}

// TestHerd: of many processes that need one session, one makes it.
func TestHerd(t *testing.T) {
	base := t.TempDir()
	var cmds []*exec.Cmd
	var outs []*bytes.Buffer
	for range 50 {
		cmd := command(t, "walk", base)
		cmd.Stdout = &bytes.Buffer{}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds, outs = append(cmds, cmd), append(outs, cmd.Stdout.(*bytes.Buffer))
	}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		if outs[i].String() != outs[0].String() || outs[i].Len() == 0 {
			t.Errorf("one got %q, another %q", outs[0], outs[i])
		}
	}
	b, err := os.ReadFile(calls(base))
	if err != nil || string(b) != "plan.SessionToken\nplan.AssumeRole\n" {
		t.Errorf("%v, requests:\n%s", err, b)
	}
}

// holdForEver holds a device's lock until it is killed.
func holdForEver(base string) error {
	d := childDir(base)
	if _, err := d.LockDevice(context.Background(), "me"); err != nil {
		return err
	}
	d.Doing("asking for the MFA code")
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin)
	time.Sleep(time.Hour)
	return err
}

// TestHolderKilled: the lock of a process that dies is free.
func TestHolderKilled(t *testing.T) {
	base := t.TempDir()
	cmd := command(t, "hold", base)
	ready(t, cmd)
	told := make(chan Holder, 1)
	d := childDir(base)
	d.waiting = func(h Holder) {
		told <- h
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	unlock, err := d.LockDevice(ctx, "me")
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	if h, want := <-told, (Holder{cmd.Process.Pid, "asking for the MFA code"}); h != want {
		t.Errorf("told of %v, want %v", h, want)
	}
	_ = cmd.Wait() // it was killed
}

// exampleSecrets are parts of what creds holds, and the key.
func exampleSecrets() []string {
	return []string{"wJalr-SECRET-key", "FQoGZ-SECRET-token", string(kek)}
}

// findSecret looks for secrets in the names and contents of all files below
// dir, as they are, in base64 and in hexadecimal. It says where it found one.
func findSecret(dir string, secrets []string) string {
	var forms []string
	for _, s := range secrets {
		forms = append(forms, s, hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))))
		for shift := range 3 {
			// The first and last characters depend on what stands around.
			b := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), s...))
			forms = append(forms, b[2*shift:len(b)-2])
		}
	}
	found := ""
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		content := []byte(path)
		if err == nil && e.Type().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil {
				return nil // it was there for a moment
			}
			content = append(content, b...)
		}
		for _, form := range forms {
			if bytes.Contains(content, []byte(form)) {
				found = fmt.Sprintf("%s shows a secret as %s", path, form)
				return fs.SkipAll
			}
		}
		return err
	})
	return found
}

// TestNoSecretIsOnDisk looks at what all operations leave behind. That no
// secret is there for a moment either is part of TestKilledWriters.
func TestNoSecretIsOnDisk(t *testing.T) {
	base := t.TempDir()
	d := childDir(base)
	for n := range 3 {
		p := chain(fmt.Sprint(ops, n))
		unlock, err := d.Lock(t.Context(), p.Key(2))
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		if err := d.Save(p, 2, creds(n, time.Now().Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Spend(t.Context(), "me", "wJalr-SECRET-key"); err != nil {
		t.Fatal(err)
	}
	if leak := findSecret(base, exampleSecrets()); leak != "" {
		t.Error(leak)
	}
	// The search finds what is there.
	secret := "wJalr-SECRET-key"
	for _, form := range []string{
		"x" + secret, hex.EncodeToString([]byte(secret)), fmt.Sprintf("%X", secret),
		base64.StdEncoding.EncodeToString([]byte(secret + "1234")),
		base64.StdEncoding.EncodeToString([]byte("{" + secret + "}")),
		base64.URLEncoding.EncodeToString([]byte(`{"` + secret)),
	} {
		planted := filepath.Join(base, "sessions", "planted")
		if err := os.WriteFile(planted, []byte("... "+form+" ..."), 0o600); err != nil {
			t.Fatal(err)
		}
		if findSecret(base, exampleSecrets()) == "" {
			t.Errorf("the search misses %q", form)
		}
		if err := os.Remove(planted); err != nil {
			t.Fatal(err)
		}
	}
}
