package hop_test

import (
	"context"
	"crypto/sha1"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/plan"
)

// overTLS serves the world with a certificate for example.com and 127.0.0.1
// that no system trusts, and returns the name of a file with that certificate.
func (w *world) overTLS(t *testing.T) (server *httptest.Server, bundle string) {
	t.Helper()
	server = httptest.NewUnstartedServer(w.counting(w.Server))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that should fail
	server.StartTLS()
	t.Cleanup(server.Close)
	bundle = filepath.Join(t.TempDir(), "bundle.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(bundle, text, 0o600); err != nil {
		t.Fatal(err)
	}
	w.endpoint = plan.Endpoint{Region: "eu-west-1", URL: server.URL}
	return server, bundle
}

func TestCABundle(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("SECRET"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("trusted", func(t *testing.T) {
		w := newWorld(t, emulator.Options{})
		_, w.CABundle = w.overTLS(t)
		if _, err := w.perform(t, w.session(device), me); err != nil {
			t.Error(err)
		}
	})
	t.Run("not trusted", func(t *testing.T) {
		w := newWorld(t, emulator.Options{})
		w.overTLS(t)
		_, err := w.perform(t, w.session(device), me)
		e, ok := err.(*hop.NetworkError)
		if !ok {
			t.Fatalf("%#v", err)
		}
		if issuer, ok := e.Certificate(); !ok || issuer != "O=Acme Co" || e.Timeout() || e.Lookup() {
			t.Errorf("issuer %q, %v: %v", issuer, ok, err)
		}
		if all, _ := w.sent(); all != 0 {
			t.Errorf("%d requests reached a server that is not trusted", all)
		}
	})
	t.Run("for another name", func(t *testing.T) {
		w := newWorld(t, emulator.Options{})
		server, bundle := w.overTLS(t)
		w.CABundle, w.endpoint.URL = bundle, "https://sts.eu-west-1.amazonaws.com"
		dialer := &net.Dialer{}
		if err := w.DialWith(func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, server.Listener.Addr().String())
		}); err != nil {
			t.Fatal(err)
		}
		_, err := w.perform(t, w.session(device), me)
		if e, ok := err.(*hop.NetworkError); !ok || e.Host != w.endpoint.URL {
			t.Errorf("%#v", err)
		}
		if all, _ := w.sent(); all != 0 {
			t.Errorf("%d requests reached a server of another name", all)
		}
	})
	for name, want := range map[string]string{
		filepath.Join(t.TempDir(), "missing.pem"): "no such file",
		empty:       "holds no certificate in PEM form",
		t.TempDir(): "is a directory",
	} {
		w := live(t, emulator.Options{})
		w.CABundle = name
		for range 2 { // the error is kept, and not a client without trust
			if _, err := w.perform(t, w.session(plan.MFA{}), me); err == nil || !strings.Contains(err.Error(), "ca_bundle") || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		}
	}
}

// childURL is the variable that makes the test binary a child which performs
// one hop and prints what became of it: net/http reads the variables of
// proxies once in a process.
const childURL = "HOP_TEST_URL"

func child(url string) int {
	p := &hop.Performer{CABundle: os.Getenv("HOP_TEST_BUNDLE")}
	dialer := &net.Dialer{}
	err := p.DialWith(func(ctx context.Context, network, addr string) (net.Conn, error) {
		fmt.Println("dial", addr)
		if _, port, _ := net.SplitHostPort(addr); port == "443" {
			addr = os.Getenv("HOP_TEST_SERVER") // whose name no DNS knows
		}
		return dialer.DialContext(ctx, network, addr)
	})
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		var h plan.Hop = plan.AssumeRole{RoleARN: emulator.DemoRole("Open"), SessionName: "jane", Duration: time.Hour, Endpoint: plan.Endpoint{Region: "eu-west-1", URL: url}}
		if p.SSOCache = os.Getenv("HOP_TEST_SSO"); p.SSOCache != "" {
			h = plan.SSO{Session: "corp", StartURL: emulator.DemoStartURL, AccountID: emulator.DemoAccount, RoleName: "Developer", Endpoint: url, OIDCEndpoint: url}
		}
		_, err = p.Perform(ctx, h, me)
	}
	if err != nil {
		fmt.Println("error", err)
		return 0
	}
	fmt.Println("done")
	return 0
}

// proxy is an HTTP proxy that leads everywhere to one server.
type proxy struct {
	to string

	mu    sync.Mutex
	asked []string // "CONNECT sts.example.com:443" and the authorization
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, strings.TrimSpace(r.Method+" "+r.Host+" "+r.Header.Get("Proxy-Authorization")))
	p.mu.Unlock()
	if strings.HasPrefix(r.Host, "refused.") {
		http.Error(w, "no", http.StatusProxyAuthRequired)
		return
	}
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer server.Close()
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	_, _ = io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(server, client); _ = server.Close() }()
	_, _ = io.Copy(client, server)
}

func TestProxies(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	server, bundle := w.overTLS(t)
	to := server.Listener.Addr().String()
	signIn, err := w.SSOToken(emulator.SSOSignIn{StartURL: emulator.DemoStartURL, Person: emulator.DemoPerson, Region: "eu-west-1", Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	signIns := t.TempDir()
	if err := os.WriteFile(filepath.Join(signIns, fmt.Sprintf("%x.json", sha1.Sum([]byte("corp")))), signIn, 0o600); err != nil {
		t.Fatal(err)
	}
	portal := "HOP_TEST_SSO=" + signIns
	const (
		sts     = "https://sts.example.com"
		connect = "CONNECT sts.example.com:443"
		direct  = "dial sts.example.com:443\ndone\n"
		through = "dial PROXY\ndone\n"
		basic   = " Basic bWU6U0VDUkVU"
	)
	for _, test := range []struct {
		name  string
		url   string
		env   []string // PROXY stands for the proxy's address
		out   string   // of the child
		asked string   // of the proxy
	}{
		{"none", sts, nil, direct, ""},
		{"HTTPS_PROXY", sts, []string{"HTTPS_PROXY=http://PROXY"}, through, connect},
		{"lower case", sts, []string{"https_proxy=http://PROXY"}, through, connect},
		{"of http", sts, []string{"HTTP_PROXY=http://PROXY"}, direct, ""},
		{"NO_PROXY", sts, []string{"HTTPS_PROXY=http://PROXY", "NO_PROXY=.example.com"}, direct, ""},
		{"NO_PROXY for others", sts, []string{"HTTPS_PROXY=http://PROXY", "NO_PROXY=.example.org"}, through, connect},
		{"loopback", server.URL, []string{"HTTPS_PROXY=http://PROXY"}, "dial " + to + "\ndone\n", ""},
		{"with a password", sts, []string{"HTTPS_PROXY=http://me:SECRET@PROXY"}, through, connect + basic},
		{"refused", "https://refused.example.com", []string{"HTTPS_PROXY=http://me:SECRET@PROXY"},
			"error AssumeRole at https://refused.example.com: Proxy Authentication Required\n", "CONNECT refused.example.com:443" + basic},
		{"portal without", sts, []string{portal}, direct, ""},
		{"portal", sts, []string{portal, "HTTPS_PROXY=http://PROXY"}, through, connect},
		{"portal and NO_PROXY", sts, []string{portal, "HTTPS_PROXY=http://PROXY", "NO_PROXY=sts.example.com"}, direct, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := &proxy{to: to}
			between := httptest.NewServer(p)
			defer between.Close()
			named := strings.NewReplacer("PROXY=", "PROXY=", "PROXY", strings.TrimPrefix(between.URL, "http://"))
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), self)
			cmd.Env = []string{childURL + "=" + test.url, "HOP_TEST_BUNDLE=" + bundle, "HOP_TEST_SERVER=" + to}
			for _, v := range test.env {
				cmd.Env = append(cmd.Env, named.Replace(v))
			}
			out, err := cmd.CombinedOutput()
			if want := named.Replace(test.out); err != nil || !strings.HasSuffix(string(out), want) || strings.Contains(string(out), "SECRET") {
				t.Errorf("%v\n%s\nwant %s", err, out, want)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if asked := strings.Join(slices.Compact(p.asked), ", "); asked != test.asked {
				t.Errorf("the proxy was asked for %q, want %q", asked, test.asked)
			}
		})
	}
}
