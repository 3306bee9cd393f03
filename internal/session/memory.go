package session

import (
	"context"
	"sync"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/plan"
)

// Memory is a [Store] that lives as long as the process. The zero value is
// ready for use.
type Memory struct {
	mu       sync.Mutex // guards the maps
	sessions map[plan.Key]cred.Credentials
	locks    map[plan.Key]chan struct{} // full while somebody holds the lock
}

// Load implements [Store].
func (m *Memory) Load(k plan.Key) (cred.Credentials, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.sessions[k]
	if !ok {
		return cred.Credentials{}, ErrMiss
	}
	return c, nil
}

// Save implements [Store].
func (m *Memory) Save(p plan.Plan, i int, c cred.Credentials) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sessions == nil {
		m.sessions = map[plan.Key]cred.Credentials{}
	}
	m.sessions[p.Key(i)] = c
	return nil
}

// Lock implements [Store].
func (m *Memory) Lock(ctx context.Context, k plan.Key) (func(), error) {
	m.mu.Lock()
	if m.locks == nil {
		m.locks = map[plan.Key]chan struct{}{}
	}
	l, ok := m.locks[k]
	if !ok {
		l = make(chan struct{}, 1)
		m.locks[k] = l
	}
	m.mu.Unlock()
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
