package deliver

import "fmt"

// NotFoundError says that there is no command of a name, where the name has
// no slash in it on the PATH. A shell's status for it is 127.
type NotFoundError struct{ Name string }

// Error implements error.
func (e *NotFoundError) Error() string { return fmt.Sprintf("%s: command not found", e.Name) }

// NotExecutableError says that there is a file of the command's name, and why
// it cannot be run. A shell's status for it is 126.
type NotExecutableError struct {
	Path string
	Err  error
}

// Error implements error.
func (e *NotExecutableError) Error() string { return fmt.Sprintf("cannot run %s: %v", e.Path, e.Err) }

// Unwrap returns the cause.
func (e *NotExecutableError) Unwrap() error { return e.Err }
