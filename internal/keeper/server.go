package keeper

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

const (
	// maxConnections are answered at a time; more wait at the socket.
	maxConnections = 16

	// patience is how long a program may take to say what it wants, and to
	// take the answer.
	patience = 2 * time.Second
)

// Caller is the process that an answer is for: the one that started the
// program which asked.
type Caller struct {
	PID     int
	Program string // the path of its executable, "" where it cannot be told
}

// Server is the keeper of one shell.
type Server struct {
	Dir       string
	Admission Admission
	// Answer answers a program of the shell. Many may ask at once. The body
	// of what it returns is overwritten with zeros once it is sent.
	Answer func(ctx context.Context, c Caller, r Request) Answer
}

// Serve listens at the socket in the session directory, calls ready once, and
// answers until the shell has ended. It returns nil then; an error says that
// it could not begin.
func (s *Server) Serve(ready func() error) error {
	ended, err := watch(s.Admission.Shell)
	if err != nil {
		return fmt.Errorf("watching the shell: %w", err)
	}
	return s.ServeUntil(ended, ready)
}

// ServeUntil is Serve for a process that keeps the credentials of commands of
// its own, and tells when the last of them has ended.
func (s *Server) ServeUntil(ended <-chan struct{}, ready func() error) error {
	path := socket(s.Dir)
	if len(path) > maxSocketPath {
		return fmt.Errorf("the path of the socket is longer than %d bytes: %s", maxSocketPath, path)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	defer l.Close()
	// The directory is the user's alone, so nobody comes in between.
	if err := os.Chmod(path, 0o600); err != nil {
		return err
	}
	if err := ready(); err != nil {
		return err
	}
	answered := make(chan struct{}, 1)
	go s.accept(l, answered)
	go forget(answered, ended)
	<-ended
	return nil
}

// forget has what was said, and all that went into it, collected: see
// clobbering. It is done once for all answers of a moment.
func forget(answered, ended <-chan struct{}) {
	for {
		select {
		case <-answered:
		case <-ended:
			return
		}
		time.Sleep(patience / 20)
		runtime.GC() // what lies in a pool survives it once
		debug.FreeOSMemory()
	}
}

// accept takes connections for as long as there is a listener.
func (s *Server) accept(l *net.UnixListener, answered chan<- struct{}) {
	slots := make(chan struct{}, maxConnections)
	for {
		slots <- struct{}{}
		conn, err := l.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // no more files, for the moment
			<-slots
			time.Sleep(patience / 20)
			continue
		}
		go func() {
			defer func() { <-slots }()
			s.converse(conn)
			_ = conn.Close()
			select {
			case answered <- struct{}{}:
			default: // it is about to be forgotten
			}
		}()
	}
}

// converse answers one question. Whoever does not keep to the protocol is
// hung up on.
func (s *Server) converse(conn *net.UnixConn) {
	p, err := peerOf(conn)
	if err != nil {
		return
	}
	defer p.forget()
	if p.uid != os.Geteuid() {
		return
	}
	mine := newNonce()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if err := writeGreeting(conn, mine); err != nil {
		return
	}
	q, err := readRequest(conn)
	if err != nil {
		return
	}
	a := Answer{Kind: refused}
	if s.Admission.admits(p, q, mine) {
		a = s.Answer(context.Background(), callerOf(p, s.Admission.Shell), q.Request)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	_ = writeAnswer(conn, s.Admission.Key, mine, q.nonce, a)
}
