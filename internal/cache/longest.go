package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"time"

	"aws-switch-role/internal/folder"
)

// longestSuffix ends the names of files that hold a role's longest session in
// seconds. The name is a digest of the role's ARN; nothing of it is secret.
const longestSuffix = ".longest"

// longestLife is how long it is believed: an administrator may change it.
const longestLife = 30 * 24 * time.Hour

func longestName(roleARN string) string {
	digest := sha256.Sum256([]byte("longest " + roleARN))
	return hex.EncodeToString(digest[:]) + longestSuffix
}

// Longest returns what was learnt of a role's longest session: 0 when nothing
// was, or too long ago.
func (d *Dir) Longest(roleARN string) time.Duration {
	root, err := folder.Open(d.path)
	if err != nil {
		return 0
	}
	defer root.Close()
	f, err := openFile(root, longestName(roleARN), os.O_RDONLY)
	if err != nil {
		return 0
	}
	defer f.Close()
	if fi, err := f.Stat(); err != nil || d.now().Sub(fi.ModTime()) > longestLife {
		return 0
	}
	b, err := readAtMost(f, 16)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || n <= 0 || time.Duration(n) > 24*time.Hour/time.Second {
		return 0
	}
	return time.Duration(n) * time.Second
}

// Learn keeps a role's longest session for [Dir.Longest].
func (d *Dir) Learn(roleARN string, longest time.Duration) error {
	root, err := folder.Make(d.path)
	if err != nil {
		return err
	}
	defer root.Close()
	return replace(root, longestName(roleARN), []byte(strconv.Itoa(int(longest/time.Second))+"\n"))
}
