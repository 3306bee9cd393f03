package emulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aws-switch-role/internal/emulator"
)

// TestKeyRotation makes, proves, deactivates and deletes keys as a rotation
// does.
func TestKeyRotation(t *testing.T) {
	d := newDesk(t, emulator.Demo(), emulator.Options{KeyDelay: 10 * time.Second})
	r := d.iam(me, "CreateAccessKey", nil)
	d.ok(r)
	fresh := r.credentials()
	if !strings.HasPrefix(fresh.AccessKeyID, "AKIA") || len(fresh.AccessKeyID) != 20 || !strings.Contains(fresh.SecretAccessKey, "SECRET") || r.text["UserName"] != "me" || r.text["Status"] != "Active" {
		t.Errorf("new key %v", r.text)
	}
	d.refused(d.iam(me, "CreateAccessKey", nil), 409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
	if list := d.iam(me, "ListAccessKeys", nil).body; !strings.Contains(list, me.AccessKeyID) || !strings.Contains(list, fresh.AccessKeyID) {
		t.Errorf("list %s", list)
	}
	d.refused(d.sts(fresh, "GetCallerIdentity", nil), 403, "InvalidClientTokenId", badTokenText)
	d.now = d.now.Add(10 * time.Second)
	d.ok(d.sts(fresh, "GetCallerIdentity", nil))

	d.ok(d.iam(fresh, "UpdateAccessKey", form("AccessKeyId", me.AccessKeyID, "Status", "Inactive")))
	d.refused(d.sts(me, "GetCallerIdentity", nil), 403, "InvalidClientTokenId", badTokenText)
	d.ok(d.iam(fresh, "UpdateAccessKey", form("AccessKeyId", me.AccessKeyID, "Status", "Active")))
	d.ok(d.sts(me, "GetCallerIdentity", nil))
	d.ok(d.iam(fresh, "DeleteAccessKey", form("AccessKeyId", me.AccessKeyID, "UserName", "me")))
	d.refused(d.sts(me, "GetCallerIdentity", nil), 403, "InvalidClientTokenId", badTokenText)
	d.ok(d.iam(fresh, "CreateAccessKey", nil))
}

func TestKeyErrors(t *testing.T) {
	d := demo(t)
	const gone = "AKIANOSUCHNOSUCHNOSU"
	missing := "The Access Key with id " + gone + " cannot be found."
	d.refused(d.iam(me, "DeleteAccessKey", form("AccessKeyId", gone)), 404, "NoSuchEntity", missing)
	d.refused(d.iam(me, "GetAccessKeyLastUsed", form("AccessKeyId", gone)), 404, "NoSuchEntity", missing)
	d.refused(d.iam(me, "UpdateAccessKey", form("AccessKeyId", gone, "Status", "Active")), 404, "NoSuchEntity", missing)
	d.refused(d.iam(me, "DeleteAccessKey", form("AccessKeyId", bot.AccessKeyID)), 404, "NoSuchEntity", "The Access Key with id "+bot.AccessKeyID+" cannot be found.")
	d.refused(d.iam(me, "UpdateAccessKey", form("AccessKeyId", me.AccessKeyID, "Status", "Off")), 400, "ValidationError",
		detected("'Off'", "status", "Member must satisfy enum value set: [Active, Inactive]"))
	d.refused(d.iam(me, "GetUser", form("UserName", "nobody")), 404, "NoSuchEntity", "The user with name nobody cannot be found.")
	d.refused(d.iam(aws.Credentials{}, "GetUser", nil), 403, "MissingAuthenticationToken", "Request is missing Authentication Token")
	open := d.ok(d.sts(me, "AssumeRole", role("Open")))
	d.refused(d.iam(open, "GetUser", nil), 400, "ValidationError", "Must specify userName when calling with non-User credentials")
}

func TestAccessKeyLastUsed(t *testing.T) {
	d := demo(t)
	if r := d.iam(me, "GetAccessKeyLastUsed", form("AccessKeyId", bot.AccessKeyID)); r.text["UserName"] != "bot" || r.text["ServiceName"] != "N/A" || r.text["LastUsedDate"] != "" {
		t.Errorf("a key never used: %v", r.text)
	}
	d.region = "eu-west-1"
	d.ok(d.sts(bot, "GetCallerIdentity", nil))
	if r := d.iam(me, "GetAccessKeyLastUsed", form("AccessKeyId", bot.AccessKeyID)); r.text["ServiceName"] != "sts" || r.text["Region"] != "eu-west-1" || r.text["LastUsedDate"] != "2026-01-02T15:00:00Z" {
		t.Errorf("a used key: %v", r.text)
	}
}

func TestUserAndDevices(t *testing.T) {
	d := demo(t)
	if r := d.iam(me, "GetUser", nil); r.text["UserName"] != "me" || r.text["Arn"] != emulator.DemoUser || r.text["Path"] != "/" {
		t.Errorf("user %v", r.text)
	}
	if r := d.iam(me, "ListMFADevices", nil); r.text["SerialNumber"] != emulator.DemoDevice || r.text["UserName"] != "me" {
		t.Errorf("devices %v", r.text)
	}
	if r := d.iam(bot, "ListMFADevices", nil); r.status != 200 || r.text["SerialNumber"] != "" {
		t.Errorf("the devices of one who has none: %v", r.text)
	}
}

func TestIAMNeedsPermission(t *testing.T) {
	own := statement(`"Effect": "Allow", "Action": "iam:ListMFADevices", "Resource": "arn:aws:iam::*:user/path/${aws:username}"`)
	d := newDesk(t, account(own, statement(`"Effect": "Allow", "Principal": "*", "Action": "sts:*"`), ""), emulator.Options{})
	d.ok(d.iam(me, "ListMFADevices", nil))
	const user = "arn:aws:iam::111111111111:user/path/me"
	d.notAuthorized(d.iam(me, "CreateAccessKey", nil), user, "iam:CreateAccessKey", user)
	d.notAuthorized(d.iam(me, "GetAccessKeyLastUsed", form("AccessKeyId", me.AccessKeyID)), user, "iam:GetAccessKeyLastUsed", user)
}
