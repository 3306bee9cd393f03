package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/keeper"
)

// keeperError says that a secretless shell could not be opened.
type keeperError struct{ err error }

func (e *keeperError) Error() string { return "the keeper of the shell: " + e.err.Error() }
func (e *keeperError) Unwrap() error { return e.err }

// keptError is what a keeper says in place of credentials.
type keptError struct{ explanation }

func (e *keptError) Error() string { return e.What }

// codeNeededError says that only a person can renew the shell's session.
type codeNeededError struct {
	Serial  string // of the MFA device
	Problem string // what is wrong with the code that was given
}

func (e *codeNeededError) Error() string { return "the MFA session has ended" }

// keeperDir is the directory of the secretless shell that this process is in,
// "" in none. What outlives a shell and its directory is in none either, and
// is told so.
func (a *app) keeperDir() (string, error) {
	dir := a.getenv(sessionVariable)
	if keeper.Here(dir) {
		return dir, nil
	}
	if _, err := os.Lstat(dir); dir != "" && errors.Is(err, os.ErrNotExist) {
		return "", keeper.ErrEnded
	}
	return "", nil
}

// askKeeper asks the keeper of a shell.
func (a *app) askKeeper(ctx context.Context, dir string, r keeper.Request) ([]byte, error) {
	r.Own = a.getenv("AWS_SWITCH_ROLE_PROFILE")
	answer, err := keeper.Ask(ctx, dir, r)
	if err != nil {
		return nil, err
	}
	switch answer.Kind {
	case keeper.Done:
		return answer.Body, nil
	case keeper.CodeNeeded:
		e := &codeNeededError{}
		if err := json.Unmarshal(answer.Body, e); err != nil {
			return nil, err
		}
		return nil, e
	}
	e := &keptError{}
	if err := json.Unmarshal(answer.Body, &e.explanation); err != nil || e.What == "" {
		return nil, errors.New("the keeper of the shell fails and does not say why")
	}
	return nil, e
}

// keptProcess answers a credential_process from the keeper, which has made the
// JSON.
func (a *app) keptProcess(ctx context.Context, dir, profile string) error {
	body, err := a.askKeeper(ctx, dir, keeper.Request{Verb: keeper.Get, Profile: profile})
	if err != nil {
		return err
	}
	defer clear(body)
	_, err = a.stdout.Write(body)
	return err
}

// keptCredentials are those of the shell's own session.
func (a *app) keptCredentials(ctx context.Context, dir string) (cred.Credentials, error) {
	body, err := a.askKeeper(ctx, dir, keeper.Request{Verb: keeper.Get})
	if err != nil {
		return cred.Credentials{}, err
	}
	defer clear(body)
	var c struct{ AccessKeyID, SecretAccessKey, SessionToken string }
	err = json.Unmarshal(body, &c)
	return cred.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: cred.NewSecret(c.SecretAccessKey), SessionToken: cred.NewSecret(c.SessionToken)}, err
}

// askStatus asks what there is to know of a shell.
func (a *app) askStatus(ctx context.Context, dir string) (s keptStatus, err error) {
	body, err := a.askKeeper(ctx, dir, keeper.Request{Verb: keeper.Status})
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(body, &s)
}

// explainShell puts into words what is wrong with the session of a shell, or
// with its keeper.
func (a *app) explainShell(err error) (x explanation, ok bool) {
	switch {
	case errors.Is(err, errEvaluate):
		return a.phrase("shell-evaluate"), true
	case errors.Is(err, errKept):
		return a.phrase("shell-long-lived"), true
	case errors.Is(err, keeper.ErrEnded):
		return a.phrase("shell-ended"), true
	case errors.Is(err, keeper.ErrRefused):
		return a.phrase("shell-of-others"), true
	case errors.Is(err, keeper.ErrUnsupported):
		return a.phrase("shell-no-keeper"), true
	}
	if e, ok := errors.AsType[*keptError](err); ok {
		return explanation{clean(e.What), clean(e.Why), clean(e.Next)}, true
	}
	if _, ok := errors.AsType[*codeNeededError](err); ok {
		return a.phrase("shell-code-needed"), true
	}
	if e, ok := errors.AsType[*keeperError](err); ok {
		return a.phrase("shell-keeper-fails", e.err.Error()), true
	}
	return explanation{}, false
}
