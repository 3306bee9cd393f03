package emulator_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"go.uber.org/goleak"

	"aws-switch-role/internal/emulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestWorldSlips demands that a world that is not valid is not served.
func TestWorldSlips(t *testing.T) {
	for _, c := range []struct {
		want string
		slip func(w *emulator.World)
	}{
		{`user x: "x" is not an ARN`, func(w *emulator.World) { w.Users[0].ARN = "x" }},
		{"user arn:aws:iam::111111111111:user/me: declared twice", func(w *emulator.World) { w.Users[1].ARN = w.Users[0].ARN }},
		{`access key "AKIA1"`, func(w *emulator.World) { w.Users[0].Keys[0].ID = "AKIA1" }},
		{"access key \"" + emulator.DemoKeyID, func(w *emulator.World) { w.Users[1].Keys[0].ID = emulator.DemoKeyID }},
		{"3 access keys, at most 2", func(w *emulator.World) { w.Users[0].Keys = make([]emulator.AccessKey, 3) }},
		{"a FIDO device has no seed", func(w *emulator.World) { w.Users[0].Devices[0].Seed = nil }},
		{"a FIDO device has no seed", func(w *emulator.World) { w.Users[0].Devices[0].Serial = "arn:aws:iam::111111111111:u2f/user/me/K" }},
		{"user arn:aws:iam::111111111111:user/me: unexpected EOF", func(w *emulator.World) { w.Users[0].Policy = "{" }},
		{"an identity policy has no Principal", func(w *emulator.World) { w.Users[0].Policy = w.Roles[0].Trust }},
		{"not within 1 to 12 hours", func(w *emulator.World) { w.Roles[0].MaxSession = 13 * time.Hour }},
		{"role/Ops: trust: EOF", func(w *emulator.World) { w.Roles[0].Trust = "" }},
		{"role arn:aws:iam::222222222222:role/Ops: statement 1: want Resource", func(w *emulator.World) { w.Roles[0].Policy = statement(`"Effect": "Allow", "Action": "*"`) }},
		{`bucket "No": the name`, func(w *emulator.World) { w.Buckets[0].Name = "No" }},
		{`provider "x"`, func(w *emulator.World) { w.Providers = []emulator.Provider{{ARN: "x"}} }},
		{"policy p: EOF", func(w *emulator.World) { w.Managed = map[string]string{"p": ""} }},
	} {
		w := emulator.Demo()
		c.slip(&w)
		if _, err := emulator.New(w, emulator.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}

func TestRequests(t *testing.T) {
	d := demo(t)
	d.region = "eu-west-1"
	d.ok(d.sts(me, "AssumeRole", d.mfa(role("Ops", "DurationSeconds", "900"))))
	d.sts(me, "AssumeRole", role("Ops"))
	d.s3(me, "GET", "/bucketname/hello.txt")
	log := d.server.Requests()
	if len(log) != 3 {
		t.Fatalf("%d requests", len(log))
	}
	first := log[0]
	if first.Service != "sts" || first.Action != "AssumeRole" || first.Region != "eu-west-1" || first.AccessKeyID != me.AccessKeyID || first.Caller != emulator.DemoUser ||
		!first.HasCode || first.Status != 200 || first.ErrorCode != "" || !first.Time.Equal(d.now) ||
		first.Params["RoleArn"] != emulator.DemoRole("Ops") || first.Params["DurationSeconds"] != "900" || first.Params["SerialNumber"] != emulator.DemoDevice {
		t.Errorf("first %+v", first)
	}
	if log[1].HasCode || log[1].Status != 403 || log[1].ErrorCode != "AccessDenied" {
		t.Errorf("second %+v", log[1])
	}
	if third := log[2]; third.Service != "s3" || third.Action != "GetObject" || third.Params["bucket"] != "bucketname" || third.Params["key"] != "hello.txt" {
		t.Errorf("third %+v", third)
	}
	if text := fmt.Sprintf("%+v", log); strings.Contains(text, "SECRET") || strings.Contains(text, "TokenCode") {
		t.Errorf("a secret or a code is in the log: %s", text)
	}
}

func TestBodyIsBounded(t *testing.T) {
	d := demo(t)
	r := httptest.NewRequest("POST", "http://localhost/", strings.NewReader("Action=x&"+strings.Repeat("x", 1<<20)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a := d.do(r); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// serve is the demo on a socket, by the real clock.
func serve(t *testing.T) (*emulator.Server, *emulator.Listener) {
	t.Helper()
	s, err := emulator.New(emulator.Demo(), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, l
}

// client is the AWS SDK's.
func client(t *testing.T, l *emulator.Listener, with aws.Credentials) *sts.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return sts.New(sts.Options{
		Region: "us-east-1", BaseEndpoint: &l.URL, RetryMaxAttempts: 1, HTTPClient: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return with, nil }),
	})
}

func TestSDK(t *testing.T) {
	s, l := serve(t)
	code, err := s.Code(emulator.DemoDevice)
	if err != nil {
		t.Fatal(err)
	}
	out, err := client(t, l, me).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String(emulator.DemoRole("Tagged")), RoleSessionName: aws.String("me"), SerialNumber: aws.String(emulator.DemoDevice), TokenCode: &code,
		Tags: []types.Tag{{Key: aws.String("Project"), Value: aws.String("a b+c/ü")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(*out.Credentials.Expiration); left < 59*time.Minute || left > time.Hour {
		t.Errorf("the session has %v left", left)
	}
	with := aws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
	id, err := client(t, l, with).GetCallerIdentity(t.Context(), nil)
	if err != nil || *id.Arn != "arn:aws:sts::222222222222:assumed-role/Tagged/me" {
		t.Errorf("identity %v, error %v", id, err)
	}
	var expired interface{ ErrorCode() string }
	_, err = client(t, l, aws.Credentials{AccessKeyID: "ASIANOSUCHNOSUCHNOSU", SecretAccessKey: "x", SessionToken: "x"}).GetCallerIdentity(t.Context(), nil)
	if !errors.As(err, &expired) || expired.ErrorCode() != "InvalidClientTokenId" {
		t.Errorf("error %v", err)
	}
}

// TestConcurrentCode sends one code from many sides: one of them gets a
// session.
func TestConcurrentCode(t *testing.T) {
	d := demo(t)
	params := d.mfa(form("Action", "GetSessionToken", "Version", "2011-06-15"))
	var wg sync.WaitGroup
	sessions := make(chan bool, 20)
	for range cap(sessions) {
		r := httptest.NewRequest("POST", "http://localhost/", strings.NewReader(params.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		d.sign(r, me, "sts", params.Encode())
		wg.Go(func() {
			w := httptest.NewRecorder()
			d.server.ServeHTTP(w, r)
			sessions <- w.Code == http.StatusOK
		})
	}
	wg.Wait()
	close(sessions)
	n := 0
	for ok := range sessions {
		if ok {
			n++
		}
	}
	if n != 1 {
		t.Errorf("one code made %d sessions", n)
	}
}

func TestCloseEndsStalledRequests(t *testing.T) {
	s, err := emulator.New(emulator.Demo(), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Inject(emulator.Fault{Effect: emulator.Stall()})
	c := client(t, l, me)
	done := make(chan error, 1)
	go func() {
		_, err := c.GetCallerIdentity(t.Context(), nil)
		done <- err
	}()
	for len(s.Requests()) == 0 {
		time.Sleep(time.Millisecond)
	}
	began := time.Now()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
	if err := <-done; err == nil || time.Since(began) > 900*time.Millisecond {
		t.Errorf("the client got %v after %v", err, time.Since(began))
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(l.URL, "http://")); err == nil {
		conn.Close()
		t.Error("the port is still open")
	}
}

// TestAWSCLI is the world through the eyes of the real AWS CLI.
func TestAWSCLI(t *testing.T) {
	s, l := serve(t)
	cli := func(with aws.Credentials, args ...string) (string, error) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "aws", append([]string{"--endpoint-url", l.URL}, args...)...)
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_DEFAULT_REGION=eu-west-1",
			"AWS_ACCESS_KEY_ID="+with.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+with.SecretAccessKey, "AWS_SESSION_TOKEN="+with.SessionToken, "AWS_PAGER=")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := client(t, l, me).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(emulator.DemoRole("Open")), RoleSessionName: aws.String("me")})
	if err != nil {
		t.Fatal(err)
	}
	open := aws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
	for _, c := range []struct {
		with aws.Credentials
		args string
		want string
		ok   bool
	}{
		{me, "sts get-caller-identity --output text --query Arn", "arn:aws:iam::111111111111:user/me\n", true},
		{open, "sts get-caller-identity --output text --query Arn", "arn:aws:sts::222222222222:assumed-role/Open/me\n", true},
		{me, "iam list-mfa-devices --output text --query MFADevices[].SerialNumber", emulator.DemoDevice + "\n", true},
		{open, "s3 ls", " reports\n", true},
		{open, "s3 ls s3://bucketname", "PRE logs/\n", true},
		{open, "s3 ls s3://bucketname --recursive", " logs/2026-01.txt\n", true},
		{open, "s3 cp s3://bucketname/hello.txt -", "hello from the other account\n", true},
		{open, "s3 ls s3://nosuchbucket", "NoSuchBucket", false},
		{me, "s3 ls s3://bucketname", "AccessDenied", false},
	} {
		out, err := cli(c.with, strings.Fields(c.args)...)
		if !strings.Contains(out, c.want) || (err == nil) != c.ok {
			t.Errorf("aws %s: %v\n%s", c.args, err, out)
		}
	}
	if n := len(s.Requests()); n < 9 {
		t.Errorf("%d requests", n)
	}
}
