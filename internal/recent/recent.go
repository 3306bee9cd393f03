// Package recent remembers which profiles were switched to last, in a small
// file of the user's: names and times, nothing secret.
//
// It is a convenience. Whatever is wrong with the file, a reader finds what
// can be read of it, and a writer starts it anew.
package recent

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Used is a profile, by the name or the role ARN that was typed, and when it
// was last switched to, in whole seconds.
type Used struct {
	Profile string
	At      time.Time
}

// most is how many profiles are remembered, and maxName how long a name may be
// in bytes: the longest is a role's ARN.
const (
	most    = 100
	maxName = 2048
)

// File is where it stands: for each switch a line with the time in RFC 3339, a
// blank and the name, the last at the end. To add a line is one write, which
// no other process's can get into; a file that has grown is replaced, as a
// whole, by one without what later lines say again.
type File struct{ path string }

// Sizes of the file in bytes: it is replaced when it is larger than grown, and
// of one that is larger than maxFile, which is none of ours, only the end is
// read.
const (
	grown   = 16 << 10
	maxFile = 1 << 20
)

// In returns the file in a directory, which is made when it is first written
// to, readable by the user alone. An empty dir remembers nothing.
func In(dir string) File {
	if dir == "" {
		return File{}
	}
	return File{filepath.Join(dir, "recent")}
}

// List returns the profiles that were switched to, each once, the last first.
// What cannot be read is left out.
func (f File) List() []Used {
	text, err := f.read()
	if err != nil {
		return nil
	}
	return parse(text)
}

// read returns the file's text, none where there is no file.
func (f File) read() (string, error) {
	fi, err := os.Lstat(f.path)
	if f.path == "" || errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if !fi.Mode().IsRegular() { // to open a FIFO is to wait for its other end
		return "", errors.New(f.path + " is not a regular file")
	}
	r, err := os.Open(f.path)
	if err != nil {
		return "", err
	}
	defer r.Close()
	text, err := io.ReadAll(io.NewSectionReader(r, max(0, fi.Size()-maxFile), maxFile))
	return string(text), err
}

// parse reads the lines that make sense, from the end.
func parse(text string) []Used {
	var list []Used
	seen := map[string]bool{}
	for text != "" && len(list) < most {
		text = strings.TrimSuffix(text, "\n")
		start := strings.LastIndexByte(text, '\n') + 1
		if u, ok := parseLine(text[start:]); ok && !seen[u.Profile] {
			seen[u.Profile] = true
			list = append(list, u)
		}
		text = text[:start]
	}
	return list
}

func parseLine(line string) (Used, bool) {
	at, name, _ := strings.Cut(line, " ")
	t, err := time.Parse(time.RFC3339, at)
	return Used{name, t}, err == nil && valid(name)
}

func (u Used) line() string { return u.At.UTC().Format(time.RFC3339) + " " + u.Profile + "\n" }

// valid reports whether a name can be a line's end.
func valid(name string) bool {
	return name != "" && len(name) <= maxName && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

// fresh is how old the last line may grow before it is written again: who
// runs a profile's commands one after the other pays for one.
const fresh = time.Minute

// Add puts a profile first. The lock, among all processes of the user, is
// taken only when the file is to be replaced; a line that another process adds
// meanwhile may be lost.
func (f File) Add(u Used, lock func() (unlock func(), err error)) error {
	if f.path == "" || !valid(u.Profile) {
		return nil
	}
	text, err := f.read()
	if err != nil {
		return err
	}
	start := strings.LastIndexByte(strings.TrimSuffix(text, "\n"), '\n') + 1
	if last, ok := parseLine(strings.TrimSuffix(text[start:], "\n")); ok && last.Profile == u.Profile {
		if age := u.At.Sub(last.At); age >= 0 && age < fresh {
			return nil
		}
	}
	if len(text) > grown {
		return f.shrink(u, lock)
	}
	line := u.line()
	if text != "" && !strings.HasSuffix(text, "\n") { // cut short by a crash
		line = "\n" + line
	}
	return f.append(line)
}

// append adds a line at the end of the file, which it makes where there is
// none.
func (f File) append(line string) error {
	const flags = os.O_WRONLY | os.O_APPEND | os.O_CREATE
	w, err := os.OpenFile(f.path, flags, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
			return err
		}
		w, err = os.OpenFile(f.path, flags, 0o600)
	}
	if err != nil {
		return err
	}
	_, err = w.WriteString(line)
	return errors.Join(err, w.Close())
}

// shrink replaces the file by one with each profile once, and u at its end.
func (f File) shrink(u Used, lock func() (unlock func(), err error)) error {
	unlock, err := lock()
	if err != nil {
		return err
	}
	defer unlock()
	list := slices.DeleteFunc(f.List(), func(old Used) bool { return old.Profile == u.Profile })
	list = slices.Insert(list, 0, u)
	size, keep := 0, 0
	for keep < len(list) && size < grown/2 {
		size += len(list[keep].line())
		keep++
	}
	var text strings.Builder
	for _, u := range slices.Backward(list[:keep]) {
		text.WriteString(u.line())
	}
	return f.replace(text.String())
}

// replace writes the file so that a reader finds the old one or the new. It
// does not wait for the disk.
func (f File) replace(text string) error {
	// Writers exclude each other: what has this name was left by one that died.
	temp := f.path + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	w, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = w.WriteString(text)
	if err := errors.Join(err, w.Close()); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := os.Rename(temp, f.path); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return nil
}
