package hop

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/plan"
)

// bench is an emulated AWS, a home and a Performer between them.
type bench struct {
	t      *testing.T
	server *emulator.Server
	url    string
	home   string
	log    strings.Builder
	mu     sync.Mutex    // guards what follows
	ahead  time.Duration // of the real clock
	*Performer
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, home: t.TempDir()}
	var err error
	if b.server, err = emulator.New(emulator.Demo(), emulator.Options{Now: b.clock}); err != nil {
		t.Fatal(err)
	}
	l, err := b.server.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	b.url = l.URL
	b.Performer = &Performer{
		SSOCache:   filepath.Join(b.home, ".aws", "sso", "cache"),
		LoginCache: filepath.Join(b.home, ".aws", "login", "cache"),
		Log:        slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:        b.clock,
	}
	for _, dir := range []string{b.SSOCache, b.LoginCache} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if strings.Contains(b.log.String(), "SECRET") {
			t.Errorf("a secret was logged:\n%s", b.log.String())
		}
	})
	return b
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Now().Add(b.ahead)
}

func (b *bench) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ahead += d
}

const (
	corp = "corp"
	jane = emulator.DemoPerson
)

// developer is the hop to a role that jane has.
func (b *bench) developer() plan.SSO {
	return plan.SSO{Profile: "dev", Session: corp, StartURL: emulator.DemoStartURL, Region: "us-east-1",
		AccountID: emulator.DemoAccount, RoleName: "Developer", Endpoint: b.url, OIDCEndpoint: b.url, Scopes: []string{"sso:account:access"}}
}

func (b *bench) ssoPath(name string) string {
	sum := sha1.Sum([]byte(name))
	return filepath.Join(b.SSOCache, hex.EncodeToString(sum[:])+".json")
}

// signIn signs jane in to the session corp, for life.
func (b *bench) signIn(life time.Duration) (path string) {
	b.t.Helper()
	return b.signInAs(corp, emulator.SSOSignIn{StartURL: emulator.DemoStartURL, Person: jane, Region: "us-east-1", Life: life})
}

func (b *bench) signInAs(name string, in emulator.SSOSignIn) (path string) {
	b.t.Helper()
	token, err := b.server.SSOToken(in)
	if err != nil {
		b.t.Fatal(err)
	}
	path = b.ssoPath(name)
	b.write(path, token)
	return path
}

func (b *bench) write(path string, content []byte) {
	b.t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) read(path string) []byte {
	b.t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	return content
}

// fields reads a token file as any JSON reader would.
func (b *bench) fields(path string) map[string]any {
	b.t.Helper()
	var m map[string]any
	if err := json.Unmarshal(b.read(path), &m); err != nil {
		b.t.Fatal(err)
	}
	return m
}

// asked counts the requests for an action.
func (b *bench) asked(action string) int {
	n := 0
	for _, r := range b.server.Requests() {
		if r.Action == action {
			n++
		}
	}
	return n
}

func (b *bench) expectAsked(want map[string]int) {
	b.t.Helper()
	for action, n := range want {
		if got := b.asked(action); got != n {
			b.t.Errorf("%s was asked %d times, want %d", action, got, n)
		}
	}
}

// who asks AWS whose credentials c are.
func (b *bench) who(c cred.Credentials) string {
	b.t.Helper()
	id, err := b.Identity(b.t.Context(), plan.Endpoint{Region: "us-east-1", URL: b.url}, c)
	if err != nil {
		b.t.Fatal(err)
	}
	return id.ARN
}

// alone checks that no file but the token is left in its directory.
func (b *bench) alone(path string) {
	b.t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(path) {
			b.t.Errorf("%s is left over", e.Name())
		}
	}
}

// memoryLock is a lock among goroutines.
func memoryLock() func(context.Context, string) (func(), error) {
	locks := sync.Map{}
	return func(ctx context.Context, name string) (func(), error) {
		v, _ := locks.LoadOrStore(name, make(chan struct{}, 1))
		l := v.(chan struct{})
		select {
		case l <- struct{}{}:
			return func() { <-l }, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func TestManyRenewOnce(t *testing.T) {
	b := newBench(t)
	b.Lock = memoryLock()
	b.signIn(-time.Minute)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := b.Perform(t.Context(), b.developer(), cred.Credentials{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	b.expectAsked(map[string]int{"CreateToken": 1, "GetRoleCredentials": 20})
}

// Whatever other tools have put into the file, and the way they wrote it,
// outlives a renewal.
func TestRenewalKeepsTheRest(t *testing.T) {
	b := newBench(t)
	path := b.signIn(-time.Minute)
	old := string(b.read(path))
	const theirs = `"theirs": {"b":1.50,  "a":[ 1e3, "\u00e9<>" ],"n":null}, "big": 12345678901234567890`
	b.write(path, []byte(strings.TrimSuffix(old, "}")+", "+theirs+"}"))
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Perform(t.Context(), b.developer(), cred.Credentials{}); err != nil {
		t.Fatal(err)
	}
	renewed := string(b.read(path))
	was, is := map[string]any{}, b.fields(path)
	if err := json.Unmarshal([]byte(old), &was); err != nil {
		t.Fatal(err)
	}
	want := old
	for _, name := range []string{"accessToken", "expiresAt", "refreshToken"} {
		if was[name] == is[name] {
			t.Errorf("%s is the old one", name)
		}
		want = strings.Replace(want, was[name].(string), is[name].(string), 1)
	}
	if want = strings.TrimSuffix(want, "}") + ", " + theirs + "}"; renewed != want {
		t.Errorf("the file is\n%s\nwant\n%s", renewed, want)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o640 {
		t.Errorf("the mode is %v, want that of before", info.Mode())
	}
	b.alone(path)
}

func TestWrongTokenFiles(t *testing.T) {
	good := `{"accessToken": "aSECRET", "expiresAt": "2999-01-01T00:00:00Z"}`
	for name, content := range map[string]string{
		"empty":              "",
		"truncated":          good[:30],
		"not JSON":           "\x00\x01",
		"a list":             "[]",
		"two values":         good + good,
		"no token":           `{"expiresAt": "2999-01-01T00:00:00Z"}`,
		"no expiry":          `{"accessToken": "aSECRET"}`,
		"a number for token": `{"accessToken": 1, "expiresAt": "2999-01-01T00:00:00Z"}`,
		"null for token":     `{"accessToken": null, "expiresAt": "2999-01-01T00:00:00Z"}`,
		"a line in token":    `{"accessToken": "aSECRET\r\nX: y", "expiresAt": "2999-01-01T00:00:00Z"}`,
		"no time":            `{"accessToken": "aSECRET", "expiresAt": "tomorrow"}`,
		"a number for time":  `{"accessToken": "aSECRET", "expiresAt": 32472144000}`,
		"huge":               `{"accessToken": "` + strings.Repeat("SECRET", maxTokenFile/6) + `"}`,
		"deep":               strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			path := b.ssoPath(corp)
			b.write(path, []byte(content))
			expectUnreadable(t, b, path)
		})
	}
	t.Run("symbolic link", func(t *testing.T) {
		b := newBench(t)
		target, path := filepath.Join(b.home, "elsewhere"), b.ssoPath(corp)
		b.write(target, []byte(good))
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
		expectUnreadable(t, b, path)
	})
	t.Run("directory", func(t *testing.T) {
		b := newBench(t)
		path := b.ssoPath(corp)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		expectUnreadable(t, b, path)
	})
}

func expectUnreadable(t *testing.T, b *bench, path string) {
	t.Helper()
	_, err := b.Perform(t.Context(), b.developer(), cred.Credentials{})
	e, ok := errors.AsType[*SignInError](err)
	if !ok || e.Session != corp || e.Msg.String() != unreadable().String() {
		t.Fatalf("err = %#v", err)
	}
	f, ok := errors.AsType[*TokenFileError](err)
	if !ok || f.Path != path {
		t.Errorf("err = %v, want one that names %s", e.Err, path)
	}
	if strings.Contains(fmt.Sprint(err, e.Err), "SECRET") {
		t.Errorf("the error tells of the token: %v", e.Err)
	}
	if n := len(b.server.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestNobodySignedIn(t *testing.T) {
	b := newBench(t)
	_, err := b.Perform(t.Context(), b.developer(), cred.Credentials{})
	if e, ok := errors.AsType[*SignInError](err); !ok || e.Msg.String() != "nobody has signed in" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("err = %#v", err)
	}
}

// A token that cannot be renewed is used to its end.
func TestFailedRenewalUsesWhatLives(t *testing.T) {
	b := newBench(t)
	path := b.signIn(10 * time.Minute)
	b.server.Inject(emulator.Fault{Action: "CreateToken", Effect: emulator.CaptivePortal()})
	if _, err := b.Perform(t.Context(), b.developer(), cred.Credentials{}); err != nil {
		t.Error(err)
	}
	b.expectAsked(map[string]int{"CreateToken": 1, "GetRoleCredentials": 1})
	b.alone(path)
	b.advance(10 * time.Minute)
	_, err := b.Perform(t.Context(), b.developer(), cred.Credentials{})
	if _, ok := errors.AsType[*AnswerError](err); !ok {
		t.Errorf("err = %v, want the captive portal's", err)
	}
	b.alone(path)
	b.server.Heal()
	if _, err := b.Perform(t.Context(), b.developer(), cred.Credentials{}); err != nil {
		t.Errorf("the refresh token was lost: %v", err)
	}
}

// A tool that does not lock may spend the token between our reading it and
// our sending it: then its result is used.
func TestAnotherToolWasFaster(t *testing.T) {
	b := newBench(t)
	path := b.signIn(-time.Minute)
	theirs := b.signInAs("theirs", emulator.SSOSignIn{StartURL: emulator.DemoStartURL, Person: jane, Region: "us-east-1", Life: time.Hour})
	b.server.Inject(emulator.Fault{Action: "CreateToken", Delay: 200 * time.Millisecond, Effect: emulator.Fail(400, "InvalidGrantException", "Invalid refresh token provided")})
	done := make(chan error, 1)
	go func() {
		_, err := b.Perform(t.Context(), b.developer(), cred.Credentials{})
		done <- err
	}()
	time.Sleep(50 * time.Millisecond)
	if err := os.Rename(theirs, path); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Once a refresh token is sent, whoever asked may go: the answer is kept.
func TestCancelledRenewalKeepsTheAnswer(t *testing.T) {
	b := newBench(t)
	path := b.signIn(-time.Minute)
	b.server.Inject(emulator.Fault{Action: "CreateToken", Delay: 200 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := b.Perform(ctx, b.developer(), cred.Credentials{}); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	if got := b.fields(path)["refreshToken"]; !slices.Contains(b.server.RefreshTokens(), got.(string)) {
		t.Error("the file has a refresh token that is spent")
	}
	b.alone(path)
}

func TestStraysAreSwept(t *testing.T) {
	b := newBench(t)
	path := b.signIn(-time.Minute)
	stray, fresh := filepath.Join(b.SSOCache, placePrefix+"1"+placeSuffix), filepath.Join(b.SSOCache, placePrefix+"2"+placeSuffix)
	b.write(stray, nil)
	b.write(fresh, nil)
	old := time.Now().Add(-2 * strayAge)
	if err := os.Chtimes(stray, old, old); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Perform(t.Context(), b.developer(), cred.Credentials{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stray); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the stray is still there")
	}
	if err := os.Remove(fresh); err != nil {
		t.Errorf("another process's file was swept: %v", err)
	}
	b.alone(path)
}

func TestLockThatFailsIsDoneWithout(t *testing.T) {
	b := newBench(t)
	b.signIn(-time.Minute)
	b.Lock = func(context.Context, string) (func(), error) { return nil, errors.New("no locks here") }
	if _, err := b.Perform(t.Context(), b.developer(), cred.Credentials{}); err != nil {
		t.Error(err)
	}
	var waited atomic.Bool
	b.signIn(-time.Minute)
	b.Lock = func(ctx context.Context, _ string) (func(), error) {
		waited.Store(true)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := b.Perform(ctx, b.developer(), cred.Credentials{}); !errors.Is(err, context.DeadlineExceeded) || !waited.Load() {
		t.Errorf("err = %v", err)
	}
}

func TestTimesOfTokenFiles(t *testing.T) {
	want := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	for text, ok := range map[string]bool{
		"2026-01-02T15:04:05Z":      true,
		"2026-01-02T15:04:05UTC":    true, // AWS CLI 1
		"2026-01-02T16:04:05+01:00": true,
		"2026-01-02T15:04:05.000Z":  true, // the SDK for JavaScript
		"2026-01-02 15:04:05":       false,
		"":                          false,
	} {
		o := object{{"expiresAt", quote(text)}}
		got, err := o.time("expiresAt")
		if ok != (err == nil) || ok && !got.Equal(want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func FuzzObject(f *testing.F) {
	f.Add([]byte(`{"a": 1, "b" : {"c":[]}}`))
	f.Add([]byte(`{"a":1,"a":2}`))
	f.Add([]byte(`{"a":1} `))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := parseObject(b)
		if err != nil {
			return
		}
		o.set("added", quote("x"))
		var was, is map[string]json.RawMessage
		if json.Unmarshal(b, &was) != nil {
			t.Fatalf("%q was taken", b)
		}
		if err := json.Unmarshal(o.encode(), &is); err != nil {
			t.Fatalf("%q became %q: %v", b, o.encode(), err)
		}
		delete(was, "added")
		for name, value := range was {
			if string(is[name]) != string(value) {
				t.Errorf("%q: %q became %q", name, value, is[name])
			}
		}
		if got, err := o.text("added"); err != nil || got != "x" {
			t.Errorf("added %q, %v", got, err)
		}
	})
}

// emulatorSignIn is jane's sign-in for life.
func emulatorSignIn(life time.Duration) emulator.SSOSignIn {
	return emulator.SSOSignIn{StartURL: emulator.DemoStartURL, Person: jane, Region: "us-east-1", Life: life}
}
