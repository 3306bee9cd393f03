package doctor

import (
	"io/fs"
	"strconv"

	"aws-switch-role/internal/awsconfig"
)

// What is odd about files.
const (
	// ReadableByOthers is a file with secrets in it that others may read.
	// Args: its mode in octal.
	ReadableByOthers ID = "readable-by-others"
	// WritableByOthers is a file that says what is run, or who one becomes,
	// and that others may write. Args: its mode in octal.
	WritableByOthers ID = "writable-by-others"
	// PlainCache is a directory in which another tool keeps temporary
	// credentials in plain text. Args: the tool, how many, and how many of
	// them are still good.
	PlainCache ID = "plain-cache"
	// PlainSignIn is the same with sign-ins, which make new credentials for
	// as long as they last. Args as for PlainCache.
	PlainSignIn ID = "plain-sign-in"
)

// File is one of the user's files.
type File struct {
	Path    string
	Mode    fs.FileMode
	Secrets bool // it holds keys
}

// Cache is a directory in which another tool keeps secrets in plain text.
type Cache struct {
	Tool   string
	Dir    string
	SignIn bool     // they are sign-ins rather than credentials
	Files  []string // the files that hold a secret
	Live   int      // how many of them are still good
	// Spare says that the tool makes them again when they are gone.
	Spare bool
}

func modes(f Facts) []Finding {
	var all []Finding
	for _, file := range f.Files {
		at := awsconfig.Origin{File: file.Path}
		mode := []string{strconv.FormatUint(uint64(file.Mode.Perm()), 8)}
		switch perm := file.Mode.Perm(); {
		case perm&0o022 != 0:
			all = append(all, Finding{ID: WritableByOthers, Origin: at, Args: mode, Fix: &Fix{Mode: safe(file)}})
		case file.Secrets && perm&0o044 != 0:
			all = append(all, Finding{ID: ReadableByOthers, Origin: at, Args: mode, Fix: &Fix{Mode: safe(file)}})
		}
	}
	return all
}

// safe is the mode that a file should have.
func safe(f File) fs.FileMode {
	if f.Secrets {
		return f.Mode.Perm() &^ 0o077
	}
	return f.Mode.Perm() &^ 0o022
}

func caches(f Facts) []Finding {
	var all []Finding
	for _, c := range f.Caches {
		if len(c.Files) == 0 {
			continue
		}
		finding := Finding{ID: PlainCache, Origin: awsconfig.Origin{File: c.Dir}, Args: []string{c.Tool, strconv.Itoa(len(c.Files)), strconv.Itoa(c.Live)}}
		if c.SignIn {
			finding.ID = PlainSignIn
		}
		if c.Spare {
			finding.Fix = &Fix{Remove: c.Files}
		}
		all = append(all, finding)
	}
	return all
}
