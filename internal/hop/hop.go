// Package hop is every way to get credentials from the world: a file for each
// kind of hop that a plan may hold. It is the only importer of the AWS SDK.
package hop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// Performer does hops. What it needs from elsewhere are plain funcs, set
// before use; a missing one makes the hops that need it fail with a clear
// error. Its methods may be called by many at once.
type Performer struct {
	// StoredKey returns the key kept under a profile's name.
	StoredKey func(ctx context.Context, k plan.StoredKey) (cred.Credentials, error)
	// EnvchainKey returns the key in a namespace of envchain.
	EnvchainKey func(ctx context.Context, namespace string) (cred.Credentials, error)
	// EnvironmentKey returns the key that the program was started with.
	EnvironmentKey func() (cred.Credentials, error)
	// MFACode asks for a device's code. problem is nil at first; it is what
	// was wrong with the code before when that is asked for once more.
	MFACode func(ctx context.Context, m plan.MFA, problem error) (string, error)
	// IdentityToken runs a command of the user's that prints a web identity
	// token.
	IdentityToken func(ctx context.Context, command string) (cred.Secret, error)
	// ContainerToken returns the token for the container's endpoint that the
	// program was started with, which may be none; so may the func be.
	ContainerToken func() cred.Secret
	// Environ is the environment of the processes that are run.
	Environ []string
	// LongestKnown returns what is known of a role's longest session, 0 when
	// nothing is; Learn is told what STS's answers show of it.
	LongestKnown func(roleARN string) time.Duration
	Learn        func(roleARN string, longest time.Duration)
	// SSOCache and LoginCache are the directories where the AWS CLI keeps the
	// sign-ins of aws sso login and of aws login.
	SSOCache, LoginCache string
	// Lock waits until nobody else, in this process or another, holds the lock
	// of that name, which may be any text. Without it, or when it fails,
	// sign-ins are renewed without a lock.
	Lock func(ctx context.Context, name string) (unlock func(), err error)
	// LockVisit is Lock for a sign-in by a person, who takes minutes: it waits
	// as long as ctx runs. Without it nobody is kept from signing in twice.
	LockVisit func(ctx context.Context, name string) (unlock func(), err error)
	// Vault keeps sign-ins to IAM Identity Center that were not made by the AWS
	// CLI nor for it; nil keeps none.
	Vault *Vault
	// Visitor says how a person can sign in to h here and now; nil, or an
	// error, that nobody can.
	Visitor func(h plan.SSO) (Visitor, error)
	// Apart has another process do what [Performer.RenewSignIn] does for h, and
	// returns its answer. That process lives on when this one ends. The error is
	// [ErrNotApart] when it could not be started. Without it, sign-ins are
	// renewed in this process.
	Apart func(ctx context.Context, h plan.Hop) (answer []byte, err error)
	// Undisturbed is called before a token is spent that is good once; nothing
	// should end the process until done is called. It may be nil.
	Undisturbed func() (done func())
	// CABundle is a file of certificates to trust instead of the system's.
	CABundle string
	// Turn, where there is one, waits until a request may go to a host; done is
	// told whether AWS refused it for asking too often. Such a request is then
	// tried again by this pace, which many performers may share, not by one of
	// its own.
	Turn func(ctx context.Context, host string) (done func(throttled bool), err error)
	// Waiting is told, in a sentence, of everything that p waits for: the answer
	// to a request with all its tries, or the end of a process; done is called
	// when the wait is over. A person is asked nothing in between, but for what
	// a process asks by itself. It may be nil.
	Waiting func(what message.Text) (done func())
	// Log is told of every request, never of a secret.
	Log *slog.Logger
	// ClockOff is told, at most once, how far AWS's clock is ahead of this
	// machine's (or, negative, behind it), where that is more than a request
	// takes: AWS answers still, but not for much longer. It may be nil.
	ClockOff func(ahead time.Duration)
	// Now is the clock by which answers are judged.
	Now func() time.Time

	once   sync.Once
	client *httpClient
	err    error        // of making client
	told   sync.Once    // of the clock
	offset atomic.Int64 // of AWS's clock ahead of ours, in nanoseconds, once it was learnt
}

// errNoFunc says that a Performer was not given what a hop needs.
func errNoFunc(what string) error { return fmt.Errorf("nothing here can provide %s", what) }

// Perform does one hop, spending from, the credentials of the hop before it.
//
// Errors are *APIError for a refusal by AWS, *NetworkError and *AnswerError
// where no valid answer came, *CodeError for an MFA code, *SourceError for a
// source that is no API, *SignInError where somebody must sign in first, or
// those of the funcs of p.
func (p *Performer) Perform(ctx context.Context, h plan.Hop, from cred.Credentials) (cred.Credentials, error) {
	switch h := h.(type) {
	case plan.StoredKey:
		if p.StoredKey == nil {
			return cred.Credentials{}, errNoFunc("stored keys")
		}
		return p.StoredKey(ctx, h)
	case plan.EnvchainKey:
		if p.EnvchainKey == nil {
			return cred.Credentials{}, errNoFunc("keys of envchain")
		}
		return p.EnvchainKey(ctx, h.Namespace)
	case plan.EnvironmentKey:
		return p.environmentKey(h)
	case plan.InstanceMetadata:
		return p.instanceMetadata(ctx, h)
	case plan.Container:
		return p.container(ctx, h)
	case plan.Process:
		return p.process(ctx, h)
	case plan.WebIdentity:
		return p.webIdentity(ctx, h)
	case plan.SSO:
		return p.sso(ctx, h)
	case plan.Login:
		return p.login(ctx, h)
	case plan.SessionToken:
		return p.sessionToken(ctx, h, from)
	case plan.FederationToken:
		return p.federationToken(ctx, h, from)
	case plan.AssumeRole:
		return p.assumeRole(ctx, h, from)
	}
	return cred.Credentials{}, fmt.Errorf("no way to perform a %T", h)
}

// ErrKeyGone says that the environment does not hold the key that a plan
// starts from.
var ErrKeyGone = errors.New("the key that this chain starts from is not in the environment")

func (p *Performer) environmentKey(h plan.EnvironmentKey) (cred.Credentials, error) {
	if p.EnvironmentKey == nil {
		return cred.Credentials{}, errNoFunc("keys from the environment")
	}
	c, err := p.EnvironmentKey()
	if err == nil && c.AccessKeyID != h.AccessKeyID {
		err = ErrKeyGone
	}
	return c, err
}

// Close closes the connections that p keeps for the next hop, when all hops
// are done and the process goes on.
func (p *Performer) Close() {
	if p.client != nil {
		p.client.transport.CloseIdleConnections()
	}
}

func (p *Performer) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

func (p *Performer) log() *slog.Logger {
	if p.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return p.Log
}
