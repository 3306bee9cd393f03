package emulator

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
	maxListed   = 1000 // keys in one answer
)

// object returns the bucket and the key that the request names, by its host
// (bucket.s3.amazonaws.com, bucket.localhost) or by its path.
func (c *call) object() (bucket, key string) {
	path := strings.TrimPrefix(c.http.URL.Path, "/")
	if name := c.hostBucket(); name != "" {
		return name, path
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

func (c *call) hostBucket() string {
	if net.ParseIP(c.host) != nil {
		return ""
	}
	if name, ok := strings.CutSuffix(c.host, ".localhost"); ok {
		return name
	}
	if name, _, ok := strings.Cut(c.host, ".s3."); ok && strings.Contains(c.host, ".amazonaws.com") {
		return name
	}
	return ""
}

// s3Action is the API's name for what the request's method and address say;
// "" is one that does not exist here.
func (c *call) s3Action() string {
	bucket, key := c.object()
	read, head := c.http.Method == http.MethodGet, c.http.Method == http.MethodHead
	switch {
	case bucket == "" && read:
		return "ListBuckets"
	case bucket == "":
	case key == "" && head:
		return "HeadBucket"
	case key == "" && read && c.form.Has("location"):
		return "GetBucketLocation"
	case key == "" && read && c.form.Get("list-type") == "2":
		return "ListObjectsV2"
	case key != "" && read:
		return "GetObject"
	case key != "" && head:
		return "HeadObject"
	}
	return ""
}

// s3Permissions are the IAM actions that API actions need.
var s3Permissions = map[string]string{
	"ListBuckets": "s3:ListAllMyBuckets", "HeadBucket": "s3:ListBucket", "ListObjectsV2": "s3:ListBucket",
	"GetBucketLocation": "s3:GetBucketLocation", "GetObject": "s3:GetObject", "HeadObject": "s3:GetObject",
}

// s3 answers for S3's REST protocol.
func (s *Server) s3(c *call) (answer, error) {
	var err error
	if c.key, err = s.authenticate(c); err != nil {
		return answer{}, err
	}
	permission := s3Permissions[c.action]
	if permission == "" {
		return answer{}, fail(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	}
	who := c.key.identity
	if c.action == "ListBuckets" {
		if q := c.question(permission, arn{who.arn.partition, "s3", "", "", "*"}.String()); !q.who.may(q) {
			return answer{}, noBasis(q)
		}
		return s.listBuckets(c), nil
	}
	bucket, key := c.object()
	b, exists := s.buckets[bucket]
	if !exists || b.Partition != who.arn.partition {
		return answer{}, fail(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	}
	resource := arn{b.Partition, "s3", "", "", bucket}
	if key != "" {
		resource.resource += "/" + key
	}
	q := c.question(permission, resource.String())
	q.context["s3:prefix"] = []string{c.form.Get("prefix")}
	q.context["s3:delimiter"] = []string{c.form.Get("delimiter")}
	if c.form.Has("max-keys") {
		q.context["s3:max-keys"] = []string{c.form.Get("max-keys")}
	}
	if b.Account != who.arn.account {
		return answer{}, fail(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	if !q.who.may(q) {
		return answer{}, noBasis(q)
	}
	switch c.action {
	case "ListObjectsV2":
		return s.listObjects(c, b)
	case "GetBucketLocation":
		return xmlAnswer(http.StatusOK, struct {
			XMLName xml.Name
		}{xml.Name{Space: s3Namespace, Local: "LocationConstraint"}}), nil
	case "HeadBucket":
		return answer{status: http.StatusOK, header: http.Header{"X-Amz-Bucket-Region": {defaultRegion[b.Partition]}}}, nil
	}
	return s.getObject(c, b, key)
}

func noBasis(q question) error {
	return fail(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %q because no identity-based policy allows the %s action",
		q.who.arn, q.action, q.resource, q.action)
}

// s3Errors are S3's own words for what the other services call otherwise.
var s3Errors = map[string]apiError{
	"MissingAuthenticationToken": {http.StatusForbidden, "AccessDenied", "Access Denied"},
	"InvalidClientTokenId":       {http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."},
	"ExpiredToken":               {http.StatusBadRequest, "ExpiredToken", "The provided token has expired."},
	"IncompleteSignature":        {http.StatusBadRequest, "AuthorizationHeaderMalformed", "The authorization header that you provided is not valid."},
}

// refuseS3 is the answer that tells e as S3 does.
func (c *call) refuseS3(e *apiError) answer {
	if own, ok := s3Errors[e.code]; ok {
		e = &own
	}
	return xmlAnswer(e.status, struct {
		XMLName   xml.Name `xml:"Error"`
		Code      string
		Message   string
		Resource  string
		RequestID string `xml:"RequestId"`
	}{Code: e.code, Message: e.message, Resource: c.http.URL.Path, RequestID: c.id})
}

type owner struct{ ID, DisplayName string }

func (s *Server) listBuckets(c *call) answer {
	account := c.key.identity.arn.account
	type entry struct{ Name, CreationDate string }
	var entries []entry
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		if b := s.buckets[name]; b.Account == account {
			entries = append(entries, entry{name, millis(s.began)})
		}
	}
	return xmlAnswer(http.StatusOK, struct {
		XMLName xml.Name
		Owner   owner
		Buckets []entry `xml:"Buckets>Bucket"`
	}{xml.Name{Space: s3Namespace, Local: "ListAllMyBucketsResult"}, owner{uniqueID("", account), account}, entries})
}

type listedObject struct {
	Key, LastModified, ETag string
	Size                    int
	StorageClass            string
}

type listedPrefix struct{ Prefix string }

type listObjectsResult struct {
	XMLName               xml.Name
	Name, Prefix          string
	Delimiter             string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	KeyCount, MaxKeys     int
	IsTruncated           bool
	NextContinuationToken string `xml:",omitempty"`
	Contents              []listedObject
	CommonPrefixes        []listedPrefix
}

// listObjects lists a page of the bucket: keys, and for each group of keys
// that share the text up to the delimiter, that text alone.
func (s *Server) listObjects(c *call, b Bucket) (answer, error) {
	limit := maxListed
	if text := c.form.Get("max-keys"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return answer{}, fail(http.StatusBadRequest, "InvalidArgument", "Provided max-keys not an integer or within integer range")
		}
		limit = min(n, maxListed)
	}
	after := c.form.Get("start-after")
	if text := c.form.Get("continuation-token"); text != "" {
		token, err := base64.URLEncoding.DecodeString(text)
		if err != nil {
			return answer{}, fail(http.StatusBadRequest, "InvalidArgument", "The continuation token provided is incorrect")
		}
		after = string(token)
	}
	show := func(text string) string { return text }
	if c.form.Get("encoding-type") == "url" {
		show = func(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "%2F", "/") }
	}
	prefix, delimiter := c.form.Get("prefix"), c.form.Get("delimiter")
	r := listObjectsResult{
		XMLName: xml.Name{Space: s3Namespace, Local: "ListBucketResult"}, Name: b.Name, Prefix: show(prefix), Delimiter: show(delimiter),
		EncodingType: c.form.Get("encoding-type"), MaxKeys: limit,
	}
	last := after // the key or common prefix listed last
	for _, key := range slices.Sorted(maps.Keys(b.Objects)) {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok || key <= after || delimiter != "" && strings.HasSuffix(last, delimiter) && strings.HasPrefix(key, last) {
			continue
		}
		if r.KeyCount == limit {
			r.IsTruncated = limit > 0
			break
		}
		r.KeyCount++
		if group, _, grouped := strings.Cut(rest, delimiter); delimiter != "" && grouped {
			last = prefix + group + delimiter
			r.CommonPrefixes = append(r.CommonPrefixes, listedPrefix{show(last)})
			continue
		}
		last = key
		r.Contents = append(r.Contents, listedObject{show(key), millis(s.began), etag(b.Objects[key]), len(b.Objects[key]), "STANDARD"})
	}
	if r.IsTruncated {
		r.NextContinuationToken = base64.URLEncoding.EncodeToString([]byte(last))
	}
	return xmlAnswer(http.StatusOK, r), nil
}

func (s *Server) getObject(c *call, b Bucket, key string) (answer, error) {
	body, exists := b.Objects[key]
	if !exists {
		return answer{}, fail(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	}
	header := http.Header{
		"Content-Type":   {"binary/octet-stream"},
		"Content-Length": {strconv.Itoa(len(body))},
		"Last-Modified":  {s.began.UTC().Format(http.TimeFormat)},
		"Etag":           {etag(body)},
	}
	return answer{status: http.StatusOK, header: header, body: []byte(body)}, nil
}

// etag is the MD5 of the body, as S3 has it for objects put in one piece.
func etag(body string) string {
	sum := md5.Sum([]byte(body))
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func millis(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
