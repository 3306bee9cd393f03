package keeper

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// maxSocketPath is the longest path of a socket (unix(4): 104 bytes, with the
// NUL).
const maxSocketPath = 103

// Admission says which processes are the shell's: its descendants.
type Admission struct {
	Key   []byte // none: macOS has nothing like a session keyring
	Shell int    // the pid of the shell
}

// admit makes this process the root of those that are admitted.
func admit(string) Admission { return Admission{Shell: os.Getpid()} }

// retain does nothing: macOS has no subreapers.
func (Admission) retain() {}

func capability(string) []byte { return nil }

// admits reports whether a program that asks is one of the shell's. What left
// the process tree is not, and a pid is trusted for the time of the walk:
// there is no handle on a process as Linux has it.
func (a Admission) admits(p peer, _ question, _ nonce) bool { return descends(p.pid, a.Shell) }

// peer is the process at the other end of a connection.
type peer struct{ pid, uid int }

// peerOf asks the kernel who connected.
func peerOf(conn *net.UnixConn) (p peer, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return p, err
	}
	cerr := raw.Control(func(fd uintptr) {
		var c *unix.Xucred
		if c, err = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED); err != nil {
			return
		}
		p.uid = int(c.Uid)
		p.pid, err = unix.GetsockoptInt(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERPID)
	})
	if cerr != nil {
		return p, cerr
	}
	return p, err
}

func (peer) forget() {}

// lookAt asks the kernel about a process.
func lookAt(pid int) (process, error) {
	k, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return process{}, err
	}
	return process{pid: pid, parent: int(k.Eproc.Ppid), start: k.Proc.P_starttime.Nano()}, nil
}

// executable is not told: macOS has no system call for it that Go reaches
// without C.
func executable(int) string { return "" }

// watch tells of the end of a process.
func watch(pid int) (ended <-chan struct{}, err error) {
	kq, err := unix.Kqueue()
	if err != nil {
		return nil, err
	}
	var event unix.Kevent_t
	unix.SetKevent(&event, pid, unix.EVFILT_PROC, unix.EV_ADD|unix.EV_ONESHOT)
	event.Fflags = unix.NOTE_EXIT
	if _, err := unix.Kevent(kq, []unix.Kevent_t{event}, nil, nil); err != nil {
		_ = unix.Close(kq)
		return nil, err
	}
	c := make(chan struct{})
	go func() {
		defer close(c)
		defer unix.Close(kq)
		for {
			n, err := unix.Kevent(kq, nil, make([]unix.Kevent_t, 1), nil)
			if n > 0 || err != nil && err != unix.EINTR {
				return
			}
		}
	}()
	return c, nil
}
