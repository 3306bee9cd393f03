package hop_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/plan"
)

func TestMFADevices(t *testing.T) {
	w := live(t, emulator.Options{})
	devices, err := w.MFADevices(t.Context(), w.endpoint, me)
	if err != nil || len(devices) != 1 || devices[0].Serial != emulator.DemoDevice || time.Since(devices[0].Since) > time.Minute {
		t.Errorf("the devices are %+v, %v", devices, err)
	}
	unknown := me
	unknown.AccessKeyID = "AKIAEXAMPLENOBODY001"
	if _, err := w.MFADevices(t.Context(), w.endpoint, unknown); code(err) != "InvalidClientTokenId" {
		t.Errorf("the devices of nobody: %v", err)
	}
}

func TestAccessKeys(t *testing.T) {
	w := live(t, emulator.Options{})
	ids := func(as cred.Credentials) (ids []string) {
		t.Helper()
		keys, err := w.AccessKeys(t.Context(), w.endpoint, as)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			ids = append(ids, k.ID)
			if time.Since(k.Created) > time.Minute {
				t.Errorf("%s was made at %s", k.ID, k.Created)
			}
		}
		return ids
	}
	fresh, err := w.CreateAccessKey(t.Context(), w.endpoint, me)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := w.Identity(t.Context(), w.endpoint, fresh); err != nil || id.ARN != emulator.DemoUser || fresh.Temporary() || !fresh.Expires.IsZero() {
		t.Errorf("the new key is %+v of %+v, %v", fresh, id, err)
	}
	if got := ids(fresh); !slices.Equal(got, []string{me.AccessKeyID, fresh.AccessKeyID}) {
		t.Errorf("the keys are %v", got)
	}
	if _, err := w.CreateAccessKey(t.Context(), w.endpoint, me); code(err) != "LimitExceeded" {
		t.Errorf("a third key: %v", err)
	}
	if err := w.DeactivateAccessKey(t.Context(), w.endpoint, fresh, me.AccessKeyID); err != nil {
		t.Fatal(err)
	}
	keys, err := w.AccessKeys(t.Context(), w.endpoint, fresh)
	if err != nil || len(keys) != 2 || keys[0].Active || !keys[1].Active {
		t.Errorf("the keys are %+v, %v", keys, err)
	}
	if err := w.DeleteAccessKey(t.Context(), w.endpoint, fresh, me.AccessKeyID); err != nil {
		t.Fatal(err)
	}
	if got := ids(fresh); !slices.Equal(got, []string{fresh.AccessKeyID}) {
		t.Errorf("the keys are %v", got)
	}
	if err := w.DeleteAccessKey(t.Context(), w.endpoint, fresh, me.AccessKeyID); code(err) != "NoSuchEntity" {
		t.Errorf("deleting it again: %v", err)
	}
	if strings.Contains(w.log.String(), "SECRET") {
		t.Errorf("the log tells a secret:\n%s", w.log)
	}
}

func code(err error) string {
	if e, ok := errors.AsType[*hop.APIError](err); ok {
		return e.Code
	}
	return ""
}

// TestCreateAccessKeyOnce: a request that may have made a key is not sent
// again, and an answer without a key is not one.
func TestCreateAccessKeyOnce(t *testing.T) {
	for what, f := range map[string]emulator.Fault{
		"hang up":   {Effect: emulator.HangUp(), Acts: true},
		"busy":      {Effect: emulator.Fail(503, "ServiceUnavailable", "")},
		"no key":    {Effect: emulator.Remove("AccessKey")},
		"no id":     {Effect: emulator.Replace("AccessKeyId", "me")},
		"two lines": {Effect: emulator.Replace("SecretAccessKey", "SECRET SECRET")},
	} {
		t.Run(what, func(t *testing.T) {
			w := live(t, emulator.Options{})
			f.Action = "CreateAccessKey"
			w.Inject(f)
			_, err := w.CreateAccessKey(t.Context(), w.endpoint, me)
			if err == nil || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("err = %v", err)
			}
			if n := len(w.Requests()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// TestIAMEndpoint: IAM is one for all regions of a partition, and errors name
// it.
func TestIAMEndpoint(t *testing.T) {
	for region, host := range map[string]string{"eu-west-1": "iam.amazonaws.com", "cn-north-1": "iam.cn-north-1.amazonaws.com.cn", "us-gov-west-1": "iam.us-gov.amazonaws.com"} {
		var dialled string
		p := &hop.Performer{Now: time.Now}
		if err := p.DialWith(func(_ context.Context, _, addr string) (net.Conn, error) {
			dialled = addr
			return nil, &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}
		}); err != nil {
			t.Fatal(err)
		}
		err := p.DeleteAccessKey(t.Context(), plan.Endpoint{Region: region}, me, me.AccessKeyID)
		if e, ok := errors.AsType[*hop.NetworkError](err); !ok || e.Host != host || dialled != host+":443" {
			t.Errorf("%s: dialled %s, %v", region, dialled, err)
		}
	}
}
