package cache

import (
	"errors"
	"fmt"
	"io"
	"os"

	"aws-switch-role/internal/folder"
)

var (
	errOddFile = errors.New("it is not a regular file")
	errTooBig  = errors.New("it is too big")
)

// openFile opens a file of ours: a regular one that nobody else can read or
// write. Nothing planted in its place makes it wait.
func openFile(root *os.Root, name string, flag int) (*os.File, error) {
	f, err := root.OpenFile(name, flag|openFlags, 0o600)
	if err != nil {
		return nil, err
	}
	if err := checkFile(root, name, f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func checkFile(root *os.Root, name string, f *os.File) error {
	opened, err := f.Stat()
	if err != nil {
		return err
	}
	// A Root follows links that stay inside it. What has the name by now need
	// not be what was opened: a writer may just have replaced it.
	named, err := root.Lstat(name)
	if err != nil {
		return err
	}
	if !opened.Mode().IsRegular() || !named.Mode().IsRegular() {
		return errOddFile
	}
	if err := folder.Private(opened); err != nil {
		return fmt.Errorf("it %w", err)
	}
	return nil
}

// readAtMost returns what f holds; more than most bytes are an error.
func readAtMost(f *os.File, most int64) ([]byte, error) {
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if fi.Size() > most {
		return nil, errTooBig
	}
	b := make([]byte, fi.Size())
	_, err = io.ReadFull(f, b)
	return b, err
}

// fileNames returns the names in a directory, most at most; -1 for all.
func fileNames(root *os.Root, most int) ([]string, error) {
	f, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(most)
	if err == io.EOF {
		err = nil
	}
	return names, err
}
