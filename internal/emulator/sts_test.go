package emulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"aws-switch-role/internal/emulator"
)

const (
	wrongCode     = "MultiFactorAuthentication failed with invalid MFA one time pass code."
	wrongDevice   = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."
	needBoth      = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
	badTokenText  = "The security token included in the request is invalid."
	expiredText   = "The security token included in the request is expired"
	overMaximum   = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
	overChaining  = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
	notTrusted    = "sts:AssumeRole because no role trust policy allows the sts:AssumeRole action"
	wrongSignText = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)

func demo(t *testing.T) *desk { t.Helper(); return newDesk(t, emulator.Demo(), emulator.Options{}) }

func TestGetCallerIdentity(t *testing.T) {
	d := demo(t)
	r := d.sts(me, "GetCallerIdentity", nil)
	d.ok(r)
	if r.text["Arn"] != emulator.DemoUser || r.text["Account"] != emulator.DemoAccount || !strings.HasPrefix(r.text["UserId"], "AIDA") {
		t.Errorf("identity %v", r.text)
	}
	if r.header.Get("X-Amzn-Requestid") == "" || r.header.Get("Date") != "Fri, 02 Jan 2026 15:00:00 GMT" || r.header.Get("Content-Type") != "text/xml" {
		t.Errorf("headers %v", r.header)
	}
	ops := d.ok(d.sts(me, "AssumeRole", d.mfa(role("Ops"))))
	if got := d.sts(ops, "GetCallerIdentity", nil).text["Arn"]; got != "arn:aws:sts::222222222222:assumed-role/Ops/session" {
		t.Errorf("as a role: %s", got)
	}
	deploy := d.ok(d.sts(me, "AssumeRole", d.mfa(role("team/Deploy"))))
	if got := d.sts(deploy, "GetCallerIdentity", nil).text["Arn"]; got != "arn:aws:sts::222222222222:assumed-role/Deploy/session" {
		t.Errorf("as a role with a path: %s", got)
	}
}

func TestAuthentication(t *testing.T) {
	w := emulator.Demo()
	w.Users[0].Keys = append(w.Users[0].Keys, emulator.AccessKey{ID: "AKIAINACTIVEINACTIVE", Secret: "SECRET", Inactive: true})
	w.RegionsOff = []string{"eu-south-1"}
	w.RegionsOptIn = []string{"ap-east-1"}
	w.RegionsDisabled = []string{"af-south-1"}
	session := func(d *desk) aws.Credentials { return d.ok(d.sts(me, "GetSessionToken", nil)) }
	for _, c := range []struct {
		name          string
		prepare       func(d *desk) aws.Credentials
		status        int
		code, message string
	}{
		{"unknown key", func(*desk) aws.Credentials {
			return aws.Credentials{AccessKeyID: "AKIAUNKNOWNUNKNOWNUN", SecretAccessKey: "x"}
		}, 403, "InvalidClientTokenId", badTokenText},
		{"inactive key", func(*desk) aws.Credentials {
			return aws.Credentials{AccessKeyID: "AKIAINACTIVEINACTIVE", SecretAccessKey: "SECRET"}
		}, 403, "InvalidClientTokenId", badTokenText},
		{"wrong secret", func(*desk) aws.Credentials {
			return aws.Credentials{AccessKeyID: me.AccessKeyID, SecretAccessKey: "x"}
		}, 403, "SignatureDoesNotMatch", wrongSignText},
		{"no signature", func(*desk) aws.Credentials { return aws.Credentials{} }, 403, "MissingAuthenticationToken", "Request is missing Authentication Token"},
		{"token of another session", func(d *desk) aws.Credentials {
			a, b := session(d), session(d)
			a.SessionToken = b.SessionToken
			return a
		}, 403, "InvalidClientTokenId", badTokenText},
		{"session without its token", func(d *desk) aws.Credentials {
			a := session(d)
			a.SessionToken = ""
			return a
		}, 403, "InvalidClientTokenId", badTokenText},
		{"long-lived key with a token", func(d *desk) aws.Credentials {
			a := me
			a.SessionToken = session(d).SessionToken
			return a
		}, 403, "InvalidClientTokenId", badTokenText},
		{"session of the last second", func(d *desk) aws.Credentials {
			a := session(d)
			d.now = d.now.Add(12*time.Hour - time.Second)
			return a
		}, 200, "", ""},
		{"expired session", func(d *desk) aws.Credentials {
			a := session(d)
			d.now = d.now.Add(12 * time.Hour)
			return a
		}, 403, "ExpiredToken", expiredText},
		{"clock 5 minutes late", func(d *desk) aws.Credentials { d.lag = 5 * time.Minute; return me }, 200, "", ""},
		{"clock later than that", func(d *desk) aws.Credentials { d.lag = 5*time.Minute + time.Second; return me }, 403, "SignatureDoesNotMatch",
			"Signature expired: 20260102T145459Z is now earlier than 20260102T145500Z (20260102T150000Z - 5 min.)"},
		{"clock early", func(d *desk) aws.Credentials { d.lag = -5*time.Minute - time.Second; return me }, 403, "SignatureDoesNotMatch",
			"Signature not yet current: 20260102T150501Z is still later than 20260102T150500Z (20260102T150000Z + 5 min.)"},
		{"region off", func(d *desk) aws.Credentials { d.region = "eu-south-1"; return me }, 403, "RegionDisabledException",
			"STS is not activated in this region for account:111111111111. Your account administrator can activate STS in this region using the IAM Console."},
		{"region of another partition", func(d *desk) aws.Credentials { d.region = "cn-north-1"; return me }, 403, "InvalidClientTokenId", badTokenText},
		{"region that is not enabled", func(d *desk) aws.Credentials { d.region = "af-south-1"; return me }, 403, "InvalidClientTokenId", badTokenText},
		{"no region", func(d *desk) aws.Credentials { d.region = "aws-global"; return me }, 403, "SignatureDoesNotMatch",
			"Credential should be scoped to a valid region, not 'aws-global'."},
		{"another region than the host's", func(d *desk) aws.Credentials { d.host = "sts.eu-west-1.amazonaws.com"; return me }, 403, "SignatureDoesNotMatch",
			"Credential should be scoped to a valid region, not 'us-east-1'."},
		{"the host's region", func(d *desk) aws.Credentials {
			d.host, d.region = "sts.eu-west-1.amazonaws.com", "eu-west-1"
			return me
		}, 200, "", ""},
		{"global endpoint's session in an opt-in region", func(d *desk) aws.Credentials {
			d.host = "sts.amazonaws.com"
			a := session(d)
			d.host, d.region = "localhost", "ap-east-1"
			return a
		}, 403, "InvalidClientTokenId", badTokenText},
		{"regional endpoint's session in an opt-in region", func(d *desk) aws.Credentials {
			a := session(d)
			d.region = "ap-east-1"
			return a
		}, 200, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, w, emulator.Options{})
			with := c.prepare(d)
			r := d.sts(with, "GetCallerIdentity", nil)
			if c.code == "" {
				d.ok(r)
				return
			}
			d.refused(r, c.status, c.code, c.message)
		})
	}
}

func TestScopeAndAction(t *testing.T) {
	d := demo(t)
	d.refused(d.query(me, "ec2", "2011-06-15", "GetCallerIdentity", nil), 403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'.")
	d.refused(d.sts(me, "GetCalledIdentity", nil), 400, "InvalidAction", "Could not find operation GetCalledIdentity for version 2011-06-15")
	d.refused(d.query(me, "sts", "2011-06-16", "GetCallerIdentity", nil), 400, "InvalidAction", "Could not find operation GetCallerIdentity for version 2011-06-16")
	d.refused(d.iam(me, "AssumeRole", nil), 400, "InvalidAction", "Could not find operation AssumeRole for version 2010-05-08")
}

// TestUnsignedHeader takes the session token out of what is signed.
func TestUnsignedHeader(t *testing.T) {
	d := demo(t)
	session := d.ok(d.sts(me, "GetSessionToken", nil))
	token := session.SessionToken
	session.SessionToken = ""
	body := "Action=GetCallerIdentity&Version=2011-06-15"
	r := httptest.NewRequest("POST", "http://localhost/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	d.sign(r, session, "sts", body)
	r.Header.Set("X-Amz-Security-Token", token)
	d.refused(d.do(r), 403, "SignatureDoesNotMatch", "'x-amz-security-token' must be a 'SignedHeader' in the AWS Authorization.")
}

func TestPresigned(t *testing.T) {
	d := demo(t)
	get := func(path, service string, after time.Duration) reply {
		t.Helper()
		r, err := http.NewRequest("GET", "http://localhost"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		hash := "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		if service == "s3" {
			hash = "UNSIGNED-PAYLOAD"
		}
		signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), d.ok(d.sts(me, "AssumeRole", role("Open"))), r, hash, service, "us-east-1", d.now)
		if err != nil {
			t.Fatal(err)
		}
		d.now = d.now.Add(after)
		return d.do(httptest.NewRequest("GET", signed, nil))
	}
	if r := get("/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60", "sts", 0); r.status != 200 {
		t.Errorf("sts: %d %s", r.status, r.body)
	}
	d.refused(get("/bucketname/hello.txt?X-Amz-Expires=60", "s3", 61*time.Second), 403, "AccessDenied", "Request has expired")
	if r := get("/bucketname/hello.txt?X-Amz-Expires=1800", "s3", 29*time.Minute); r.status != 200 || !strings.HasPrefix(r.body, "hello") {
		t.Errorf("s3: %d %s", r.status, r.body)
	}
	d.refused(get("/bucketname/hello.txt?X-Amz-Expires=1800", "s3", 31*time.Minute), 403, "AccessDenied", "Request has expired")
}

// detected is AWS's message for one parameter that is not valid.
func detected(value, at, constraint string) string {
	return "1 validation error detected: Value " + value + " at '" + at + "' failed to satisfy constraint: " + constraint
}

func TestParameters(t *testing.T) {
	longer := func(n int) string { return strings.Repeat("x", n) }
	tags := func(n int) url.Values {
		v := role("Tagged")
		for i := range n {
			v.Set(fmt.Sprintf("Tags.member.%d.Key", i+1), fmt.Sprintf("k%d", i))
			v.Set(fmt.Sprintf("Tags.member.%d.Value", i+1), "v")
		}
		return v
	}
	policies := func(n int, arn string) url.Values {
		v := role("Open")
		for i := range n {
			v.Set(fmt.Sprintf("PolicyArns.member.%d.arn", i+1), arn)
		}
		return v
	}
	const readOnly = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	for _, c := range []struct {
		name, action  string
		params        url.Values
		code, message string // "" is success
	}{
		{"no role", "AssumeRole", form("RoleSessionName", "me"), "ValidationError", detected("null", "roleArn", "Member must not be null")},
		{"no session name", "AssumeRole", form("RoleArn", emulator.DemoRole("Open")), "ValidationError", detected("null", "roleSessionName", "Member must not be null")},
		{"short ARN", "AssumeRole", role("Open", "RoleArn", "role/Open"), "ValidationError", detected("'role/Open'", "roleArn", "Member must have length greater than or equal to 20")},
		{"user's ARN", "AssumeRole", role("Open", "RoleArn", emulator.DemoUser), "ValidationError", emulator.DemoUser + " is invalid"},
		{"unknown partition", "AssumeRole", role("Open", "RoleArn", "arn:aws-mars:iam::222222222222:role/Open"), "ValidationError", "arn:aws-mars:iam::222222222222:role/Open is invalid"},
		{"session name of 1", "AssumeRole", role("Open", "RoleSessionName", "x"), "ValidationError", detected("'x'", "roleSessionName", "Member must have length greater than or equal to 2")},
		{"session name of 2", "AssumeRole", role("Open", "RoleSessionName", "xy"), "", ""},
		{"session name of 64", "AssumeRole", role("Open", "RoleSessionName", longer(64)), "", ""},
		{"session name of 65", "AssumeRole", role("Open", "RoleSessionName", longer(65)), "ValidationError", detected("'"+longer(65)+"'", "roleSessionName", "Member must have length less than or equal to 64")},
		{"session name with every sign", "AssumeRole", role("Open", "RoleSessionName", "a_Z9+=,.@-"), "", ""},
		{"session name with a blank", "AssumeRole", role("Open", "RoleSessionName", "a b"), "ValidationError", detected("'a b'", "roleSessionName", `Member must satisfy regular expression pattern: [\w+=,.@-]*`)},
		{"two errors", "AssumeRole", role("Open", "RoleSessionName", "x", "ExternalId", "y"), "ValidationError",
			"2 validation errors detected: Value 'x' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2; " +
				"Value 'y' at 'externalId' failed to satisfy constraint: Member must have length greater than or equal to 2"},
		{"external id of 1224", "AssumeRole", role("Open", "ExternalId", longer(1224)), "", ""},
		{"external id of 1225", "AssumeRole", role("Open", "ExternalId", longer(1225)), "ValidationError", detected("'"+longer(1225)+"'", "externalId", "Member must have length less than or equal to 1224")},
		{"source identity of 1", "AssumeRole", role("Open", "SourceIdentity", "x"), "ValidationError", detected("'x'", "sourceIdentity", "Member must have length greater than or equal to 2")},
		{"duration of 899", "AssumeRole", role("Open", "DurationSeconds", "899"), "ValidationError", detected("'899'", "durationSeconds", "Member must have value greater than or equal to 900")},
		{"duration of 900", "AssumeRole", role("Open", "DurationSeconds", "900"), "", ""},
		{"duration of 43201", "AssumeRole", role("Open", "DurationSeconds", "43201"), "ValidationError", detected("'43201'", "durationSeconds", "Member must have value less than or equal to 43200")},
		{"duration over the role's", "AssumeRole", role("Open", "DurationSeconds", "3601"), "ValidationError", overMaximum},
		{"token of 899", "GetSessionToken", form("DurationSeconds", "899"), "ValidationError", detected("'899'", "durationSeconds", "Member must have value greater than or equal to 900")},
		{"token of 129600", "GetSessionToken", form("DurationSeconds", "129600"), "", ""},
		{"token of 129601", "GetSessionToken", form("DurationSeconds", "129601"), "ValidationError", detected("'129601'", "durationSeconds", "Member must have value less than or equal to 129600")},
		{"code of 5", "GetSessionToken", form("SerialNumber", emulator.DemoDevice, "TokenCode", "12345"), "ValidationError", detected("'12345'", "tokenCode", "Member must have length greater than or equal to 6")},
		{"code of letters", "GetSessionToken", form("SerialNumber", emulator.DemoDevice, "TokenCode", "abcdef"), "ValidationError", detected("'abcdef'", "tokenCode", `Member must satisfy regular expression pattern: [\d]*`)},
		{"51 tags", "AssumeRole", tags(51), "ValidationError", ""},
		{"tag without value", "AssumeRole", role("Tagged", "Tags.member.1.Key", "Project"), "ValidationError", detected("null", "tags.1.member.value", "Member must not be null")},
		{"same tag twice", "AssumeRole", role("Tagged", "Tags.member.1.Key", "Project", "Tags.member.1.Value", "a", "Tags.member.2.Key", "project", "Tags.member.2.Value", "b"),
			"InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{"transitive tag that is none", "AssumeRole", role("Tagged", "Tags.member.1.Key", "Project", "Tags.member.1.Value", "a", "TransitiveTagKeys.member.1", "Team"),
			"InvalidParameterValue", "The specified transitive tag key must be included in the requested tags."},
		{"10 policies", "AssumeRole", policies(10, readOnly), "", ""},
		{"11 policies", "AssumeRole", policies(11, readOnly), "ValidationError", ""},
		{"policy that is none", "AssumeRole", role("Open", "Policy", "{"), "MalformedPolicyDocument", ""},
		{"large policy", "AssumeRole", role("Open", "Policy", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "`+longer(2048)+`"}}`), "PackedPolicyTooLarge",
			"Packed policy consumes 105% of allotted space, please use smaller policy."},
		{"federated name", "GetFederationToken", form("Name", longer(33)), "ValidationError", detected("'"+longer(33)+"'", "name", "Member must have length less than or equal to 32")},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := demo(t)
			r := d.sts(me, c.action, c.params)
			switch {
			case c.code == "":
				d.ok(r)
			case c.message == "":
				d.refused(r, 400, c.code, r.text["Message"])
			default:
				d.refused(r, 400, c.code, c.message)
			}
		})
	}
}

func TestMFA(t *testing.T) {
	w := emulator.Demo()
	w.Users[0].Devices = append(w.Users[0].Devices, emulator.Device{Serial: "arn:aws:iam::111111111111:u2f/user/me/KEY"})
	w.Users[1].Devices = []emulator.Device{{Serial: "arn:aws:iam::111111111111:mfa/bot", Seed: []byte("SECRET of the bot")}}
	for _, c := range []struct {
		name, serial, code string // code "" is a good one
		message            string
	}{
		{"good code", emulator.DemoDevice, "", ""},
		{"wrong code", emulator.DemoDevice, "000000", wrongCode},
		{"unknown device", "arn:aws:iam::111111111111:mfa/you", "123456", wrongDevice},
		{"another user's device", "arn:aws:iam::111111111111:mfa/bot", "", wrongDevice},
		{"FIDO device", "arn:aws:iam::111111111111:u2f/user/me/KEY", "123456", wrongDevice},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, action := range []string{"GetSessionToken", "AssumeRole"} {
				d := newDesk(t, w, emulator.Options{})
				code := c.code
				if code == "" {
					var err error
					if code, err = d.server.Code(c.serial); err != nil {
						t.Fatal(err)
					}
				}
				r := d.sts(me, action, role("Ops", "SerialNumber", c.serial, "TokenCode", code))
				if c.message == "" {
					d.ok(r)
				} else {
					d.refused(r, 403, "AccessDenied", c.message)
				}
			}
		})
	}
	t.Run("one of the two", func(t *testing.T) {
		d := newDesk(t, w, emulator.Options{})
		d.refused(d.sts(me, "GetSessionToken", form("SerialNumber", emulator.DemoDevice)), 403, "AccessDenied", needBoth)
		d.refused(d.sts(me, "AssumeRole", role("Ops", "TokenCode", "123456")), 403, "AccessDenied", needBoth)
	})
}

// TestCodeIsGoodOnce spends codes over time and over both actions that take
// them.
func TestCodeIsGoodOnce(t *testing.T) {
	d := demo(t)
	first := d.mfa(form())
	d.ok(d.sts(me, "GetSessionToken", first))
	d.refused(d.sts(me, "GetSessionToken", first), 403, "AccessDenied", wrongCode)
	d.refused(d.sts(me, "AssumeRole", role("Ops", "SerialNumber", emulator.DemoDevice, "TokenCode", first.Get("TokenCode"))), 403, "AccessDenied", wrongCode)
	if in := d.server.CodeIn(emulator.DemoDevice); in != 0 {
		t.Errorf("the next code comes in %v, though the next step's is still good", in)
	}
	d.ok(d.sts(me, "AssumeRole", d.mfa(role("Ops"))))
	if _, err := d.server.Code(emulator.DemoDevice); err != emulator.ErrCodesSpent {
		t.Errorf("error %v", err)
	}
	d.now = d.now.Add(10 * time.Second)
	if in := d.server.CodeIn(emulator.DemoDevice); in != 20*time.Second {
		t.Errorf("the next code comes in %v", in)
	}
	d.now = d.now.Add(20 * time.Second)
	d.ok(d.sts(me, "AssumeRole", d.mfa(role("Ops"))))
}

func TestCodeOfANeighbouringStep(t *testing.T) {
	for after, message := range map[time.Duration]string{-30 * time.Second: "", 30 * time.Second: "", -60 * time.Second: wrongCode, 60 * time.Second: wrongCode} {
		d := demo(t)
		params := d.mfa(form())
		d.now = d.now.Add(after)
		r := d.sts(me, "GetSessionToken", params)
		if message == "" {
			d.ok(r)
		} else {
			d.refused(r, 403, "AccessDenied", message)
		}
	}
}

// TestRefusedDurationAndTheCode shows both worlds: the code survives a refused
// duration, or it does not.
func TestRefusedDurationAndTheCode(t *testing.T) {
	for _, strict := range []bool{false, true} {
		d := newDesk(t, emulator.Demo(), emulator.Options{StrictMFA: strict})
		params := d.mfa(role("Eight", "DurationSeconds", "28801"))
		d.refused(d.sts(me, "AssumeRole", params), 400, "ValidationError", overMaximum)
		params.Set("DurationSeconds", "28800")
		r := d.sts(me, "AssumeRole", params)
		if strict {
			d.refused(r, 403, "AccessDenied", wrongCode)
		} else {
			d.ok(r)
		}
	}
	d := demo(t)
	params := d.mfa(role("External"))
	d.notAuthorized(d.sts(me, "AssumeRole", params), emulator.DemoUser, "sts:AssumeRole", emulator.DemoRole("External"))
	params.Set("ExternalId", emulator.DemoExternalID)
	d.refused(d.sts(me, "AssumeRole", params), 403, "AccessDenied", wrongCode) // a denial spends the code
}

func TestSessionToken(t *testing.T) {
	d := demo(t)
	r := d.sts(me, "GetSessionToken", nil)
	plain := d.ok(r)
	if r.text["Expiration"] != "2026-01-03T03:00:00Z" || !strings.HasPrefix(plain.AccessKeyID, "ASIA") || len(plain.AccessKeyID) != 20 {
		t.Errorf("a session by default: %v", r.text)
	}
	if !strings.Contains(plain.SecretAccessKey, "SECRET") || !strings.Contains(plain.SessionToken, "SECRET") || len(plain.SecretAccessKey) != 40 {
		t.Error("the session's secrets are not marked")
	}
	mfa := d.ok(d.sts(me, "GetSessionToken", d.mfa(form())))
	d.refused(d.sts(plain, "GetSessionToken", nil), 403, "AccessDenied", "Cannot call GetSessionToken with session credentials")
	d.refused(d.sts(mfa, "GetSessionToken", nil), 403, "AccessDenied", "Cannot call GetSessionToken with session credentials")
	d.refused(d.sts(plain, "GetFederationToken", form("Name", "bob")), 403, "AccessDenied", "Cannot call GetFederationToken with session credentials")
	d.refused(d.sts(mfa, "GetAccessKeyInfo", form("AccessKeyId", me.AccessKeyID)), 403, "InvalidClientTokenId", badTokenText)
	d.ok(d.sts(me, "GetAccessKeyInfo", form("AccessKeyId", me.AccessKeyID)))
	d.ok(d.sts(plain, "GetCallerIdentity", nil))
	d.refused(d.iam(plain, "GetUser", nil), 403, "InvalidClientTokenId", badTokenText)
	d.ok(d.iam(mfa, "GetUser", nil))

	// The MFA context of the session counts for the role; the plain one has none.
	d.ok(d.sts(mfa, "AssumeRole", role("Ops")))
	d.notAuthorized(d.sts(plain, "AssumeRole", role("Ops")), emulator.DemoUser, "sts:AssumeRole", emulator.DemoRole("Ops"))
	d.ok(d.sts(plain, "AssumeRole", role("Open")))
	// A session of GetSessionToken may bring a code of its own.
	d.ok(d.sts(plain, "AssumeRole", d.mfa(role("Ops"))))

	d.refused(d.sts(mfa, "AssumeRole", role("Long", "DurationSeconds", "3601")), 400, "ValidationError", overChaining)
	d.ok(d.sts(mfa, "AssumeRole", role("Long", "DurationSeconds", "3600")))
	d.now = d.now.Add(time.Minute)
	r = d.sts(me, "AssumeRole", d.mfa(role("Long", "DurationSeconds", "43200")))
	d.ok(r)
	if r.text["Expiration"] != "2026-01-03T03:01:00Z" {
		t.Errorf("12 hours end at %s", r.text["Expiration"])
	}
}

func TestMFAAge(t *testing.T) {
	d := demo(t)
	mfa := d.ok(d.sts(me, "GetSessionToken", d.mfa(form())))
	d.now = d.now.Add(time.Hour - time.Second)
	d.ok(d.sts(mfa, "AssumeRole", role("Fresh")))
	d.now = d.now.Add(time.Second)
	d.notAuthorized(d.sts(mfa, "AssumeRole", role("Fresh")), emulator.DemoUser, "sts:AssumeRole", emulator.DemoRole("Fresh"))
	d.ok(d.sts(me, "AssumeRole", d.mfa(role("Fresh"))))
	d.notAuthorized(d.sts(me, "AssumeRole", role("Fresh")), emulator.DemoUser, "sts:AssumeRole", emulator.DemoRole("Fresh"))
}

func TestTrust(t *testing.T) {
	const botARN = "arn:aws:iam::111111111111:user/bot"
	for _, c := range []struct {
		name   string
		with   aws.Credentials
		mfa    bool
		params url.Values
		denied string // the action
	}{
		{"MFA demanded", me, false, role("Ops"), "sts:AssumeRole"},
		{"MFA given", me, true, role("Ops"), ""},
		{"no MFA demanded", bot, false, role("Open"), ""},
		{"no such role", me, true, role("Opps"), "sts:AssumeRole"},
		{"role of another partition", me, true, role("Open", "RoleArn", "arn:aws-cn:iam::222222222222:role/Open"), "sts:AssumeRole"},
		{"no external id", me, true, role("External"), "sts:AssumeRole"},
		{"wrong external id", me, true, role("External", "ExternalId", "other"), "sts:AssumeRole"},
		{"right external id", me, true, role("External", "ExternalId", emulator.DemoExternalID), ""},
		{"named principal", me, false, role("ForMe"), ""},
		{"another principal", bot, false, role("ForMe"), "sts:AssumeRole"},
		{"role for a role", me, true, role("Chained"), "sts:AssumeRole"},
		{"session named after the user", bot, false, role("Named", "RoleSessionName", "bot"), ""},
		{"session named otherwise", bot, false, role("Named", "RoleSessionName", "me"), "sts:AssumeRole"},
		{"tag", bot, false, role("Tagged", "Tags.member.1.Key", "Project", "Tags.member.1.Value", "x"), ""},
		{"no tag", bot, false, role("Tagged"), "sts:AssumeRole"},
		{"another tag", bot, false, role("Tagged", "Tags.member.1.Key", "Team", "Tags.member.1.Value", "x"), "sts:AssumeRole"},
		{"tag not trusted", bot, false, role("Open", "Tags.member.1.Key", "Project", "Tags.member.1.Value", "x"), "sts:TagSession"},
		{"role with a path", me, true, role("team/Deploy"), ""},
		{"role without its path", me, true, role("Deploy"), "sts:AssumeRole"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := demo(t)
			who := botARN
			if c.with == me {
				who = emulator.DemoUser
			}
			if c.mfa {
				d.mfa(c.params)
			}
			r := d.sts(c.with, "AssumeRole", c.params)
			if c.denied == "" {
				d.ok(r)
			} else {
				d.notAuthorized(r, who, c.denied, c.params.Get("RoleArn"))
			}
		})
	}
}

func TestChaining(t *testing.T) {
	d := demo(t)
	ops := d.ok(d.sts(me, "AssumeRole", d.mfa(role("Ops"))))
	d.ok(d.sts(ops, "AssumeRole", role("Chained")))
	d.refused(d.sts(ops, "AssumeRole", role("Chained", "DurationSeconds", "7200")), 400, "ValidationError", overChaining)
	const session = "arn:aws:sts::222222222222:assumed-role/Ops/session"
	d.denied(d.sts(ops, "AssumeRole", role("ForMe")), session, notTrusted)
	d.refused(d.sts(ops, "GetSessionToken", nil), 403, "AccessDenied", "Cannot call GetSessionToken with session credentials")
	// A role has no device.
	d.refused(d.sts(ops, "AssumeRole", d.mfa(role("Chained"))), 403, "AccessDenied", wrongDevice)
}

// account is a world of one account for the rules between its two policies.
func account(userPolicy, roleTrust, rolePolicy string) emulator.World {
	return emulator.World{
		Users: []emulator.User{{ARN: "arn:aws:iam::111111111111:user/path/me", Policy: userPolicy, Keys: []emulator.AccessKey{{ID: me.AccessKeyID, Secret: me.SecretAccessKey}},
			Devices: []emulator.Device{{Serial: emulator.DemoDevice, Seed: []byte("SECRET")}}}},
		Roles: []emulator.Role{{ARN: "arn:aws:iam::111111111111:role/Here", Trust: roleTrust, Policy: rolePolicy}},
		Buckets: []emulator.Bucket{
			{Name: "here", Account: "111111111111", Objects: map[string]string{"a/b": "text"}},
			{Name: "there", Account: "222222222222"},
		},
	}
}

func statement(body string) string {
	return `{"Version": "2012-10-17", "Statement": [{` + body + `}]}`
}

func TestBothSides(t *testing.T) {
	const (
		nothing   = `"Effect": "Allow", "Action": "s3:*", "Resource": "*"`
		assume    = `"Effect": "Allow", "Action": "sts:*", "Resource": "arn:aws:iam::*:role/Here"`
		withMFA   = assume + `, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": true}}`
		forbidden = `"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"`
		anyRoot   = `"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"`
		byARN     = `"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111111111111:user/path/me"]}, "Action": ["sts:AssumeRole"]`
		anyone    = `"Effect": "Allow", "Principal": "*", "Action": "sts:*"`
		notMe     = byARN + `}, {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Condition": {"StringNotEquals": {"aws:username": "you"}}`
		ifPresent = `"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}`

		onHere     = "sts:AssumeRole on resource: arn:aws:iam::111111111111:role/Here"
		notAllowed = onHere + " because no identity-based policy allows the sts:AssumeRole action"
	)
	for _, c := range []struct {
		name, user, trust string
		denied            string // "" when it is not
	}{
		{"account trusted, user allowed", assume, anyRoot, ""},
		{"account trusted, user not allowed", nothing, anyRoot, notAllowed},
		{"account trusted, user allowed with MFA alone", withMFA, anyRoot, notAllowed},
		{"user trusted by name, not allowed", nothing, byARN, ""},
		{"user trusted by name, forbidden", forbidden, byARN, onHere + " with an explicit deny in an identity-based policy"},
		{"anyone trusted, user not allowed", nothing, anyone, ""},
		{"denied by the trust", assume, notMe, "sts:AssumeRole with an explicit deny in the role trust policy"},
		// With a long-lived key the MFA key is absent, which IfExists lets pass.
		{"BoolIfExists", assume, ifPresent, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, account(statement(c.user), statement(c.trust), ""), emulator.Options{})
			r := d.sts(me, "AssumeRole", form("RoleArn", "arn:aws:iam::111111111111:role/Here", "RoleSessionName", "me"))
			if c.denied == "" {
				d.ok(r)
			} else {
				d.denied(r, "arn:aws:iam::111111111111:user/path/me", c.denied)
			}
		})
	}
	t.Run("another account trusts the user by name", func(t *testing.T) {
		const there = "arn:aws:iam::222222222222:role/There"
		for policy, ok := range map[string]bool{nothing: false, strings.Replace(assume, "Here", "There", 1): true} {
			w := account(statement(policy), statement(anyRoot), "")
			w.Roles = append(w.Roles, emulator.Role{ARN: there, Trust: statement(byARN)})
			d := newDesk(t, w, emulator.Options{})
			r := d.sts(me, "AssumeRole", form("RoleArn", there, "RoleSessionName", "me"))
			if ok {
				d.ok(r)
			} else {
				d.notAuthorized(r, "arn:aws:iam::111111111111:user/path/me", "sts:AssumeRole", there)
			}
		}
	})
	t.Run("another partition trusts anyone", func(t *testing.T) {
		const there = "arn:aws-cn:iam::222222222222:role/There"
		w := account("", statement(anyRoot), "")
		w.Roles = append(w.Roles, emulator.Role{ARN: there, Trust: statement(anyone)})
		d := newDesk(t, w, emulator.Options{})
		d.notAuthorized(d.sts(me, "AssumeRole", form("RoleArn", there, "RoleSessionName", "me")), "arn:aws:iam::111111111111:user/path/me", "sts:AssumeRole", there)
	})
	t.Run("BoolIfExists with a session without MFA", func(t *testing.T) {
		d := newDesk(t, account("", statement(ifPresent), ""), emulator.Options{})
		session := d.ok(d.sts(me, "GetSessionToken", nil))
		d.denied(d.sts(session, "AssumeRole", form("RoleArn", "arn:aws:iam::111111111111:role/Here", "RoleSessionName", "me")),
			"arn:aws:iam::111111111111:user/path/me", notTrusted)
	})
}

func TestTagsAndSourceIdentityAreCarried(t *testing.T) {
	const here, next = "arn:aws:iam::111111111111:role/Here", "arn:aws:iam::111111111111:role/Next"
	w := account("", statement(`"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:*"`), "")
	w.Roles = append(w.Roles, emulator.Role{ARN: next, Trust: statement(`"Effect": "Allow", "Principal": {"AWS": "` + here + `"}, "Action": "sts:*",
		"Condition": {"StringEquals": {"aws:RequestTag/Project": "x", "sts:SourceIdentity": "origin", "aws:PrincipalTag/Team": "y"}}`)})
	d := newDesk(t, w, emulator.Options{})
	params := form("RoleArn", here, "RoleSessionName", "me", "SourceIdentity", "origin", "TransitiveTagKeys.member.1", "project",
		"Tags.member.1.Key", "Project", "Tags.member.1.Value", "x", "Tags.member.2.Key", "Team", "Tags.member.2.Value", "y")
	r := d.sts(me, "AssumeRole", params)
	session := d.ok(r)
	if r.text["SourceIdentity"] != "origin" || r.text["PackedPolicySize"] != "1" {
		t.Errorf("answer %v", r.text)
	}
	d.ok(d.sts(session, "AssumeRole", form("RoleArn", next, "RoleSessionName", "me")))
	d.refused(d.sts(session, "AssumeRole", form("RoleArn", next, "RoleSessionName", "me", "Tags.member.1.Key", "Project", "Tags.member.1.Value", "z")), 400, "InvalidParameterValue",
		"One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
	d.notAuthorized(d.sts(session, "AssumeRole", form("RoleArn", next, "RoleSessionName", "me", "SourceIdentity", "other")),
		"arn:aws:sts::111111111111:assumed-role/Here/me", "sts:SetSourceIdentity", next)
	params.Del("TransitiveTagKeys.member.1")
	d.denied(d.sts(d.ok(d.sts(me, "AssumeRole", params)), "AssumeRole", form("RoleArn", next, "RoleSessionName", "me")),
		"arn:aws:sts::111111111111:assumed-role/Here/me", notTrusted)
}

func TestRoot(t *testing.T) {
	w := account("", statement(`"Effect": "Allow", "Principal": "*", "Action": "sts:*"`), "")
	w.Users[0].ARN = "arn:aws:iam::111111111111:root"
	d := newDesk(t, w, emulator.Options{})
	d.refused(d.sts(me, "AssumeRole", form("RoleArn", w.Roles[0].ARN, "RoleSessionName", "me")), 403, "AccessDenied", "Roles may not be assumed by root accounts.")
	if got := d.sts(me, "GetSessionToken", form("DurationSeconds", "7200")).text["Expiration"]; got != "2026-01-02T16:00:00Z" {
		t.Errorf("a root user's session ends at %s", got)
	}
	if r := d.sts(me, "GetCallerIdentity", nil); r.text["Arn"] != w.Users[0].ARN || r.text["UserId"] != "111111111111" {
		t.Errorf("identity %v", r.text)
	}
}

func TestPartitions(t *testing.T) {
	for partition, region := range map[string]string{"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"} {
		root, roleARN := "arn:"+partition+":iam::111111111111:", "arn:"+partition+":iam::222222222222:role/R"
		d := newDesk(t, emulator.World{
			Users: []emulator.User{{ARN: root + "user/me", Keys: []emulator.AccessKey{{ID: me.AccessKeyID, Secret: me.SecretAccessKey}}}},
			Roles: []emulator.Role{{ARN: roleARN, Trust: statement(`"Effect": "Allow", "Principal": {"AWS": "` + root + `root"}, "Action": "sts:AssumeRole"`)}},
		}, emulator.Options{})
		d.refused(d.sts(me, "GetCallerIdentity", nil), 403, "InvalidClientTokenId", badTokenText)
		d.region = region
		r := d.sts(me, "AssumeRole", form("RoleArn", roleARN, "RoleSessionName", "me"))
		d.ok(r)
		if r.text["Arn"] != "arn:"+partition+":sts::222222222222:assumed-role/R/me" {
			t.Errorf("assumed %s", r.text["Arn"])
		}
	}
}

func TestSessionPolicies(t *testing.T) {
	d := demo(t)
	narrow := d.ok(d.sts(me, "AssumeRole", role("Open", "Policy", statement(`"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucketname"`))))
	if r := d.s3(narrow, "GET", "/bucketname?list-type=2"); r.status != 200 {
		t.Errorf("what the session policy allows is refused: %s", r.body)
	}
	d.refused(d.s3(narrow, "GET", "/bucketname/hello.txt"), 403, "AccessDenied", "User: arn:aws:sts::222222222222:assumed-role/Open/session is not authorized to perform: s3:GetObject on resource: "+
		`"arn:aws:s3:::bucketname/hello.txt" because no identity-based policy allows the s3:GetObject action`)
	reader := d.ok(d.sts(me, "AssumeRole", role("Open", "PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess")))
	if r := d.s3(reader, "GET", "/bucketname/hello.txt"); r.status != 200 {
		t.Errorf("a reader may not read: %s", r.body)
	}
	d.refused(d.sts(me, "AssumeRole", role("Open", "PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/NoSuch")), 400, "ValidationError",
		"The specified managed policy does not exist: arn:aws:iam::aws:policy/NoSuch")
}

// TestSessionPolicyDenies: within an account the denial names the session's own
// policy.
func TestSessionPolicyDenies(t *testing.T) {
	const here = "arn:aws:iam::111111111111:role/Here"
	d := newDesk(t, account("", statement(`"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"`), ""), emulator.Options{})
	narrow := d.ok(d.sts(me, "AssumeRole", form("RoleArn", here, "RoleSessionName", "me", "Policy", statement(`"Effect": "Allow", "Action": "s3:*", "Resource": "*"`))))
	d.denied(d.sts(narrow, "AssumeRole", form("RoleArn", here, "RoleSessionName", "me")), "arn:aws:sts::111111111111:assumed-role/Here/me",
		"sts:AssumeRole on resource: "+here+" because no session policy allows the sts:AssumeRole action")
}

func TestFederationToken(t *testing.T) {
	d := newDesk(t, account("", statement(`"Effect": "Allow", "Principal": "*", "Action": "sts:*"`), ""), emulator.Options{})
	r := d.sts(me, "GetFederationToken", form("Name", "bob", "Policy", statement(`"Effect": "Allow", "Action": "s3:*", "Resource": "*"`)))
	bob := d.ok(r)
	if r.text["Arn"] != "arn:aws:sts::111111111111:federated-user/bob" {
		t.Errorf("federated %s", r.text["Arn"])
	}
	d.ok(d.sts(bob, "GetCallerIdentity", nil))
	d.ok(d.s3(bob, "GET", "/here/a/b"))
	d.refused(d.sts(bob, "AssumeRole", form("RoleArn", "arn:aws:iam::111111111111:role/Here", "RoleSessionName", "me")), 403, "InvalidClientTokenId", badTokenText)
	d.refused(d.iam(bob, "GetUser", nil), 403, "InvalidClientTokenId", badTokenText)
	powerless := d.ok(d.sts(me, "GetFederationToken", form("Name", "eve")))
	if r := d.s3(powerless, "GET", "/here/a/b"); r.status != 403 {
		t.Errorf("a federated user without a policy reads: %d", r.status)
	}
}

func TestWebIdentity(t *testing.T) {
	const provider, roleARN = "arn:aws:iam::222222222222:oidc-provider/token.example/org", "arn:aws:iam::222222222222:role/Web"
	w := emulator.World{
		Providers: []emulator.Provider{{ARN: provider, Audience: "sts.amazonaws.com"}},
		Roles: []emulator.Role{{ARN: roleARN, Trust: statement(`"Effect": "Allow", "Principal": {"Federated": "` + provider + `"}, "Action": "sts:AssumeRoleWithWebIdentity",
			"Condition": {"StringEquals": {"token.example/org:aud": "sts.amazonaws.com"}, "StringLike": {"token.example/org:sub": "repo:me/*"}}`)}},
	}
	d := newDesk(t, w, emulator.Options{})
	token := func(subject string) string {
		t.Helper()
		text, err := d.server.WebIdentityToken(provider, subject, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	ask := func(token, role string) reply {
		t.Helper()
		return d.sts(aws.Credentials{}, "AssumeRoleWithWebIdentity", form("RoleArn", role, "RoleSessionName", "ci", "WebIdentityToken", token))
	}
	good := token("repo:me/here")
	r := ask(good, roleARN)
	session := d.ok(r)
	if r.text["SubjectFromWebIdentityToken"] != "repo:me/here" || r.text["Provider"] != provider || r.text["Audience"] != "sts.amazonaws.com" {
		t.Errorf("answer %v", r.text)
	}
	if got := d.sts(session, "GetCallerIdentity", nil).text["Arn"]; got != "arn:aws:sts::222222222222:assumed-role/Web/ci" {
		t.Errorf("assumed %s", got)
	}
	if r := ask(good+"\n", roleARN); r.status != 200 {
		t.Errorf("a token that ends with a newline, as its file does: status %d", r.status)
	}
	if r := ask(" "+good, roleARN); r.status != 400 {
		t.Errorf("a token behind a blank: status %d", r.status)
	}
	d.refused(ask(token("repo:you/here"), roleARN), 403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	d.refused(ask(good, roleARN+"2"), 403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	d.refused(ask(good, "arn:aws:iam::333333333333:role/Web"), 400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://token.example/org")
	if r := ask(good+"x", roleARN); r.text["Code"] != "InvalidIdentityToken" {
		t.Errorf("a forged token: %d %s", r.status, r.body)
	}
	if r := ask("text", roleARN); r.text["Code"] != "InvalidIdentityToken" {
		t.Errorf("no token: %d %s", r.status, r.body)
	}
	d.now = d.now.Add(time.Hour)
	if r := ask(good, roleARN); r.status != 400 || r.text["Code"] != "ExpiredTokenException" {
		t.Errorf("an old token: %d %s", r.status, r.body)
	}
	for _, r := range d.server.Requests() {
		if _, there := r.Params["WebIdentityToken"]; there {
			t.Error("the token is in the log")
		}
	}
}
