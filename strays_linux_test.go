package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"aws-switch-role/internal/figure"
)

// watchedVariable is in the environment of the tests while they are watched.
const watchedVariable = "SUITE_IS_WATCHED"

// watch runs the tests in a process of their own and returns its status. It is
// the process that orphans come to: when the tests have ended, so must all
// that they have started, however it left its family, and the directory that
// temporary files were in must be empty. done is false in the process that is
// to run the tests.
func watch() (status int, done bool) {
	if os.Getenv(watchedVariable) != "" {
		return 0, false
	}
	status, err := watched()
	if err != nil {
		fmt.Fprintln(os.Stderr, "strays:", err)
		return 1, true
	}
	return status, true
}

func watched() (status int, err error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, err
	}
	temp, err := shortDir()
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(temp)
	if err := os.Chmod(temp, 0o777|os.ModeSticky); err != nil { // as /tmp is
		return 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	runtime.LockOSThread() // the tests are to end with it
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), watchedVariable+"=1", "TMPDIR="+temp)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s)
		}
	}()

	orphans := 0
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return 0, err
		}
		if pid != cmd.Process.Pid {
			orphans++
			continue
		}
		if status = ws.ExitStatus(); ws.Signaled() {
			status = 128 + int(ws.Signal())
		}
		break
	}
	left := children()
	for deadline := time.Now().Add(10 * time.Second); len(left) > 0 && time.Now().Before(deadline); left = children() {
		time.Sleep(50 * time.Millisecond)
		for pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid > 0 && err == nil; pid, err = syscall.Wait4(-1, nil, syscall.WNOHANG, nil) {
			orphans++
		}
	}
	files, err := os.ReadDir(temp)
	if err != nil {
		return 0, err
	}
	for pid, command := range left {
		fmt.Fprintf(os.Stderr, "strays: process %d is left: %s\n", pid, command)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	// testscript leaves its own directory, empty, where not all scripts are run.
	files = slices.DeleteFunc(files, func(f os.DirEntry) bool {
		return strings.HasPrefix(f.Name(), "go-test-script") && os.Remove(filepath.Join(temp, f.Name())) == nil
	})
	for _, f := range files {
		fmt.Fprintf(os.Stderr, "strays: %s is left in the directory of temporary files\n", f.Name())
	}
	if len(left)+len(files) > 0 {
		return max(status, 1), nil
	}
	return status, figure.Note("strays", "0 of %d orphans and 0 files are left", orphans)
}

// shortDir makes a directory whose path is hardly longer than that of the one
// that it is in: below it are sockets, whose paths are bounded.
func shortDir() (path string, err error) {
	for range 1000 {
		path = filepath.Join(os.TempDir(), rand.Text()[:2])
		if err = os.Mkdir(path, 0o700); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return path, err
}

// children returns the command lines of this process's children, by pid.
func children() map[int]string {
	found := map[int]string{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// The second field is a name in parentheses that may hold anything;
		// the parent is the second one behind it (proc_pid_stat(5)).
		f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil || len(f) < 2 || f[1] != strconv.Itoa(os.Getpid()) {
			continue
		}
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		found[pid] = f[0] + " " + string(bytes.ReplaceAll(line, []byte{0}, []byte(" ")))
	}
	return found
}
