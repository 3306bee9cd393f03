package deliver

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"aws-switch-role/internal/cred"
)

// Endpoint is a container credential provider ("Container credential provider",
// AWS SDKs and Tools Reference Guide) on the loopback interface: an HTTP
// service that gives credentials to whoever knows its token.
type Endpoint struct {
	listener net.Listener
	token    cred.Secret
}

// Service is what an endpoint hands out, and to whom.
type Service struct {
	// Credentials returns what to hand out now. An error that is a [*Refusal]
	// is the answer; of any other nothing is told but that there is one.
	Credentials func(context.Context) (cred.Credentials, error)
	// RoleARN is the role that the credentials are of, when there is one.
	RoleARN string
	// AnyUser lets the processes of all users ask. Otherwise, where the system
	// tells whose a connection is, none may but this process's user and root.
	AnyUser bool
	// Now tells the time.
	Now func() time.Time
}

// Refusal is an answer without credentials: an HTTP status, and the code and
// message that the SDKs show.
type Refusal struct {
	Status        int
	Code, Message string
}

// Error implements error.
func (r *Refusal) Error() string { return r.Message }

const (
	// endpointPath is the one path that there is.
	endpointPath = "/credentials"
	// Connections at once. Those of other users, who get nothing, are counted
	// apart, so that they cannot keep ours waiting.
	maxConnections, maxForeign = 64, 8
	// headerTimeout bounds the time in which a request arrives, and
	// answerTimeout that in which it is answered.
	headerTimeout, answerTimeout = 2 * time.Second, 5 * time.Second
	// maxHeader bounds a request's header, of which net/http reads 4 KiB more
	// than it is told.
	maxHeader = 8 << 10
	// unknownLife is what credentials of which nobody knows the end are said
	// to last: botocore takes none without an Expiration. It asks again then.
	unknownLife = time.Hour
)

// Listen opens an endpoint on a port of 127.0.0.1, or on any that is free if
// port is 0. What connects before [Endpoint.Serve] waits.
func Listen(port int) (*Endpoint, error) {
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	token := make([]byte, 32)
	_, _ = rand.Read(token) // never fails: see its documentation
	return &Endpoint{l, cred.NewSecret(base64.RawURLEncoding.EncodeToString(token))}, nil
}

// Close ends the endpoint.
func (e *Endpoint) Close() error { return e.listener.Close() }

// URL is where the endpoint is. It is no secret.
func (e *Endpoint) URL() string { return "http://" + e.listener.Addr().String() + endpointPath }

// Export writes, as [Export] does, the variables by which the SDKs find the
// endpoint and may ask it, and the region if as has one.
func (e *Endpoint) Export(w io.Writer, format Format, base []string, as As) error {
	vars := append(files(base, as), []variable{
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI", e.URL()},
		{"AWS_CONTAINER_AUTHORIZATION_TOKEN", e.token.Reveal()},
		{"AWS_REGION", as.Region},
		{"AWS_DEFAULT_REGION", as.Region},
	}...)
	return export(w, format, base, slices.DeleteFunc(vars, func(v variable) bool { return v.value == "" }))
}

// Serve answers requests until ctx is done, and closes the endpoint.
func (e *Endpoint) Serve(ctx context.Context, s Service) error {
	d := &door{Listener: e.listener, check: checkPeer, ours: make(chan struct{}, maxConnections), foreign: make(chan struct{}, maxForeign)}
	if s.AnyUser {
		d.check = func(net.Conn) error { return nil }
	}
	server := e.server(s)
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(d); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// server answers the connections that a [door] lets in.
func (e *Endpoint) server(s Service) *http.Server {
	server := &http.Server{
		Handler:                      e.handler(s),
		ReadHeaderTimeout:            headerTimeout,
		ReadTimeout:                  headerTimeout,
		WriteTimeout:                 answerTimeout,
		MaxHeaderBytes:               maxHeader - 4<<10,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, strangerKey{}, c.(*visitor).stranger)
		},
	}
	// One request a connection: nothing can hide behind another's.
	server.SetKeepAlivesEnabled(false)
	return server
}

// handler answers requests: with the credentials, or with the reason why not.
func (e *Endpoint) handler(s Service) http.Handler {
	_, port, _ := net.SplitHostPort(e.listener.Addr().String())
	hosts := []string{"127.0.0.1:" + port, "localhost:" + port}
	digest := sha256.Sum256([]byte(e.token.Reveal()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refusal := refuse(r, hosts, digest)
		if refusal == nil {
			c, err := s.Credentials(r.Context())
			if err == nil {
				answer(w, http.StatusOK, served(c, s))
				return
			}
			var ok bool
			if refusal, ok = errors.AsType[*Refusal](err); !ok {
				refusal = &Refusal{http.StatusInternalServerError, "InternalError", "aws-switch-role could not get the credentials"}
			}
		}
		if refusal.Status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", http.MethodGet)
		}
		answer(w, refusal.Status, struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		}{refusal.Code, refusal.Message})
	})
}

// served is what SDKs read of a container's credentials.
func served(c cred.Credentials, s Service) any {
	if c.Expires.IsZero() {
		c.Expires = s.Now().Add(unknownLife)
	}
	return struct {
		AccessKeyID     string `json:"AccessKeyId"`
		SecretAccessKey string
		Token           string
		Expiration      string
		AccountID       string `json:"AccountId,omitempty"`
		RoleARN         string `json:"RoleArn,omitempty"`
	}{c.AccessKeyID, c.SecretAccessKey.Reveal(), c.SessionToken.Reveal(), timestamp(c.Expires), c.AccountID, s.RoleARN}
}

// answer writes an answer that nobody may keep, and no web page read.
func answer(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	w.WriteHeader(status)
	_ = writeJSON(w, v) // whom to tell?
}

// refuse says what keeps a request from being an SDK's, or returns nil. A
// request must bear the token, and nothing that a browser or a proxy adds: the
// one may be led here by a page of any site (with DNS rebinding under that
// site's own name), the other speaks for whoever asked it.
func refuse(r *http.Request, hosts []string, token [sha256.Size]byte) *Refusal {
	if err, _ := r.Context().Value(strangerKey{}).(error); err != nil {
		return &Refusal{http.StatusForbidden, "OtherUser", err.Error() + ": end aws-switch-role serve, and start it with --any-user to let the token alone decide"}
	}
	if !slices.Contains(hosts, r.Host) {
		return &Refusal{http.StatusMisdirectedRequest, "WrongHost", "this is " + hosts[0]}
	}
	for name := range r.Header {
		if ofBrowserOrProxy(name) {
			return &Refusal{http.StatusForbidden, "NotDirect", "no browser or proxy is answered: the request has the header " + name}
		}
	}
	switch given := r.Header["Authorization"]; {
	case r.RequestURI != endpointPath:
		return &Refusal{http.StatusNotFound, "NotFound", "the credentials are at " + endpointPath}
	case r.Method != http.MethodGet:
		return &Refusal{http.StatusMethodNotAllowed, "MethodNotAllowed", "GET is all there is"}
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return &Refusal{http.StatusBadRequest, "BadRequest", "a request has no body"}
	case len(given) != 1 || !equal(sha256.Sum256([]byte(given[0])), token):
		return &Refusal{http.StatusForbidden, "WrongToken", "the token is not that of this endpoint: take AWS_CONTAINER_AUTHORIZATION_TOKEN and AWS_CONTAINER_CREDENTIALS_FULL_URI from the same run of aws-switch-role serve"}
	}
	return nil
}

// equal compares digests in a time that says nothing of them.
func equal(a, b [sha256.Size]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }

// ofBrowserOrProxy reports whether a header, in its canonical form, is one that
// no SDK sends. Those with Sec- no script can set or leave out (Fetch Standard,
// "forbidden request-header").
func ofBrowserOrProxy(name string) bool {
	switch name {
	case "Origin", "Referer", "Cookie", "Via", "Forwarded", "X-Real-Ip":
		return true
	}
	return strings.HasPrefix(name, "Sec-") || strings.HasPrefix(name, "X-Forwarded-")
}

// strangerKey is the key under which a request's context holds the error of
// the connection's [door.check].
type strangerKey struct{}

// errStranger says that another user asks.
type errStranger struct{ uid uint32 }

func (e errStranger) Error() string {
	return fmt.Sprintf("user %d is not the one who started aws-switch-role serve", e.uid)
}

// door lets connections in, so many at once and no more.
type door struct {
	net.Listener
	check         func(net.Conn) error // whether a connection is a stranger's
	ours, foreign chan struct{}        // hold a token for each connection
}

// Accept implements [net.Listener]. A stranger is let in to be told why not,
// unless too many are.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		stranger := d.check(c)
		if stranger == nil {
			d.ours <- struct{}{}
			return &visitor{c, nil, sync.OnceFunc(func() { <-d.ours })}, nil
		}
		select {
		case d.foreign <- struct{}{}:
			return &visitor{c, stranger, sync.OnceFunc(func() { <-d.foreign })}, nil
		default:
			_ = c.Close()
		}
	}
}

// visitor is a connection that a [door] let in.
type visitor struct {
	net.Conn
	stranger error // why it gets nothing
	leave    func()
}

// Close implements [net.Conn].
func (v *visitor) Close() error {
	defer v.leave()
	return v.Conn.Close()
}
