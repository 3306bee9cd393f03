package hop

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/plan"
)

// chest is a vault that counts.
type chest struct {
	mu   sync.Mutex
	kept map[string][]byte
}

func (c *chest) vault() *Vault {
	c.kept = map[string][]byte{}
	return &Vault{
		Load: func(name string) ([]byte, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			if b, ok := c.kept[name]; ok {
				return b, nil
			}
			return nil, fs.ErrNotExist
		},
		Reserve: func(name string) (func([]byte) error, func(), error) {
			return func(b []byte) error {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.kept[name] = b
				return nil
			}, func() {}, nil
		},
		Remove: func(name string) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			delete(c.kept, name)
			return nil
		},
	}
}

// surfer is a person with a browser, who takes one step at a time.
type surfer struct{ *http.Client }

func newSurfer(t *testing.T) surfer {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return surfer{&http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// visit goes to a page, as a window does unless there are other headers.
func (s surfer) visit(method, url string, headers ...string) (status int, body string, err error) {
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		return 0, "", err
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if h := r.Header.Get("Host"); h != "" {
		r.Host = h
	}
	resp, err := s.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// consent answers a page that asks whom to allow, and returns where the browser
// is sent then.
func (s surfer) consent(page, field, value string) (string, error) {
	resp, err := s.PostForm(page, url.Values{field: {value}})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	return resp.Header.Get("Location"), nil
}

// opens is a Visitor whose browser does what f does, while the sign-in waits.
func opens(t *testing.T, f func(url string)) (v Visitor, done func()) {
	var browsing sync.WaitGroup
	return Visitor{OpenURL: func(url string) error {
		browsing.Go(func() { f(url) })
		return nil
	}}, browsing.Wait
}

func (b *bench) sealed() *chest {
	c := &chest{}
	b.Vault = c.vault()
	return c
}

// A person signs in in a browser: the sign-in is in the vault alone, is used
// and renewed there.
func TestSignInByBrowser(t *testing.T) {
	b := newBench(t)
	kept := b.sealed()
	s := newSurfer(t)
	var shown string
	v, done := opens(t, func(url string) {
		back, err := s.consent(url, "person", jane)
		if err != nil {
			t.Error(err)
			return
		}
		status, body, err := s.visit("GET", back, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "cross-site")
		if status != 200 || err != nil {
			t.Errorf("%d, %v", status, err)
		}
		shown = body
	})
	if err := b.SignIn(t.Context(), b.developer(), v); err != nil {
		t.Fatal(err)
	}
	if done(); !strings.Contains(shown, "You are signed in") {
		t.Errorf("the browser shows %q", shown)
	}
	if len(kept.kept) != 1 {
		t.Errorf("%d sign-ins are in the vault", len(kept.kept))
	}
	if files, err := os.ReadDir(b.SSOCache); len(files) > 0 || err != nil {
		t.Errorf("in the AWS CLI's cache are %v, %v", files, err)
	}
	for range 2 {
		if _, err := b.Perform(t.Context(), b.developer(), cred.Credentials{}); err != nil {
			t.Fatal(err)
		}
		b.advance(time.Hour)
	}
	b.expectAsked(map[string]int{"RegisterClient": 1, "CreateToken": 2, "GetRoleCredentials": 2})
}

// What is shared is a file of the AWS CLI's, and takes the place of what was
// not.
func TestSignInShared(t *testing.T) {
	b := newBench(t)
	kept := b.sealed()
	if err := os.RemoveAll(filepath.Join(b.home, ".aws")); err != nil {
		t.Fatal(err)
	}
	s := newSurfer(t)
	v, done := opens(t, func(url string) {
		if back, err := s.consent(url, "person", jane); err == nil {
			_, _, _ = s.visit("GET", back)
		}
	})
	defer done()
	if err := b.SignIn(t.Context(), b.developer(), v); err != nil {
		t.Fatal(err)
	}
	v.Share = true
	if err := b.SignIn(t.Context(), b.developer(), v); err != nil {
		t.Fatal(err)
	}
	if len(kept.kept) != 0 {
		t.Error("the vault still has a sign-in")
	}
	file := b.fields(b.ssoPath(corp))
	for _, name := range []string{"startUrl", "region", "accessToken", "expiresAt", "clientId", "clientSecret", "registrationExpiresAt", "refreshToken"} {
		if text, ok := file[name].(string); !ok || text == "" {
			t.Errorf("the file has no %s", name)
		}
	}
	if info, err := os.Stat(b.ssoPath(corp)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// What is not the person's way through the browser is refused, and the sign-in
// waits on for what is.
func TestSignInRefusesOthers(t *testing.T) {
	b := newBench(t)
	b.sealed()
	s := newSurfer(t)
	v, done := opens(t, func(page string) {
		back, err := s.consent(page, "person", jane)
		if err != nil {
			t.Error(err)
			return
		}
		u, err := url.Parse(back)
		if err != nil {
			t.Error(err)
			return
		}
		root := "http://" + u.Host
		forged := root + u.Path + "?code=forged&state=" + strings.Repeat("A", 26)
		for name, tc := range map[string]struct {
			method, url string
			headers     []string
			want        int
		}{
			"a wrong state":             {"GET", forged, nil, 400},
			"no state":                  {"GET", root + u.Path + "?code=forged", nil, 400},
			"another path":              {"GET", root + "/?" + u.RawQuery, nil, 404},
			"another name of the host":  {"GET", back, []string{"Host", "attacker.example.com:80"}, 404},
			"localhost":                 {"GET", back, []string{"Host", "localhost:" + u.Port()}, 404},
			"a fetch of another origin": {"GET", back, []string{"Origin", "https://attacker.example.com", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, 403},
			"an old browser's fetch":    {"GET", back, []string{"Origin", "https://attacker.example.com"}, 403},
			"an image of another page":  {"GET", back, []string{"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image", "Sec-Fetch-Site", "cross-site"}, 403},
			"a frame of another page":   {"GET", back, []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403},
			"a form of another page":    {"POST", back, nil, 403},
			"neither code nor error":    {"GET", root + u.Path + "?state=" + u.Query().Get("state"), nil, 409},
		} {
			if status, body, err := s.visit(tc.method, tc.url, tc.headers...); status != tc.want || err != nil || strings.Contains(body, "signed in") {
				t.Errorf("%s: %d, want %d, %v\n%s", name, status, tc.want, err, body)
			}
		}
		var statuses [2]int
		var both sync.WaitGroup
		for i := range statuses {
			both.Go(func() { statuses[i], _, _ = s.visit("GET", back) })
		}
		both.Wait()
		// The listener may be gone before the second is there.
		if one, other := min(statuses[0], statuses[1]), max(statuses[0], statuses[1]); !(one == 200 && other == 409 || one == 0 && other == 200) {
			t.Errorf("of two the browser sees %v", statuses)
		}
	})
	if err := b.SignIn(t.Context(), b.developer(), v); err != nil {
		t.Fatal(err)
	}
	done()
	b.expectAsked(map[string]int{"CreateToken": 1})
}

func TestSignInRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(page string) (field, value string)
		want   string
	}{
		"by the person": {func(string) (string, string) { return "refuse", "access_denied" }, "the sign-in was refused in the browser"},
		"by the server": {func(string) (string, string) { return "refuse", "server_error" }, "IAM Identity Center has ended the sign-in: The request was denied"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			kept := b.sealed()
			s := newSurfer(t)
			v, done := opens(t, func(url string) {
				field, value := tc.answer(url)
				back, err := s.consent(url, field, value)
				if err != nil {
					t.Error(err)
				}
				if status, body, err := s.visit("GET", back); status != 200 || err != nil || !strings.Contains(body, "Not signed in") {
					t.Errorf("%d, %v\n%s", status, err, body)
				}
			})
			err := b.SignIn(t.Context(), b.developer(), v)
			done()
			if e, ok := errors.AsType[*SignInError](err); !ok || e.Msg.String() != tc.want {
				t.Errorf("err = %v", err)
			}
			if len(kept.kept) > 0 {
				t.Error("a sign-in was kept")
			}
		})
	}
}

// A switch has the person sign in; of twenty at once, one does.
func TestSwitchSignsInOnce(t *testing.T) {
	b := newBench(t)
	b.sealed()
	var visiting sync.Mutex
	b.LockVisit = func(context.Context, string) (func(), error) {
		visiting.Lock()
		return visiting.Unlock, nil
	}
	s := newSurfer(t)
	var visits atomic.Int32
	v, done := opens(t, func(url string) {
		visits.Add(1)
		if back, err := s.consent(url, "person", jane); err == nil {
			_, _, _ = s.visit("GET", back)
		}
	})
	b.Visitor = func(plan.SSO) (Visitor, error) { return v, nil }
	all := func() {
		t.Helper()
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() {
				if _, err := b.Perform(t.Context(), b.developer(), cred.Credentials{}); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
	}
	all()
	if n := visits.Load(); n != 1 {
		t.Errorf("the browser opened %d times", n)
	}
	// What an administrator has ended, though it looks alive, is no use.
	b.server.RevokeSSO()
	all()
	if n := visits.Load(); n != 2 {
		t.Errorf("the browser opened %d times", n)
	}
	done()
}

// Of the vault's sign-in and the AWS CLI's, the younger one is used.
func TestYoungerSignInIsUsed(t *testing.T) {
	b := newBench(t)
	kept := b.sealed()
	path := b.signIn(30 * time.Minute)
	ours := b.read(b.signInAs("x", emulatorSignIn(time.Hour)))
	name := strings.TrimSuffix(filepath.Base(path), ".json")
	kept.kept[name] = ours
	s := b.ssoSignIn(b.developer())
	first := func() *tokenFile {
		t.Helper()
		found, err := b.Performer.read(s)
		if err != nil {
			t.Fatal(err)
		}
		return found[0].tokenFile
	}
	if f := first(); string(f.encode()) != string(ours) {
		t.Error("the older one is used")
	}
	b.signIn(2 * time.Hour)
	if f := first(); f.path != path {
		t.Error("the AWS CLI's younger one is not used")
	}
	// One that cannot be read does no harm to the other.
	kept.kept[name] = []byte("{")
	if f := first(); f.path != path {
		t.Error("the AWS CLI's one is not used")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Performer.read(s); !strings.Contains(err.Error(), unreadable().String()) {
		t.Errorf("err = %v", err)
	}
}

func TestSignOut(t *testing.T) {
	b := newBench(t)
	kept := b.sealed()
	path := b.signIn(time.Hour)
	name := strings.TrimSuffix(filepath.Base(path), ".json")
	kept.kept[name] = b.read(b.signInAs("x", emulatorSignIn(time.Hour)))
	for _, want := range []bool{true, false} {
		if was, err := b.SignOut(t.Context(), b.developer()); was != want || err != nil {
			t.Errorf("%v, %v, want %v", was, err, want)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) || len(kept.kept) > 0 {
		t.Errorf("%v; in the vault: %d", err, len(kept.kept))
	}
	b.expectAsked(map[string]int{"Logout": 2})
	// One that AWS does not know any more is removed all the same.
	b.signIn(time.Hour)
	b.server.RevokeSSO()
	if was, err := b.SignOut(t.Context(), b.developer()); !was || err != nil {
		t.Errorf("%v, %v", was, err)
	}
}
