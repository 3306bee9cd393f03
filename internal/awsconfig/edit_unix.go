//go:build unix

package awsconfig

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives f the owner and group of like. Only root can give a file
// away; for everybody else the two are the same, or the edit would make the
// file the editor's own, and is refused.
func keepOwner(f *os.File, like fs.FileInfo) error {
	now, err := f.Stat()
	if err != nil {
		return err
	}
	want, is := like.Sys().(*syscall.Stat_t), now.Sys().(*syscall.Stat_t)
	if want.Uid == is.Uid && want.Gid == is.Gid {
		return nil
	}
	return f.Chown(int(want.Uid), int(want.Gid))
}

// syncDir makes a rename in dir last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
