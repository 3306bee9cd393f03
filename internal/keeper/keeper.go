// Package keeper keeps the credentials of one shell in a process beside it,
// and hands them to the processes of that shell and to nobody else.
//
// The shell's own process starts the keeper ([Start]) before it becomes the
// shell, and gives it its orders through a pipe. The keeper listens on a Unix
// socket in the shell's session directory ([Serve]) until the shell has ended;
// a program of the shell asks there ([Ask]).
//
// A program shows that it is the shell's in one of two ways. On Linux the
// shell and all that it starts have a session keyring of their own
// (session-keyring(7)) with a random key in it, which nobody outside can reach
// and which outlives every way to leave a process tree: possession of it is
// proved, it is never sent. Where the kernel keeps no keys for us, as in most
// containers, and on macOS, the kernel says which process asks, and its
// ancestors are looked at.
//
// The package knows neither profiles nor AWS: what is asked for and what is
// answered pass through it.
package keeper

import (
	"errors"
	"path/filepath"
)

// SocketName is the name of the keeper's socket in the session directory.
const SocketName = "s"

// CodeNeededName is the name of a file in the session directory that is there
// while only a person can renew the session.
const CodeNeededName = "needs-code"

// Verb is what a program asks of the keeper.
type Verb string

// The verbs.
const (
	Get    Verb = "get"    // the credentials of Request.Profile
	Renew  Verb = "renew"  // a new session now, with Request.Code if one is needed
	Status Verb = "status" // what there is to know, without asking AWS
)

// Request is one question.
type Request struct {
	Verb    Verb   `json:"verb"`
	Profile string `json:"profile,omitempty"` // "" is the shell's own
	Own     string `json:"own,omitempty"`     // the shell's own, where many shells have one keeper
	Code    string `json:"code,omitempty"`    // an MFA code, which AWS takes once
}

// Kind says what the body of an answer is.
type Kind byte

// The kinds of answers.
const (
	Done       Kind = iota + 1 // what was asked for, ready for use
	Failed                     // why not
	CodeNeeded                 // why not: it takes a code of the person's MFA device
	refused                    // nothing: the program is not the shell's
)

// Answer is what the keeper says. Its body may be a secret.
type Answer struct {
	Kind Kind
	Body []byte
}

// ErrEnded says that no keeper listens: the shell has ended, or its keeper was
// killed.
var ErrEnded = errors.New("the session has ended")

// ErrRefused says that the keeper does not take this process for one of its
// shell's, or that who listens is not the keeper.
var ErrRefused = errors.New("this process was not started in the shell")

// ErrUnsupported says that there are no keepers on this operating system.
var ErrUnsupported = errors.New("not possible on this operating system")

// socket is the path of the socket in a session directory.
func socket(dir string) string { return filepath.Join(dir, SocketName) }
