package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/plan"
)

// This file is the process that renews a sign-in: it lives on when the one that
// wants it is killed, for a refresh token is good once.

// renewName is the command that renews a sign-in. No profile is likely to have
// that name.
const renewName = "__renew"

// renewOrder is what that process is told, on its stdin.
type renewOrder struct {
	Environ  []string // of the run that it is for
	Debug    bool
	Seal     string // see sealKey
	CABundle string
	SSO      *plan.SSO // it is one of the two
	Login    *plan.Login
}

// apart is hop.Performer's Apart. The order goes through a pipe: there may be
// secrets in it, and whoever is killed in the middle of it has ordered nothing.
func (a *app) apart(caBundle string) func(context.Context, plan.Hop) ([]byte, error) {
	return func(ctx context.Context, h plan.Hop) ([]byte, error) {
		order := renewOrder{Environ: a.environ, Debug: a.debug, Seal: a.seal.text().Reveal(), CABundle: caBundle}
		switch h := h.(type) {
		case plan.SSO:
			order.SSO = &h
		case plan.Login:
			order.Login = &h
		}
		text, err := json.Marshal(order)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", hop.ErrNotApart, err)
		}
		program, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", hop.ErrNotApart, err)
		}
		var answer bytes.Buffer
		cmd := exec.Command(program)
		cmd.Args = []string{"aws-switch-role", renewName}
		cmd.Env, cmd.Stdin, cmd.Stdout = a.withoutAWS(), bytes.NewReader(text), &answer
		if a.debug {
			cmd.Stderr = os.Stderr
		}
		hop.Detach(cmd)
		if err := cmd.Start(); err != nil {
			return nil, fmt.Errorf("%w: %w", hop.ErrNotApart, err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case err := <-ended:
			return answer.Bytes(), err
		case <-ctx.Done():
			return nil, ctx.Err() // it goes on
		}
	}
}

func (a *app) renewCommand() *cobra.Command {
	return &cobra.Command{
		Use:    renewName,
		Short:  "Renew a sign-in",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var order renewOrder
			if err := json.NewDecoder(a.stdin).Decode(&order); err != nil || (order.SSO == nil) == (order.Login == nil) {
				return errNotForPeople
			}
			run := newApp(order.Environ, nil, a.stdout, a.stderr)
			run.debug = order.Debug
			run.seal.keep(cred.NewSecret(order.Seal))
			f := &switchFlags{noInput: true, quiet: true}
			p := run.performer(f)
			p.CABundle, p.Undisturbed = order.CABundle, undisturbed
			p.Lock = func(ctx context.Context, name string) (func(), error) { return run.lockNamed(name)(ctx) }
			p.Vault, _ = run.signIns(run.cached(cmd.Context(), f))
			var h plan.Hop
			if order.SSO != nil {
				h = *order.SSO
			} else {
				h = *order.Login
			}
			_, err := a.stdout.Write(p.RenewSignIn(cmd.Context(), h))
			return err
		},
	}
}

// errNotForPeople says that a command is for the program itself.
var errNotForPeople = errors.New("this is not for people: the program starts it")

// sealKey is the key that sessions are sealed under, where a person had to type
// for it: for other processes of the same run, which cannot ask them.
type sealKey struct {
	mu  sync.Mutex // guards what follows
	key cred.Secret
}

func (s *sealKey) keep(key cred.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = key
}

// text is the key in a form that can be handed on, "" when there is none.
func (s *sealKey) text() cred.Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.key
}

// bytes is the key itself.
func (s *sealKey) bytes() (key []byte, ok bool) {
	key, err := base64.StdEncoding.DecodeString(s.text().Reveal())
	return key, err == nil && len(key) > 0
}
