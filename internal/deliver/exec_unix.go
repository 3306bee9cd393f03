//go:build unix

package deliver

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// bourneShell runs what has no shell of its own: it is where POSIX systems
// have it in practice, and what execvp(3) falls back to.
const bourneShell = "/bin/sh"

// Exec replaces this process with the command argv in the environment env, and
// returns only when that fails, with a [*NotFoundError] or a
// [*NotExecutableError].
//
// The command is looked up as execvp(3) would in env: a name with a slash is
// used as it is, any other is looked for in the directories of env's PATH, of
// which an empty one is the current directory. A text without `#!` is run by
// /bin/sh.
//
// The command inherits what we inherited: terminal, process group, working
// directory, umask, limits, and the files that were open when we were started.
// SIGHUP and SIGINT stay ignored if they were at the start (nohup, a shell's
// `&`), whatever was asked of os/signal since; SIGTSTP, SIGTTIN and SIGTTOU do
// unless os/signal was asked for them. All other signals, SIGQUIT, SIGTERM and
// SIGPIPE among them, have their default action in the command: Go's runtime
// catches them at the start and does not tell what they were.
func Exec(argv, env []string) (exit int, err error) {
	if len(argv) == 0 || argv[0] == "" {
		return 0, &NotFoundError{}
	}
	// What was ignored at the start and caught since would be back at its
	// default after execve(2).
	signal.Reset(syscall.SIGHUP, syscall.SIGINT)

	if strings.Contains(argv[0], "/") {
		return 0, execFile(argv[0], argv, env)
	}
	path, ok := lookup(env, "PATH")
	if !ok {
		path = "/bin:/usr/bin" // as the C library has it
	}
	var refused error
	for dir := range strings.SplitSeq(path, ":") {
		if dir == "" {
			dir = "."
		}
		// Not filepath.Join: a current directory must stay visible, or the
		// path of a script would be one more name to look up.
		file := dir + "/" + argv[0]
		if _, err := os.Stat(file); err != nil {
			continue
		}
		if err := execFile(file, argv, env); refused == nil {
			refused = err
		}
	}
	if refused == nil {
		refused = &NotFoundError{argv[0]}
	}
	return 0, refused
}

// execFile runs the file at path, and returns only when it cannot.
func execFile(path string, argv, env []string) error {
	// syscall.Exec puts back the limit of open files that Go raised.
	err := syscall.Exec(path, argv, env)
	if err == syscall.ENOEXEC && isText(path) {
		err = syscall.Exec(bourneShell, append([]string{bourneShell, "--", path}, argv[1:]...), env)
	}
	info, statErr := os.Stat(path)
	switch {
	case errors.Is(statErr, fs.ErrNotExist):
		return &NotFoundError{path}
	case statErr == nil && info.IsDir():
		err = syscall.EISDIR
	case statErr == nil && err == syscall.ENOENT:
		err = fmt.Errorf("bad interpreter: %w", err)
	}
	return &NotExecutableError{path, err}
}

// isText reports whether a file that the kernel does not know how to run may
// be a shell's text: whether, as shells ask, its first line has no NUL. A
// program for another machine is none.
func isText(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	start := make([]byte, 128)
	n, err := f.Read(start)
	if err != nil && err != io.EOF {
		return false
	}
	line, _, _ := bytes.Cut(start[:n], []byte("\n"))
	return !bytes.Contains(line, []byte{0})
}

// CommandLine returns the command that runs a line of shell code.
func CommandLine(line string) (argv []string) { return []string{bourneShell, "-c", line} }

// Shell returns the command of the user's own shell: SHELL in env, else the
// one that /etc/passwd names, else /bin/sh.
func Shell(env []string) (argv []string) {
	shell, _ := lookup(env, "SHELL")
	if isProgram(shell) {
		return []string{shell}
	}
	if f, err := os.Open("/etc/passwd"); err == nil {
		defer f.Close()
		if shell := passwdShell(f, os.Getuid()); isProgram(shell) {
			return []string{shell}
		}
	}
	return []string{bourneShell}
}

// isProgram reports whether path is absolute and a file that somebody may run.
func isProgram(path string) bool {
	if !filepath.IsAbs(path) {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// passwdShell returns the shell of uid in a file of the form of passwd(5), ""
// when it names none. (os/user does not tell.)
func passwdShell(r io.Reader, uid int) string {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		// name:password:uid:gid:comment:home:shell
		if f := strings.Split(lines.Text(), ":"); len(f) == 7 && f[2] == strconv.Itoa(uid) {
			return f[6]
		}
	}
	return ""
}
