package deliver

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"aws-switch-role/internal/cred"
)

// Page is a page on the loopback interface that sends a browser on to a secret
// address. A browser's command line is readable: on most systems by everybody,
// and for as long as the browser runs. So it gets the page's address, which is
// worth nothing once the browser has been there: the page is shown once. Where
// the system tells whose connection it is, no other user gets there before.
// Whoever can read the memory of this user's processes, or acts as this user in
// that moment, is not kept out.
type Page struct {
	// URL is the page's address, with a random path.
	URL string

	listener net.Listener
	server   *http.Server
	path     string
	to       cred.Secret
	used     atomic.Bool
	shown    chan struct{} // closed when used
}

// NewPage serves a page that leads to an address, until it is closed.
func NewPage(to cred.Secret) (*Page, error) { return servePage(to, checkPeer) }

// servePage is NewPage with a check of whether a connection is a stranger's.
func servePage(to cred.Secret, check func(net.Conn) error) (*Page, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Page{listener: l, to: to, path: "/" + rand.Text(), shown: make(chan struct{})}
	p.URL = "http://" + l.Addr().String() + p.path
	p.server = &http.Server{
		Handler:           p,
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    64 << 10, // cookies of everything on this host
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if stranger, ok := errors.AsType[errStranger](check(c)); ok {
				return context.WithValue(ctx, strangerKey{}, stranger)
			}
			return ctx // also where the system does not tell
		},
	}
	go func() { _ = p.server.Serve(l) }()
	return p, nil
}

// Shown is closed when a browser was sent on.
func (p *Page) Shown() <-chan struct{} { return p.shown }

// Close ends the page; an answer that is on its way is let through.
func (p *Page) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := p.server.Shutdown(ctx); err != nil {
		return p.server.Close()
	}
	return nil
}

// ServeHTTP implements [http.Handler]. A request for another name than this
// machine's own is a stranger's, whose page asks here (DNS rebinding); the port
// may be another where an editor forwards it from afar.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	switch {
	case !isLoopback(r.Host) || subtle.ConstantTimeCompare([]byte(r.URL.Path), []byte(p.path)) != 1:
		http.NotFound(w, r)
		return
	case r.Method != http.MethodGet:
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	case r.Context().Value(strangerKey{}) != nil:
		http.Error(w, "this page is somebody else's", http.StatusForbidden)
		return
	}
	if !p.used.CompareAndSwap(false, true) {
		http.Error(w, "this page was shown already; run aws-switch-role console again", http.StatusGone)
		return
	}
	h.Set("Location", p.to.Reveal())
	w.WriteHeader(http.StatusSeeOther)
	close(p.shown)
}

// isLoopback reports whether a Host header names this machine.
func isLoopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	return err == nil && (name == "127.0.0.1" || name == "localhost")
}
