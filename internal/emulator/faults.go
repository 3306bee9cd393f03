package emulator

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Fault is something that goes wrong with some requests. The zero Fault
// matches every request and does nothing to it.
type Fault struct {
	Action  string // only this action; "" is any
	RoleARN string // only for this role; "" is any
	Skip    int    // let so many matching requests pass first
	Count   int    // then spoil so many; 0 is all

	Delay time.Duration // before the server acts
	// Skew is how far the server's clock is ahead (or, negative, behind) in
	// its Date header and in its judgement of signatures and codes.
	Skew   time.Duration
	Effect Effect
	// Acts makes the server do what was asked before an effect that replaces
	// the answer: the code is spent, the key is made, but nobody is told.
	Acts bool
}

// Effect is what a fault does to an answer. The zero Effect is none.
type Effect struct {
	spoil    func(*call, *answer)
	replaces bool // the answer is not needed
}

// transfer is how an answer reaches the client.
type transfer int

const (
	whole transfer = iota
	cutShort
	hungUp
	stalled
)

// Inject adds a fault. Of several that match a request, the oldest that is
// not used up has its way.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Heal removes all faults.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// fault returns the fault for c, or the zero one.
func (s *Server) fault(c *call) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.Action != "" && f.Action != c.action || f.RoleARN != "" && f.RoleARN != c.form.Get("RoleArn") {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		hit := *f
		if f.Count > 0 {
			if f.Count--; f.Count == 0 {
				s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			}
		}
		return hit
	}
	return Fault{}
}

// replaces reports whether the server need not act.
func (f Fault) replaces() bool { return f.Effect.replaces && !f.Acts }

// Fail answers with an error of AWS's form. The message may hold anything: it
// is escaped as markup or as JSON but otherwise sent byte for byte.
func Fail(status int, code, message string) Effect {
	return Effect{replaces: true, spoil: func(c *call, a *answer) {
		*a = c.refuse(fail(status, code, "%s", placeholder))
		text := markup.Replace(message)
		if c.rest != nil {
			quoted := must(json.Marshal(message))
			text = string(quoted[1 : len(quoted)-1])
		}
		a.body = []byte(strings.ReplaceAll(string(a.body), placeholder, text))
	}}
}

// FailOAuth answers as Identity Center's OIDC service does, whose errors have a
// name in OAuth, too.
func FailOAuth(status int, code, name string) Effect {
	return Effect{replaces: true, spoil: func(c *call, a *answer) {
		e := &apiError{status, code, name}
		*a = c.refuseREST(e, &oauthError{e, name})
	}}
}

// placeholder stands for a text that [xml.Marshal] would mend.
const placeholder = "hostile-text-goes-here"

var markup = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Throttle answers as STS does when it is asked too often.
func Throttle() Effect { return Fail(http.StatusBadRequest, "Throttling", "Rate exceeded") }

// Respond answers with a body of any kind: not XML, too much, nothing.
func Respond(status int, contentType, body string) Effect {
	return Effect{replaces: true, spoil: func(_ *call, a *answer) {
		*a = answer{status: status, header: http.Header{"Content-Type": {contentType}}, body: []byte(body)}
	}}
}

// CaptivePortal answers with the sign-in page of somebody's network.
func CaptivePortal() Effect {
	return Respond(http.StatusOK, "text/html; charset=utf-8", "<!DOCTYPE html><html><head><title>Guest Wi-Fi</title></head><body><form>Accept</form></body></html>\n")
}

// Malformed answers with XML that ends early, though at its proper length.
func Malformed() Effect {
	return Respond(http.StatusOK, "text/xml", xml.Header+"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA")
}

// Redirect answers with a 302 to location.
func Redirect(location string) Effect {
	return Effect{replaces: true, spoil: func(_ *call, a *answer) {
		*a = answer{status: http.StatusFound, header: http.Header{"Location": {location}}}
	}}
}

// HangUp closes the connection without an answer.
func HangUp() Effect {
	return Effect{replaces: true, spoil: func(_ *call, a *answer) { a.transfer = hungUp }}
}

// Stall never answers; it ends when the client gives up or the listener
// closes.
func Stall() Effect {
	return Effect{replaces: true, spoil: func(_ *call, a *answer) { a.transfer = stalled }}
}

// Truncate sends half of the body that it promised and closes the connection.
func Truncate() Effect {
	return Effect{spoil: func(_ *call, a *answer) { a.transfer = cutShort }}
}

// Replace puts text, escaped as markup but otherwise byte for byte, into each
// XML element of that name in the answer: a hostile AccessKeyId, an
// Expiration in the past.
func Replace(element, text string) Effect {
	pattern := elements(element)
	return Effect{spoil: func(_ *call, a *answer) { replace(a, pattern, element, text) }}
}

// EndIn makes the credentials or the token of each answer end so long after the
// request was made, by the clock of who made it.
func EndIn(left time.Duration) Effect {
	return endAt(func(c *call) time.Time {
		made, err := time.Parse("20060102T150405Z", c.http.Header.Get("X-Amz-Date"))
		if err != nil {
			made = c.now
		}
		return made.Add(left)
	})
}

// EndAt makes the credentials or the token of each answer end at a time.
func EndAt(end time.Time) Effect { return endAt(func(*call) time.Time { return end }) }

// endAt spoils what XML has, and what JSON has instead: a time in milliseconds,
// or a length in seconds.
func endAt(end func(*call) time.Time) Effect {
	inXML := elements("Expiration")
	inMillis, inSeconds := regexp.MustCompile(`"expiration":\d+`), regexp.MustCompile(`"expiresIn":\d+`)
	return Effect{spoil: func(c *call, a *answer) {
		at := end(c)
		replace(a, inXML, "Expiration", at.UTC().Format(time.RFC3339))
		a.body = inMillis.ReplaceAll(a.body, fmt.Appendf(nil, `"expiration":%d`, at.UnixMilli()))
		a.body = inSeconds.ReplaceAll(a.body, fmt.Appendf(nil, `"expiresIn":%d`, int(at.Sub(c.now)/time.Second)))
	}}
}

// elements matches the XML elements of a name.
func elements(name string) *regexp.Regexp {
	return regexp.MustCompile(`(?s)<` + regexp.QuoteMeta(name) + `>.*?</` + regexp.QuoteMeta(name) + `>`)
}

func replace(a *answer, pattern *regexp.Regexp, element, text string) {
	a.body = pattern.ReplaceAllFunc(a.body, func([]byte) []byte {
		return []byte("<" + element + ">" + markup.Replace(text) + "</" + element + ">")
	})
}

// Remove takes each XML element of that name out of the answer: success
// without Credentials.
func Remove(element string) Effect {
	pattern := elements(element)
	return Effect{spoil: func(_ *call, a *answer) { a.body = pattern.ReplaceAll(a.body, nil) }}
}

// HostileText is what a server must not be able to bring to a terminal: it
// sets the title, clears the screen, colours by C1, turns the writing around,
// breaks lines and is no UTF-8.
const HostileText = "\x1b]0;owned\a\x1b[2J\x1b[H\u009b31m\u202egpj.exe\u2066\r\nroot# \x00\x7f\xff\xfe"
