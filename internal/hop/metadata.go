package hop

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/message"
)

// maxSaid is how much of what a failing source said is kept for people.
const maxSaid = 4 << 10

// metadata asks a service that gives the machine or the container it stands
// beside its role's credentials. It is reached directly: a proxy stands
// elsewhere, and would see the credentials.
type metadata struct {
	base      string // of the URLs asked, without a slash at the end
	what      string // "EC2 instance", for people
	transport *http.Transport
	timeout   time.Duration // of one try
	tries     int
	log       func(msg string, args ...any)
	waiting   func(host string) (done func())
}

func (p *Performer) metadata(what, base string, timeout time.Duration, tries int) *metadata {
	return &metadata{
		base: strings.TrimSuffix(base, "/"),
		what: what,
		transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: timeout}).DialContext,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true,
		},
		timeout: timeout,
		tries:   tries,
		log:     p.log().Debug,
		waiting: p.waitingFor,
	}
}

// trust sets the certificates that the service's is checked by.
func (m *metadata) trust(caBundle string) error {
	roots, err := rootCAs(caBundle)
	if err != nil {
		return err
	}
	m.transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return nil
}

// header is a header of a request whose value may be a secret.
type header struct {
	name  string
	value cred.Secret
}

// reply is what a service answered.
type reply struct {
	status int
	body   []byte
}

// silence says that a service did not answer. Heard tells that there was a
// connection.
type silence struct {
	heard bool
	err   error
}

func (e *silence) Error() string { return e.err.Error() }
func (e *silence) Unwrap() error { return e.err }

// ask sends a request, again where the service is busy or does not answer.
// An error is a *silence, or of ctx.
func (m *metadata) ask(ctx context.Context, method, path string, headers ...header) (reply, error) {
	defer m.waiting(m.host())()
	for try := 1; ; try++ {
		r, err := m.once(ctx, method, path, headers)
		if ctx.Err() != nil {
			return reply{}, ctx.Err()
		}
		m.log("asked the metadata service", "method", method, "host", m.host(), "status", r.status, "error", err)
		busy := err != nil || r.status >= 500 || r.status == http.StatusTooManyRequests
		if !busy || try >= m.tries {
			return r, err
		}
		select {
		case <-time.After(rand.N(min(100*time.Millisecond<<try, time.Second))):
		case <-ctx.Done():
			return reply{}, ctx.Err()
		}
	}
}

func (m *metadata) once(ctx context.Context, method, path string, headers []header) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	connected := false
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected = true }})
	req, err := http.NewRequestWithContext(ctx, method, m.base+path, nil)
	if err != nil {
		return reply{}, &silence{err: err}
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "aws-switch-role")
	for _, h := range headers {
		req.Header.Set(h.name, h.value.Reveal())
	}
	// RoundTrip, unlike http.Client, follows no redirect with the token.
	resp, err := m.transport.RoundTrip(req)
	if err != nil {
		return reply{}, &silence{connected, err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxHelper+1))
	if err != nil {
		return reply{}, &silence{true, err}
	}
	return reply{resp.StatusCode, body}, nil
}

func (m *metadata) host() string {
	u, err := url.Parse(m.base)
	if err != nil {
		return ""
	}
	return u.Host
}

// close ends the connections.
func (m *metadata) close() { m.transport.CloseIdleConnections() }

// fail makes a SourceError of the service.
func (m *metadata) fail(kind SourceKind, r reply, err error, msg message.Text) error {
	said := r.body[:min(len(r.body), maxSaid)]
	return &SourceError{Kind: kind, Name: m.host(), Msg: msg, Said: strings.TrimSpace(string(said)), Err: err}
}

// silent makes a SourceError of a request without an answer; other errors it
// leaves as they are.
func (m *metadata) silent(err error) error {
	s, ok := errors.AsType[*silence](err)
	if !ok {
		return err
	}
	return m.fail(NoService, reply{}, s, message.New("service-silent", "this machine does not answer as an %s: no answer from %s", m.what, m.host()))
}

// roleKey is the document that both services give a role's credentials in.
// An instance's service may answer with a Code and a Message in their place.
type roleKey struct {
	Code, Message          string
	AccessKeyID            string `json:"AccessKeyId"`
	SecretAccessKey, Token string
	Expiration             *time.Time
	AccountID              string `json:"AccountId"`
}

// credentials reads the document of a role's credentials.
func (m *metadata) credentials(r reply, now time.Time) (cred.Credentials, error) {
	// What cannot be read may hold a secret: it is not quoted.
	var k roleKey
	if len(r.body) > maxHelper {
		return cred.Credentials{}, m.fail(BadAnswer, reply{}, nil, message.New("service-too-much", "%s answers with more than %d KiB", m.host(), maxHelper>>10))
	}
	if err := json.Unmarshal(r.body, &k); err != nil {
		return cred.Credentials{}, m.fail(BadAnswer, reply{}, nil, message.New("service-no-json", "%s does not answer with the JSON of credentials", m.host()))
	}
	if k.Code != "" && k.Code != "Success" {
		return cred.Credentials{}, m.fail(ServiceFailed, reply{body: []byte(k.Code + ": " + k.Message)}, nil, message.New("service-no-credentials", "%s has no credentials to give", m.host()))
	}
	if k.Token == "" || k.Expiration == nil {
		return cred.Credentials{}, m.fail(BadAnswer, reply{}, nil, message.New("service-no-role-key", "the credentials of %s are not a role's: no Token or no Expiration", m.host()))
	}
	c, err := key{id: k.AccessKeyID, secret: k.SecretAccessKey, token: k.Token, expires: k.Expiration, account: k.AccountID}.credentials(now)
	if err != nil {
		return cred.Credentials{}, m.fail(BadAnswer, reply{}, nil, message.New("service-wrong", "%s: %v", m.host(), message.Of(err)))
	}
	return c, nil
}
