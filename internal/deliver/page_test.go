package deliver

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"aws-switch-role/internal/cred"
)

const somewhere = "https://signin.aws.amazon.com/federation?SigninToken=SECRET"

// newPage serves a page; get asks for what it is told, and follows nothing.
func newPage(t *testing.T, checks ...func(net.Conn) error) (p *Page, get func(change func(*http.Request)) *http.Response) {
	t.Helper()
	p, err := servePage(cred.NewSecret(somewhere), append(checks, checkPeer)[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	transport := &http.Transport{DisableKeepAlives: true}
	return p, func(change func(*http.Request)) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp
	}
}

func TestPageIsShownOnce(t *testing.T) {
	p, get := newPage(t)
	if !strings.HasPrefix(p.URL, "http://127.0.0.1:") || strings.Contains(p.URL, "SECRET") {
		t.Errorf("the page is at %s", p.URL)
	}
	first := get(func(*http.Request) {})
	if first.StatusCode != http.StatusSeeOther || first.Header.Get("Location") != somewhere || first.Header.Get("Cache-Control") != "no-store" || first.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%d %v", first.StatusCode, first.Header)
	}
	select {
	case <-p.Shown():
	default:
		t.Error("it does not say that it was shown")
	}
	if again := get(func(*http.Request) {}); again.StatusCode != http.StatusGone || again.Header.Get("Location") != "" {
		t.Errorf("again: %d %v", again.StatusCode, again.Header)
	}
}

// TestPageIsForItsBrowser: what else asks there gets nothing, and takes
// nothing away.
func TestPageIsForItsBrowser(t *testing.T) {
	p, get := newPage(t)
	for name, tc := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"another path":       {func(r *http.Request) { r.URL.Path = "/" }, http.StatusNotFound},
		"a longer path":      {func(r *http.Request) { r.URL.Path += "x" }, http.StatusNotFound},
		"the icon":           {func(r *http.Request) { r.URL.Path = "/favicon.ico" }, http.StatusNotFound},
		"a name for us":      {func(r *http.Request) { r.Host = "rebound.example" }, http.StatusNotFound},
		"a name like ours":   {func(r *http.Request) { r.Host = "localhost.example:" + r.URL.Port() }, http.StatusNotFound},
		"no port":            {func(r *http.Request) { r.Host = "localhost" }, http.StatusNotFound},
		"a look at the head": {func(r *http.Request) { r.Method = http.MethodHead }, http.StatusMethodNotAllowed},
		"a form":             {func(r *http.Request) { r.Method = http.MethodPost }, http.StatusMethodNotAllowed},
	} {
		if got := get(tc.change); got.StatusCode != tc.status || got.Header.Get("Location") != "" {
			t.Errorf("%s: %d %v", name, got.StatusCode, got.Header)
		}
	}
	select {
	case <-p.Shown():
		t.Error("it says that it was shown")
	default:
	}
	if got := get(func(*http.Request) {}); got.StatusCode != http.StatusSeeOther {
		t.Errorf("its browser gets %d", got.StatusCode)
	}
}

// TestPageIsNotForOthers: another user gets nothing, and takes nothing away.
func TestPageIsNotForOthers(t *testing.T) {
	others := []error{errStranger{1234}, errStranger{1235}, nil, errors.New("who knows")}
	_, get := newPage(t, func(net.Conn) error {
		err := others[0]
		others = others[1:]
		return err
	})
	for _, status := range []int{http.StatusForbidden, http.StatusForbidden, http.StatusSeeOther, http.StatusGone} {
		if got := get(func(*http.Request) {}); got.StatusCode != status || (got.Header.Get("Location") != "") != (status == http.StatusSeeOther) {
			t.Errorf("%d %v, want %d", got.StatusCode, got.Header, status)
		}
	}
	_, get = newPage(t, func(net.Conn) error { return errors.New("the system does not tell") })
	if got := get(func(*http.Request) {}); got.StatusCode != http.StatusSeeOther {
		t.Errorf("where the system does not tell: %d", got.StatusCode)
	}
}

// TestPageFromAfar: an editor that forwards the port may have another one there.
func TestPageFromAfar(t *testing.T) {
	_, get := newPage(t)
	if got := get(func(r *http.Request) { r.Host = "localhost:1" }); got.StatusCode != http.StatusSeeOther {
		t.Errorf("%d", got.StatusCode)
	}
}

// TestPageCloses frees its port.
func TestPageCloses(t *testing.T) {
	p, _ := newPage(t)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "http://"+u.Host+"/", nil)
	r.RequestURI = ""
	if resp, err := http.DefaultTransport.RoundTrip(r); err == nil {
		_ = resp.Body.Close()
		t.Error("somebody still answers")
	}
}
