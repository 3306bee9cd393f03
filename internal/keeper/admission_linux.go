package keeper

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxSocketPath is the longest path of a socket (unix(7): 108 bytes, with the
// NUL).
const maxSocketPath = 107

// Admission says which processes are the shell's.
type Admission struct {
	// Key is the secret that the shell's processes share. Without one they
	// are known by descent.
	Key []byte
	// Shell is the pid of the shell. The process has it before it becomes the
	// shell, too.
	Shell int
}

const (
	keySize = 32
	userKey = "user" // the key type for arbitrary data (user-keyring(7))

	// Permissions of keyrings(7), a byte each for possessor, user, group and
	// others. Whoever possesses the key may view, read and search for it;
	// without the right to search, possession through a keyring is not seen.
	// The ring stays the shell's to use. The user's other processes, who do not possess
	// them, may do nothing with either.
	keyPerm  = 0x0b000000
	ringPerm = 0x3f000000
)

// admit makes the calling thread's process the root of those that are
// admitted: it must go on to execve on this thread. Where the kernel keeps no
// key for it, admission is by descent.
func admit(dir string) Admission {
	a := Admission{Shell: os.Getpid()}
	key := make([]byte, keySize)
	_, _ = rand.Read(key)
	// Keyrings belong to threads until execve.
	runtime.LockOSThread()
	if endow(describe(dir), key) == nil {
		a.Key = key
	}
	return a
}

// retain keeps orphans in the shell's tree where admission is by descent: they
// come to the nearest subreaper, which the process that becomes the shell is
// from now on, since execve keeps that (prctl(2)).
func (a Admission) retain() {
	if a.Key == nil {
		_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	}
}

// endow gives the calling thread a new session keyring with a key in it, and
// with links to what the thread's session had, so that nothing of that is lost.
func endow(description string, key []byte) error {
	// Only what is possessed can be linked, and the new keyring takes the
	// place through which the old one is: the thread's own holds it meanwhile.
	inherited, err := carry(unix.KEY_SPEC_THREAD_KEYRING)
	if err != nil {
		return err
	}
	defer func() {
		for _, id := range inherited {
			_, _ = unix.KeyctlInt(unix.KEYCTL_UNLINK, id, unix.KEY_SPEC_THREAD_KEYRING, 0, 0)
		}
	}()
	// No name asks for an anonymous keyring; unix.KeyctlJoinSessionKeyring
	// knows no way to say so but the empty name, which the kernel refuses.
	ring, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0)
	if err != nil {
		return err
	}
	for _, id := range inherited {
		if err := link(id, ring); err != nil {
			return err
		}
	}
	id, err := unix.AddKey(userKey, description, key, ring)
	if err != nil {
		return err
	}
	if err := unix.KeyctlSetperm(id, keyPerm); err != nil {
		return err
	}
	if err := unix.KeyctlSetperm(ring, ringPerm); err != nil {
		return err
	}
	if !bytes.Equal(find(description), key) {
		return fmt.Errorf("the kernel does not give back the key %s", description)
	}
	return nil
}

// carry links the session keyring into ring and returns what it linked.
// Keyrings nest six deep at most, and each shell in a shell is a level: at the
// bottom, it is what the keyring holds, but for the key of the shell around,
// which cannot be linked.
func carry(ring int) (linked []int, err error) {
	session, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false)
	if err != nil {
		return nil, err
	}
	if err := link(session, ring); err != unix.ELOOP {
		return []int{session}, err
	}
	ids := make([]byte, 4096) // four bytes each
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, session, ids, 0)
	if err != nil {
		return nil, err
	}
	for id := range slices.Chunk(ids[:min(n, len(ids))], 4) {
		if id := int(int32(binary.NativeEndian.Uint32(id))); link(id, ring) == nil {
			linked = append(linked, id)
		}
	}
	return linked, nil
}

func link(id, ring int) error {
	_, err := unix.KeyctlInt(unix.KEYCTL_LINK, id, ring, 0, 0)
	return err
}

// find returns the key of a description in the session keyring, nil when
// there is none.
func find(description string) []byte {
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_SESSION_KEYRING, userKey, description, 0)
	if err != nil {
		return nil
	}
	key := make([]byte, keySize)
	if n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, key, 0); err != nil || n != keySize {
		return nil
	}
	return key
}

// describe is the name of a shell's key in its session keyring.
func describe(dir string) string { return "aws-switch-role:shell:" + filepath.Base(dir) }

// capability is the key of the shell that this process is of, nil when it has
// none.
func capability(dir string) []byte { return find(describe(dir)) }

// admits reports whether a program that asks is one of the shell's.
func (a Admission) admits(p peer, q question, keepers nonce) bool {
	if a.Key != nil {
		return q.proves(a.Key, keepers)
	}
	// The pid was that of the peer all the time if the peer still lives.
	return descends(p.pid, a.Shell) && p.lives()
}

// peer is the process at the other end of a connection.
type peer struct {
	pid, uid int
	fd       int // a pidfd, -1 where there is none
}

// peerOf asks the kernel who connected.
func peerOf(conn *net.UnixConn) (p peer, err error) {
	p.fd = -1
	raw, err := conn.SyscallConn()
	if err != nil {
		return p, err
	}
	cerr := raw.Control(func(fd uintptr) {
		var c *unix.Ucred
		if c, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err != nil {
			return
		}
		p.pid, p.uid = int(c.Pid), int(c.Uid)
		told, terr := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PEERPIDFD)
		p.fd = hold(told, terr, p.pid)
	})
	if cerr != nil {
		return p, cerr
	}
	return p, err
}

// hold returns a pidfd of a peer: the one that the kernel has told, or not. It
// is -1 where there is none.
func hold(told int, err error, pid int) int {
	if err == unix.ENOPROTOOPT { // before Linux 6.5 the pid alone tells
		told, err = unix.PidfdOpen(pid, 0)
	}
	// Any other error says that the peer has ended. Its pid may be that of
	// somebody else by now, and is not looked for.
	if err != nil {
		return -1
	}
	return told
}

// lives reports whether the peer is known not to have ended.
func (p peer) lives() bool {
	if p.fd < 0 {
		return false
	}
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}, 0)
	return err == nil && n == 0
}

// forget gives back what the peer holds.
func (p peer) forget() {
	if p.fd >= 0 {
		_ = unix.Close(p.fd)
	}
}

// lookAt reads what /proc says of a process (proc_pid_stat(5)).
func lookAt(pid int) (process, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return process{}, err
	}
	// The second field is a name in parentheses that may hold anything.
	i := bytes.LastIndexByte(text, ')')
	f := strings.Fields(string(text[i+1:]))
	const parent, start = 4 - 3, 22 - 3
	if i < 0 || len(f) <= start {
		return process{}, fmt.Errorf("/proc/%d/stat: %w", pid, errMalformed)
	}
	p := process{pid: pid}
	if p.parent, err = strconv.Atoi(f[parent]); err != nil {
		return process{}, err
	}
	p.start, err = strconv.ParseInt(f[start], 10, 64)
	return p, err
}

// executable is the path of a process's program.
func executable(pid int) string {
	path, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
	if err != nil {
		return ""
	}
	return path
}

// watch tells of the end of a process.
func watch(pid int) (ended <-chan struct{}, err error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, err
	}
	c := make(chan struct{})
	go func() {
		defer close(c)
		defer unix.Close(fd)
		for {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
			if n > 0 || err != nil && err != syscall.EINTR && err != syscall.EAGAIN {
				return
			}
		}
	}()
	return c, nil
}
