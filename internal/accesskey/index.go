// Package accesskey keeps the user's long-lived access keys: the secrets in a
// keyring, and beside it an index of what the keyring holds, so that names and
// ids are known without opening it. It changes an access key for a new one in
// such an order that a working key is stored at every instant.
package accesskey

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Entry is what the index says of a key. Nothing in it is secret.
type Entry struct {
	// ID is the access key id.
	ID string `json:"access_key_id"`
	// Added is when the key was stored, and From where it came from, in words.
	Added time.Time `json:"added"`
	From  string    `json:"from"`
	// Keyring names the keyring that the secret is in.
	Keyring string `json:"keyring"`
	// Rotation is the one under way, or cut short; usually nil.
	Rotation *Rotation `json:"rotation,omitempty"`
}

// Rotation is the journal of changing a key for a new one. It is written
// before what it tells of is done.
type Rotation struct {
	// Began is when IAM was about to be asked for a new key.
	Began time.Time `json:"began"`
	// New is the id of the new key, once its secret is stored.
	New string `json:"new,omitempty"`
	// Old is the id of the key to delete, once the new one took its place.
	Old string `json:"old,omitempty"`
}

// Index is a file that tells which keys the keyring holds. It is replaced as a
// whole and reaches the disk before a change counts as made. Those who change
// it exclude each other by a lock; readers need none.
type Index struct{ path string }

// NewIndex returns the index in a directory, which is made when it is first
// written to, readable by the user alone.
func NewIndex(dir string) Index {
	if dir == "" {
		return Index{}
	}
	return Index{filepath.Join(dir, "keys.json")}
}

// IndexError says that a file is no index that this program can read.
type IndexError struct {
	Path string
	Err  error
}

// Error implements error.
func (e *IndexError) Error() string { return fmt.Sprintf("%s is no index of keys: %v", e.Path, e.Err) }

// Unwrap returns what is wrong with it.
func (e *IndexError) Unwrap() error { return e.Err }

// maxIndex bounds the file, which has some 200 bytes for a key.
const maxIndex = 4 << 20

// indexVersion changes when an older program would misread the file.
const indexVersion = 1

type indexFile struct {
	Version int              `json:"version"`
	Keys    map[string]Entry `json:"keys"`
}

// Read returns what the keyring holds, by name. Where there is no file that is
// nothing; one that cannot be read is an error, for to say that there are no
// keys could make others take their place.
func (x Index) Read() (map[string]Entry, error) {
	if x.path == "" {
		return nil, nil
	}
	text, err := readFile(x.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the index of keys: %w", err)
	}
	var f indexFile
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, &IndexError{x.path, err}
	}
	if f.Version != indexVersion {
		return nil, &IndexError{x.path, errors.New("it was written by another version of this program")}
	}
	return f.Keys, nil
}

func readFile(path string) ([]byte, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() { // to open a FIFO is to wait for its writer
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxIndex+1))
	if err == nil && len(text) > maxIndex {
		err = fmt.Errorf("%s is too large", path)
	}
	return text, err
}

// Names returns the names of keys in order.
func Names(keys map[string]Entry) []string { return slices.Sorted(maps.Keys(keys)) }

// put writes the entry of a name; nil takes the name out.
func (x Index) put(name string, e *Entry) error {
	if x.path == "" {
		return errors.New("no directory is known for the index of keys")
	}
	keys, err := x.Read()
	if err != nil {
		return err
	}
	if keys == nil {
		keys = map[string]Entry{}
	}
	delete(keys, name)
	if e != nil {
		keys[name] = *e
	}
	text, err := json.MarshalIndent(indexFile{indexVersion, keys}, "", "  ")
	if err != nil {
		return err
	}
	if err := replace(x.path, append(text, '\n')); err != nil {
		return fmt.Errorf("writing the index of keys: %w", err)
	}
	return nil
}

// replace puts a new file in the place of an old one and waits for the disk:
// at any moment, a crash of the machine included, there is one or the other.
func replace(path string, text []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	// Writers exclude each other: what has this name was left by one that died.
	temp := path + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := os.Rename(temp, path); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return syncDir(dir)
}
