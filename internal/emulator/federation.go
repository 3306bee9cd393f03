package emulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// AWS Sign-In's side of the web: the federation endpoint, which turns
// temporary credentials into a session of the AWS Management Console ("Enable
// custom identity broker access to the AWS console" of the IAM User Guide), the
// console that one is then signed in to, and its Switch Role page. These
// answer with pages and say nothing in XML or JSON but the sign-in token.

const (
	signinTokenLife = 15 * time.Minute
	consoleShortest = 15 * time.Minute // of SessionDuration
	consoleLongest  = 12 * time.Hour
	consoleCookie   = "emulated-console-session"
)

// signinToken is what a sign-in token stands for.
type signinToken struct {
	key     *key
	expires time.Time
	length  time.Duration // of the console's session; 0 is as long as the key
}

// consoleSession is a browser that is signed in.
type consoleSession struct {
	key         *key
	expires     time.Time
	destination string // where it wanted to go
}

// page is an answer for a browser.
type page struct {
	action string // "" is the parameter Action
	show   func(*Server, *call) (answer, error)
}

// pages are known by their path.
var pages = map[string]page{
	"/federation": {"", (*Server).federate},
	"/console":    {"Console", (*Server).console},
	"/switchrole": {"SwitchRole", (*Server).switchRole},
}

// badRequest is all that the federation endpoint says of a request that it
// does not like.
func badRequest() error {
	return fail(http.StatusBadRequest, "BadRequest", "Invalid credentials parameter")
}

// federate answers for the federation endpoint.
func (s *Server) federate(c *call) (answer, error) {
	switch c.action {
	case "getSigninToken":
		return s.getSigninToken(c)
	case "login":
		return s.consoleLogin(c)
	}
	return answer{}, badRequest()
}

// getSigninToken gives a sign-in token for the credentials in the parameter
// Session.
func (s *Server) getSigninToken(c *call) (answer, error) {
	var in struct{ SessionID, SessionKey, SessionToken string }
	if json.Unmarshal([]byte(c.form.Get("Session")), &in) != nil {
		return answer{}, badRequest()
	}
	k := s.keys[in.SessionID]
	if k == nil || k.kind == longTerm || in.SessionKey != k.secret || in.SessionToken != k.token || !c.now.Before(k.expires) {
		return answer{}, badRequest()
	}
	length, err := c.sessionDuration(k)
	if err != nil {
		return answer{}, err
	}
	c.key = k
	token := s.token("signin")
	s.signins[token] = signinToken{k, c.now.Add(signinTokenLife), length}
	return jsonAnswer(http.StatusOK, map[string]string{"SigninToken": token}), nil
}

// sessionDuration reads SessionDuration, 0 when it is not there. It is for
// roles that were assumed with nothing but a long-lived key or a federated
// sign-in: not for chained ones, and not for a federated user.
func (c *call) sessionDuration(k *key) (time.Duration, error) {
	text := c.form.Get("SessionDuration")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	d := time.Duration(n) * time.Second
	if err != nil || d < consoleShortest || d > consoleLongest || !k.direct {
		return 0, badRequest()
	}
	return d, nil
}

// consoleLogin signs a browser in: the token is good once.
func (s *Server) consoleLogin(c *call) (answer, error) {
	token, ok := s.signins[c.form.Get("SigninToken")]
	delete(s.signins, c.form.Get("SigninToken"))
	if !ok || !c.now.Before(token.expires) {
		return answer{}, fail(http.StatusBadRequest, "BadRequest", "Your sign-in token is not valid: it was used already, or is more than 15 minutes old.")
	}
	c.key = token.key
	if token.key.kind == userSession {
		return answer{}, fail(http.StatusBadRequest, "BadRequest", "Only federation tokens or assume role tokens may be used for federated login. Please contact your administrator.")
	}
	destination, err := url.Parse(c.form.Get("Destination"))
	if err != nil || destination.Scheme != "https" || destination.Host == "" {
		return answer{}, fail(http.StatusBadRequest, "BadRequest", "The destination is no page of the console.")
	}
	session := consoleSession{token.key, token.key.expires, destination.String()}
	if token.length > 0 {
		session.expires = c.now.Add(token.length)
	}
	id := s.token("console")
	s.consoles[id] = session
	cookie := &http.Cookie{Name: consoleCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	return answer{status: http.StatusFound, header: http.Header{"Location": {"/console"}, "Set-Cookie": {cookie.String()}}}, nil
}

// console shows who is signed in, to a browser that has been there.
func (s *Server) console(c *call) (answer, error) {
	cookie, err := c.http.Cookie(consoleCookie)
	if err != nil {
		return answer{}, fail(http.StatusForbidden, "Forbidden", "You are not signed in.")
	}
	session, ok := s.consoles[cookie.Value]
	if !ok || !c.now.Before(session.expires) {
		return answer{}, fail(http.StatusForbidden, "Forbidden", "Your session has ended.")
	}
	c.key = session.key
	return pageAnswer(http.StatusOK, "AWS Management Console", []row{
		{"Signed in as", session.key.identity.arn.String()},
		{"Account", session.key.identity.arn.account},
		{"Destination", session.destination},
		{"Session ends", stamp(session.expires)},
		{"Session lasts", session.expires.Sub(c.now).Round(time.Minute).String()},
	}), nil
}

// switchRole shows the form that one fills in to switch, filled in.
func (s *Server) switchRole(c *call) (answer, error) {
	account, role := c.form.Get("account"), c.form.Get("roleName")
	if !matches(accountForm, account) || !matches(roleForm, "role/"+role) {
		return answer{}, fail(http.StatusBadRequest, "BadRequest", "Could not switch roles using the provided information. Please check your settings and try again.")
	}
	return pageAnswer(http.StatusOK, "Switch Role", []row{
		{"Account", account},
		{"Role", role},
		{"Display name", cmp.Or(c.form.Get("displayName"), role+" @ "+account)},
		{"Color", c.form.Get("color")},
	}), nil
}

// row is a line of a page.
type row struct{ name, text string }

// pageAnswer is a page of rows.
func pageAnswer(status int, title string, rows []row) answer {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>%[1]s (emulated)</title></head>
<body><h1>%[1]s (emulated)</h1><dl>
`, html.EscapeString(title))
	for _, r := range rows {
		fmt.Fprintf(&b, "<dt>%s</dt><dd>%s</dd>\n", html.EscapeString(r.name), html.EscapeString(r.text))
	}
	b.WriteString("</dl></body></html>\n")
	return answer{status: status, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, body: b.Bytes()}
}
