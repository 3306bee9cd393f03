// Package session walks a plan while doing as little as it can: what is
// cached is used again, what is missing is fetched by one caller at a time,
// and everybody else waits for that one.
package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/plan"
)

// ErrMiss says that a store holds no usable session under a key.
var ErrMiss = errors.New("no such session")

// Store keeps sessions between walks, and often between processes.
type Store interface {
	// Load returns the session kept under k, or ErrMiss. An entry that
	// cannot be read is a miss.
	Load(k plan.Key) (cred.Credentials, error)
	// Save keeps c under k, replacing what was there.
	Save(k plan.Key, c cred.Credentials) error
	// Lock waits until no other walker holds k. The lock ends with unlock or
	// with the process that holds it.
	Lock(ctx context.Context, k plan.Key) (unlock func(), err error)
}

// Engine turns plans into credentials. Its fields are set once, before use.
type Engine struct {
	Store Store
	// Perform does one hop, spending the credentials of the hop before it;
	// for the source those are the zero value.
	Perform func(ctx context.Context, h plan.Hop, from cred.Credentials) (cred.Credentials, error)
	Now     func() time.Time
	// Skip makes the engine pass over the cached session of hop i of p and
	// make a new one; nil skips none.
	Skip func(p plan.Plan, i int) bool
	// Warn is told of a failing store: it costs speed, not the job.
	Warn func(error)
}

// HopError says at which hop of a plan a walk ended.
type HopError struct {
	Plan  plan.Plan
	Index int
	Err   error
}

// Error implements error.
func (e *HopError) Error() string {
	return fmt.Sprintf("profile %s, hop %d of %d: %v", e.Plan.Profile, e.Index+1, len(e.Plan.Hops), e.Err)
}

// Unwrap returns the cause.
func (e *HopError) Unwrap() error { return e.Err }
