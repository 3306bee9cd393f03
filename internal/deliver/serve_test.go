package deliver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/figure"
)

var handedOut = cred.Credentials{
	AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: cred.NewSecret("the SECRET"), SessionToken: cred.NewSecret("the token's SECRET"),
	Expires: time.Date(2030, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600)), AccountID: "222222222222",
}

// serving starts an endpoint that hands out handedOut, unless change has it
// otherwise.
func serving(t *testing.T, change func(*Service)) *Endpoint {
	t.Helper()
	e, err := Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	s := Service{
		Credentials: func(context.Context) (cred.Credentials, error) { return handedOut, nil },
		RoleARN:     "arn:aws:iam::222222222222:role/Ops",
		Now:         func() time.Time { return time.Date(2029, 12, 31, 23, 0, 0, 0, time.UTC) },
	}
	if change != nil {
		change(&s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Serve(ctx, s) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return e
}

// exchange sends bytes to an endpoint and returns all that comes back.
func exchange(t *testing.T, e *Endpoint, request string) string {
	t.Helper()
	c, err := net.Dial("tcp4", e.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the connection was not closed")
	}
	return string(answer)
}

// request is what SDKs send, with PORT and TOKEN filled in.
func request(e *Endpoint, text string) string {
	_, port, _ := net.SplitHostPort(e.listener.Addr().String())
	return strings.NewReplacer("PORT", port, "TOKEN", e.token.Reveal(), "\n", "\r\n").Replace(text)
}

const askedBySDK = "GET /credentials HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: TOKEN\nUser-Agent: Boto3/1.43\nAccept-Encoding: gzip\n\n"

func TestEndpoint(t *testing.T) {
	e := serving(t, nil)
	for _, text := range []string{
		askedBySDK,
		"GET /credentials HTTP/1.1\nHost: localhost:PORT\nAuthorization: TOKEN\nAccept: */*\n\n",
		"GET /credentials HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: TOKEN\nContent-Length: 0\nConnection: keep-alive\n\n",
	} {
		resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(exchange(t, e, request(e, text)))), nil)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]string
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{
			"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "the SECRET", "Token": "the token's SECRET",
			"Expiration": "2030-01-02T02:04:05Z", "AccountId": "222222222222", "RoleArn": "arn:aws:iam::222222222222:role/Ops",
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || resp.StatusCode != http.StatusOK || !resp.Close {
			t.Errorf("%d %v, want %v", resp.StatusCode, got, want)
		}
		for name, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "Access-Control-Allow-Origin": ""} {
			if got := strings.Join(resp.Header[name], ","); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

func TestEndpointUnknownEnd(t *testing.T) {
	e := serving(t, func(s *Service) {
		s.RoleARN = ""
		s.Credentials = func(context.Context) (cred.Credentials, error) {
			return cred.Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: cred.NewSecret("x"), SessionToken: cred.NewSecret("y")}, nil
		}
	})
	got := exchange(t, e, request(e, askedBySDK))
	if want := `{"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"x","Token":"y","Expiration":"2030-01-01T00:00:00Z"}`; !strings.Contains(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestEndpointRefuses has everything ask that is no SDK, mostly with the right
// token.
func TestEndpointRefuses(t *testing.T) {
	e := serving(t, nil)
	const start = "GET /credentials HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: TOKEN\n"
	hostile := map[string]struct {
		request string
		status  string // "" for none: the connection is just closed
	}{
		"rebound name":            {"GET /credentials HTTP/1.1\nHost: evil.test:PORT\nAuthorization: TOKEN\n\n", "421"},
		"another port":            {"GET /credentials HTTP/1.1\nHost: 127.0.0.1:1\nAuthorization: TOKEN\n\n", "421"},
		"no port":                 {"GET /credentials HTTP/1.1\nHost: localhost\nAuthorization: TOKEN\n\n", "421"},
		"a name of the address":   {"GET /credentials HTTP/1.1\nHost: 127.0.0.1.nip.io:PORT\nAuthorization: TOKEN\n\n", "421"},
		"a dot behind the name":   {"GET /credentials HTTP/1.1\nHost: localhost.:PORT\nAuthorization: TOKEN\n\n", "421"},
		"a spelling of loopback":  {"GET /credentials HTTP/1.1\nHost: 127.1:PORT\nAuthorization: TOKEN\n\n", "421"},
		"any address":             {"GET /credentials HTTP/1.1\nHost: 0.0.0.0:PORT\nAuthorization: TOKEN\n\n", "421"},
		"loopback of IPv6":        {"GET /credentials HTTP/1.1\nHost: [::1]:PORT\nAuthorization: TOKEN\n\n", "421"},
		"no host":                 {"GET /credentials HTTP/1.1\nAuthorization: TOKEN\n\n", "400"},
		"two hosts":               {start + "Host: evil.test\n\n", "400"},
		"HTTP/1.0 without a host": {"GET /credentials HTTP/1.0\nAuthorization: TOKEN\n\n", "421"},
		"HTTP/0.9":                {"GET /credentials\n\n", "400"},
		"HTTP/2":                  {"PRI * HTTP/2.0\n\nSM\n\n", "421"},

		"a page's script":         {start + "Origin: https://evil.test\n\n", "403"},
		"an opaque origin":        {start + "Origin: null\n\n", "403"},
		"a link":                  {start + "Referer: http://127.0.0.1:PORT/\n\n", "403"},
		"a browser's image":       {start + "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors\n\n", "403"},
		"a browser's own address": {start + "sec-fetch-site: none\n\n", "403"},
		"a cookie":                {start + "Cookie: a=b\n\n", "403"},
		"a proxy":                 {start + "Via: 1.1 proxy\n\n", "403"},
		"a proxy for another":     {start + "X-Forwarded-For: 192.0.2.1\n\n", "403"},
		"a standard proxy":        {start + "Forwarded: for=192.0.2.1\n\n", "403"},
		"a proxy of another host": {start + "X-Forwarded-Host: evil.test\n\n", "403"},
		"an empty origin":         {start + "Origin:\n\n", "403"},

		"no token":         {"GET /credentials HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", "403"},
		"an empty token":   {"GET /credentials HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization:\n\n", "403"},
		"a wrong token":    {"GET /credentials HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\n", "403"},
		"a short token":    {"GET /credentials HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: " + e.token.Reveal()[1:] + "\n\n", "403"},
		"a long token":     {"GET /credentials HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: TOKENx\n\n", "403"},
		"a bearer's token": {"GET /credentials HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: Bearer TOKEN\n\n", "403"},
		"two tokens":       {start + "Authorization: TOKEN\n\n", "403"},
		"token elsewhere":  {"GET /credentials?token=TOKEN HTTP/1.1\nHost: 127.0.0.1:PORT\nX-Aws-Ec2-Metadata-Token: TOKEN\n\n", "404"},

		"HEAD":    {strings.Replace(start, "GET", "HEAD", 1) + "\n", "405"},
		"POST":    {strings.Replace(start, "GET", "POST", 1) + "Content-Length: 0\n\n", "405"},
		"PUT":     {strings.Replace(start, "GET", "PUT", 1) + "Content-Length: 1\n\nx", "405"},
		"OPTIONS": {strings.Replace(start, "GET", "OPTIONS", 1) + "\n", "405"},
		"a preflight": {strings.Replace(start, "GET", "OPTIONS", 1) +
			"Origin: https://evil.test\nAccess-Control-Request-Method: GET\nAccess-Control-Request-Headers: authorization\n\n", "403"},
		"OPTIONS *":      {"OPTIONS * HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: TOKEN\n\n", "404"},
		"TRACE":          {strings.Replace(start, "GET", "TRACE", 1) + "\n", "405"},
		"CONNECT":        {"CONNECT 127.0.0.1:PORT HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: TOKEN\n\n", "404"},
		"a small get":    {strings.Replace(start, "GET", "get", 1) + "\n", "405"},
		"the root":       {strings.Replace(start, "/credentials", "/", 1) + "\n", "404"},
		"below":          {strings.Replace(start, "/credentials", "/credentials/", 1) + "\n", "404"},
		"a way round":    {strings.Replace(start, "/credentials", "/x/../credentials", 1) + "\n", "404"},
		"an encoding":    {strings.Replace(start, "/credentials", "/%63redentials", 1) + "\n", "404"},
		"two slashes":    {strings.Replace(start, "/credentials", "//credentials", 1) + "\n", "404"},
		"a query":        {strings.Replace(start, "/credentials", "/credentials?", 1) + "\n", "404"},
		"a whole URL":    {strings.Replace(start, "/credentials", "http://127.0.0.1:PORT/credentials", 1) + "\n", "404"},
		"another URL":    {strings.Replace(start, "/credentials", "http://evil.test/credentials", 1) + "\n", "421"},
		"a path of IMDS": {"GET /latest/meta-data/iam/security-credentials/ HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: TOKEN\n\n", "404"},

		"a body":           {start + "Content-Length: 3\n\nabc", "400"},
		"chunks":           {start + "Transfer-Encoding: chunked\n\n0\n\n", "400"},
		"length or chunks": {start + "Content-Length: 6\nTransfer-Encoding: chunked\n\n0\n\nG", "400"},
		"chunks, hidden":   {start + "Transfer-Encoding: xchunked\n\n0\n\n", "501"},
		"two lengths":      {start + "Content-Length: 0\nContent-Length: 5\n\nabcde", "400"},
		"a folded header":  {start + "X: a\n b\nOrigin : x\n\n", "400"},
		"a NUL":            {start + "X: a\x00b\n\n", "400"},
		"too much":         {start + strings.Repeat("X-Padding: "+strings.Repeat("x", 100)+"\n", 100) + "\n", "431"},
		"a long line":      {"GET /" + strings.Repeat("x", 10<<10) + " HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: TOKEN\n\n", "431"},
		"a slow header":    {start, ""},
		"nothing":          {"", ""},
		"TLS":              {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", "400"},
	}
	t.Cleanup(func() {
		if !t.Failed() {
			note(t, "hostile HTTP", "%d of %d refused", len(hostile), len(hostile))
		}
	})
	for name, c := range hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := exchange(t, e, request(e, c.request))
			// Of what the refusal says, none is a secret.
			if strings.Contains(got, "SECRET") || strings.Contains(got, "ASIA") || strings.Contains(got, e.token.Reveal()) {
				t.Errorf("something was given away:\n%s", got)
			}
			version, rest, _ := strings.Cut(got, " ")
			status, _, _ := strings.Cut(rest, " ")
			if status != c.status || status != "" && !strings.HasPrefix(version, "HTTP/1.") {
				t.Errorf("status %q, want %q:\n%s", status, c.status, got)
			}
			if strings.Count(got, "HTTP/1.") > 1 {
				t.Errorf("more than one answer:\n%s", got)
			}
			if strings.Contains(strings.ToLower(got), "access-control") || strings.Contains(got, "Location:") {
				t.Errorf("an answer for browsers:\n%s", got)
			}
		})
	}
}

// note tells what a test has found of a property, in its log and in the table
// of doc/security.md.
func note(t *testing.T, property, format string, args ...any) {
	t.Helper()
	t.Logf(format, args...)
	if err := figure.Note(property, format, args...); err != nil {
		t.Error(err)
	}
}

// typed is a connection over which some bytes come and no more.
type typed struct {
	net.Conn // nil: what is not here is not called
	in       io.Reader
	out      bytes.Buffer
	closed   chan struct{}
	once     sync.Once
}

func (c *typed) Read(b []byte) (int, error)       { return c.in.Read(b) }
func (c *typed) Write(b []byte) (int, error)      { return c.out.Write(b) }
func (c *typed) Close() error                     { c.once.Do(func() { close(c.closed) }); return nil }
func (c *typed) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4000} }
func (c *typed) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5000} }
func (c *typed) SetDeadline(time.Time) error      { return nil }
func (c *typed) SetReadDeadline(time.Time) error  { return nil }
func (c *typed) SetWriteDeadline(time.Time) error { return nil }

// handed is a listener to whom connections are handed.
type handed chan net.Conn

func (l handed) Accept() (net.Conn, error) {
	if c, ok := <-l; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (l handed) Close() error   { return nil }
func (l handed) Addr() net.Addr { return (&typed{}).LocalAddr() }

// FuzzEndpoint sends anything at all: credentials are given to nothing but one
// plain request that bears the token and no mark of a browser or a proxy, and
// nothing makes the handler panic.
func FuzzEndpoint(f *testing.F) {
	const token = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
	l := make(handed)
	e := &Endpoint{l, cred.NewSecret(token)}
	server := e.server(Service{Credentials: func(context.Context) (cred.Credentials, error) { return handedOut, nil }, Now: time.Now})
	panicked := make(chan any, 1)
	inner := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				panicked <- p
			}
		}()
		inner.ServeHTTP(w, r)
	})
	go func() { _ = server.Serve(l) }()
	for _, text := range []string{
		askedBySDK, askedBySDK + askedBySDK, "GET /credentials HTTP/1.0\nHost: localhost:PORT\nAuthorization: TOKEN\n\n",
		strings.Replace(askedBySDK, "User-Agent", "Origin", 1), strings.Replace(askedBySDK, "Accept-Encoding: gzip", "Transfer-Encoding: chunked", 1),
		strings.Replace(askedBySDK, "GET", "POST", 1), strings.Replace(askedBySDK, "127.0.0.1", "evil.test", 1),
	} {
		f.Add([]byte(strings.NewReplacer("PORT", "4000", "TOKEN", token, "\n", "\r\n").Replace(text)))
	}
	marks := []string{"origin:", "referer:", "cookie:", "via:", "forwarded:", "x-real-ip:", "sec-", "x-forwarded-"}
	f.Fuzz(func(t *testing.T, request []byte) {
		c := &typed{in: bytes.NewReader(request), closed: make(chan struct{})}
		l <- &visitor{c, nil, func() {}}
		<-c.closed
		select {
		case p := <-panicked:
			t.Fatalf("%q makes it panic: %v", request, p)
		default:
		}
		got := c.out.String()
		if n := strings.Count(got, "HTTP/1.1 "); n > 1 {
			t.Errorf("%q has %d answers:\n%s", request, n, got)
		}
		if !strings.Contains(got, "SECRET") {
			return
		}
		head, _, _ := strings.Cut(strings.ReplaceAll(string(request), "\r\n", "\n"), "\n\n")
		line, headers, _ := strings.Cut(head, "\n")
		headers = strings.ToLower(headers)
		dense := strings.NewReplacer(" ", "", "\t", "").Replace(headers)
		named := strings.Contains(dense, "host:127.0.0.1:4000") || strings.Contains(dense, "host:localhost:4000")
		if !strings.HasPrefix(line, "GET /credentials HTTP/1.") || !strings.Contains(head, token) || !named {
			t.Errorf("%q got the credentials", request)
		}
		for header := range strings.Lines(headers) {
			for _, mark := range marks {
				if strings.HasPrefix(header, mark) {
					t.Errorf("%q got the credentials in spite of %q", request, mark)
				}
			}
		}
	})
}

// TestEndpointOneAnswer sends a second request behind the first.
func TestEndpointOneAnswer(t *testing.T) {
	e := serving(t, nil)
	got := exchange(t, e, request(e, strings.Replace(askedBySDK, "TOKEN", "wrong", 1)+askedBySDK))
	if !strings.HasPrefix(got, "HTTP/1.1 403") || strings.Count(got, "HTTP/1.1") != 1 {
		t.Errorf("%s", got)
	}
}

func TestEndpointFailure(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&Refusal{http.StatusForbidden, "AnswerNeeded", `an "answer" is needed`}, `{"code":"AnswerNeeded","message":"an \"answer\" is needed"}`},
		{fmt.Errorf("more: %w", &Refusal{http.StatusForbidden, "A", "b"}), `{"code":"A","message":"b"}`},
		{errors.New("the SECRET"), `{"code":"InternalError","message":"aws-switch-role could not get the credentials"}`},
	} {
		e := serving(t, func(s *Service) {
			s.Credentials = func(context.Context) (cred.Credentials, error) { return handedOut, c.err }
		})
		got := exchange(t, e, request(e, askedBySDK))
		if !strings.HasSuffix(got, "\r\n\r\n"+c.want+"\n") || strings.HasPrefix(got, "HTTP/1.1 200") {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}

// TestEndpointToken holds tokens to their length and to be new each time.
func TestEndpointToken(t *testing.T) {
	seen := map[string]bool{}
	for range 10 {
		e, err := Listen(0)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if token := e.token.Reveal(); len(token) != 43 || seen[token] || strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("token %q", token)
		}
		seen[e.token.Reveal()] = true
		if host, _, _ := net.SplitHostPort(e.listener.Addr().String()); host != "127.0.0.1" {
			t.Errorf("it listens on %s", host)
		}
	}
}

func TestEndpointExport(t *testing.T) {
	e, err := Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for format, want := range map[Format]string{
		FormatEnv:    "unset AWS_ACCESS_KEY_ID\nunset AWS_PROFILE\nexport AWS_CONTAINER_CREDENTIALS_FULL_URI='URL'\nexport AWS_CONTAINER_AUTHORIZATION_TOKEN='<token>'\nexport AWS_REGION='eu-west-1'\nexport AWS_DEFAULT_REGION='eu-west-1'\n",
		FormatDotenv: "AWS_CONTAINER_CREDENTIALS_FULL_URI=URL\nAWS_CONTAINER_AUTHORIZATION_TOKEN=<token>\nAWS_REGION=eu-west-1\nAWS_DEFAULT_REGION=eu-west-1\n",
	} {
		var out bytes.Buffer
		base := []string{"AWS_PROFILE=x", "AWS_ACCESS_KEY_ID=AKIAX", "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://localhost/old", "AWS_REGION=us-west-2"}
		if err := e.Export(&out, format, base, As{Region: "eu-west-1"}); err != nil {
			t.Fatal(err)
		}
		if want := strings.NewReplacer("URL", e.URL(), "<token>", e.token.Reveal()).Replace(want); out.String() != want {
			t.Errorf("%s: %s\nwant %s", format, out.String(), want)
		}
	}
	var out bytes.Buffer
	if err := e.Export(&out, FormatDotenv, nil, As{}); err != nil || strings.Contains(out.String(), "REGION") {
		t.Errorf("without a region: %v\n%s", err, out.String())
	}
}

func TestListenPortTaken(t *testing.T) {
	e, err := Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if second, err := Listen(e.listener.Addr().(*net.TCPAddr).Port); err == nil {
		second.Close()
		t.Error("two endpoints on one port")
	}
}

// TestDoor fills the endpoint with strangers' idle connections: ours gets in,
// and they are told why they do not.
func TestDoor(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stranger := true
	d := &door{Listener: l, ours: make(chan struct{}, 1), foreign: make(chan struct{}, 2), check: func(net.Conn) error {
		if stranger {
			return errStranger{1234}
		}
		return nil
	}}
	defer d.Close()
	enter := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp4", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	// Of five strangers two get in; the third shows it when ours has.
	clients := []net.Conn{enter(), enter()}
	first, err := d.Accept()
	if err != nil || first.(*visitor).stranger == nil {
		t.Fatal(err)
	}
	if _, err := d.Accept(); err != nil {
		t.Fatal(err)
	}
	third := enter()
	accepted := make(chan net.Conn)
	go func() {
		c, _ := d.Accept()
		accepted <- c
	}()
	_ = third.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := third.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one stranger too many was kept: %v", err)
	}
	// One that leaves makes room for one. Leaving twice makes no more.
	_, _ = first.Close(), first.Close()
	clients = append(clients, enter())
	if c := <-accepted; c.(*visitor).stranger == nil {
		t.Error("a stranger is none")
	}
	if len(d.foreign) != 2 || len(clients) != 3 {
		t.Errorf("%d strangers are in", len(d.foreign))
	}
	stranger = false
	enter()
	if c, err := d.Accept(); err != nil || c.(*visitor).stranger != nil {
		t.Errorf("ours is kept out: %v", err)
	}
}

func TestEndpointStranger(t *testing.T) {
	e, err := Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	h := e.handler(Service{Credentials: func(context.Context) (cred.Credentials, error) { return handedOut, nil }})
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request(e, askedBySDK))))
	if err != nil {
		t.Fatal(err)
	}
	for stranger, status := range map[error]int{errStranger{1234}: http.StatusForbidden, errors.New("who knows"): http.StatusForbidden} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req.WithContext(context.WithValue(t.Context(), strangerKey{}, stranger)))
		if w.Code != status || !strings.Contains(w.Body.String(), stranger.Error()) || strings.Contains(w.Body.String(), "SECRET") {
			t.Errorf("%v: %d %s", stranger, w.Code, w.Body.String())
		}
	}
}
