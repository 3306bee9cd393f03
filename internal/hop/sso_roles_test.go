package hop_test

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/plan"
)

// corporation is an Identity Center where one person has so many roles in so
// many accounts.
func corporation(accounts, roles int) emulator.World {
	p := emulator.Person{Name: "jane"}
	for a := range accounts {
		for r := range roles {
			p.Roles = append(p.Roles, emulator.Assignment{Account: fmt.Sprintf("%012d", a+1), Role: fmt.Sprintf("Role%d", r)})
		}
	}
	return emulator.World{Centers: []emulator.IdentityCenter{{StartURL: emulator.DemoStartURL, People: []emulator.Person{p}}}}
}

// listing serves a corporation, to whose portal jane has signed in. h goes
// before the server; most is the most requests that it saw at once.
func listing(t *testing.T, world emulator.World, h func(s *emulator.Server, w http.ResponseWriter, r *http.Request)) (w *hall, session plan.SSO) {
	t.Helper()
	s, err := emulator.New(world, emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w = &hall{world: newWorld(t, emulator.Options{})}
	w.serve(t, http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if n := w.at.Add(1); n > w.most.Load() {
			w.most.Store(n)
		}
		defer w.at.Add(-1)
		h(s, out, r)
	}))
	w.SSOCache = t.TempDir()
	token, err := s.SSOToken(emulator.SSOSignIn{StartURL: emulator.DemoStartURL, Person: "jane", Region: "us-east-1", Life: 12 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha1.Sum([]byte("corp"))
	if err := os.WriteFile(filepath.Join(w.SSOCache, hex.EncodeToString(sum[:])+".json"), token, 0o600); err != nil {
		t.Fatal(err)
	}
	return w, plan.SSO{Session: "corp", StartURL: emulator.DemoStartURL, Region: "us-east-1", Endpoint: w.endpoint.URL, OIDCEndpoint: w.endpoint.URL}
}

// hall is a world that counts the requests that it has at once.
type hall struct {
	*world
	at, most atomic.Int32
}

// Of 5,000 accounts with three roles each, all are listed: a few requests at a
// time, though the portal takes no more than 20 a second.
func TestAssignedRolesOfManyAccounts(t *testing.T) {
	const accounts, roles, aSecond = 5000, 3, 20
	synctest.Test(t, func(t *testing.T) {
		world := corporation(accounts, roles)
		world.Centers[0].PerSecond = aSecond
		var server atomic.Pointer[emulator.Server]
		w, session := listing(t, world, func(s *emulator.Server, out http.ResponseWriter, r *http.Request) {
			server.Store(s)
			time.Sleep(50 * time.Millisecond)
			s.ServeHTTP(out, r)
		})
		begun := time.Now()
		last := 0
		got, err := w.AssignedRoles(t.Context(), session, func(done, all int) {
			if done != last+1 || all != accounts {
				t.Errorf("%d of %d accounts after %d", done, all, last)
			}
			last = done
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != accounts*roles || last != accounts {
			t.Errorf("%d roles, %d accounts", len(got), last)
		}
		if first := (hop.AssignedRole{AccountID: "000000000001", AccountName: "Account 000000000001", Role: "Role0"}); got[0] != first || !slices.IsSortedFunc(got, func(a, b hop.AssignedRole) int {
			return slices.Compare([]string{a.AccountID, a.Role}, []string{b.AccountID, b.Role})
		}) {
			t.Errorf("the list is out of order, and begins with %+v", got[0])
		}
		refused := 0
		for _, r := range server.Load().Requests() {
			if r.Status == http.StatusTooManyRequests {
				refused++
			}
		}
		took, ideal := time.Since(begun), (accounts+accounts/100)*time.Second/aSecond
		t.Logf("%v, where %v would do; %d refused; %d at once", took, ideal, refused, w.most.Load())
		if took > 4*ideal || refused > accounts || w.most.Load() > 8 {
			t.Errorf("%v, where %v would do; %d refused; %d at once", took, ideal, refused, w.most.Load())
		}
	})
}

// What the lists may not hold becomes no line of a file.
func TestAssignedRolesOfAStranger(t *testing.T) {
	for name, body := range map[string]string{
		"an account": `{"accountList": [{"accountId": "1\n[profile default]", "accountName": "x"}]}`,
		"an end":     `{"accountList": [], "nextToken": "again"}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			w, session := listing(t, corporation(1, 1), func(_ *emulator.Server, out http.ResponseWriter, _ *http.Request) {
				out.Header().Set("Content-Type", "application/json")
				_, _ = out.Write([]byte(body))
			})
			got, err := w.AssignedRoles(t.Context(), session, nil)
			if _, ok := errors.AsType[*hop.AnswerError](err); !ok || got != nil {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		})
	}
}

// A portal that is busy for good is not waited for without end, and one that
// fails ends the listing.
func TestAssignedRolesFail(t *testing.T) {
	for name, status := range map[string]int{"busy": 429, "broken": 500, "forbidden": 403} {
		synctest.Test(t, func(t *testing.T) {
			w, session := listing(t, corporation(100, 1), func(s *emulator.Server, out http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/assignment/accounts" {
					s.ServeHTTP(out, r)
					return
				}
				out.Header().Set("X-Amzn-Errortype", "Whatever")
				out.WriteHeader(status)
			})
			begun := time.Now()
			_, err := w.AssignedRoles(t.Context(), session, nil)
			if e, ok := errors.AsType[*hop.APIError](err); !ok || e.Status != status || time.Since(begun) > 5*time.Minute {
				t.Errorf("%s: %v after %v", name, err, time.Since(begun))
			}
		})
	}
}
