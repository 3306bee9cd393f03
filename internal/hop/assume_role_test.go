package hop

import (
	"testing"

	"aws-switch-role/internal/emulator"
)

// A session policy narrows the session: one that is not sent leaves the
// session with all that the role may do.
func TestAssumeRoleSendsPolicies(t *testing.T) {
	c := newCloud(t, emulator.Demo())
	h := c.role("Open")
	h.Policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	h.PolicyARNs = []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"}
	c.must(h, me)
	params := c.server.Requests()[0].Params
	if params["Policy"] != h.Policy {
		t.Errorf("Policy %q was sent, want %q", params["Policy"], h.Policy)
	}
	if got := params["PolicyArns.member.1.arn"]; got != h.PolicyARNs[0] {
		t.Errorf("the managed policy %q was sent, want %q", got, h.PolicyARNs[0])
	}
}

func TestAssumeRoleLeavesOutWhatIsEmpty(t *testing.T) {
	c := newCloud(t, emulator.Demo())
	c.must(c.role("Open"), me)
	for _, name := range []string{"Policy", "ExternalId", "SourceIdentity"} {
		if v, sent := c.server.Requests()[0].Params[name]; sent {
			t.Errorf("%s %q was sent", name, v)
		}
	}
}
