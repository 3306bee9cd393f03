package mirror

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"aws-switch-role/internal/folder"
)

// Names in a [Place].
const (
	shellsDir   = "shells"   // of a directory for each switched shell
	filesDir    = "files"    // which these link to
	programsDir = "programs" // links to programs whose own path cannot be written
)

// Names in the directory of a shell.
const (
	configName      = "config"
	credentialsName = "credentials"
	ownerName       = "owner"
	recordName      = "switch"
	socketName      = "s"
)

// unending is how long the directory of a shell outlives it whose credentials
// have no end.
const unending = 12 * time.Hour

// abandoned is the age beyond which a directory without an owner is no longer
// about to get one.
const abandoned = time.Minute

// Place is where the directories of shells are. The user alone can read it.
type Place struct {
	// Path is of a directory, which is made when it is needed.
	Path string
	// Now is the clock.
	Now func() time.Time
}

// Switch is what a new directory is for.
type Switch struct {
	Files Files
	// Record is what the program wants to know again in the shell: see
	// [Shell.Record]. It holds no secret.
	Record []byte
	// Expires is the end of the credentials, zero when they have none.
	Expires time.Time
	// Served is set where a process answers on the socket in the directory for
	// as long as the shell lives. The directory is then for this shell alone.
	Served bool
}

// Shell is the directory of one switched shell.
type Shell struct{ Dir string }

// ConfigFile is the config file that the shell's AWS tools are to read.
func (s Shell) ConfigFile() string { return filepath.Join(s.Dir, configName) }

// CredentialsFile is the credentials file that they are to read.
func (s Shell) CredentialsFile() string { return filepath.Join(s.Dir, credentialsName) }

// Socket is where the process listens that answers for a served shell.
func (s Shell) Socket() string { return filepath.Join(s.Dir, socketName) }

// owner is the content of the file of that name.
type owner struct {
	Process process `json:"process"`
	// Expires is when the shell's credentials end, and with them what outlived
	// the shell.
	Expires time.Time `json:"expires"`
	// Files and Contents are digests: of what the shell's files were made of,
	// and of that and the record.
	Files    string `json:"files"`
	Contents string `json:"contents"`
	Served   bool   `json:"served,omitempty"`
}

// process tells a process from a later one with the same number.
type process struct {
	PID   int    `json:"pid"`
	Start string `json:"start,omitempty"`
}

// Make makes the directory of a shell that will be this process: whatever
// takes its place keeps its number. It removes the directories that nobody
// needs any more, and uses one again, with the same content, whose shell has
// ended: so a loop of commands does not fill the place.
func (p Place) Make(sw Switch) (Shell, error) {
	root, err := folder.Make(p.Path)
	if err != nil {
		return Shell{}, err
	}
	defer root.Close()
	shells, err := openDir(root, shellsDir)
	if err != nil {
		return Shell{}, err
	}
	defer shells.Close()
	if sw.Files.Program, err = p.program(root, sw.Files.Program); err != nil {
		return Shell{}, err
	}
	o := p.owner(sw)
	name, used := p.sweep(shells, o)
	if used != nil {
		sweepFiles(root, used)
	}
	if name == "" {
		if name, err = furnish(root, shells, sw, o); err != nil {
			return Shell{}, err
		}
	}
	s := Shell{filepath.Join(p.Path, shellsDir, name)}
	if sw.Served && !sw.Expires.IsZero() {
		err = s.Renewed(sw.Expires)
	}
	return s, err
}

// owner is this process, as the owner of a directory.
func (p Place) owner(sw Switch) owner {
	files := sw.Files.digest()
	contents := sha256.Sum256(append([]byte(files), sw.Record...))
	expires := sw.Expires
	if expires.IsZero() {
		expires = p.Now().Add(unending)
	}
	return owner{
		Process:  self(),
		Expires:  expires.UTC().Round(0),
		Files:    files,
		Contents: hex.EncodeToString(contents[:16]),
		Served:   sw.Served,
	}
}

// openDir opens a directory of ours in another one, and makes it first where
// it does not exist.
func openDir(root *os.Root, name string) (*os.Root, error) {
	dir, err := root.OpenRoot(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err := root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		dir, err = root.OpenRoot(name)
	}
	if err != nil {
		return nil, err
	}
	opened, err := dir.Stat(".")
	if err == nil {
		err = folder.Private(opened)
	}
	// A Root follows links that stay inside it.
	if named, lerr := root.Lstat(name); err == nil && (lerr != nil || !os.SameFile(named, opened)) {
		err = errors.New("is not a directory")
	}
	if err != nil {
		dir.Close()
		return nil, fmt.Errorf("%s %w", filepath.Join(root.Name(), name), err)
	}
	return dir, nil
}

// program returns the path by which the files name a program: its own, or that
// of a link to it where its own cannot be written.
func (p Place) program(root *os.Root, program string) (string, error) {
	if writable(program) {
		return program, nil
	}
	digest := sha256.Sum256([]byte(program))
	name := hex.EncodeToString(digest[:8])
	written := filepath.Join(p.Path, programsDir, name)
	if !writable(written) {
		return "", fmt.Errorf("neither %q nor %q can be written into an AWS config file", program, written)
	}
	dir, err := openDir(root, programsDir)
	if err != nil {
		return "", err
	}
	defer dir.Close()
	if err := dir.Symlink(program, name); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	if to, err := dir.Readlink(name); err != nil || to != program {
		return "", cmp.Or(err, fmt.Errorf("%s leads elsewhere", written))
	}
	return written, nil
}

// furnish makes a new directory for o and returns its name. The owner comes
// last.
func furnish(root, shells *os.Root, sw Switch, o owner) (name string, err error) {
	files, err := openDir(root, filesDir)
	if err != nil {
		return "", err
	}
	defer files.Close()
	name = randomName()
	if err := shells.Mkdir(name, 0o700); err != nil {
		return "", err
	}
	for range 3 {
		// Another process may sweep the files away before they are linked to.
		if err = share(root, files, name, sw.Files, o.Files); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err == nil {
		err = fill(shells, name, sw.Record, o)
	}
	if err != nil {
		_ = shells.RemoveAll(name)
	}
	return name, err
}

// share puts the files into the directory of a shell. They are made only where
// no other shell has the same.
func share(root, files *os.Root, shell string, f Files, digest string) error {
	config, credentials := digest+"-"+configName, digest+"-"+credentialsName
	if !asMade(files, config) || !asMade(files, credentials) {
		c, s := f.write()
		if err := replace(files, config, c, 0o400); err != nil {
			return err
		}
		if err := replace(files, credentials, s, 0o400); err != nil {
			return err
		}
	}
	for from, to := range map[string]string{config: configName, credentials: credentialsName} {
		if err := link(root, path.Join(filesDir, from), path.Join(shellsDir, shell, to)); err != nil {
			return err
		}
	}
	return nil
}

// link makes a file appear in another place, too; where the file system knows
// no such thing, a copy of it.
func link(root *os.Root, from, to string) error {
	if err := root.Link(from, to); err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	text, err := root.ReadFile(from)
	if err != nil {
		return err
	}
	return replace(root, to, text, 0o400)
}

// fill writes what a directory has that is its own.
func fill(shells *os.Root, name string, record []byte, o owner) error {
	dir, err := shells.OpenRoot(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := replace(dir, recordName, record, 0o600); err != nil {
		return err
	}
	return own(dir, o)
}

// own writes down whose a directory is that belongs to nobody.
func own(dir *os.Root, o owner) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	f, err := dir.OpenFile(ownerName, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// disown takes a directory away from its owner. Of several that try, one
// succeeds.
func disown(dir *os.Root) error { return dir.Remove(ownerName) }

// replace writes a file, whole or not at all. The time of the file is its
// size, in seconds: whoever writes into it later, or loses a part of it in a
// crash, makes it another: see asMade.
func replace(root *os.Root, name string, text []byte, mode fs.FileMode) error {
	temp := path.Join(path.Dir(name), newPrefix+randomName())
	f, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	stamp := time.Unix(int64(len(text)), 0)
	if err = errors.Join(err, f.Close()); err == nil {
		err = root.Chtimes(temp, stamp, stamp)
	}
	if err == nil {
		err = root.Rename(temp, name)
	}
	if err != nil {
		_ = root.Remove(temp)
	}
	return err
}

// newPrefix begins the name of a file that is being written.
const newPrefix = ".new-"

// asMade reports whether a file is as replace made it.
func asMade(dir *os.Root, name string) bool {
	info, err := dir.Lstat(name)
	return err == nil && info.Mode().IsRegular() && info.ModTime().Equal(time.Unix(info.Size(), 0)) && folder.Private(info) == nil
}

// randomName is a name of 16 hexadecimal digits.
func randomName() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// isName reports whether a name is one of randomName's.
func isName(name string) bool {
	b, err := hex.DecodeString(name)
	return err == nil && len(b) == 8
}

// sweep removes what nobody needs: the directories of shells that have ended
// with all that outlived them. Of one that has the same content as o's, and
// whose shell has ended, it makes o the owner, and returns its name. Where it
// has removed one, it returns the digests of the files that are still used.
func (p Place) sweep(shells *os.Root, o owner) (mine string, used map[string]bool) {
	names, err := fileNames(shells)
	if err != nil {
		return "", nil
	}
	used = map[string]bool{o.Files: true}
	swept := false
	for _, name := range names {
		info, err := shells.Lstat(name)
		if err != nil || !info.IsDir() || !isName(name) {
			continue
		}
		dir, err := shells.OpenRoot(name)
		if err != nil {
			continue
		}
		was, err := readOwner(dir)
		switch {
		case err != nil:
			// It is about to get one, or nobody will ever know.
			age := p.Now().Sub(info.ModTime())
			if age > unending || age > abandoned && errors.Is(err, fs.ErrNotExist) {
				swept = shells.RemoveAll(name) == nil || swept
			}
		case alive(was.Process):
			used[was.Files] = true
		case mine == "" && takeOver(dir, was, o):
			mine = name
		case p.over(dir, was) && disown(dir) == nil:
			swept = shells.RemoveAll(name) == nil || swept
		default:
			used[was.Files] = true
		}
		dir.Close()
	}
	if !swept {
		return mine, nil
	}
	return mine, used
}

// takeOver makes o the owner of a directory whose owner has ended, if it has
// the same content, for at least as long as it was needed before. It fails
// where somebody else was faster, or wrote into it.
func takeOver(dir *os.Root, was, o owner) bool {
	if o.Served || was.Served || was.Contents != o.Contents {
		return false
	}
	for _, name := range []string{configName, credentialsName, recordName} {
		if !asMade(dir, name) {
			return false
		}
	}
	if was.Expires.After(o.Expires) {
		o.Expires = was.Expires
	}
	return disown(dir) == nil && own(dir, o) == nil
}

// over reports whether nobody needs a directory whose owner has ended.
func (p Place) over(dir *os.Root, was owner) bool {
	if was.Served {
		return !answers(dir)
	}
	return !was.Expires.After(p.Now())
}

// answers reports whether somebody listens on the socket of a directory.
func answers(dir *os.Root) bool {
	info, err := dir.Lstat(socketName)
	if err != nil || info.Mode().Type() != fs.ModeSocket {
		return false
	}
	c, err := net.DialTimeout("unix", filepath.Join(dir.Name(), socketName), time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// sweepFiles removes the files that are not used. One that is just being
// linked to is made again by who misses it.
func sweepFiles(root *os.Root, used map[string]bool) {
	files, err := openDir(root, filesDir)
	if err != nil {
		return
	}
	defer files.Close()
	names, err := fileNames(files)
	if err != nil {
		return
	}
	for _, name := range names {
		digest, _, _ := strings.Cut(name, "-")
		if !used[digest] {
			_ = files.Remove(name)
		}
	}
}

// maxOwner is more than the file of an owner holds.
const maxOwner = 4 << 10

// readOwner reads whose a directory is.
func readOwner(dir *os.Root) (owner, error) {
	var o owner
	text, err := readFile(dir, ownerName, maxOwner)
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(text, &o)
}

// readFile reads a file of ours, of most bytes at most.
func readFile(dir *os.Root, name string, most int64) ([]byte, error) {
	info, err := dir.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, fmt.Errorf("%s is not a file of ours", filepath.Join(dir.Name(), name))
	}
	if err := folder.Private(info); err != nil {
		return nil, fmt.Errorf("%s %w", filepath.Join(dir.Name(), name), err)
	}
	return dir.ReadFile(name)
}

// fileNames returns the names in a directory.
func fileNames(dir *os.Root) ([]string, error) {
	f, err := dir.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// maxRecord is more than a [Switch] records.
const maxRecord = 1 << 20

// Record returns what the shell's switch recorded.
func (s Shell) Record() ([]byte, error) {
	dir, err := folder.Open(s.Dir)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return readFile(dir, recordName, maxRecord)
}

// expiresKey tells prompts when the credentials end.
const expiresKey = "x_security_token_expires"

// Renewed notes that the shell's credentials now end at t, in UTC: the
// directory is kept until then and, where the shell is served, its credentials
// file says so to prompts, which read it under the key
// x_security_token_expires of the active profile.
func (s Shell) Renewed(t time.Time) error {
	dir, err := folder.Open(s.Dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	o, err := readOwner(dir)
	if err != nil {
		return err
	}
	o.Expires = t.UTC().Round(0)
	owner, err := json.Marshal(o)
	if err == nil {
		err = replace(dir, ownerName, owner, 0o600)
	}
	if err != nil || !o.Served {
		return err
	}
	text, err := dir.ReadFile(credentialsName)
	if err != nil {
		return err
	}
	return replace(dir, credentialsName, expiring(text, t), 0o400)
}

// expiring returns a credentials file of our making in which the profile that
// asks us ends at t.
func expiring(text []byte, t time.Time) []byte {
	line := expiresKey + " = " + t.UTC().Format(time.RFC3339) + "\n"
	var out bytes.Buffer
	asks := false
	for l := range bytes.Lines(text) {
		if asks && bytes.HasPrefix(l, []byte(expiresKey+" = ")) {
			asks = false
			continue
		}
		out.Write(l)
		if asks = bytes.HasPrefix(l, []byte(processKey+" = ")); asks {
			out.WriteString(line)
		}
	}
	return out.Bytes()
}
