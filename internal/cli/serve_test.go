package cli

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/deliver"
	"aws-switch-role/internal/message"
)

// lasting returns credentials of an id that last so long from now.
func lasting(id string, life time.Duration) cred.Credentials {
	return cred.Credentials{AccessKeyID: id, SecretAccessKey: cred.NewSecret("x"), SessionToken: cred.NewSecret("y"), Expires: time.Now().Add(life)}
}

// attempts counts how often a supply renewed: without a person, and with one.
type attempts struct{ silent, asked int }

// supplied returns a supply of credentials that last so long, which renew
// renews.
func supplied(life time.Duration, n *attempts, renew func(ask bool) (cred.Credentials, error)) *supply {
	return &supply{
		now: time.Now, minLeft: 15 * time.Minute, current: lasting("first", life),
		mayAsk:  func() bool { return true },
		asked:   func(cred.Credentials, error) { n.asked++ },
		refusal: func(err error) *deliver.Refusal { return &deliver.Refusal{Message: err.Error()} },
		renew: func(ask bool) (cred.Credentials, error) {
			if !ask {
				n.silent++
			}
			return renew(ask)
		},
	}
}

// get asks a supply, and says how long that took.
func get(t *testing.T, s *supply) (id string, took time.Duration, err error) {
	start := time.Now()
	c, err := s.credentials(t.Context())
	return c.AccessKeyID, time.Since(start), err
}

func TestSupplyLeavesGoodOnesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n attempts
		s := supplied(time.Hour, &n, func(bool) (cred.Credentials, error) { return lasting("second", time.Hour), nil })
		time.Sleep(45 * time.Minute)
		if id, _, err := get(t, s); id != "first" || err != nil || n.silent != 0 {
			t.Errorf("%s, %v after %d renewals", id, err, n.silent)
		}
		time.Sleep(time.Second)
		if id, _, err := get(t, s); id != "second" || err != nil || n.silent != 1 {
			t.Errorf("%s, %v after %d renewals", id, err, n.silent)
		}
	})
}

func TestSupplyRenewsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n attempts
		s := supplied(0, &n, func(bool) (cred.Credentials, error) {
			time.Sleep(patienceOfSDKs / 2)
			return lasting("second", time.Hour), nil
		})
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if id, _, err := get(t, s); id != "second" || err != nil {
					t.Errorf("%s, %v", id, err)
				}
			})
		}
		all.Wait()
		if n.silent != 1 {
			t.Errorf("%d renewals", n.silent)
		}
	})
}

// TestSupplySlow has a renewal that takes longer than SDKs wait. It goes on
// when they have left.
func TestSupplySlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for life, want := range map[time.Duration]string{10 * time.Minute: "first", time.Second: ""} {
			var n attempts
			s := supplied(life, &n, func(bool) (cred.Credentials, error) {
				time.Sleep(10 * time.Second)
				return lasting("second", time.Hour), nil
			})
			id, took, err := get(t, s)
			if id != want || (err == nil) != (want != "") || want == "" && err.Error() != errRenewing.Error() || took != patienceOfSDKs {
				t.Errorf("with %s left: %q, %v after %s", life, id, err, took)
			}
			gone, leave := context.WithCancel(t.Context())
			leave()
			if _, err := s.credentials(gone); !errors.Is(err, context.Canceled) {
				t.Errorf("a client that has left: %v", err)
			}
			time.Sleep(10 * time.Second)
			if id, took, err := get(t, s); id != "second" || err != nil || took != 0 || n.silent != 1 {
				t.Errorf("%s, %v after %s and %d renewals", id, err, took, n.silent)
			}
		}
	})
}

// TestSupplyAsks needs a person, who takes a minute. Nobody else waits.
func TestSupplyAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for life, want := range map[time.Duration]string{10 * time.Minute: "first", time.Second: ""} {
			var n attempts
			s := supplied(life, &n, func(ask bool) (cred.Credentials, error) {
				if !ask {
					return cred.Credentials{}, &noInputError{what: message.New("the-mfa-code", "the MFA code of %s", "x")}
				}
				time.Sleep(time.Minute)
				return lasting("second", time.Hour), nil
			})
			for range 5 {
				id, took, err := get(t, s)
				if id != want || (err == nil) != (want != "") || want == "" && err.Error() != errAsking.Error() || took != 0 {
					t.Errorf("with %s left: %q, %v after %s", life, id, err, took)
				}
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if id, _, err := get(t, s); id != "second" || err != nil || n != (attempts{1, 1}) {
				t.Errorf("%s, %v after %+v", id, err, n)
			}
		}
	})
}

// TestSupplyAsksNobody needs a person where there is none.
func TestSupplyAsksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n attempts
		s := supplied(time.Second, &n, func(ask bool) (cred.Credentials, error) {
			if ask {
				t.Error("it asks")
			}
			return cred.Credentials{}, &noInputError{what: message.New("the-mfa-code", "the MFA code of %s", "x")}
		})
		s.mayAsk = func() bool { return false }
		if _, took, err := get(t, s); err == nil || took != 0 {
			t.Errorf("%v after %s", err, took)
		}
		s.end()
		if _, took, _ := get(t, s); n.silent != 1 || took != 0 {
			t.Errorf("%d renewals, one at the end", n.silent)
		}
	})
}

// TestSupplyShort has credentials that never live for long: each request makes
// new ones, and hands them out.
func TestSupplyShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n attempts
		s := supplied(0, &n, func(bool) (cred.Credentials, error) { return lasting("short", 30*time.Second), nil })
		for range 3 {
			if id, _, err := get(t, s); id != "short" || err != nil {
				t.Errorf("%s, %v", id, err)
			}
		}
		if n.silent != 3 {
			t.Errorf("%d renewals", n.silent)
		}
	})
}
