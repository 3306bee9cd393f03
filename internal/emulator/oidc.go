package emulator

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ssoPages are what people see of Identity Center, in a browser.
const (
	ssoPages      = "sso-pages"
	authorizePath = "/authorize"
	devicePath    = "/device"
)

// How long a person may take, and how often a device may ask whether they are
// done (RFC 8628, section 3.2).
const (
	codeLife       = 10 * time.Minute
	deviceInterval = 5 * time.Second // unless [Options] say otherwise
)

// code is what an authorization code stands for.
type code struct {
	client, redirect, challenge string
	person                      *person
	expires                     time.Time
}

// authorization is a device that waits for a person to allow it.
type authorization struct {
	client, startURL, userCode string
	person                     *person // who allowed it; nil before
	denied                     bool
	expires, asked             time.Time
	interval                   time.Duration
}

// registerClient is RegisterClient of Identity Center's OIDC service.
func (s *Server) registerClient(c *call) (any, error) {
	var in struct {
		ClientName, ClientType, IssuerURL string
		Scopes, RedirectURIs, GrantTypes  []string
	}
	if json.Unmarshal(c.body, &in) != nil || in.ClientName == "" || in.ClientType != "public" {
		return nil, oauthFail(http.StatusBadRequest, "InvalidClientMetadataException", "invalid_client_metadata", "Invalid client metadata")
	}
	if slices.Contains(in.GrantTypes, "authorization_code") && (len(in.RedirectURIs) == 0 || s.sso.people[in.IssuerURL] == nil) {
		return nil, oauthFail(http.StatusBadRequest, "InvalidRequestException", "invalid_request", "An authorization code needs redirectUris and an issuerUrl")
	}
	for _, r := range in.RedirectURIs {
		if !strings.HasPrefix(r, "http://127.0.0.1/") {
			return nil, oauthFail(http.StatusBadRequest, "InvalidRedirectUriException", "invalid_redirect_uri", "A redirect URI must be on the loopback interface")
		}
	}
	id := s.clientID()
	made := client{
		secret: s.token("client-secret"), expires: c.now.Add(registrationLife),
		startURL: in.IssuerURL, redirects: in.RedirectURIs, refreshes: len(in.Scopes) > 0,
	}
	s.sso.clients[id] = made
	return map[string]any{
		"clientId": id, "clientSecret": made.secret, "clientIdIssuedAt": c.now.Unix(), "clientSecretExpiresAt": made.expires.Unix(),
	}, nil
}

// clientID makes the id of a client, which is no secret: it stands in URLs.
func (s *Server) clientID() string {
	s.issued++
	return uniqueID("client", strconv.Itoa(s.issued))
}

// createToken is CreateToken of Identity Center's OIDC service.
func (s *Server) createToken(c *call) (any, error) {
	var in tokenRequest
	if json.Unmarshal(c.body, &in) != nil || in.ClientID == "" || in.ClientSecret == "" || in.GrantType == "" {
		return nil, oauthFail(http.StatusBadRequest, "InvalidRequestException", "invalid_request", "Missing or invalid parameters")
	}
	registered, known := s.sso.clients[in.ClientID]
	switch {
	case !known || registered.secret != in.ClientSecret:
		return nil, oauthFail(http.StatusUnauthorized, "InvalidClientException", "invalid_client", "Invalid client provided")
	case !c.now.Before(registered.expires):
		return nil, oauthFail(http.StatusUnauthorized, "InvalidClientException", "invalid_client", "Client registration has expired")
	}
	var who *person
	var err error
	switch in.GrantType {
	case "refresh_token":
		who, err = s.spendRefresh(in)
	case "authorization_code":
		who, err = s.spendCode(c, in)
	case "urn:ietf:params:oauth:grant-type:device_code":
		who, err = s.spendDevice(c, in)
	default:
		err = oauthFail(http.StatusBadRequest, "UnsupportedGrantTypeException", "unsupported_grant_type", "Grant type is not supported")
	}
	if err != nil {
		return nil, err
	}
	access := s.token("aoa")
	s.sso.bearers[access] = bearer{who, c.now.Add(ssoTokenLife)}
	out := map[string]any{"accessToken": access, "tokenType": "Bearer", "expiresIn": int(ssoTokenLife / time.Second)}
	if registered.refreshes {
		refresh := s.token("aor")
		s.sso.grants[refresh] = grantee{who, in.ClientID}
		out["refreshToken"] = refresh
	}
	return out, nil
}

// tokenRequest is what CreateToken is asked with.
type tokenRequest struct {
	ClientID, ClientSecret, GrantType string
	RefreshToken                      string
	Code, CodeVerifier, RedirectURI   string
	DeviceCode                        string
}

func invalidGrant(message string) error {
	return oauthFail(http.StatusBadRequest, "InvalidGrantException", "invalid_grant", message)
}

// spendRefresh takes a refresh token, which is good once.
func (s *Server) spendRefresh(in tokenRequest) (*person, error) {
	g, known := s.sso.grants[in.RefreshToken]
	if !known || g.client != in.ClientID {
		return nil, invalidGrant("Invalid refresh token provided")
	}
	delete(s.sso.grants, in.RefreshToken)
	return g.person, nil
}

// spendCode takes an authorization code, which is good once, from who knows
// what its challenge was made of (RFC 7636, section 4.6).
func (s *Server) spendCode(c *call, in tokenRequest) (*person, error) {
	known, ok := s.sso.codes[in.Code]
	delete(s.sso.codes, in.Code)
	sum := sha256.Sum256([]byte(in.CodeVerifier))
	switch {
	case !ok || known.client != in.ClientID || !c.now.Before(known.expires):
		return nil, invalidGrant("Invalid authorization code provided")
	case known.redirect != in.RedirectURI:
		return nil, invalidGrant("The redirect URI is not the one of the authorization")
	case !matches(`^[A-Za-z0-9._~-]{43,128}$`, in.CodeVerifier) || known.challenge != base64.RawURLEncoding.EncodeToString(sum[:]):
		return nil, invalidGrant("The code verifier is not the one of the challenge")
	}
	return known.person, nil
}

// spendDevice takes a device code once somebody has allowed it. Who asks too
// often must ask less often from then on (RFC 8628, section 3.5).
func (s *Server) spendDevice(c *call, in tokenRequest) (*person, error) {
	d := s.sso.devices[in.DeviceCode]
	if d == nil || d.client != in.ClientID {
		return nil, invalidGrant("Invalid device code provided")
	}
	soon := !d.asked.IsZero() && c.now.Sub(d.asked) < d.interval
	d.asked = c.now
	switch {
	case !c.now.Before(d.expires):
		return nil, oauthFail(http.StatusBadRequest, "ExpiredTokenException", "expired_token", "Device code has expired")
	case d.denied:
		return nil, oauthFail(http.StatusBadRequest, "AccessDeniedException", "access_denied", "The request was denied")
	case d.person == nil && soon:
		d.interval += deviceInterval
		return nil, oauthFail(http.StatusBadRequest, "SlowDownException", "slow_down", "Slow down")
	case d.person == nil:
		return nil, oauthFail(http.StatusBadRequest, "AuthorizationPendingException", "authorization_pending", "Authorization is still pending")
	}
	delete(s.sso.devices, in.DeviceCode)
	return d.person, nil
}

// startDeviceAuthorization is StartDeviceAuthorization of the OIDC service.
func (s *Server) startDeviceAuthorization(c *call) (any, error) {
	var in struct{ ClientID, ClientSecret, StartURL string }
	if json.Unmarshal(c.body, &in) != nil || s.sso.people[in.StartURL] == nil {
		return nil, oauthFail(http.StatusBadRequest, "InvalidRequestException", "invalid_request", "Invalid start url provided")
	}
	if known, ok := s.sso.clients[in.ClientID]; !ok || known.secret != in.ClientSecret {
		return nil, oauthFail(http.StatusUnauthorized, "InvalidClientException", "invalid_client", "Invalid client provided")
	}
	s.issued++
	letters := uniqueID("", "device"+strconv.Itoa(s.issued))
	d := &authorization{client: in.ClientID, startURL: in.StartURL, userCode: letters[:4] + "-" + letters[4:8], expires: c.now.Add(codeLife), interval: cmp.Or(s.options.DeviceInterval, deviceInterval)}
	device := s.token("device")
	s.sso.devices[device] = d
	page := "http://" + c.http.Host + devicePath
	if c.http.TLS != nil {
		page = "https://" + c.http.Host + devicePath
	}
	return map[string]any{
		"deviceCode": device, "userCode": d.userCode, "verificationUri": page, "verificationUriComplete": page + "?user_code=" + d.userCode,
		"expiresIn": int(codeLife / time.Second), "interval": int(d.interval / time.Second),
	}, nil
}

// authorizePage asks whether a client may have a person's access.
func (s *Server) authorizePage(c *call) (any, error) {
	registered, err := s.authorizing(c)
	if err != nil {
		return nil, err
	}
	return s.consent(registered.startURL, ""), nil
}

// authorize sends the browser back with a code, or with the person's refusal.
func (s *Server) authorize(c *call) (any, error) {
	registered, err := s.authorizing(c)
	if err != nil {
		return nil, err
	}
	sent, who, err := s.consented(c, registered.startURL)
	if err != nil {
		return nil, err
	}
	back := url.Values{"state": {c.form.Get("state")}}
	if who == nil {
		back.Set("error", sent.Get("refuse"))
		back.Set("error_description", "The request was denied")
	} else {
		given := s.token("code")
		s.sso.codes[given] = code{c.form.Get("client_id"), c.form.Get("redirect_uri"), c.form.Get("code_challenge"), who, c.now.Add(codeLife)}
		back.Set("code", given)
	}
	return answer{status: http.StatusFound, header: http.Header{"Location": {c.form.Get("redirect_uri") + "?" + back.Encode()}}}, nil
}

// authorizing checks a request for a code (RFC 6749, section 4.1.1; RFC 7636,
// section 4.3). The port of a loopback address is the client's to choose (RFC
// 8252, section 7.3).
func (s *Server) authorizing(c *call) (client, error) {
	known, ok := s.sso.clients[c.form.Get("client_id")]
	to, err := url.Parse(c.form.Get("redirect_uri"))
	switch {
	case !ok:
		return client{}, fail(http.StatusBadRequest, "InvalidRequestException", "The client is not registered")
	case err != nil || to.RawQuery != "" || !slices.Contains(known.redirects, "http://"+host(to.Host)+to.Path):
		return client{}, fail(http.StatusBadRequest, "InvalidRequestException", "The redirect URI is not registered")
	case c.form.Get("response_type") != "code" || c.form.Get("state") == "":
		return client{}, fail(http.StatusBadRequest, "InvalidRequestException", "Missing or invalid parameters")
	case c.form.Get("code_challenge_method") != "S256" || !matches(`^[A-Za-z0-9_-]{43}$`, c.form.Get("code_challenge")):
		return client{}, fail(http.StatusBadRequest, "InvalidRequestException", "There is no challenge by S256")
	}
	return known, nil
}

// host is hostport without its port.
func host(hostport string) string {
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		return h
	}
	return hostport
}

// devicePage asks whether a device may have a person's access.
func (s *Server) devicePage(c *call) (any, error) {
	d, err := s.waiting(c.form.Get("user_code"))
	if err != nil {
		return nil, err
	}
	return s.consent(d.startURL, d.userCode), nil
}

// allowDevice notes what the person decided.
func (s *Server) allowDevice(c *call) (any, error) {
	d, err := s.waiting(c.form.Get("user_code"))
	if err != nil {
		return nil, err
	}
	_, who, err := s.consented(c, d.startURL)
	if err != nil {
		return nil, err
	}
	d.person, d.denied = who, who == nil
	return htmlAnswer(http.StatusOK, "Request approved", "<p>You can close this window.</p>"), nil
}

// waiting is the device that shows a user code.
func (s *Server) waiting(userCode string) (*authorization, error) {
	for d := range maps.Values(s.sso.devices) {
		if d.userCode == userCode && d.person == nil {
			return d, nil
		}
	}
	return nil, fail(http.StatusNotFound, "InvalidRequestException", "No device shows the code %s", userCode)
}

// WaitingDevices returns the codes that devices show to people who have not
// answered yet.
func (s *Server) WaitingDevices() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for d := range maps.Values(s.sso.devices) {
		if d.person == nil && !d.denied {
			list = append(list, d.userCode)
		}
	}
	return list
}

// consent is the page on which one says who one is. Nobody has a password in
// this world.
func (s *Server) consent(startURL, userCode string) answer {
	var b strings.Builder
	if userCode != "" {
		fmt.Fprintf(&b, "<p>The device shows <code>%s</code>.</p>", html.EscapeString(userCode))
	}
	b.WriteString("<form method=post>")
	for _, name := range slices.Sorted(maps.Keys(s.sso.people[startURL])) {
		fmt.Fprintf(&b, "<p><button name=person value=\"%[1]s\">Allow access as %[1]s</button>", html.EscapeString(name))
	}
	b.WriteString("<p><button name=refuse value=access_denied>Cancel</button></form>")
	return htmlAnswer(http.StatusOK, "Allow access to your data?", b.String())
}

// consented reads what was chosen on the page of [Server.consent]; nobody is
// who refused.
func (s *Server) consented(c *call, startURL string) (url.Values, *person, error) {
	sent, err := url.ParseQuery(string(c.body))
	if err != nil {
		return nil, nil, fail(http.StatusBadRequest, "InvalidRequestException", "The form cannot be read")
	}
	if sent.Get("refuse") != "" {
		return sent, nil, nil
	}
	who := s.sso.people[startURL][sent.Get("person")]
	if who == nil {
		return nil, nil, fail(http.StatusForbidden, "AccessDeniedException", "Nobody here has that name")
	}
	return sent, who, nil
}

// htmlAnswer is a page of HTML, which body is already.
func htmlAnswer(status int, title, body string) answer {
	title = html.EscapeString(title)
	text := "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>" + title + "</title></head><body><h1>" + title + "</h1>" + body + "</body></html>\n"
	return answer{status: status, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, body: []byte(text)}
}

// The size of the portal's pages, and what it is when nobody asks for one.
const maxResults = 100

// listAccounts is ListAccounts of Identity Center's portal.
func (s *Server) listAccounts(c *call) (any, error) {
	b, err := s.bearer(c)
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(c, b.person.accounts)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, id := range page {
		name, ok := b.person.names[id]
		if !ok {
			name = "Account " + id
		}
		list = append(list, map[string]string{"accountId": id, "accountName": name, "emailAddress": "root+" + id + "@example.com"})
	}
	return listed("accountList", list, next), nil
}

// listAccountRoles is ListAccountRoles of Identity Center's portal.
func (s *Server) listAccountRoles(c *call) (any, error) {
	b, err := s.bearer(c)
	if err != nil {
		return nil, err
	}
	id := c.form.Get("account_id")
	roles := b.person.byID[id]
	if roles == nil {
		return nil, fail(http.StatusForbidden, "ForbiddenException", "No access")
	}
	page, next, err := pageOf(c, roles)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, name := range page {
		list = append(list, map[string]string{"roleName": name, "accountId": id})
	}
	return listed("roleList", list, next), nil
}

func listed(name string, list []any, next string) map[string]any {
	out := map[string]any{name: list}
	if next != "" {
		out["nextToken"] = next
	}
	return out
}

// pageOf returns the part of all that is asked for, and the token of the next.
func pageOf(c *call, all []string) (page []string, next string, err error) {
	size, from := maxResults, 0
	if text := c.form.Get("max_result"); text != "" {
		size, err = strconv.Atoi(text)
	}
	if text := c.form.Get("next_token"); text != "" && err == nil {
		from, err = strconv.Atoi(strings.TrimPrefix(text, nextPrefix))
	}
	if err != nil || size < 1 || size > maxResults || from < 0 || from > len(all) {
		return nil, "", fail(http.StatusBadRequest, "InvalidRequestException", "Invalid max_result or next_token")
	}
	to := min(from+size, len(all))
	if to < len(all) {
		next = nextPrefix + strconv.Itoa(to)
	}
	return all[from:to], next, nil
}

const nextPrefix = "next-"

// logout is Logout of Identity Center's portal: the person's sign-in ends.
func (s *Server) logout(c *call) (any, error) {
	if _, err := s.bearer(c); err != nil {
		return nil, err
	}
	delete(s.sso.bearers, c.http.Header.Get("X-Amz-Sso_bearer_token"))
	return answer{status: http.StatusOK}, nil
}
