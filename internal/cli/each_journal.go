package cli

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// journal remembers which runs of a command line succeeded, for --resume. It
// holds digests alone: a command line may have a password in it. A run is the
// same run if the command, the directory, the region and all that makes the
// session are the same.
type journal struct {
	mu   sync.Mutex
	file *os.File // nil where there is no place for it
	runs map[string]bool
}

// journalAge is how long a journal is kept.
const journalAge = 30 * 24 * time.Hour

// openJournal begins the journal of a command or, with --resume, goes on with
// it. With --dry-run it is only read.
func (a *app) openJournal(e *eachFlags, command []string) (*journal, error) {
	j := &journal{runs: map[string]bool{}}
	sessions := a.folders().sessions
	where, err := os.Getwd()
	if err != nil || sessions == "" {
		return j, err
	}
	dir := filepath.Join(filepath.Dir(sessions), "each")
	name := digest(append([]string{where}, command...)...)
	if e.resume {
		if err := j.read(filepath.Join(dir, name)); errors.Is(err, fs.ErrNotExist) {
			return nil, usagef("nothing to resume: each has not run this command in this directory before")
		} else if err != nil {
			return nil, err
		}
	}
	if e.dryRun {
		return j, nil
	}
	if err := j.open(dir, name, e.resume); err != nil {
		a.log().Debug("the runs will not be noted as done", "error", err)
	}
	return j, nil
}

func digest(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(sum[:])
}

func (j *journal) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		j.runs[lines.Text()] = true
	}
	return lines.Err()
}

// open opens the journal to add to it, and drops those that nobody will go on
// with.
func (j *journal) open(dir, name string, goOn bool) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if others, err := fs.ReadDir(root.FS(), "."); err == nil {
		for _, other := range others {
			if info, err := other.Info(); err == nil && other.Name() != name && time.Since(info.ModTime()) > journalAge {
				_ = root.Remove(other.Name())
			}
		}
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if !goOn {
		flags |= os.O_TRUNC
	}
	j.file, err = root.OpenFile(name, flags, 0o600)
	return err
}

// entry is a run in the journal, "" for one that has no plan.
func entry(r *eachRun) string {
	if r.err != nil {
		return ""
	}
	return digest(r.plan.Key(len(r.plan.Hops)-1).String(), r.profile, r.plan.Region)
}

// did reports whether a run is done.
func (j *journal) did(r *eachRun) bool { return len(j.runs) > 0 && j.runs[entry(r)] }

// done notes that a run is.
func (j *journal) done(r *eachRun) error {
	if j.file == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_, err := j.file.WriteString(entry(r) + "\n")
	return err
}

func (j *journal) close() {
	if j.file != nil {
		_ = j.file.Close()
	}
}
