package awsconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// ErrChanged says that a file was changed by somebody else while it was being
// edited. Nothing was written.
var ErrChanged = errors.New("the file was changed by another program in the meantime: try again")

// RemoveKeys removes the settings with these names from the profile's sections
// in both files, with the lines that continue them, and returns the places
// where they stood. Every other byte, the files' modes and owners, and the
// symlinks that lead to them stay as they are.
//
// A file is replaced as a whole or not at all. The profile is read from the
// files as they are now, not as c was loaded.
func (c *Config) RemoveKeys(profile string, keys ...string) ([]Origin, error) {
	if !validName(profile) {
		return nil, nil
	}
	type place struct {
		path   string
		wanted func(line []byte) bool
	}
	places := []place{{c.config.path, titled(profileKind, profile)}, {c.credentials.path, literal(profile)}}
	if profile == defaultName {
		places = append(places, place{c.config.path, literal(defaultName)})
	}
	var removed []Origin
	for _, f := range places {
		if f.path == "" {
			continue
		}
		err := Rewrite(f.path, func(text []byte) ([]byte, error) {
			rest, at := removeSettings(text, f.wanted, keys)
			for _, line := range at {
				removed = append(removed, Origin{f.path, line})
			}
			return rest, nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, err
		}
	}
	return removed, nil
}

// removeSettings returns text without the settings named keys in the sections
// that are wanted, and the lines at which they stood.
func removeSettings(text []byte, wanted func(line []byte) bool, keys []string) (rest []byte, lines []int) {
	s := scanner{data: text}
	if bytes.HasPrefix(text, []byte(byteOrderMark)) {
		s.next = len(byteOrderMark)
	}
	inside, dropping := false, false
	kept := 0 // everything of text before it is decided
	for s.scan() {
		switch s.kind {
		case header:
			inside, dropping = wanted(s.text), false
		case setting:
			i := bytes.IndexAny(s.text, "=:")
			dropping = inside && i > 0 && slices.Contains(keys, lower(s.text[:i]))
			if dropping {
				lines = append(lines, s.num)
			}
		}
		if dropping && (s.kind == setting || s.kind == continuation) {
			rest = append(rest, text[kept:s.start]...)
			kept = s.next
		}
	}
	return append(rest, text[kept:]...), lines
}

// Rewrite replaces the text of a file by what edit makes of it, atomically: a
// new file takes the old one's place, with its mode and, where that is
// allowed, its owner. A symlink stays and its target is replaced. A text that
// edit leaves as it is is not written.
func Rewrite(path string, edit func(text []byte) ([]byte, error)) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	before, err := os.Stat(target)
	if err != nil {
		return err
	}
	if !before.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	text, err := os.ReadFile(target)
	if err != nil {
		return err
	}
	edited, err := edit(slices.Clone(text))
	if err != nil || bytes.Equal(edited, text) {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(target), ".aws-switch-role-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // fails once it is renamed
	if err := fill(temp, edited, before); err != nil {
		return err
	}
	if now, err := os.ReadFile(target); err != nil || !bytes.Equal(now, text) {
		return errors.Join(ErrChanged, err)
	}
	if err := os.Rename(temp.Name(), target); err != nil {
		return err
	}
	return syncDir(filepath.Dir(target))
}

// fill writes text to temp and makes it look like the file it will replace.
func fill(temp *os.File, text []byte, like fs.FileInfo) error {
	_, err := temp.Write(text)
	if err == nil {
		err = temp.Chmod(like.Mode().Perm())
	}
	if err == nil {
		err = keepOwner(temp, like)
	}
	if err == nil {
		err = temp.Sync()
	}
	return errors.Join(err, temp.Close())
}

// Edit is a change of one line of a file. What it does not name stays as it is.
type Edit struct {
	Line int
	// Key, in lower case, is to be called Name, and what parts it from its
	// value is to be an equals sign where Equals is set.
	Key, Name string
	Equals    bool
	// Header is what should stand between the brackets of a header.
	Header string
	// Unmarked takes out the byte order mark before the first line.
	Unmarked bool
}

// Edited returns a text with its edits made. The error is [ErrChanged] when a
// line is not the one that was to be changed.
func Edited(text []byte, edits ...Edit) ([]byte, error) {
	s := scanner{data: text}
	mark := bytes.HasPrefix(text, []byte(byteOrderMark))
	if mark {
		s.next = len(byteOrderMark)
	}
	var out []byte
	kept := 0 // everything of text before it is in out
	replace := func(start, end int, by string) {
		out = append(append(out, text[kept:start]...), by...)
		kept = end
	}
	slices.SortStableFunc(edits, func(a, b Edit) int { return a.Line - b.Line })
	for _, e := range edits {
		if e.Unmarked {
			if !mark || s.num > 0 {
				return nil, ErrChanged
			}
			replace(0, len(byteOrderMark), "")
			continue
		}
		for s.num < e.Line && s.scan() {
			// up to the line itself
		}
		at := s.start + bytes.Index(text[s.start:s.next], s.text)
		if s.num != e.Line || at < kept {
			return nil, ErrChanged
		}
		if e.Header != "" {
			if s.kind != header {
				return nil, ErrChanged
			}
			replace(at+1, at+bytes.LastIndexByte(s.text, ']'), e.Header)
			continue
		}
		sep := bytes.IndexAny(s.text, "=:")
		if s.kind != setting || sep <= 0 || lower(s.text[:sep]) != e.Key {
			return nil, ErrChanged
		}
		replace(at, at+len(bytes.TrimSpace(s.text[:sep])), e.Name)
		if e.Equals {
			replace(at+sep, at+sep+1, "=")
		}
	}
	return append(out, text[kept:]...), nil
}
