package keeper

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// session makes a session directory, of a path as short as a socket's must be.
func session(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "keeper")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// keep serves a shell in dir. The shell is a child process, which end ends.
func keep(t *testing.T, dir string, a Admission, answer func(context.Context, Caller, Request) Answer) (end func()) {
	t.Helper()
	shell := exec.Command("cat")
	in, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	a.Shell = shell.Process.Pid
	s := &Server{Dir: dir, Admission: a, Answer: answer}
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.Serve(func() error { close(ready); return nil }) }()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		_ = in.Close()
		_ = shell.Wait()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(30 * time.Second):
			t.Error("the keeper goes on without its shell")
		}
	}
	t.Cleanup(end)
	return end
}

func echo(_ context.Context, _ Caller, r Request) Answer {
	return Answer{Done, []byte("for " + r.Profile)}
}

// endowed runs f on a thread that has the key of the shell in dir, with what
// the thread had before within reach.
func endowed(t *testing.T, dir string, key []byte, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		const mark = "keeper-test-before"
		if _, err := unix.KeyctlJoinSessionKeyring("keeper-test"); err != nil {
			t.Error(err)
			return
		}
		before, err := unix.AddKey(userKey, mark, []byte("x"), unix.KEY_SPEC_SESSION_KEYRING)
		if err != nil {
			t.Error(err)
			return
		}
		if err := endow(describe(dir), key); err != nil {
			t.Error(err)
			return
		}
		if id, err := unix.KeyctlSearch(unix.KEY_SPEC_SESSION_KEYRING, userKey, mark, 0); err != nil || id != before {
			t.Errorf("the key of the keyring before: %d, %v", id, err)
		}
		f()
	}()
	<-done
}

func TestKey(t *testing.T) {
	dir := session(t)
	key := bytes.Repeat([]byte{7}, keySize)
	end := keep(t, dir, Admission{Key: key}, echo)
	endowed(t, dir, key, func() {
		a, err := Ask(t.Context(), dir, Request{Verb: Get, Profile: "ops"})
		if err != nil || a.Kind != Done || string(a.Body) != "for ops" {
			t.Errorf("got %q, %v", a.Body, err)
		}
		// Nobody may change who may read the key, or hand it on.
		id, err := unix.KeyctlSearch(unix.KEY_SPEC_SESSION_KEYRING, userKey, describe(dir), 0)
		if err != nil {
			t.Error(err)
		}
		if err := unix.KeyctlSetperm(id, 0x3f3f3f3f); !errors.Is(err, unix.EACCES) {
			t.Errorf("setperm: %v", err)
		}
		if err := link(id, unix.KEY_SPEC_USER_KEYRING); !errors.Is(err, unix.EACCES) {
			t.Errorf("link: %v", err)
		}
		outside := make(chan error)
		go func() {
			_, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, make([]byte, keySize), 0)
			outside <- err
		}()
		if err := <-outside; !errors.Is(err, unix.EACCES) {
			t.Errorf("read by another thread: %v", err)
		}
	})
	if _, err := Ask(t.Context(), dir, Request{Verb: Get, Profile: "ops"}); !errors.Is(err, ErrRefused) {
		t.Errorf("without the key: %v", err)
	}
	other := session(t)
	keep(t, other, Admission{Key: bytes.Repeat([]byte{8}, keySize)}, echo)
	endowed(t, dir, key, func() {
		if _, err := Ask(t.Context(), other, Request{Verb: Get}); !errors.Is(err, ErrRefused) {
			t.Errorf("of another shell: %v", err)
		}
	})
	end()
	if _, err := Ask(t.Context(), dir, Request{Verb: Get}); !errors.Is(err, ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
}

// Each shell in a shell links the keyring of the one around it, and keyrings
// nest only so deep.
func TestKeysNest(t *testing.T) {
	key := bytes.Repeat([]byte{7}, keySize)
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if _, err := unix.KeyctlJoinSessionKeyring("keeper-test"); err != nil {
			t.Error(err)
			return
		}
		if _, err := unix.AddKey(userKey, "keeper-test-before", []byte("x"), unix.KEY_SPEC_SESSION_KEYRING); err != nil {
			t.Error(err)
		}
		for i := range 12 {
			if err := endow(describe(string(rune('a'+i))), key); err != nil {
				t.Errorf("at depth %d: %v", i, err)
				return
			}
		}
		if find(describe("l")) == nil {
			t.Error("the innermost key is lost")
		}
	}()
	<-done
}

func TestDescent(t *testing.T) {
	self := os.Getpid()
	child := exec.Command("sh", "-c", "cat; :")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = child.Wait() }()
	for _, tc := range []struct {
		pid, ancestor int
		want          bool
	}{
		{self, self, true},
		{child.Process.Pid, self, true},
		{self, child.Process.Pid, false},
		{os.Getppid(), self, false},
		{1 << 30, self, false},
	} {
		if got := descends(tc.pid, tc.ancestor); got != tc.want {
			t.Errorf("descends(%d, %d) = %v", tc.pid, tc.ancestor, got)
		}
	}
}

// A peer that has ended is not looked for by its pid, which may be another's.
func TestHold(t *testing.T) {
	for _, tc := range []struct {
		told int
		err  error
		pid  int
		ok   bool
	}{
		{told: 7, ok: true},
		{err: unix.ENOPROTOOPT, pid: os.Getpid(), ok: true},
		{err: unix.ENOPROTOOPT, pid: 1 << 30},
		{err: unix.ESRCH, pid: os.Getpid()},
		{err: unix.EINVAL, pid: os.Getpid()},
	} {
		fd := hold(tc.told, tc.err, tc.pid)
		if (fd >= 0) != tc.ok {
			t.Errorf("hold(%d, %v, %d) = %d", tc.told, tc.err, tc.pid, fd)
		}
		if fd >= 0 && fd != tc.told {
			_ = unix.Close(fd)
		}
	}
}

// By descent: this test's process is not the shell's child, it is its parent.
func TestNoDescendant(t *testing.T) {
	dir := session(t)
	keep(t, dir, Admission{}, echo)
	if _, err := Ask(t.Context(), dir, Request{Verb: Get}); !errors.Is(err, ErrRefused) {
		t.Errorf("err = %v", err)
	}
}

func TestStrangers(t *testing.T) {
	dir := session(t)
	keep(t, dir, Admission{}, echo)
	info, err := os.Stat(socket(dir))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is %v, %v", info.Mode(), err)
	}
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("unix", socket(dir))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		return c
	}
	for name, text := range map[string]string{
		"too long":    "\x00\x00\x10\x01",
		"too short":   "\x00\x00\x00\x01x",
		"not JSON":    "\x00\x00\x00\x41" + strings.Repeat("x", 0x41),
		"no such":     frame(`{"verb":"exec"}`),
		"hurried off": frame(`{"verb":"get"}`)[:40],
	} {
		c := dial()
		if _, err := readGreeting(c); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, text)
		if b, err := io.ReadAll(c); len(b) > 0 {
			t.Errorf("%s: answered with %q, %v", name, b, err)
		}
	}
	// Those who say nothing stand in nobody's way for long.
	for range maxConnections {
		dial()
	}
	if _, err := Ask(t.Context(), dir, Request{Verb: Get}); !errors.Is(err, ErrRefused) {
		t.Errorf("behind %d silent ones: %v", maxConnections, err)
	}
}

func frame(text string) string {
	n := nonceSize + proofSize + len(text)
	return string([]byte{0, 0, byte(n >> 8), byte(n)}) + strings.Repeat("x", nonceSize+proofSize) + text
}

func TestDirectoriesOfOthers(t *testing.T) {
	dir := session(t)
	keep(t, dir, Admission{}, echo)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Ask(t.Context(), dir, Request{Verb: Get}); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("an open directory: %v", err)
	}
	link := filepath.Join(session(t), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if _, err := Ask(t.Context(), link, Request{Verb: Get}); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("a symlink: %v", err)
	}
	if _, err := Ask(t.Context(), dir+"/none", Request{Verb: Get}); !errors.Is(err, ErrEnded) {
		t.Errorf("no directory: %v", err)
	}
}

func TestLongPath(t *testing.T) {
	dir := filepath.Join(session(t), strings.Repeat("x", maxSocketPath))
	err := (&Server{Dir: dir, Admission: Admission{Shell: os.Getpid()}}).Serve(nil)
	if err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("err = %v", err)
	}
}

// Where the kernel can, what the vault holds is out of everybody's sight.
func TestSecretMemory(t *testing.T) {
	b, err := secretMemory(100)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENODEV) {
		if m := allocate(100); len(m.bytes) != 100 {
			t.Errorf("%d bytes", len(m.bytes))
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unmap(b)
	copy(b, "a secret")
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil || !bytes.Contains(maps, []byte("secretmem")) {
		t.Errorf("no secretmem among our mappings (%v)", err)
	}
}
