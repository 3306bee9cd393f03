package keeper

import (
	"encoding/binary"
	"sync"
	"time"

	"aws-switch-role/internal/cred"
)

// Vault holds credentials in memory that is neither swapped nor dumped and,
// where the kernel can do that, that nobody but this process reads, root
// included. What it gives out are ordinary credentials, on the heap.
type Vault struct {
	mu   sync.Mutex // guards held
	held map[string]memory
}

// Put keeps c under a name, in place of what was there.
func (v *Vault) Put(name string, c cred.Credentials) {
	m := pack(c)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.held == nil {
		v.held = map[string]memory{}
	}
	if old, ok := v.held[name]; ok {
		old.free()
	}
	v.held[name] = m
}

// Get returns what is kept under a name. ok is false when nothing is.
func (v *Vault) Get(name string) (c cred.Credentials, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	m, ok := v.held[name]
	if !ok {
		return cred.Credentials{}, false
	}
	return unpack(m.bytes), true
}

// fields are what credentials are made of, but for the end.
func fields(c cred.Credentials) []string {
	return []string{c.AccessKeyID, c.SecretAccessKey.Reveal(), c.SessionToken.Reveal(), c.AccountID}
}

// pack writes credentials into memory of their own: the end in seconds since
// 1970, 0 for none, then each field behind its length.
func pack(c cred.Credentials) memory {
	size := 8
	for _, f := range fields(c) {
		size += 4 + len(f)
	}
	m := allocate(size)
	var end int64
	if !c.Expires.IsZero() {
		end = c.Expires.Unix()
	}
	b := binary.BigEndian.AppendUint64(m.bytes[:0], uint64(end))
	for _, f := range fields(c) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	return m
}

// unpack reads what pack wrote.
func unpack(b []byte) (c cred.Credentials) {
	if end := int64(binary.BigEndian.Uint64(b)); end != 0 {
		c.Expires = time.Unix(end, 0).UTC()
	}
	b = b[8:]
	next := func() string {
		n := binary.BigEndian.Uint32(b)
		field := string(b[4 : 4+n])
		b = b[4+n:]
		return field
	}
	c.AccessKeyID = next()
	c.SecretAccessKey, c.SessionToken = cred.NewSecret(next()), cred.NewSecret(next())
	c.AccountID = next()
	return c
}

// memory is a stretch of memory for a secret.
type memory struct {
	bytes   []byte
	release func([]byte) // nil for memory of Go's
}

// free overwrites the secret and gives the memory back.
func (m memory) free() {
	clear(m.bytes)
	if m.release != nil {
		m.release(m.bytes)
	}
}
