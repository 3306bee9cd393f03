package awsconfig

import (
	"bytes"
	"errors"

	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"slices"
	"syscall"

	"aws-switch-role/internal/message"
)

// maxFile is the size in bytes beyond which a file is refused.
const maxFile = 64 << 20

// defaultName is the profile whose header in the config file needs no prefix.
const defaultName = "default"

// The kinds of section in the config file that bear a name.
const (
	profileKind  = "profile"
	sessionKind  = "sso-session"
	servicesKind = "services"
)

// byteOrderMark is U+FEFF in UTF-8.
const byteOrderMark = "\uFEFF"

// Config is the user's two AWS files. It keeps their bytes and reads in them
// what it is asked for, when it is asked. It may be used by several goroutines
// at a time.
type Config struct{ config, credentials file }

// file is one of the two, as it was when it was loaded.
type file struct {
	path   string
	data   []byte
	marked bool              // a byte order mark stood before data
	index  map[title][]place // where the sections are; nil as long as nobody has looked
}

// Load reads the config file and the credentials file. One that does not
// exist, and the null device, is an empty one. Nothing is ever written.
//
// The error names the file: one that may not be read, that is a directory, a
// pipe or another thing that is no file, or that is larger than 64 MiB. What
// stands in the files is no error of Load's: see [Config.Profile].
func Load(configFile, credentialsFile string) (*Config, error) {
	config, err := read(configFile)
	if err != nil {
		return nil, err
	}
	credentials, err := read(credentialsFile)
	if err != nil {
		return nil, err
	}
	return &Config{newFile(configFile, config), newFile(credentialsFile, credentials)}, nil
}

// newFile is a file that holds a text. The byte order mark that Windows editors
// put in front of UTF-8 is no part of it.
func newFile(path string, text []byte) file {
	data, marked := bytes.CutPrefix(text, []byte(byteOrderMark))
	return file{path: path, data: data, marked: marked}
}

// read returns the content of a file.
func read(path string) ([]byte, error) {
	f, size, err := open(path)
	if f == nil || err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	b.Grow(int(min(size, maxFile)) + bytes.MinRead)
	n, err := b.ReadFrom(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if n > maxFile {
		return nil, tooLarge(path)
	}
	return b.Bytes(), nil
}

func tooLarge(path string) error {
	return &FileError{path, message.New("aws-file-too-large", "%s is larger than 64 MiB", path)}
}

// open opens one of the files. Where there is none, it returns neither a file
// nor an error.
func open(path string) (f *os.File, size int64, err error) {
	// Without O_NONBLOCK, opening a pipe waits for somebody to write to it.
	f, err = os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() {
		return f, info.Size(), nil
	}
	f.Close()
	switch {
	case err != nil:
		return nil, 0, err
	case info.IsDir():
		return nil, 0, &FileError{path, message.New("file-directory", "%s is a directory, not a file", path)}
	}
	if null, err := os.Stat(os.DevNull); err == nil && os.SameFile(info, null) {
		return nil, 0, nil
	}
	return nil, 0, &FileError{path, message.New("file-irregular", "%s is not a regular file", path)}
}

// ConfigFile returns the path of the config file that was loaded.
func (c *Config) ConfigFile() string { return c.config.path }

// CredentialsFile returns the path of the credentials file that was loaded.
func (c *Config) CredentialsFile() string { return c.credentials.path }

// Profile returns the profile with this name, merged from both files: a key of
// the credentials file replaces the same key of the config file. Its Origin is
// the first header that names it. ok is false when none does.
//
// The error is a [*SyntaxError] for a line of the profile's own sections that
// cannot be read; nothing else in the files does harm. The profile is then
// empty.
func (c *Config) Profile(name string) (p Profile, ok bool, err error) {
	if !validName(name) {
		return Profile{}, false, nil
	}
	p.Name = name
	err = c.config.collect(&p, title{profileKind, name})
	if err == nil && name == defaultName && p.Line == 0 {
		// [default] counts where there is no [profile default].
		err = c.config.collect(&p, title{name: defaultName})
	}
	if err == nil {
		config := maps.Clone(p.Keys)
		err = c.credentials.collect(&p, title{name: name})
		for k, v := range config {
			if p.Keys[k] != v {
				if p.Replaced == nil {
					p.Replaced = map[string]Value{}
				}
				p.Replaced[k] = v
			}
		}
	}
	return p.orNone(err)
}

// Section returns another section of the config file, such as
// Section("sso-session", "corp") or Section("services", "local"), with the
// results of [Config.Profile].
func (c *Config) Section(kind, name string) (p Profile, ok bool, err error) {
	if !validName(name) {
		return Profile{}, false, nil
	}
	p.Name = name
	return p.orNone(c.config.collect(&p, title{kind, name}))
}

// orNone returns what p has become: itself when a section of its name was
// found, and nothing when that cannot be read.
func (p Profile) orNone(err error) (Profile, bool, error) {
	switch {
	case err != nil:
		return Profile{}, true, err
	case p.Line == 0:
		return Profile{}, false, nil
	}
	return p, true, nil
}

// Names yields the names of all profiles in the order of the config file, then
// of the credentials file, each once.
func (c *Config) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		seen := map[string]bool{}
		buf := make([]byte, 0, maxName)
		_ = c.config.names(seen, yield, func(text []byte) ([]byte, bool) {
			switch {
			case string(text) == defaultName:
				return text, true
			case bytes.HasPrefix(text, []byte(profileKind)):
				return secondWord(text, buf)
			}
			return nil, false
		}) && c.credentials.names(seen, yield, func(text []byte) ([]byte, bool) {
			return text, true
		})
	}
}

// Sessions yields the names of the sections sso-session, in their order, each
// once.
func (c *Config) Sessions() iter.Seq[string] {
	return func(yield func(string) bool) {
		buf := make([]byte, 0, maxName)
		c.config.names(map[string]bool{}, yield, func(text []byte) ([]byte, bool) {
			if !bytes.HasPrefix(text, []byte(sessionKind)) {
				return nil, false
			}
			return secondWord(text, buf)
		})
	}
}

// names yields the names that nameOf finds in the headers of f and that are
// not seen yet. It reports whether to go on.
func (f *file) names(seen map[string]bool, yield func(string) bool, nameOf func(text []byte) ([]byte, bool)) bool {
	var name []byte
	named := func(line []byte) bool {
		text, ok := headerText(line)
		if ok {
			name, ok = nameOf(text)
		}
		return ok && !seen[string(name)]
	}
	for s := (scanner{data: f.data}); s.find(named); {
		n := string(name)
		if seen[n] = true; validName(n) && !yield(n) {
			return false
		}
	}
	return true
}

// Misplaced returns the places of the headers that look like the profile's but
// that no AWS tool takes for it: "[name]" in the config file, which wants the
// word profile, and "[profile name]" in the credentials file, which does not.
func (c *Config) Misplaced(name string) []Origin {
	if !validName(name) {
		return nil
	}
	var at []Origin
	if name != defaultName {
		at = c.config.headers(at, title{name: name})
	}
	return c.credentials.headers(at, title{profileKind, name})
}

// headers appends the places of the headers that are wanted.
func (f *file) headers(at []Origin, t title) []Origin {
	wanted := t.wanted()
	for s := (scanner{data: f.data}); s.find(wanted); {
		at = append(at, f.origin(&s))
	}
	return at
}

// Malformed yields an error for every header of the two files that names no
// section, although it seems to be meant to: it lacks its closing bracket or
// its name, has a name of more than one word without quotes, or one that is
// longer than 256 bytes or not printable.
func (c *Config) Malformed() iter.Seq[*SyntaxError] {
	return func(yield func(*SyntaxError) bool) {
		buf := make([]byte, 0, maxName)
		_ = c.config.malformed(yield, func(text []byte) Problem {
			bearsName := slices.ContainsFunc([]string{profileKind, sessionKind, servicesKind}, func(kind string) bool {
				return bytes.HasPrefix(text, []byte(kind))
			})
			name, ok := secondWord(text, buf)
			switch {
			case !bearsName:
				return 0
			case !ok:
				return msgWords
			case !validName(string(name)):
				return msgName
			}
			return 0
		}) && c.credentials.malformed(yield, func(text []byte) Problem {
			if !validName(string(text)) {
				return msgName
			}
			return 0
		})
	}
}

// malformed yields an error for every header whose text wrong has words for,
// and for those without a text. It reports whether to go on.
func (f *file) malformed(yield func(*SyntaxError) bool, wrong func(text []byte) Problem) bool {
	var msg Problem
	bad := func(line []byte) bool {
		text, ok := headerText(line)
		if !ok {
			msg = msgHeader
		} else {
			msg = wrong(text)
		}
		return msg != 0
	}
	for s := (scanner{data: f.data}); s.find(bad); {
		if !yield(f.syntaxError(&s, msg)) {
			return false
		}
	}
	return true
}
