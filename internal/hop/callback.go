package hop

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"html"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// callback waits on the loopback interface for the browser to bring a code
// back. Any page and any program on this machine can send requests here. So
// the one that counts must be a person's way through their browser, carry the
// state that only the page of AWS was told, and be the first.
type callback struct {
	uri     string // where it is
	host    string
	state   string
	answers chan codeAnswer // gets one
	outcome chan error      // what has come of it, for the browser
	used    atomic.Bool
	server  *http.Server
}

// codeAnswer is what the browser brings: a code, or why there is none.
type codeAnswer struct{ code, problem, description string }

func listenForCode() (*callback, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &callback{
		uri: "http://" + l.Addr().String() + callbackPath, host: l.Addr().String(), state: rand.Text(),
		answers: make(chan codeAnswer, 1), outcome: make(chan error, 1),
	}
	c.server = &http.Server{
		Handler:           c,
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    64 << 10, // cookies of everything on this host
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	go func() { _ = c.server.Serve(l) }()
	return c, nil
}

// close stops listening; an answer that is on its way is let through.
func (c *callback) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if c.server.Shutdown(ctx) != nil {
		_ = c.server.Close()
	}
}

// ServeHTTP implements http.Handler.
func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch {
	case r.Host != c.host || r.URL.Path != callbackPath:
		// Another name for this address is how a page elsewhere would get at
		// it (DNS rebinding).
		show(w, http.StatusNotFound, "Nothing here", "This address is for signing in, and it is not the right one.")
		return
	case r.Method != http.MethodGet || !navigation(r.Header):
		show(w, http.StatusForbidden, "Refused", "This address is for a browser that is sent here by IAM Identity Center.")
		return
	case subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(c.state)) != 1:
		show(w, http.StatusBadRequest, "Refused", "This is not the sign-in that was begun. Go back to the terminal, and begin again there if it waits no more.")
		return
	case q.Get("code") == "" && q.Get("error") == "" || !c.used.CompareAndSwap(false, true):
		show(w, http.StatusConflict, "Refused", "This sign-in was used already. You can close this window.")
		return
	}
	c.answers <- codeAnswer{q.Get("code"), q.Get("error"), q.Get("error_description")}
	select {
	case err := <-c.outcome:
		if err != nil {
			show(w, http.StatusOK, "Not signed in", "The terminal says why. You can close this window.")
			return
		}
		show(w, http.StatusOK, "You are signed in", "You can close this window and go back to the terminal.")
	case <-r.Context().Done():
	}
}

// navigation reports whether a request is a window that goes somewhere, as far
// as the browser tells (Fetch Metadata Request Headers): nothing that a page
// loads, frames or fetches.
func navigation(h http.Header) bool {
	mode, dest := h.Get("Sec-Fetch-Mode"), h.Get("Sec-Fetch-Dest")
	return h.Get("Origin") == "" && (mode == "" || mode == "navigate") && (dest == "" || dest == "document")
}

// style is that of the pages: calm, and of both colour schemes.
const style = `:root{color-scheme:light dark}body{font:1.125rem/1.6 system-ui,sans-serif;display:grid;place-content:center;min-height:90vh;margin:0 1.5rem;text-align:center}h1{font-weight:600;margin:0}p{margin:.5rem 0;max-width:32rem;opacity:.8}`

// show answers with a page that loads nothing, runs nothing, is kept nowhere
// and is in nobody's frame.
func show(w http.ResponseWriter, status int, title, text string) {
	sum := sha256.Sum256([]byte(style))
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Connection", "close")
	w.WriteHeader(status)
	page := strings.NewReplacer("{title}", html.EscapeString(title), "{text}", html.EscapeString(text), "{style}", style).Replace(page)
	_, _ = w.Write([]byte(page))
}

const page = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title} - aws-switch-role</title><style>{style}</style></head>
<body><h1>{title}</h1><p>{text}</p></body>
</html>
`
