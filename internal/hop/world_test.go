package hop_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/plan"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(childURL); url != "" {
		os.Exit(child(url))
	}
	goleak.VerifyTestMain(m)
}

// world is an emulated AWS and a performer that reaches it.
type world struct {
	*emulator.Server
	*hop.Performer
	endpoint plan.Endpoint
	log      *bytes.Buffer // of the performer, at its most talkative

	mu                sync.Mutex
	arrived, withCode int      // requests, also those whose answer nobody waited for
	codes             []string // handed out
	// problems are what was told with each question for a code.
	problems []error
}

// roles are those of the demo and, without MFA, Free1, Free8 and Free12, which
// last as many hours.
func roles() emulator.World {
	w := emulator.Demo()
	for name, hours := range map[string]time.Duration{"Free1": 1, "Free8": 8, "Free12": 12} {
		w.Roles = append(w.Roles, emulator.Role{ARN: emulator.DemoRole(name), MaxSession: hours * time.Hour,
			Trust: `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]}]}`})
	}
	return w
}

// live serves a world on the loopback interface.
func live(t *testing.T, o emulator.Options) *world {
	t.Helper()
	w := newWorld(t, o)
	l := httptest.NewServer(w.counting(w.Server))
	t.Cleanup(l.Close)
	w.endpoint = plan.Endpoint{Region: "eu-west-1", URL: l.URL}
	return w
}

// bubbled serves a world within a bubble of testing/synctest, where waiting
// takes no time.
func bubbled(t *testing.T, o emulator.Options) *world {
	t.Helper()
	w := newWorld(t, o)
	w.serve(t, w.Server)
	return w
}

// serve makes the performer reach h, whatever host it asks for.
func (w *world) serve(t testing.TB, h http.Handler) {
	t.Helper()
	l := newPipes()
	s := &http.Server{Handler: w.counting(h), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	if err := w.DialWith(l.dial); err != nil {
		t.Fatal(err)
	}
	w.endpoint = plan.Endpoint{Region: "eu-west-1", URL: "http://127.0.0.1:9"}
}

func newWorld(t testing.TB, o emulator.Options) *world {
	t.Helper()
	s, err := emulator.New(roles(), o)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Server: s, log: &bytes.Buffer{}}
	w.Performer = &hop.Performer{
		MFACode: w.code,
		Log:     slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	return w
}

// code is a person with the device at hand, who waits for the next code when
// the present ones are spent.
func (w *world) code(_ context.Context, m plan.MFA, problem error) (string, error) {
	time.Sleep(w.CodeIn(m.Serial))
	code, err := w.Code(m.Serial)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, problem)
	w.codes = append(w.codes, code)
	return code, err
}

// types makes the person type these instead, in order.
func (w *world) types(codes ...string) {
	w.MFACode = func(_ context.Context, _ plan.MFA, problem error) (string, error) {
		w.problems = append(w.problems, problem)
		if len(codes) == 0 {
			return "", fmt.Errorf("asked once too often: %w", problem)
		}
		code := codes[0]
		codes = codes[1:]
		w.codes = append(w.codes, code)
		return code, nil
	}
}

// me is the key of the user with the device.
var me = cred.Credentials{AccessKeyID: emulator.DemoKeyID, SecretAccessKey: cred.NewSecret(emulator.DemoSecret), AccountID: emulator.DemoAccount}

var device = plan.MFA{Serial: emulator.DemoDevice}

// session is a GetSessionToken at the world's endpoint.
func (w *world) session(m plan.MFA) plan.SessionToken {
	return plan.SessionToken{MFA: m, Duration: 12 * time.Hour, Endpoint: plan.SessionEndpoint{Region: w.endpoint.Region, URL: w.endpoint.URL}}
}

// role is an AssumeRole at the world's endpoint.
func (w *world) role(name string, m plan.MFA, d time.Duration) plan.AssumeRole {
	return plan.AssumeRole{RoleARN: emulator.DemoRole(name), SessionName: "jane", MFA: m, Duration: d, Endpoint: w.endpoint}
}

// perform does a hop and holds what it says, to people and to the log, to
// having no secret in it.
func (w *world) perform(t *testing.T, h plan.Hop, from cred.Credentials) (cred.Credentials, error) {
	t.Helper()
	c, err := w.Perform(t.Context(), h, from)
	said := w.log.String()
	for e := err; e != nil; {
		said += fmt.Sprintf("%v\n%+v\n%#v\n", e, e, e)
		u, ok := e.(interface{ Unwrap() error })
		if !ok {
			break
		}
		e = u.Unwrap()
	}
	if strings.Contains(said, "SECRET") {
		t.Errorf("a secret is told: %s", said)
	}
	for _, code := range w.codes {
		if len(code) == 6 && strings.Contains(said, code) {
			t.Errorf("a code is told: %s", said)
		}
	}
	if err != nil && c.AccessKeyID+c.SecretAccessKey.Reveal()+c.SessionToken.Reveal() != "" {
		t.Errorf("credentials beside the error %v", err)
	}
	return c, err
}

// counting counts what arrives before h sees it.
func (w *world) counting(h http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.mu.Lock()
		w.arrived++
		if bytes.Contains(body, []byte("TokenCode=")) {
			w.withCode++
		}
		w.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(out, r)
	})
}

// sent counts the requests that arrived, and those with a code in them.
func (w *world) sent() (all, withCode int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.arrived, w.withCode
}

// pipes is a listener without sockets.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
		return nil, io.ErrClosedPipe
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

// Addr implements net.Listener.
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }
