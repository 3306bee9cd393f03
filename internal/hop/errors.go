package hop

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"aws-switch-role/internal/message"
)

// APIError is a refusal by AWS. Its texts are the server's: whoever prints
// them makes them safe for a terminal.
type APIError struct {
	Op        string // AssumeRole, …
	Host      string
	Code      string // AccessDenied, …
	Reason    string // a finer code in OAuth's manner, where there is one: invalid_grant, TOKEN_EXPIRED, …
	Message   string
	Status    int // of HTTP
	RequestID string
	// Skew is the server's clock minus ours, as far as the refusal of a
	// signature or the answer's Date header tells (whole seconds); 0 when
	// neither does.
	Skew time.Duration
	// MFA says that the request carried a code.
	MFA bool
}

// Error implements error.
func (e *APIError) Error() string {
	return fmt.Sprintf("%s at %s: %s: %s", e.Op, e.Host, e.Code, e.Message)
}

// NetworkError says that no answer came.
type NetworkError struct {
	Op   string
	Host string
	// MFA says that the request carried a code, which AWS may have seen.
	MFA bool
	Err error
}

// Error implements error.
func (e *NetworkError) Error() string { return fmt.Sprintf("%s at %s: %v", e.Op, e.Host, e.Err) }

// Unwrap returns the cause.
func (e *NetworkError) Unwrap() error { return e.Err }

// Timeout reports whether waiting for the answer took too long.
func (e *NetworkError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

// Lookup reports whether the host's name could not be resolved.
func (e *NetworkError) Lookup() bool {
	_, ok := errors.AsType[*net.DNSError](e.Err)
	return ok
}

// Certificate returns who issued the certificate that was not trusted, and
// whether that is what went wrong.
func (e *NetworkError) Certificate() (issuer string, ok bool) {
	c, ok := e.untrusted()
	if c == nil {
		return "", ok
	}
	return c.Issuer.String(), ok
}

// untrusted returns the certificate that was not trusted, if that is what went
// wrong and it is known.
func (e *NetworkError) untrusted() (c *x509.Certificate, ok bool) {
	if v, is := errors.AsType[*tls.CertificateVerificationError](e.Err); is {
		if n := len(v.UnverifiedCertificates); n > 0 {
			return v.UnverifiedCertificates[n-1], true
		}
		return nil, true
	}
	if v, is := errors.AsType[x509.UnknownAuthorityError](e.Err); is && v.Cert != nil {
		return v.Cert, true
	}
	return nil, false
}

// AnswerError says that what answered does not speak as AWS does: a captive
// portal, an intercepting proxy, a broken or hostile server.
type AnswerError struct {
	Op   string
	Host string
	Msg  message.Text
	MFA  bool
	// Ended says that the answer was as AWS's are, but for its credentials:
	// by our clock they have ended.
	Ended bool
	Err   error
}

// Error implements error.
func (e *AnswerError) Error() string { return fmt.Sprintf("%s at %s: %s", e.Op, e.Host, e.Msg) }

// Unwrap returns the cause.
func (e *AnswerError) Unwrap() error { return e.Err }

// wrongAnswer is what the transport makes of an answer that is not AWS's.
type wrongAnswer struct{ msg message.Text }

func (e *wrongAnswer) Error() string { return e.msg.String() }

// classify turns an error of the SDK into one of this package's.
func (p *Performer) classify(op, host string, mfa bool, err error) error {
	wrong := func(msg message.Text, cause error) error {
		return &AnswerError{Op: op, Host: host, Msg: msg, MFA: mfa, Err: cause}
	}
	if w, ok := errors.AsType[*wrongAnswer](err); ok {
		return wrong(w.msg, w)
	}
	// An answer may also break off, or not come to its end in time.
	ne, broken := errors.AsType[net.Error](err)
	broken = broken || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.Canceled)
	// The SDK makes up a response of status 0 where none came.
	if resp, answered := errors.AsType[*awshttp.ResponseError](err); answered && !broken && resp.HTTPStatusCode() != 0 {
		return p.refusal(resp, wrong, op, host, mfa, err)
	}
	// The SDK's wrappings say "operation error STS: AssumeRole, …" around
	// what really happened.
	cause := err
	if o, ok := errors.AsType[*smithy.OperationError](err); ok {
		cause = o.Err
	}
	if send, ok := errors.AsType[*smithyhttp.RequestSendError](err); ok {
		cause = send.Err
	}
	switch {
	case ne != nil:
		cause = ne
	case errors.Is(err, io.ErrUnexpectedEOF):
		cause = io.ErrUnexpectedEOF
	}
	return &NetworkError{Op: op, Host: host, MFA: mfa, Err: cause}
}

// refusal is what an answer means that came whole: an error of AWS's, or
// something that AWS never sends.
func (p *Performer) refusal(resp *awshttp.ResponseError, wrong func(message.Text, error) error, op, host string, mfa bool, err error) error {
	if de, ok := errors.AsType[*smithy.DeserializationError](err); ok {
		return wrong(message.New("answer-unreadable", "the answer cannot be read: it is not what AWS sends"), de.Err) // de itself keeps a part of the answer
	}
	status := resp.HTTPStatusCode()
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorCode() == "" || api.ErrorCode() == "UnknownError" && api.ErrorMessage() == "UnknownError" {
		return wrong(message.New("answer-status", "HTTP status %d without an AWS error", status), err)
	}
	e := &APIError{Op: op, Host: host, Code: api.ErrorCode(), Message: api.ErrorMessage(), MFA: mfa, Status: status, RequestID: resp.ServiceRequestID()}
	if resp.Response != nil {
		e.Skew = p.skew(resp.Response.Header)
	}
	if t, ok := toldTime(e.Message); ok {
		e.Skew = t.Sub(p.now()).Round(time.Second)
	}
	return e
}

// skew is the server's clock minus ours by an answer's Date header.
func (p *Performer) skew(h http.Header) time.Duration {
	t, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return t.Sub(p.now()).Round(time.Second)
}

// SourceKind says what kept a source from giving credentials.
type SourceKind int

// Kinds of SourceError.
const (
	BadAnswer      SourceKind = iota + 1 // it gave something else
	ProcessMissing                       // no such command
	ProcessNoExec                        // a command that cannot be run
	ProcessFailed                        // it ended with an error
	ProcessSlow                          // it did not end in time
	ProcessLoop                          // it led back to itself
	NoService                            // nothing answers at the service's address
	NoRole                               // the service answers that there is no role
	ServiceRefused                       // the service wants another token, or none of us
	ServiceFailed                        // the service answers with an error
	NoToken                              // the token that is to be sent cannot be had
)

// SourceError says that a source that is not an API of AWS gave no
// credentials: a process, a metadata service, a file with a token.
type SourceError struct {
	Kind SourceKind
	// Name is the profile of a process, whose command line may hold a
	// password, the service's host or the token's file.
	Name string
	Msg  message.Text
	// Said is what a process wrote to stderr, or a service answered, as it
	// came: whoever prints it makes it safe for a terminal.
	Said string
	Err  error
}

// Error implements error.
func (e *SourceError) Error() string { return e.Msg.String() }

// Unwrap returns the cause.
func (e *SourceError) Unwrap() error { return e.Err }
