package emulator

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Signature Version 4, as "Create a signed AWS API request" of the IAM User
// Guide defines it, seen from the server.

const (
	algorithm       = "AWS4-HMAC-SHA256"
	amzDate         = "20060102T150405Z"
	unsignedPayload = "UNSIGNED-PAYLOAD"
	// maxPresign is the longest life of a presigned request.
	maxPresign = 7 * 24 * time.Hour
)

// signature is what a request says about how it was signed.
type signature struct {
	keyID   string
	date    string // of the scope: 20150830
	region  string
	service string
	headers []string // the signed ones, in lower case
	hmac    string   // the signature itself, in hexadecimal
	time    time.Time
	token   string
	expires time.Duration // of a presigned request; zero for a signed header
}

func incomplete(what string) error {
	return fail(http.StatusBadRequest, "IncompleteSignature", "Authorization header requires %s", what)
}

// parseSignature reads the signature from the Authorization header or, for a
// presigned request, from the query. It is nil for a request without any.
func parseSignature(r *http.Request) (*signature, error) {
	query := r.URL.Query()
	if query.Get("X-Amz-Algorithm") != "" {
		return parsePresigned(query)
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, nil
	}
	fields, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return nil, incomplete("the algorithm " + algorithm + ".")
	}
	parts := map[string]string{}
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		parts[name] = value
	}
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[name] == "" {
			return nil, incomplete("'" + name + "' parameter.")
		}
	}
	return newSignature(parts["Credential"], parts["SignedHeaders"], parts["Signature"],
		r.Header.Get("X-Amz-Date"), r.Header.Get("X-Amz-Security-Token"))
}

func parsePresigned(query url.Values) (*signature, error) {
	if query.Get("X-Amz-Algorithm") != algorithm {
		return nil, incomplete("the algorithm " + algorithm + ".")
	}
	seconds, err := strconv.Atoi(query.Get("X-Amz-Expires"))
	life := time.Duration(seconds) * time.Second
	if err != nil || life <= 0 || life > maxPresign {
		return nil, incomplete("an 'X-Amz-Expires' of 1 to 604800.")
	}
	sig, err := newSignature(query.Get("X-Amz-Credential"), query.Get("X-Amz-SignedHeaders"), query.Get("X-Amz-Signature"),
		query.Get("X-Amz-Date"), query.Get("X-Amz-Security-Token"))
	if err != nil {
		return nil, err
	}
	sig.expires = life
	return sig, nil
}

func newSignature(credential, headers, mac, date, token string) (*signature, error) {
	scope := strings.Split(credential, "/")
	if len(scope) != 5 || scope[4] != "aws4_request" {
		return nil, incomplete("a 'Credential' of the form key/date/region/service/aws4_request.")
	}
	t, err := time.Parse(amzDate, date)
	if err != nil {
		return nil, incomplete("existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	return &signature{
		keyID: scope[0], date: scope[1], region: scope[2], service: scope[3],
		headers: strings.Split(headers, ";"), hmac: mac, time: t, token: token,
	}, nil
}

// current checks the time of the signature against the server's clock. S3 is
// more patient than the others, and says it in other words.
func (g *signature) current(now time.Time) error {
	now = now.UTC().Truncate(time.Second)
	slack := 5 * time.Minute
	if g.service == "s3" {
		slack = 15 * time.Minute
	}
	life := slack
	if g.expires > 0 {
		life = g.expires
	}
	early, late := g.time.After(now.Add(slack)), g.time.Before(now.Add(-life))
	at := func(d time.Duration) string { return now.Add(d).Format(amzDate) }
	switch {
	case g.service == "s3" && late && g.expires > 0:
		return fail(http.StatusForbidden, "AccessDenied", "Request has expired")
	case g.service == "s3" && (early || late):
		return fail(http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	case early:
		return fail(http.StatusForbidden, "SignatureDoesNotMatch", "Signature not yet current: %s is still later than %s (%s + %.0f min.)",
			g.time.Format(amzDate), at(slack), at(0), slack.Minutes())
	case late:
		return fail(http.StatusForbidden, "SignatureDoesNotMatch", "Signature expired: %s is now earlier than %s (%s - %.0f min.)",
			g.time.Format(amzDate), at(-life), at(0), life.Minutes())
	case g.date != g.time.Format("20060102"):
		return fail(http.StatusForbidden, "SignatureDoesNotMatch", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.",
			g.date, g.time.Format("20060102"), g.time.Format(amzDate))
	}
	return nil
}

// verify checks that the request was signed with secret, and that what must
// be signed is.
func (g *signature) verify(r *http.Request, body []byte, secret string) error {
	required := []string{"host"}
	for name := range r.Header {
		if name := strings.ToLower(name); strings.HasPrefix(name, "x-amz-") {
			required = append(required, name)
		}
	}
	for _, name := range required {
		if !slices.Contains(g.headers, name) {
			return fail(http.StatusForbidden, "SignatureDoesNotMatch", "'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	hash, ok := g.payload(r, body)
	want := g.sign(canonicalRequest(r, g, hash), secret)
	if !ok || !hmac.Equal([]byte(want), []byte(g.hmac)) {
		return fail(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

// payload returns the hash of the body that the signature covers, and whether
// it is the body's own.
func (g *signature) payload(r *http.Request, body []byte) (string, bool) {
	sum := sha256.Sum256(body)
	actual := hex.EncodeToString(sum[:])
	switch said := r.Header.Get("X-Amz-Content-Sha256"); {
	case g.service == "s3" && (said == unsignedPayload || said == "" && g.expires > 0):
		return unsignedPayload, true
	case said != "":
		return said, said == actual
	case g.service == "s3":
		return "", false // S3 demands the header
	}
	return actual, true
}

func (g *signature) sign(canonical, secret string) string {
	sum := sha256.Sum256([]byte(canonical))
	toSign := strings.Join([]string{
		algorithm, g.time.Format(amzDate),
		strings.Join([]string{g.date, g.region, g.service, "aws4_request"}, "/"),
		hex.EncodeToString(sum[:]),
	}, "\n")
	k := []byte("AWS4" + secret)
	for _, part := range []string{g.date, g.region, g.service, "aws4_request", toSign} {
		mac := hmac.New(sha256.New, k)
		mac.Write([]byte(part))
		k = mac.Sum(nil)
	}
	return hex.EncodeToString(k)
}

func canonicalRequest(r *http.Request, g *signature, payload string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + canonicalPath(r.URL, g.service) + "\n" + canonicalQuery(r.URL.RawQuery) + "\n")
	for _, name := range g.headers {
		b.WriteString(name + ":" + canonicalHeader(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(g.headers, ";") + "\n" + payload)
	return b.String()
}

// canonicalPath is the path encoded once for S3, which takes it as it is, and
// normalised and, encoded as it was sent, encoded again for every other
// service.
func canonicalPath(u *url.URL, service string) string {
	if service == "s3" {
		return cmp.Or(encode(u.Path, true), "/")
	}
	p := path.Clean("/" + cmp.Or(u.RawPath, u.EscapedPath()))
	if p != "/" && strings.HasSuffix(u.Path, "/") {
		p += "/"
	}
	return encode(p, true)
}

// canonicalQuery sorts the parameters, but for the signature itself. A plus
// sign is a plus sign here.
func canonicalQuery(raw string) string {
	var params [][2]string
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescape(name), unescape(value)
		if name == "" || name == "X-Amz-Signature" {
			continue
		}
		params = append(params, [2]string{encode(name, false), encode(value, false)})
	}
	slices.SortFunc(params, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	pairs := make([]string, len(params))
	for i, p := range params {
		pairs[i] = p[0] + "=" + p[1]
	}
	return strings.Join(pairs, "&")
}

func canonicalHeader(r *http.Request, name string) string {
	if name == "host" {
		return r.Host
	}
	values := r.Header.Values(name)
	if name == "content-length" && len(values) == 0 {
		return strconv.FormatInt(r.ContentLength, 10)
	}
	trimmed := make([]string, len(values))
	for i, v := range values {
		trimmed[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(trimmed, ",")
}

// unescape decodes percent escapes; what does not decode stays as it is.
func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// encode is AWS's UriEncode: everything but RFC 3986's unreserved characters,
// byte by byte, with upper-case digits.
func encode(s string, keepSlash bool) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~', c == '/' && keepSlash:
			b.WriteByte(c)
		default:
			b.WriteString("%" + string(digits[c>>4]) + string(digits[c&15]))
		}
	}
	return b.String()
}
