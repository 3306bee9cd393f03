package hop

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"aws-switch-role/internal/message"
)

// restCall is a request to one of AWS's services that speak REST and JSON and
// take no signature: it carries a token of its own. The SDK's clients for them
// would add half a millisecond to every start of the program, most of which
// make no such call.
type restCall struct {
	op     string // GetRoleCredentials, …
	method string
	base   string // the service's URL
	path   string // with the query
	header http.Header
	body   []byte // JSON unless the header says otherwise; nil for none
	pages  bool   // refusals, of status 400, and failures are web pages without a reason
}

// host is how errors and the log name the service.
func (c restCall) host() string { return strings.TrimPrefix(c.base, "https://") }

// rest makes a call and reads its answer into out, unless that is nil. It is tried again where
// AWS's SDKs do so: when AWS is busy and when the connection fails.
func (p *Performer) rest(ctx context.Context, c restCall, out any) error {
	client, err := p.http()
	if err != nil {
		return err
	}
	_, err = paced(ctx, p, c.host(), false, func() (struct{}, error) { return struct{}{}, p.restOnce(ctx, client, c, out) })
	return err
}

// restOnce is rest without waiting for a turn.
func (p *Performer) restOnce(ctx context.Context, client *httpClient, c restCall, out any) error {
	defer p.waitingFor(c.host())()
	ctx, cancel := context.WithTimeout(ctx, totalTimeout)
	defer cancel()
	begun := p.now()
	var err error
	for attempt := 1; ; attempt++ {
		err = p.try(ctx, client, c, out)
		if err == nil || attempt == maxAttempts || !p.passing(err) || !pause(ctx, attempt) {
			break
		}
	}
	log := p.log().With("op", c.op, "endpoint", c.host(), "took", p.now().Sub(begun).Round(time.Millisecond))
	if err != nil {
		log.Debug("request failed", "error", err)
		return err
	}
	log.Debug("request done")
	return nil
}

// try makes a call once.
func (p *Performer) try(ctx context.Context, client *httpClient, c restCall, out any) error {
	r, err := http.NewRequestWithContext(ctx, c.method, c.base+c.path, bytes.NewReader(c.body))
	if err != nil {
		return err
	}
	for name, values := range c.header {
		r.Header[name] = values
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", appID)
	if c.body != nil && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	do := client.Do
	if c.pages {
		do = client.doForPage
	}
	resp, err := do(r)
	if err != nil {
		return p.classify(c.op, c.host(), false, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return p.classify(c.op, c.host(), false, err)
	}
	if resp.StatusCode != http.StatusOK {
		return p.restRefusal(c, resp, body)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return &AnswerError{Op: c.op, Host: c.host(), Msg: message.New("answer-unreadable", "the answer cannot be read: it is not what AWS sends"), Err: err}
	}
	return nil
}

// restRefusal is the error that an answer other than 200 tells. Its code is in a
// header or, behind some proxies, in the body alone (Smithy, AWS restJson1
// protocol, "Operation error serialization"); OAuth's is in the body.
func (p *Performer) restRefusal(c restCall, resp *http.Response, body []byte) error {
	var told struct {
		Type        string `json:"__type"`
		Code        string `json:"code"`
		Message     string `json:"message"`
		OAuth       string `json:"error"`
		Description string `json:"error_description"`
	}
	// An answer without JSON has no code but its header's.
	_ = json.Unmarshal(body, &told)
	if c.pages && resp.StatusCode == http.StatusBadRequest {
		told.Code = "BadRequest"
	}
	code := cmp.Or(resp.Header.Get("X-Amzn-Errortype"), told.Type, told.Code, told.OAuth)
	code, _, _ = strings.Cut(code, ":")
	code = code[strings.LastIndexByte(code, '#')+1:]
	if code == "" {
		if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode < 500 {
			return &AnswerError{Op: c.op, Host: c.host(), Msg: message.New("answer-status", "HTTP status %d without an AWS error", resp.StatusCode)}
		}
		code = http.StatusText(resp.StatusCode)
	}
	return &APIError{
		Op: c.op, Host: c.host(), Code: code, Reason: told.OAuth, Message: cmp.Or(told.Message, told.Description),
		Status: resp.StatusCode, RequestID: resp.Header.Get("X-Amzn-Requestid"), Skew: p.skew(resp.Header),
	}
}

// passing reports whether the same call may well succeed in a moment. When
// that is for those who keep a common pace, they know.
func (p *Performer) passing(err error) bool {
	switch e := err.(type) {
	case *APIError:
		if p.Turn != nil && e.throttled() {
			return false
		}
		return e.Status == http.StatusTooManyRequests || e.Status >= 500 || strings.HasPrefix(e.Code, "Throttling")
	case *NetworkError:
		_, badCertificate := e.Certificate()
		return !badCertificate && !e.Lookup()
	}
	return false
}

// pause waits between tries, longer each time and by chance, so that those who
// were refused together do not come back together. It reports whether ctx
// still runs.
func pause(ctx context.Context, attempt int) bool {
	t := time.NewTimer(rand.N(min(maxBackoff, time.Second<<(attempt-1))))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
