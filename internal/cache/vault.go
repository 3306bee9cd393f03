package cache

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"aws-switch-role/internal/folder"
)

// Vault keeps small secrets that a person would have to come back for, were
// they lost: a file each, sealed under the user's key-encryption key. Unlike
// a [Dir] it waits for the disk. Many processes may use one directory at once,
// and many goroutines one Vault; who changes a secret locks it by other means.
type Vault struct {
	path string
	key  func() ([]byte, error)
}

// Vault returns the vault in a directory, which is made when first written to,
// readable by the user alone. It has the key of d, which is asked for once.
func (d *Dir) Vault(dir string) *Vault { return &Vault{clean(dir), d.key} }

// A secret's file is the salt and the text under AES-256-GCM behind a magic
// word, all of which is authenticated with the name. The key of the seal is
// that of an entry of [Dir], derived for this purpose.
const (
	vaultMagic      = "ASV1"
	vaultDerivation = "aws-switch-role/vault/v1"
	vaultSuffix     = ".sealed"
	maxVaultFile    = 1 << 20
)

// checkVaultName takes the names that can be those of files: hexadecimal.
func checkVaultName(name string) error {
	if _, err := hex.DecodeString(name); err != nil || name == "" {
		return errors.New("the name of a sealed file is not in hexadecimal")
	}
	return nil
}

// Load returns the secret of that name. The error is [fs.ErrNotExist] where
// there is none; the key is not asked for then.
func (v *Vault) Load(name string) ([]byte, error) {
	if err := checkVaultName(name); err != nil {
		return nil, err
	}
	root, err := folder.Open(v.path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := openFile(root, name+vaultSuffix, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := readAtMost(f, maxVaultFile)
	if err != nil {
		return nil, err
	}
	begin := len(vaultMagic) + saltSize
	if len(b) < begin || string(b[:len(vaultMagic)]) != vaultMagic {
		return nil, errMangled
	}
	kek, err := v.key()
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(kek, b[len(vaultMagic):begin], vaultDerivation)
	if err != nil {
		return nil, err
	}
	text, err := aead.Open(nil, nonce[:], b[begin:], slices.Concat(b[:begin], []byte(name)))
	if err != nil {
		return nil, errSealed
	}
	return text, nil
}

// Reserve makes room for the secret of that name: the key is at hand and the
// file is made, so that little can go wrong when the secret is there. keep
// puts it in the place of what was there, and returns when it is on the disk;
// discard gives the room back, and does nothing after keep.
func (v *Vault) Reserve(name string) (keep func(text []byte) error, discard func(), err error) {
	if err := checkVaultName(name); err != nil {
		return nil, nil, err
	}
	kek, err := v.key()
	if err != nil {
		return nil, nil, err
	}
	root, err := folder.Make(v.path)
	if err != nil {
		return nil, nil, err
	}
	v.sweep(root)
	temp := tempPrefix + rand.Text()
	f, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		root.Close()
		return nil, nil, err
	}
	discard = sync.OnceFunc(func() {
		_ = f.Close()
		_ = root.Remove(temp) // fails once it is renamed
		root.Close()
	})
	keep = func(text []byte) error {
		defer discard()
		b := append([]byte(vaultMagic), make([]byte, saltSize)...)
		rand.Read(b[len(vaultMagic):]) // never fails
		aead, err := newAEAD(kek, b[len(vaultMagic):], vaultDerivation)
		if err != nil {
			return err
		}
		b = aead.Seal(b, nonce[:], text, slices.Concat(b, []byte(name)))
		if len(b) > maxVaultFile {
			return errTooLong
		}
		_, err = f.Write(b)
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return err
		}
		if err := root.Rename(temp, name+vaultSuffix); err != nil {
			return err
		}
		// The rename itself; systems that cannot sync a directory do without.
		if dir, err := root.Open("."); err == nil {
			_ = dir.Sync()
			_ = dir.Close()
		}
		return nil
	}
	return keep, discard, nil
}

// sweep removes the files of writers that did not live to rename them.
func (v *Vault) sweep(root *os.Root) {
	names, err := fileNames(root, sweepMost)
	if err != nil {
		return
	}
	for _, name := range names {
		if fi, err := root.Lstat(name); strings.HasPrefix(name, tempPrefix) && err == nil && time.Since(fi.ModTime()) > strayAge {
			_ = root.Remove(name)
		}
	}
}

// Remove removes the secret of that name, if there is one.
func (v *Vault) Remove(name string) error {
	if err := checkVaultName(name); err != nil {
		return err
	}
	root, err := folder.Open(v.path)
	if err != nil {
		return ignoreGone(err)
	}
	defer root.Close()
	return remove(root, name+vaultSuffix)
}

// Names returns the names of all secrets, in no order. It asks for no key.
func (v *Vault) Names() ([]string, error) {
	root, err := folder.Open(v.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	files, err := fileNames(root, -1)
	var names []string
	for _, f := range files {
		if filepath.Ext(f) == vaultSuffix {
			names = append(names, strings.TrimSuffix(f, vaultSuffix))
		}
	}
	return names, err
}
