package deliver

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Exec runs the command argv in the environment env, with our own standard
// files, and returns its exit code. When it cannot be run the error is a
// [*NotFoundError] or a [*NotExecutableError].
//
// The command is looked up in env: a name with a backslash, slash or colon is
// used as it is, any other is looked for in the absolute directories of env's
// PATH, each time with the extensions of PATHEXT. The current directory is not
// searched: a program planted in a repository must not get credentials.
func Exec(argv, env []string) (exit int, err error) {
	if len(argv) == 0 || argv[0] == "" {
		return 0, &NotFoundError{}
	}
	path, err := lookPath(argv[0], env)
	if err != nil {
		return 0, err
	}
	// The console tells every process attached to it of Ctrl-C and Ctrl-Break.
	// What follows is for the command to decide; we stay, to report its end.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)

	cmd := &exec.Cmd{Path: path, Args: argv, Env: env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	err = cmd.Run()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		return ended.ExitCode(), nil
	}
	if err != nil {
		return 0, &NotExecutableError{path, err}
	}
	return 0, nil
}

// lookPath returns the file that name stands for in env.
func lookPath(name string, env []string) (string, error) {
	pathext, ok := lookup(env, "PATHEXT")
	if !ok {
		pathext = ".COM;.EXE;.BAT;.CMD"
	}
	extensions := filepath.SplitList(strings.ToUpper(pathext))
	if slices.Contains(extensions, strings.ToUpper(filepath.Ext(name))) {
		extensions = []string{""}
	}
	var files []string
	if strings.ContainsAny(name, `:\/`) {
		files = []string{name}
	} else {
		path, _ := lookup(env, "PATH")
		for _, dir := range filepath.SplitList(path) {
			if filepath.IsAbs(dir) {
				files = append(files, filepath.Join(dir, name))
			}
		}
	}
	for _, file := range files {
		for _, extension := range extensions {
			if info, err := os.Stat(file + extension); err == nil && !info.IsDir() {
				return file + extension, nil
			}
		}
	}
	// What is there without any of the extensions is no program.
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			if info.IsDir() {
				return "", &NotExecutableError{file, syscall.EISDIR}
			}
			return "", &NotExecutableError{file, fs.ErrPermission}
		}
	}
	return "", &NotFoundError{name}
}

// CommandLine returns the command that runs a line of cmd.exe's language.
func CommandLine(line string) (argv []string) { return []string{"cmd.exe", "/d", "/c", line} }

// Shell returns the command of the user's shell: COMSPEC in env, else
// PowerShell, which every Windows has.
func Shell(env []string) (argv []string) {
	if shell, _ := lookup(env, "COMSPEC"); filepath.IsAbs(shell) {
		if info, err := os.Stat(shell); err == nil && info.Mode().IsRegular() {
			return []string{shell}
		}
	}
	return []string{"powershell.exe"}
}
