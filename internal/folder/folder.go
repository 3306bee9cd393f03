// Package folder opens the directories in which the program keeps what is
// nobody else's business: real ones, owned by the user and closed to everybody
// else.
package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrUnknown says that no directory is known for what should be kept.
var ErrUnknown = fmt.Errorf("no directory is known for it: %w", fs.ErrNotExist)

// Open opens a directory of ours: a real one, not a link to one, that nobody
// else can read or write. An empty path is [ErrUnknown].
func Open(path string) (*os.Root, error) {
	if path == "" {
		return nil, ErrUnknown
	}
	before, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !before.IsDir() {
		return nil, fmt.Errorf("%s is not a directory", path)
	}
	if err := Private(before); err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	opened, err := root.Stat(".")
	if err == nil && !os.SameFile(before, opened) {
		err = fmt.Errorf("%s was replaced while it was opened", path)
	}
	if err != nil {
		root.Close()
		return nil, err
	}
	return root, nil
}

// Make opens a directory of ours, and makes it first where it does not exist.
func Make(path string) (*os.Root, error) {
	root, err := Open(path)
	if path == "" || !errors.Is(err, fs.ErrNotExist) {
		return root, err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	return Open(path)
}
