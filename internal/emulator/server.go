package emulator

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxBody     = 1 << 20 // of a request, in bytes
	maxRequests = 10_000  // remembered
)

// Options are how a world behaves where AWS is not of one mind.
type Options struct {
	// Now is the world's clock; nil is [time.Now].
	Now func() time.Time
	// KeyDelay is how long a key made by CreateAccessKey is not accepted.
	KeyDelay time.Duration
	// DeviceInterval is how often a device may ask whether its person has signed
	// in to Identity Center, in whole seconds; zero is 5 seconds.
	DeviceInterval time.Duration
	// StrictMFA makes a request whose duration is refused spend its MFA code.
	StrictMFA bool
	// Mark is the word that all secrets and tokens which the server makes
	// carry, so that a test can look for it where no secret belongs; "" is
	// SECRET. Up to 32 letters and digits fit.
	Mark string
}

// Server answers for every service of a world: which one is asked follows
// from the signature's scope or, without one, from the path. It is an [http.Handler], safe for concurrent
// use.
type Server struct {
	now     func() time.Time
	options Options
	began   time.Time // when everything declared was made

	mu              sync.Mutex // guards what follows
	users           map[string]*user
	roles           map[string]*role
	devices         map[string]*device
	keys            map[string]*key
	buckets         map[string]Bucket
	managed         map[string]policy
	providers       []Provider
	instance        Instance
	containers      map[string]Container
	tokens          map[string]time.Time // of the instance's metadata service, with their ends
	regionsOff      []string
	regionsDisabled []string
	regionsOptIn    []string
	sso             identityCenter
	logins          map[string]*login         // by refresh token; each is good once
	signins         map[string]signinToken    // by sign-in token; each is good once
	consoles        map[string]consoleSession // by cookie
	issued          int                       // keys and request ids so far
	faults          []*Fault
	requests        []Request
}

// New makes a server of w. The error names everything in w that is not valid.
func New(w World, o Options) (*Server, error) {
	s := &Server{
		now:     o.Now,
		options: o,
		users:   map[string]*user{},
		roles:   map[string]*role{},
		devices: map[string]*device{},
		keys:    map[string]*key{},
		buckets: map[string]Bucket{},
		managed: map[string]policy{},

		containers: map[string]Container{},
		tokens:     map[string]time.Time{},
		sso:        newIdentityCenter(),
		logins:     map[string]*login{},
		signins:    map[string]signinToken{},
		consoles:   map[string]consoleSession{},
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.options.Mark == "" {
		s.options.Mark = "SECRET"
	}
	s.began = s.now()
	if err := s.load(w); err != nil {
		return nil, fmt.Errorf("the world is not valid: %w", err)
	}
	return s, nil
}

// Request is what was asked, and what was answered. It holds no secret and no
// code.
type Request struct {
	Time        time.Time // by the clock that judged it
	Service     string    // sts, iam, s3, sso, sso-oidc, sso-pages, signin, instance or container
	Action      string    // AssumeRole, GetObject
	Host        string    // that was asked, without the port
	Region      string    // of the signature
	AccessKeyID string
	Caller      string            // the caller's ARN; empty when the signature is no good
	Params      map[string]string // without those that are secret
	HasCode     bool              // a TokenCode was sent
	Status      int               // 0 when the connection was left without an answer
	ErrorCode   string            // AWS's; empty for success
}

// Requests returns what was asked so far, oldest first: the last 10,000.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// call is a request on its way through the server.
type call struct {
	http      *http.Request
	host      string // without the port
	body      []byte
	form      url.Values // the parameters of query and body together
	signature *signature // nil when there is none
	rest      *restOperation
	page      func(*Server, *call) (answer, error) // nil unless a browser's page is asked for
	service   string
	action    string
	id        string    // of the request, told in the answer
	now       time.Time // by the clock that judges this request
	key       *key      // nil until authenticated
}

// answer is what goes back.
type answer struct {
	status   int
	header   http.Header
	body     []byte
	code     string // AWS's error code
	transfer transfer
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := s.receive(w, r)
	s.handle(w, c, func() answer {
		if err != nil {
			return c.refuse(err)
		}
		return s.answer(c)
	})
}

// handle answers a call by act, or as a fault will have it.
func (s *Server) handle(w http.ResponseWriter, c *call, act func() answer) {
	r := c.http
	f := s.fault(c)
	if !sleep(r.Context(), f.Delay) {
		panic(http.ErrAbortHandler)
	}
	c.now = s.now().Add(f.Skew)
	a := answer{status: http.StatusOK, header: http.Header{}}
	if !f.replaces() {
		a = act()
	}
	if f.Effect.spoil != nil {
		f.Effect.spoil(c, &a)
	}
	s.remember(c, a)
	a.send(w, r, c)
}

// receive reads the request as far as everything else needs it, even when it
// returns an error.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) (*call, error) {
	c := s.newCall(r)
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		c.host = host
	}
	var err error
	if c.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		return c, fail(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The request cannot be read: %v", err)
	}
	if r.Header.Get("Authorization") == "" {
		if c.rest = restOperations[r.Method+" "+r.URL.Path]; c.rest != nil {
			c.service, c.action = c.rest.service, c.rest.action
			return c, nil
		}
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		sent, err := url.ParseQuery(string(c.body))
		if err != nil {
			return c, fail(http.StatusBadRequest, "MalformedInput", "The form cannot be read")
		}
		maps.Copy(c.form, sent)
	}
	c.signature, err = parseSignature(r)
	c.action = c.form.Get("Action")
	if page, ok := pages[r.URL.Path]; ok && c.signature == nil {
		c.service, c.page = "signin", page.show
		c.action = cmp.Or(page.action, c.action)
		return c, err
	}
	switch {
	case c.signature != nil:
		c.service = c.signature.service
	case c.action != "":
		c.service = "sts" // the one that has unsigned actions
	default:
		c.service = "s3"
	}
	if c.service == "s3" {
		c.action = c.s3Action()
	}
	return c, err
}

func (s *Server) newCall(r *http.Request) *call {
	s.mu.Lock()
	s.issued++
	id := uniqueID("", strconv.Itoa(s.issued))
	s.mu.Unlock()
	return &call{http: r, host: r.Host, form: r.URL.Query(), id: strings.ToLower(id[:8] + "-" + id[8:12] + "-" + id[12:16])}
}

// answer does what is asked.
func (s *Server) answer(c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	var a answer
	var err error
	switch {
	case c.rest != nil:
		var result any
		if result, err = c.rest.do(s, c); err == nil {
			var page bool
			if a, page = result.(answer); !page {
				a = restAnswer(http.StatusOK, result)
			}
		}
	case c.page != nil:
		a, err = c.page(s, c)
	case c.service == "sts" || c.service == "iam":
		a, err = s.query(c)
	case c.service == "s3":
		a, err = s.s3(c)
	default:
		err = fail(http.StatusForbidden, "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'. ")
	}
	if err != nil {
		return c.refuse(err)
	}
	return a
}

// operation is an action of a service that speaks the query protocol.
type operation struct {
	do       func(*Server, *call) (any, error)
	unsigned bool
}

// protocol is what is fixed for a query service: its API's version.
type protocol struct {
	version    string
	operations map[string]operation
}

func (p protocol) namespace(service string) string {
	return "https://" + service + ".amazonaws.com/doc/" + p.version + "/"
}

var protocols = map[string]protocol{"sts": stsProtocol, "iam": iamProtocol}

// query answers for the services of the AWS query protocol.
func (s *Server) query(c *call) (answer, error) {
	p := protocols[c.service]
	op, known := p.operations[c.action]
	if !op.unsigned || c.signature != nil {
		var err error
		if c.key, err = s.authenticate(c); err != nil {
			return answer{}, err
		}
	}
	if !known || c.form.Get("Version") != p.version {
		return answer{}, fail(http.StatusBadRequest, "InvalidAction", "Could not find operation %s for version %s", c.action, cmp.Or(c.form.Get("Version"), "NO_VERSION_SPECIFIED"))
	}
	if c.service == "sts" && c.key != nil && slices.Contains(s.regionsOff, c.signature.region) {
		return answer{}, fail(http.StatusForbidden, "RegionDisabledException",
			"STS is not activated in this region for account:%s. Your account administrator can activate STS in this region using the IAM Console.", c.key.identity.principal.account)
	}
	result, err := op.do(s, c)
	if err != nil {
		return answer{}, err
	}
	envelope := struct {
		XMLName   xml.Name
		Result    any
		RequestID string `xml:"ResponseMetadata>RequestId"`
	}{xml.Name{Space: p.namespace(c.service), Local: c.action + "Response"}, result, c.id}
	return xmlAnswer(http.StatusOK, envelope), nil
}

// refuse is the answer that tells err in the manner of the call's service.
func (c *call) refuse(err error) answer {
	e, ok := errors.AsType[*apiError](err)
	if !ok {
		e = &apiError{http.StatusInternalServerError, "InternalFailure", "The request processing has failed because of an unknown error, exception or failure."}
	}
	var a answer
	switch {
	case c.rest != nil:
		a = c.refuseREST(e, err)
	case c.page != nil:
		a = pageAnswer(e.status, http.StatusText(e.status), []row{{"message", e.message}})
	case c.service == "s3":
		a = c.refuseS3(e)
	case c.service == instanceService, c.service == containerService:
		a = jsonAnswer(e.status, map[string]string{"code": e.code, "message": e.message})
	default:
		p, ok := protocols[c.service]
		if !ok {
			p = stsProtocol
		}
		type detail struct{ Type, Code, Message string }
		sender := "Sender"
		if e.status >= 500 {
			sender = "Receiver"
		}
		a = xmlAnswer(e.status, struct {
			XMLName   xml.Name
			Error     detail
			RequestID string `xml:"RequestId"`
		}{xml.Name{Space: p.namespace(cmp.Or(c.service, "sts")), Local: "ErrorResponse"}, detail{sender, e.code, e.message}, c.id})
	}
	a.code = e.code
	return a
}

// xmlAnswer is an answer with v in it. Everything that is marshalled here is
// of the emulator's own types, so it can be.
func xmlAnswer(status int, v any) answer {
	body := must(xml.MarshalIndent(v, "", "  "))
	return answer{status: status, header: http.Header{"Content-Type": {"text/xml"}}, body: append([]byte(xml.Header), body...)}
}

// send writes the answer with the headers that every one has.
func (a answer) send(w http.ResponseWriter, r *http.Request, c *call) {
	switch a.transfer {
	case hungUp:
		panic(http.ErrAbortHandler)
	case stalled:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	maps.Copy(h, a.header)
	h.Set("Date", c.now.UTC().Format(http.TimeFormat))
	if c.service == "s3" {
		h.Set("X-Amz-Request-Id", c.id)
	} else {
		h.Set("X-Amzn-Requestid", c.id)
	}
	if h.Get("Content-Length") == "" {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if a.transfer == cutShort {
		_, _ = w.Write(a.body[:len(a.body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // the rest that the length promised never comes
	}
	_, _ = io.Copy(w, bytes.NewReader(a.body))
}

// secretParams are never written down.
var secretParams = []string{"TokenCode", "WebIdentityToken", "Session", "SigninToken"}

// remember writes down what was asked and answered.
func (s *Server) remember(c *call, a answer) {
	r := Request{
		Time: c.now, Service: c.service, Action: c.action, Host: c.host, Params: map[string]string{},
		HasCode: c.form.Get("TokenCode") != "", Status: a.status, ErrorCode: a.code,
	}
	if a.transfer == hungUp || a.transfer == stalled {
		r.Status = 0
	}
	for name := range c.form {
		if !slices.Contains(secretParams, name) && !strings.HasPrefix(name, "X-Amz-") {
			r.Params[name] = c.form.Get(name)
		}
	}
	if c.signature != nil {
		r.Region, r.AccessKeyID = c.signature.region, c.signature.keyID
	}
	if c.service == "s3" {
		if bucket, key := c.object(); bucket != "" {
			r.Params["bucket"], r.Params["key"] = bucket, key
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.key != nil {
		r.Caller = c.key.identity.arn.String()
	}
	if len(s.requests) == maxRequests {
		s.requests = slices.Delete(s.requests, 0, maxRequests/10)
	}
	s.requests = append(s.requests, r)
}

// sleep waits for d and reports whether it did, rather than ctx ending first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
