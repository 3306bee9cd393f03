package emulator

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
)

const (
	exampleSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" // of the aws4_testsuite
	docsSecret    = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" // of the S3 API reference
)

// vectors are from AWS's aws4_testsuite and, where named s3, from
// "Authenticating Requests" of the Amazon S3 API reference.
var vectors = []struct{ name, secret, scope, headers, signature, request string }{
	{
		"get-vanilla", exampleSecret, "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request", "host;x-amz-date",
		"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		"GET / HTTP/1.1\nHost:example.amazonaws.com\nX-Amz-Date:20150830T123600Z\n\n",
	},
	{
		"get-vanilla-query-order-key-case", exampleSecret, "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request", "host;x-amz-date",
		"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
		"GET /?Param2=value2&Param1=value1 HTTP/1.1\nHost:example.amazonaws.com\nX-Amz-Date:20150830T123600Z\n\n",
	},
	{
		"get-utf8", exampleSecret, "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request", "host;x-amz-date",
		"8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
		"GET /\u1234 HTTP/1.1\nHost:example.amazonaws.com\nX-Amz-Date:20150830T123600Z\n\n",
	},
	{
		"get-unreserved", exampleSecret, "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request", "host;x-amz-date",
		"07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
		"GET /-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz HTTP/1.1\nHost:example.amazonaws.com\nX-Amz-Date:20150830T123600Z\n\n",
	},
	{
		"post-vanilla", exampleSecret, "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request", "host;x-amz-date",
		"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
		"POST / HTTP/1.1\nHost:example.amazonaws.com\nX-Amz-Date:20150830T123600Z\n\n",
	},
	{
		"post-header-key-sort", exampleSecret, "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request", "host;my-header1;x-amz-date",
		"c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
		"POST / HTTP/1.1\nHost:example.amazonaws.com\nMy-Header1:value1\nX-Amz-Date:20150830T123600Z\n\n",
	},
	{
		"get-header-value-trim", exampleSecret, "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request", "host;my-header1;my-header2;x-amz-date",
		"acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
		"GET / HTTP/1.1\nHost:example.amazonaws.com\nMy-Header1: value1\nMy-Header2: \"a   b   c\"\nX-Amz-Date:20150830T123600Z\n\n",
	},
	{
		"post-x-www-form-urlencoded", exampleSecret, "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request", "content-type;host;x-amz-date",
		"ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
		"POST / HTTP/1.1\nContent-Type:application/x-www-form-urlencoded\nHost:example.amazonaws.com\nX-Amz-Date:20150830T123600Z\n\nParam1=value1",
	},
	{
		"s3 GET Object", docsSecret, "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request", "host;range;x-amz-content-sha256;x-amz-date",
		"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
		"GET /test.txt HTTP/1.1\nHost: examplebucket.s3.amazonaws.com\nRange: bytes=0-9\nx-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nx-amz-date: 20130524T000000Z\n\n",
	},
	{
		"s3 list objects", docsSecret, "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request", "host;x-amz-content-sha256;x-amz-date",
		"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
		"GET /?max-keys=2&prefix=J HTTP/1.1\nHost: examplebucket.s3.amazonaws.com\nx-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nx-amz-date: 20130524T000000Z\n\n",
	},
}

func TestSignatureVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			head, body, _ := strings.Cut(v.request, "\n\n")
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n")))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", algorithm+" Credential="+v.scope+", SignedHeaders="+v.headers+", Signature="+v.signature)
			g, err := parseSignature(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := g.verify(r, []byte(body), v.secret); err != nil {
				t.Errorf("a right signature is refused: %v", err)
			}
			if g.verify(r, []byte(body), v.secret+"x") == nil {
				t.Error("a wrong secret is accepted")
			}
			if g.verify(r, []byte(body+"x"), v.secret) == nil {
				t.Error("a changed body is accepted")
			}
			r.URL.RawQuery += "&more=1"
			if g.verify(r, []byte(body), v.secret) == nil {
				t.Error("a changed query is accepted")
			}
		})
	}
}

func TestPresignedVector(t *testing.T) {
	r, err := http.NewRequest("GET", "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"+
		"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"+
		"&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404", nil)
	if err != nil {
		t.Fatal(err)
	}
	g, err := parseSignature(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.verify(r, nil, docsSecret); err != nil {
		t.Error(err)
	}
	if g.expires.Hours() != 24 {
		t.Errorf("it expires after %v", g.expires)
	}
}

func TestParseSignatureRefuses(t *testing.T) {
	const good = algorithm + " Credential=AK/20150830/us-east-1/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
	for _, c := range []struct{ name, header, date string }{
		{"another algorithm", strings.Replace(good, algorithm, "AWS4-ECDSA-P256-SHA256", 1), "20150830T123600Z"},
		{"no credential", strings.Replace(good, "Credential", "Cred", 1), "20150830T123600Z"},
		{"no signature", strings.Replace(good, "Signature=00", "", 1), "20150830T123600Z"},
		{"no signed headers", strings.Replace(good, "SignedHeaders", "Headers", 1), "20150830T123600Z"},
		{"a short scope", strings.Replace(good, "/sts", "", 1), "20150830T123600Z"},
		{"no date", good, ""},
		{"another date format", good, "Sun, 30 Aug 2015 12:36:00 GMT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := http.NewRequest("POST", "http://localhost/", nil)
			r.Header.Set("Authorization", c.header)
			r.Header.Set("X-Amz-Date", c.date)
			if g, err := parseSignature(r); err == nil {
				t.Errorf("parsed as %+v", g)
			}
		})
	}
}
