package keyring

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// file is one file of secrets of all kinds, sealed under a passphrase.
//
// It is a header and the sealed JSON object of the secrets. The passphrase is
// stretched with Argon2id; a key of its own for each writing comes from that by
// HKDF with a fresh salt, so no key ever seals twice. The header is
// authenticated with the secrets.
type file struct {
	path string
	kind Kind
	ask  func(ctx context.Context, choose bool) (string, error)
	lock func(context.Context) (unlock func(), err error)
	kept Keyring // of stretched passphrases, so that one is not asked for every time
	cost cost    // of new files

	turn      chan struct{} // full while a caller is at work
	stretched []byte        // of the passphrase; guarded by turn
	stretch   stretch       // what it was stretched with
}

func newFile(o Options) *file {
	f := &file{
		path: o.File,
		kind: o.Kind,
		ask:  o.AskPassphrase,
		lock: o.Lock,
		kept: unlocked(),
		cost: recommended,
		turn: make(chan struct{}, 1),
	}
	if f.lock == nil {
		f.lock = func(context.Context) (func(), error) { return func() {}, nil }
	}
	return f
}

// cost is what a guess at the passphrase costs.
type cost struct {
	Time, Memory uint32 // passes, and KiB
	Threads      uint8
}

// recommended is the second choice of RFC 9106, section 4.
var recommended = cost{Time: 3, Memory: 64 << 10, Threads: 4}

// reasonable reports whether to spend c, which anybody who can write the file
// may have chosen.
func (c cost) reasonable() bool {
	return 1 <= c.Time && c.Time <= 16 &&
		8<<10 <= c.Memory && c.Memory <= 1<<20 &&
		1 <= c.Threads && c.Threads <= 16
}

// stretch says how a passphrase becomes a key.
type stretch struct {
	Cost cost
	Salt [16]byte
}

func (s stretch) key(passphrase string) []byte {
	return argon2.IDKey([]byte(passphrase), s.Salt[:], s.Cost.Time, s.Cost.Memory, s.Cost.Threads, 32)
}

// name is what the key is kept under while the passphrase is not asked for.
func (s stretch) name() string {
	sum := sha256.Sum256(append(s.Salt[:], fmt.Sprint(s.Cost)...))
	return hex.EncodeToString(sum[:16])
}

// header begins the file, big-endian.
type header struct {
	Magic    [4]byte
	Version  uint8
	Reserved [3]uint8
	Stretch  stretch
	Salt     [32]byte // of this writing
}

var (
	fileMagic   = [4]byte{'A', 'S', 'R', 'K'}
	headerSize  = binary.Size(header{})
	fileVersion = uint8(1)
)

const (
	maxFile       = 4 << 20
	minPassphrase = 8      // characters
	unfinished    = ".new" // ends the names of files being written
	staleAfter    = time.Hour
)

func (h header) bytes() []byte {
	b, _ := binary.Append(nil, binary.BigEndian, h) // a header has a fixed size
	return b
}

// aead returns the cipher of this writing.
func (h header) aead(stretched []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, stretched, h.Salt[:], application+"/keyring/v1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// seal returns the file of secrets.
func (f *file) seal(secrets map[string][]byte) ([]byte, error) {
	h := header{Magic: fileMagic, Version: fileVersion, Stretch: f.stretch}
	_, _ = rand.Read(h.Salt[:]) // never fails
	aead, err := h.aead(f.stretched)
	if err != nil {
		return nil, err
	}
	plain, err := json.Marshal(secrets)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize()) // the key is used once
	sealed := aead.Seal(h.bytes(), nonce, plain, h.bytes())
	if len(sealed) > maxFile {
		return nil, fmt.Errorf("%w: the file is full", ErrSize)
	}
	return sealed, nil
}

// open returns the secrets in data, and learns the stretched passphrase.
func (f *file) open(ctx context.Context, data []byte) (map[string][]byte, error) {
	var h header
	if _, err := binary.Decode(data, binary.BigEndian, &h); err != nil || h.Magic != fileMagic || h.Version != fileVersion || h.Reserved != [3]uint8{} {
		return nil, fmt.Errorf("%w: %s is no file of secrets that this version knows", ErrUnavailable, f.path)
	}
	if !h.Stretch.Cost.reasonable() {
		return nil, fmt.Errorf("%w: %s asks for an unreasonable amount of work", ErrUnavailable, f.path)
	}
	try := func(stretched []byte) ([]byte, bool) {
		aead, err := h.aead(stretched)
		if err != nil {
			return nil, false
		}
		plain, err := aead.Open(nil, make([]byte, aead.NonceSize()), data[headerSize:], data[:headerSize])
		return plain, err == nil
	}

	var plain []byte
	ok := false
	if f.stretched != nil && f.stretch == h.Stretch {
		plain, ok = try(f.stretched)
	}
	if !ok {
		if kept, err := f.kept.Get(ctx, h.Stretch.name()); err == nil {
			if plain, ok = try(kept); ok {
				f.stretched, f.stretch = kept, h.Stretch
			}
		}
	}
	if !ok {
		passphrase, err := f.ask(ctx, false)
		if err != nil {
			return nil, err
		}
		stretched := []byte(nil)
		if passphrase != "" {
			stretched = h.Stretch.key(passphrase)
			plain, ok = try(stretched)
		}
		if !ok {
			return nil, fmt.Errorf("%w, or %s was changed", ErrPassphrase, f.path)
		}
		f.unlock(ctx, stretched, h.Stretch)
	}
	var secrets map[string][]byte
	if err := json.Unmarshal(plain, &secrets); err != nil {
		return nil, fmt.Errorf("%w: %s holds no secrets", ErrUnavailable, f.path)
	}
	return secrets, nil
}

// unlock remembers a stretched passphrase.
func (f *file) unlock(ctx context.Context, stretched []byte, with stretch) {
	f.stretched, f.stretch = stretched, with
	_ = f.kept.Set(ctx, with.name(), stretched) // else it is asked for again
}

// choose has a passphrase chosen for a new file.
func (f *file) choose(ctx context.Context) error {
	passphrase, err := f.ask(ctx, true)
	if err != nil {
		return err
	}
	if utf8.RuneCountInString(passphrase) < minPassphrase {
		return ErrShortPassphrase
	}
	s := stretch{Cost: f.cost}
	_, _ = rand.Read(s.Salt[:]) // never fails
	f.unlock(ctx, s.key(passphrase), s)
	return nil
}

// entry is what a secret is called in the file.
func (f *file) entry(name string) string { return string(f.kind) + "/" + name }

// Get implements [Keyring]. Where there is no file no passphrase is asked for.
func (f *file) Get(ctx context.Context, name string) ([]byte, error) {
	leave, err := f.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	secrets, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	secret, ok := secrets[f.entry(name)]
	if !ok {
		return nil, ErrNotFound
	}
	return secret, nil
}

// Set implements [Keyring].
func (f *file) Set(ctx context.Context, name string, secret []byte) error {
	return f.change(ctx, func(secrets map[string][]byte) error {
		secrets[f.entry(name)] = secret
		return nil
	})
}

// Delete implements [Keyring].
func (f *file) Delete(ctx context.Context, name string) error {
	return f.change(ctx, func(secrets map[string][]byte) error {
		if _, ok := secrets[f.entry(name)]; !ok {
			return ErrNotFound
		}
		delete(secrets, f.entry(name))
		return nil
	})
}

// enter waits for the callers before.
func (f *file) enter(ctx context.Context) (leave func(), err error) {
	select {
	case f.turn <- struct{}{}:
		return func() { <-f.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// change reads, edits and writes the secrets, alone.
func (f *file) change(ctx context.Context, edit func(secrets map[string][]byte) error) error {
	leave, err := f.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	unlock, err := f.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()

	secrets, err := f.read(ctx)
	fresh := errors.Is(err, ErrNotFound)
	if fresh {
		secrets = map[string][]byte{}
	} else if err != nil {
		return err
	}
	if err := edit(secrets); err != nil {
		return err
	}
	if fresh {
		if err := f.choose(ctx); err != nil {
			return err
		}
	}
	data, err := f.seal(secrets)
	if err != nil {
		return err
	}
	if err := f.write(data); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// read returns the secrets in the file, or ErrNotFound when there is none.
func (f *file) read(ctx context.Context) (map[string][]byte, error) {
	data, err := f.bytes()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return f.open(ctx, data)
}

func (f *file) bytes() ([]byte, error) {
	fi, err := os.Lstat(f.path)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() { // to open a FIFO is to wait for its writer
		return nil, fmt.Errorf("%s is not a regular file", f.path)
	}
	r, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is too large", f.path)
	}
	return data, err
}

// write replaces the file as a whole: at any moment, a crash of the machine
// included, there is the old one or the new one.
func (f *file) write(data []byte) (err error) {
	dir, base := filepath.Dir(f.path), filepath.Base(f.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	sweep(dir, base)
	temp, err := os.CreateTemp(dir, base+".*"+unfinished) // of mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name())
		}
	}()
	_, err = io.Copy(temp, bytes.NewReader(data))
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), f.path); err != nil {
		return err
	}
	return syncDir(dir)
}

// sweep removes what writers that were killed have left behind.
func sweep(dir, base string) {
	files, _ := os.ReadDir(dir)
	for _, e := range files {
		if !strings.HasPrefix(e.Name(), base+".") || !strings.HasSuffix(e.Name(), unfinished) {
			continue
		}
		if fi, err := e.Info(); err == nil && time.Since(fi.ModTime()) > staleAfter {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}
