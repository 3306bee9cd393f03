package emulator

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// step is the time for which a code of an AWS virtual MFA device stands.
const step = 30 * time.Second

// ErrCodesSpent says that every code that STS would take now was taken
// before. [Server.CodeIn] tells for how long.
var ErrCodesSpent = errors.New("the device's codes of this moment are spent")

// counter returns the number of the step that t is in.
func counter(t time.Time) int64 { return t.Unix() / int64(step/time.Second) }

// totp is the six-digit code of RFC 6238 for one step, with HMAC-SHA-1.
func totp(seed []byte, counter int64) string {
	mac := hmac.New(sha1.New, seed)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(counter)))
	sum := mac.Sum(nil)
	// Dynamic truncation, RFC 4226 section 5.3.
	offset := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

// find returns the step that code is good for at now, one either side
// included, and whether there is one whose code was not taken before.
func (d *device) find(code string, now time.Time) (int64, bool) {
	for _, c := range []int64{counter(now), counter(now) - 1, counter(now) + 1} {
		if !d.spent[c] && hmac.Equal([]byte(totp(d.Seed, c)), []byte(code)) {
			return c, true
		}
	}
	return 0, false
}

// Code returns a code of the device that STS will take now: this step's, or
// the next one's when that is spent. When both are, the error is
// [ErrCodesSpent].
func (s *Server) Code(serial string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.devices[serial]
	if d == nil || d.fido() {
		return "", fmt.Errorf("no device %q that makes codes", serial)
	}
	for _, c := range []int64{counter(s.now()), counter(s.now()) + 1} {
		if !d.spent[c] {
			return totp(d.Seed, c), nil
		}
	}
	return "", ErrCodesSpent
}

// CodeIn returns how long it is until [Server.Code] has a code: zero when it
// has one now, or when the device does not exist.
func (s *Server) CodeIn(serial string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, now := s.devices[serial], s.now()
	if d == nil {
		return 0
	}
	c := counter(now)
	for d.spent[c] && d.spent[c+1] {
		c++
	}
	if c == counter(now) {
		return 0
	}
	return time.Unix(c*int64(step/time.Second), 0).Sub(now)
}
