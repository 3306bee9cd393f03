package hop

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// A refresh token is good once. Whoever ends the process between AWS's answer
// and the disk, by a signal that cannot be put off, would end the sign-in. So
// a process of its own does all from the request to the disk: it has no
// terminal, is in nobody's job, and is done in a moment.

// ErrNotApart says that no other process could be started.
var ErrNotApart = errors.New("no process was started to renew the sign-in")

// RenewSignIn renews the sign-in behind h if that is due. The answer tells the
// Performer that has it done, through its Apart, how that went.
func (p *Performer) RenewSignIn(ctx context.Context, h plan.Hop) (answer []byte) {
	answer, err := json.Marshal(tell(p.renewDue(ctx, h)))
	if err != nil { // a text is not UTF-8, say
		answer, _ = json.Marshal(told{Text: err.Error()})
	}
	return answer
}

func (p *Performer) renewDue(ctx context.Context, h plan.Hop) error {
	s, err := p.signInOf(h)
	if err != nil {
		return err
	}
	// Who has this done holds the lock of the file, or is gone and held it.
	unlock, err := p.lock(ctx, "apart "+s.path)
	if err != nil {
		return err
	}
	defer unlock()
	kept, err := p.read(s)
	if err != nil || kept[0].left >= s.minLeft {
		return err
	}
	_, err = p.renewAny(ctx, s, kept)
	return err
}

// signInOf is the sign-in behind a hop.
func (p *Performer) signInOf(h plan.Hop) (signIn, error) {
	switch h := h.(type) {
	case plan.SSO:
		return p.ssoSignIn(h), nil
	case plan.Login:
		return p.loginSignIn(h), nil
	}
	return signIn{}, fmt.Errorf("there is no sign-in behind a %T", h)
}

// renewed returns the sign-in in f renewed, in its place: by a process that
// outlives this one, unless f does not.
func (p *Performer) renewed(ctx context.Context, s signIn, f *tokenFile) (*tokenFile, error) {
	if p.Apart != nil && !f.passing {
		fresh, err := p.renewedApart(ctx, s, f)
		if !errors.Is(err, ErrNotApart) {
			return fresh, err
		}
		p.log().Debug("renewing the sign-in in this process", "why", err)
	}
	fresh := f.clone()
	return fresh, p.renew(ctx, s, fresh)
}

func (p *Performer) renewedApart(ctx context.Context, s signIn, f *tokenFile) (*tokenFile, error) {
	// What stands in the way of keeping it is better said from here.
	_, discard, err := f.reserve()
	if err != nil {
		return nil, fmt.Errorf("renewing the sign-in: %w", err)
	}
	discard()
	done := p.waitingFor(s.host)
	answer, err := p.Apart(ctx, s.hop)
	done()
	if err != nil {
		return nil, err
	}
	var how told
	if err := json.Unmarshal(answer, &how); err != nil {
		return nil, errors.New("the process that renews the sign-in has ended without an answer")
	}
	if err := how.error(s); err != nil {
		return nil, err
	}
	kept, err := p.read(s)
	if err != nil {
		return nil, err
	}
	return kept[0].tokenFile, nil
}

// told is an error as it goes from process to process. The zero value is none.
type told struct {
	SignIn  *message.Text // of a SignInError; what follows is its cause
	API     *APIError
	Network *toldNetwork
	Answer  *toldAnswer
	Text    string // of any other
}

type toldNetwork struct {
	Op, Host, Text string
	Timeout        bool
	Kind           int // in kinds, from 1 on
	Lookup         *net.DNSError
	Certificate    []byte // that was not trusted
}

type toldAnswer struct {
	Op, Host string
	Msg      message.Text
	Ended    bool
}

// kinds are the causes of a NetworkError that a person is told of in words of
// their own.
func kinds() []error {
	return []error{context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.ECONNREFUSED}
}

// tell puts an error down.
func tell(err error) (t told) {
	if err == nil {
		return t
	}
	if e, ok := errors.AsType[*SignInError](err); ok {
		if t = tell(e.Err); e.Err != nil && t == (told{}) {
			t.Text = e.Err.Error()
		}
		t.SignIn = &e.Msg
		return t
	}
	if e, ok := errors.AsType[*APIError](err); ok {
		return told{API: e}
	}
	if e, ok := errors.AsType[*AnswerError](err); ok {
		return told{Answer: &toldAnswer{e.Op, e.Host, e.Msg, e.Ended}}
	}
	e, ok := errors.AsType[*NetworkError](err)
	if !ok {
		return told{Text: err.Error()}
	}
	n := &toldNetwork{Op: e.Op, Host: e.Host, Text: e.Err.Error(), Timeout: e.Timeout()}
	for i, kind := range kinds() {
		if errors.Is(e.Err, kind) {
			n.Kind = i + 1
		}
	}
	if d, ok := errors.AsType[*net.DNSError](e.Err); ok {
		n.Lookup = &net.DNSError{Err: d.Err, Name: d.Name, Server: d.Server, IsTimeout: d.IsTimeout, IsNotFound: d.IsNotFound}
	}
	if c, ok := e.untrusted(); ok {
		n.Certificate = []byte{} // of an unknown issuer
		if c != nil {
			n.Certificate = c.Raw
		}
	}
	return told{Network: n}
}

// error is the error that was put down, nil if none was. Those about the
// sign-in are s's.
func (t told) error(s signIn) error {
	var err error
	switch {
	case t.API != nil:
		err = t.API
	case t.Answer != nil:
		err = &AnswerError{Op: t.Answer.Op, Host: t.Answer.Host, Msg: t.Answer.Msg, Ended: t.Answer.Ended}
	case t.Network != nil:
		err = &NetworkError{Op: t.Network.Op, Host: t.Network.Host, Err: t.Network.cause()}
	case t.Text != "":
		err = errors.New(t.Text)
	}
	if t.SignIn != nil {
		return s.fail(*t.SignIn, err)
	}
	return err
}

func (n *toldNetwork) cause() error {
	e := &toldCause{text: n.Text, timeout: n.Timeout}
	switch all := kinds(); {
	case n.Lookup != nil:
		e.kind = n.Lookup
	case n.Certificate != nil:
		c := &tls.CertificateVerificationError{Err: errors.New(n.Text)}
		if cert, err := x509.ParseCertificate(n.Certificate); err == nil {
			c.UnverifiedCertificates = []*x509.Certificate{cert}
		}
		e.kind = c
	case n.Kind > 0 && n.Kind <= len(all):
		e.kind = all[n.Kind-1]
	}
	return e
}

// toldCause is why no answer came, in another process.
type toldCause struct {
	text    string
	timeout bool
	kind    error
}

// Error implements error.
func (e *toldCause) Error() string { return e.text }

// Timeout reports whether waiting took too long.
func (e *toldCause) Timeout() bool { return e.timeout }

// Unwrap returns what it is known by, which may be nil.
func (e *toldCause) Unwrap() error { return e.kind }
