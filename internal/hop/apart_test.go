package hop

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// A person is told of an error that another process came upon as of one of this
// process's.
func TestErrorsGoFromProcessToProcess(t *testing.T) {
	b := newBench(t)
	s := b.ssoSignIn(b.developer())
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	cert := server.Certificate()
	network := func(err error) error {
		return &NetworkError{Op: "CreateToken", Host: "oidc.example.com", Err: err}
	}
	for name, err := range map[string]error{
		"none":            nil,
		"a refusal":       &APIError{Op: "CreateToken", Host: "h", Code: "InvalidGrantException", Reason: "invalid_grant", Message: "é \u202e no", Status: 400, RequestID: "r", Skew: -time.Hour},
		"no sign-in":      s.fail(message.New("sign-in-ended", "it has ended, says %s", message.New("who", "%s does", "corp")), &APIError{Code: "X", Status: 400}),
		"without a cause": s.fail(message.New("sign-in-ended", "it has ended"), nil),
		"of a file":       s.fail(message.New("sign-in-ended", "it has ended"), &TokenFileError{"/x", errors.New("it is none")}),
		"not AWS":         &AnswerError{Op: "CreateToken", Host: "h", Msg: message.New("answer-portal", "the answer is a web page"), Ended: true},
		"no such host":    network(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "oidc.example.com", IsNotFound: true}}),
		"a timeout":       network(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ETIMEDOUT}),
		"too slow":        network(fmt.Errorf("waiting: %w", context.DeadlineExceeded)),
		"hung up":         network(io.ErrUnexpectedEOF),
		"reset":           network(&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}),
		"nobody listens":  network(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}),
		"not trusted":     network(&tls.CertificateVerificationError{UnverifiedCertificates: []*x509.Certificate{cert}, Err: x509.UnknownAuthorityError{Cert: cert}}),
		"nor known":       network(&tls.CertificateVerificationError{Err: errors.New("x")}),
		"any other":       fmt.Errorf("keeping the renewed sign-in: %w", fs.ErrPermission),
	} {
		t.Run(name, func(t *testing.T) {
			text, merr := json.Marshal(tell(err))
			if merr != nil {
				t.Fatal(merr)
			}
			var got told
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(facts(err), facts(got.error(s))); diff != "" {
				t.Errorf("%s", diff)
			}
		})
	}
}

// facts are what explanations are made of.
func facts(err error) map[string]any {
	f := map[string]any{}
	if err == nil {
		return f
	}
	f["text"] = err.Error()
	for name, target := range map[string]error{"slow": context.DeadlineExceeded, "eof": io.ErrUnexpectedEOF, "reset": syscall.ECONNRESET, "refused": syscall.ECONNREFUSED} {
		f[name] = errors.Is(err, target)
	}
	if e, ok := errors.AsType[*SignInError](err); ok {
		f["sign-in"] = []any{e.Profile, e.Session, e.Login, e.Msg.ID, fmt.Sprint(e.Msg.Args...)}
		if e.Err != nil {
			f["cause"] = e.Err.Error()
		}
	}
	if e, ok := errors.AsType[*APIError](err); ok {
		f["api"] = *e
	}
	if e, ok := errors.AsType[*AnswerError](err); ok {
		f["answer"] = []any{e.Op, e.Host, e.Msg.ID, e.Ended}
	}
	if e, ok := errors.AsType[*NetworkError](err); ok {
		issuer, bad := e.Certificate()
		f["network"] = []any{e.Op, e.Host, e.Err.Error(), e.Timeout(), e.Lookup(), bad, issuer}
	}
	return f
}

// Where no process can be started, this one renews; what the other one answers
// is believed only as far as the file bears it out.
func TestApart(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(b *bench) ([]byte, error)
		works  bool
	}{
		"another renews": {func(b *bench) ([]byte, error) {
			other := &Performer{SSOCache: b.SSOCache, LoginCache: b.LoginCache}
			return other.RenewSignIn(b.t.Context(), b.developer()), nil
		}, true},
		"none is started":    {func(*bench) ([]byte, error) { return nil, fmt.Errorf("%w: no memory", ErrNotApart) }, true},
		"it ends":            {func(*bench) ([]byte, error) { return nil, errors.New("exit status 2") }, false},
		"it says nothing":    {func(*bench) ([]byte, error) { return nil, nil }, false},
		"it has done naught": {func(*bench) ([]byte, error) { return []byte(`{}`), nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.signIn(-time.Minute)
			b.Apart = func(context.Context, plan.Hop) ([]byte, error) { return tc.answer(b) }
			_, err := b.Perform(t.Context(), b.developer(), cred.Credentials{})
			if (err == nil) != tc.works {
				t.Errorf("err = %v", err)
			}
			want := 0
			if tc.works {
				want = 1
			}
			b.expectAsked(map[string]int{"CreateToken": want})
		})
	}
	t.Run("of a hop without a sign-in", func(t *testing.T) {
		b := newBench(t)
		if got := b.RenewSignIn(t.Context(), plan.Process{}); !strings.Contains(string(got), "there is no sign-in behind a plan.Process") {
			t.Errorf("the answer is %s", got)
		}
	})
	t.Run("of aws login", func(t *testing.T) {
		b := newBench(t)
		b.logIn(-time.Minute)
		b.Apart = func(ctx context.Context, h plan.Hop) ([]byte, error) {
			return (&Performer{LoginCache: b.LoginCache}).RenewSignIn(ctx, h), nil
		}
		if _, err := b.Perform(t.Context(), b.console(), cred.Credentials{}); err != nil {
			t.Error(err)
		}
		b.expectAsked(map[string]int{"CreateOAuth2Token": 1})
	})
	t.Run("of a sign-in that ends with this process", func(t *testing.T) {
		b := newBench(t)
		kept := b.sealed()
		b.Vault.Passing = true
		b.Apart = func(context.Context, plan.Hop) ([]byte, error) {
			t.Error("another process is asked")
			return nil, ErrNotApart
		}
		kept.kept[b.ssoSignIn(b.developer()).sealed] = b.read(b.signInAs("x", emulatorSignIn(-time.Minute)))
		if _, err := b.Perform(t.Context(), b.developer(), cred.Credentials{}); err != nil {
			t.Error(err)
		}
	})
}
