//go:build !linux && !darwin

package keeper

import "net"

// Here nobody can tell which processes are a shell's, so there are no keepers.

const maxSocketPath = 100

// Possible says whether there are keepers on this operating system.
const Possible = false

// Admission says which processes are the shell's.
type Admission struct {
	Key   []byte
	Shell int
}

// Descendants admits nobody.
func Descendants() Admission { return Admission{} }

func capability(string) []byte { return nil }

func (Admission) admits(peer, question, nonce) bool { return false }

type peer struct{ pid, uid int }

func peerOf(*net.UnixConn) (peer, error) { return peer{}, ErrUnsupported }

func (peer) forget() {}

func callerOf(peer, int) Caller { return Caller{} }

func watch(int) (<-chan struct{}, error) { return nil, ErrUnsupported }

func allocate(size int) memory { return memory{bytes: make([]byte, size)} }

// Start fails with ErrUnsupported.
func Start(string, []string, []string, Orders) error { return ErrUnsupported }

// Detach fails with ErrUnsupported.
func Detach(string, []string, []string) error { return ErrUnsupported }

// Receive fails with ErrUnsupported.
func Receive() (Orders, func(error) error, error) { return Orders{}, nil, ErrUnsupported }
