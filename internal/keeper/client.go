package keeper

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"aws-switch-role/internal/folder"
)

// answerTime is how long the keeper may take, which may have to ask AWS, to
// answer. The AWS SDK for Go gives a credential_process a minute.
const answerTime = 55 * time.Second

// Ask asks the keeper of the shell whose session directory dir is. The error
// is ErrEnded when there is none any more, and ErrRefused when this process is
// not one of the shell's or who listens is not its keeper.
func Ask(ctx context.Context, dir string, r Request) (Answer, error) {
	if err := ours(dir); err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", socket(dir))
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, os.ErrNotExist) {
			return Answer{}, ErrEnded
		}
		return Answer{}, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	conn, ok := c.(*net.UnixConn)
	if !ok {
		return Answer{}, ErrRefused
	}
	p, err := peerOf(conn)
	if err != nil {
		return Answer{}, err
	}
	defer p.forget()
	if p.uid != os.Geteuid() {
		return Answer{}, ErrRefused
	}
	a, err := converse(conn, capability(dir), r)
	if err != nil && !errors.Is(err, ErrRefused) {
		if ctx.Err() != nil {
			return Answer{}, fmt.Errorf("no answer from the shell's keeper: %w", ctx.Err())
		}
		// A keeper that ends hangs up.
		return Answer{}, ErrEnded
	}
	return a, err
}

// converse is the program's part of a connection.
func converse(conn net.Conn, key []byte, r Request) (Answer, error) {
	keepers, err := readGreeting(conn)
	if err != nil {
		return Answer{}, err
	}
	mine := newNonce()
	if err := writeRequest(conn, key, keepers, mine, r); err != nil {
		return Answer{}, err
	}
	a, err := readAnswer(conn, key, keepers, mine)
	if err == nil && a.Kind == refused {
		err = ErrRefused
	}
	return a, err
}

// Here reports whether dir is the session directory of a shell that has, or
// had, a keeper.
func Here(dir string) bool {
	if dir == "" {
		return false
	}
	info, err := os.Lstat(socket(dir))
	return err == nil && info.Mode()&os.ModeSocket != 0
}

// ours checks that a session directory is the user's and nobody else's: in
// any other somebody may listen who is not the keeper.
func ours(dir string) error {
	root, err := folder.Open(dir)
	if errors.Is(err, os.ErrNotExist) {
		return ErrEnded
	}
	if err != nil {
		return err
	}
	return root.Close()
}
