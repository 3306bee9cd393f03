package emulator_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aws-switch-role/internal/emulator"
)

func TestS3(t *testing.T) {
	for _, c := range []struct {
		name, host, method, target string
		status                     int
		contains                   string
	}{
		{"buckets", "127.0.0.1:8000", "GET", "/", 200, "<Name>bucketname</Name>"},
		{"list", "127.0.0.1:8000", "GET", "/bucketname?list-type=2", 200, "<KeyCount>3</KeyCount>"},
		{"list by host", "bucketname.localhost:8000", "GET", "/?list-type=2", 200, "<Key>logs/2026-01.txt</Key>"},
		{"list by AWS's host", "bucketname.s3.us-east-1.amazonaws.com", "GET", "/?list-type=2", 200, "<Name>bucketname</Name>"},
		{"prefix", "localhost", "GET", "/bucketname?list-type=2&prefix=logs%2F", 200, "<KeyCount>1</KeyCount>"},
		{"delimiter", "localhost", "GET", "/bucketname?list-type=2&delimiter=%2F", 200, "<Prefix>logs/</Prefix>"},
		{"get", "localhost", "GET", "/bucketname/hello.txt", 200, "hello from the other account\n"},
		{"get below a prefix", "bucketname.localhost", "GET", "/logs/2026-01.txt", 200, "nothing happened\n"},
		{"head of a bucket", "localhost", "HEAD", "/bucketname", 200, ""},
		{"location", "localhost", "GET", "/bucketname?location", 200, "LocationConstraint"},
		{"no such bucket", "localhost", "GET", "/nosuchbucket?list-type=2", 404, "<Code>NoSuchBucket</Code>"},
		{"no such key", "localhost", "GET", "/bucketname/nosuchkey", 404, "<Code>NoSuchKey</Code>"},
		{"write", "localhost", "PUT", "/bucketname/new", 405, "<Code>MethodNotAllowed</Code>"},
		{"bad page size", "localhost", "GET", "/bucketname?list-type=2&max-keys=x", 400, "<Code>InvalidArgument</Code>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := demo(t)
			open := d.ok(d.sts(me, "AssumeRole", role("Open")))
			d.host = c.host
			r := d.s3(open, c.method, c.target)
			if r.status != c.status || !strings.Contains(r.body, c.contains) {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
}

func TestListInPages(t *testing.T) {
	d := demo(t)
	open := d.ok(d.sts(me, "AssumeRole", role("Open")))
	for _, delimiter := range []string{"", "/"} {
		var keys []string
		next := ""
		for range 5 {
			query := url.Values{"list-type": {"2"}, "max-keys": {"1"}}
			if delimiter != "" {
				query.Set("delimiter", delimiter)
			}
			if next != "" {
				query.Set("continuation-token", next)
			}
			r := d.s3(open, "GET", "/bucketname?"+strings.ReplaceAll(query.Encode(), "+", "%20"))
			d.ok(r)
			keys = append(keys, r.text["Key"]+r.text["Prefix"])
			if next = r.text["NextContinuationToken"]; next == "" {
				break
			}
		}
		want := []string{"hello.txt", "inventory.csv", "logs/2026-01.txt"}
		if delimiter != "" {
			want[2] = "logs/"
		}
		if !slices.Equal(keys, want) {
			t.Errorf("delimiter %q: pages %q", delimiter, keys)
		}
	}
}

func TestS3Errors(t *testing.T) {
	d := demo(t)
	open := d.ok(d.sts(me, "AssumeRole", role("Open")))
	d.refused(d.s3(aws.Credentials{AccessKeyID: "AKIAUNKNOWNUNKNOWNUN", SecretAccessKey: "x"}, "GET", "/"), 403, "InvalidAccessKeyId",
		"The AWS Access Key Id you provided does not exist in our records.")
	d.refused(d.s3(aws.Credentials{AccessKeyID: me.AccessKeyID, SecretAccessKey: "x"}, "GET", "/"), 403, "SignatureDoesNotMatch", wrongSignText)
	d.refused(d.s3(aws.Credentials{}, "GET", "/bucketname/hello.txt"), 403, "AccessDenied", "Access Denied")
	// Nobody of another account looks into a bucket.
	d.refused(d.s3(me, "GET", "/bucketname/hello.txt"), 403, "AccessDenied", "Access Denied")
	// S3 is more patient with clocks than STS.
	d.lag = 15 * time.Minute
	d.ok(d.s3(open, "GET", "/"))
	d.lag += time.Second
	d.refused(d.s3(open, "GET", "/"), 403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	d.lag = 0
	d.now = d.now.Add(time.Hour)
	d.refused(d.s3(open, "GET", "/"), 400, "ExpiredToken", "The provided token has expired.")
}

func TestRolePolicyInS3(t *testing.T) {
	d := newDesk(t, account("", statement(`"Effect": "Allow", "Principal": "*", "Action": "sts:*"`),
		statement(`"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::here", "Condition": {"StringLike": {"s3:prefix": "a/*"}}}, {"Effect": "Allow", "Action": "s3:Get*", "NotResource": "arn:aws:s3:::here/secret*"`)), emulator.Options{})
	here := d.ok(d.sts(me, "AssumeRole", form("RoleArn", "arn:aws:iam::111111111111:role/Here", "RoleSessionName", "me")))
	for target, status := range map[string]int{"/here?list-type=2&prefix=a%2Fb": 200, "/here?list-type=2": 403, "/here/a/b": 200, "/here/secret": 403, "/": 403} {
		if r := d.s3(here, "GET", target); r.status != status {
			t.Errorf("%s: %d %s", target, r.status, r.body)
		}
	}
}
