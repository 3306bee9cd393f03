//go:build unix

package cache

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// planted are things to find in place of the file at path, whose true content
// is good. Each must be a miss.
func planted(t *testing.T) map[string]func(t *testing.T, path string, good []byte) {
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	things := map[string]func(t *testing.T, path string, good []byte){
		"a pipe":          func(t *testing.T, path string, _ []byte) { must(t, syscall.Mkfifo(path, 0o600)) },
		"a directory":     func(t *testing.T, path string, _ []byte) { must(t, os.Mkdir(path, 0o700)) },
		"a dangling link": func(t *testing.T, path string, _ []byte) { must(t, os.Symlink("nowhere", path)) },
		"a link to the true file beside it": func(t *testing.T, path string, good []byte) {
			must(t, os.WriteFile(path+".true", good, 0o600))
			must(t, os.Symlink(filepath.Base(path)+".true", path))
		},
		"a link to the true file elsewhere": func(t *testing.T, path string, good []byte) {
			elsewhere := filepath.Join(t.TempDir(), "true")
			must(t, os.WriteFile(elsewhere, good, 0o600))
			must(t, os.Symlink(elsewhere, path))
		},
		"a link to a device": func(t *testing.T, path string, _ []byte) { must(t, os.Symlink("/dev/zero", path)) },
		"a link to itself":   func(t *testing.T, path string, _ []byte) { must(t, os.Symlink(filepath.Base(path), path)) },
		"an empty file":      func(t *testing.T, path string, _ []byte) { must(t, os.WriteFile(path, nil, 0o600)) },
		"a huge file": func(t *testing.T, path string, _ []byte) {
			must(t, os.WriteFile(path, nil, 0o600))
			must(t, os.Truncate(path, 1<<40))
		},
		"a file that others can read": func(t *testing.T, path string, good []byte) {
			must(t, os.WriteFile(path, good, 0o600))
			must(t, os.Chmod(path, 0o604))
		},
		"a file that a group can write": func(t *testing.T, path string, good []byte) {
			must(t, os.WriteFile(path, good, 0o600))
			must(t, os.Chmod(path, 0o620))
		},
	}
	if os.Geteuid() == 0 {
		things["another user's file"] = func(t *testing.T, path string, good []byte) {
			must(t, os.WriteFile(path, good, 0o600))
			must(t, os.Chown(path, 65534, -1))
		}
	}
	return things
}

// soon ends the tests when f takes long: an open that waits for a pipe's
// writer waits for ever.
func soon(f func()) {
	defer time.AfterFunc(time.Minute, func() { panic("it hangs") }).Stop()
	f()
}

func TestPlantedEntries(t *testing.T) {
	for name, plant := range planted(t) {
		t.Run(name, func(t *testing.T) {
			d := newDir(t)
			k, _ := save(t, d, ops, 1)
			path := filepath.Join(d.path, fileName(k))
			good := read(t, d, fileName(k))
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			plant(t, path, good)
			soon(func() {
				mustMiss(t, d, k)
				if list, err := d.List(); len(list) != 0 || err != nil {
					t.Errorf("List = %v, %v", list, err)
				}
				c := creds(2, start.Add(time.Hour))
				err := d.Save(chain(ops), 2, c)
				if name == "a directory" {
					// It is not ours to take away.
					if err == nil {
						t.Error("a directory was replaced")
					}
					mustMiss(t, d, k)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				mustLoad(t, d, k, c)
			})
		})
	}
}

// A lock that cannot be had is a lock within the process, and a memory of
// codes that cannot be had is an error.
func TestPlantedLocks(t *testing.T) {
	for name, plant := range planted(t) {
		if name == "an empty file" || name == "a huge file" {
			continue // these are locked like any
		}
		t.Run(name, func(t *testing.T) {
			d := newDir(t)
			if _, err := d.Spend(t.Context(), "me", "123456"); err != nil {
				t.Fatal(err)
			}
			codes, err := filepath.Glob(filepath.Join(d.locks, "*.codes"))
			if err != nil || len(codes) != 1 {
				t.Fatal(codes, err)
			}
			k := chain(ops).Key(2)
			for _, path := range []string{codes[0], filepath.Join(d.locks, lockName(k))} {
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
				plant(t, path, nil)
			}
			soon(func() {
				unlock, err := d.Lock(t.Context(), k)
				if err != nil {
					t.Fatal(err)
				}
				unlock()
				if first, err := d.Spend(t.Context(), "me", "123456"); first || err == nil {
					t.Errorf("Spend = %v, %v", first, err)
				}
			})
		})
	}
}

func TestPlantedDirectories(t *testing.T) {
	move := func(t *testing.T, path string) string {
		t.Helper()
		moved := path + ".moved"
		if err := os.Rename(path, moved); err != nil {
			t.Fatal(err)
		}
		return moved
	}
	things := map[string]func(t *testing.T, path string) error{
		"a link to the true directory":     func(t *testing.T, path string) error { return os.Symlink(move(t, path), path) },
		"a pipe":                           func(t *testing.T, path string) error { move(t, path); return syscall.Mkfifo(path, 0o700) },
		"a file":                           func(t *testing.T, path string) error { move(t, path); return os.WriteFile(path, nil, 0o700) },
		"a directory that others can read": func(_ *testing.T, path string) error { return os.Chmod(path, 0o755) },
		"a directory that all can write":   func(_ *testing.T, path string) error { return os.Chmod(path, 0o1777) },
	}
	if os.Geteuid() == 0 {
		things["another user's directory"] = func(_ *testing.T, path string) error { return os.Chown(path, 65534, -1) }
	}
	for name, plant := range things {
		t.Run(name, func(t *testing.T) {
			d := newDir(t)
			k, c := save(t, d, ops, 1)
			// A slash at the end must not make a link be followed.
			d = New(d.path+"/", d.locks, keyFunc, Options{Now: d.now})
			mustLoad(t, d, k, c)
			if err := plant(t, d.path); err != nil {
				t.Fatal(err)
			}
			soon(func() {
				mustMiss(t, d, k)
				for what, err := range map[string]error{
					"Save":  d.Save(chain(ops), 2, c),
					"Clear": d.Clear(),
				} {
					if err == nil {
						t.Errorf("%s said nothing", what)
					}
				}
				if _, err := d.List(); err == nil {
					t.Error("List said nothing")
				}
			})
		})
	}
}

func TestModes(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	d := newDir(t)
	k, _ := save(t, d, ops, 1)
	unlock, err := d.Lock(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, err := d.Spend(t.Context(), "me", "123456"); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{d.path, d.locks} {
		err := filepath.Walk(dir, func(path string, fi os.FileInfo, err error) error {
			if err != nil {
				return err
			}
			want := os.FileMode(0o600)
			if fi.IsDir() {
				want = 0o700
			}
			if fi.Mode().Perm() != want {
				t.Errorf("%s has mode %v", path, fi.Mode())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
