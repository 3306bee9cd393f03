package hop

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/plan"
)

// cloud is an emulated AWS for one test, and a Performer that asks it.
type cloud struct {
	t         *testing.T
	server    *emulator.Server
	url       string
	performer *Performer
}

// me is the user of the emulated world.
var me = cred.Credentials{AccessKeyID: emulator.DemoKeyID, SecretAccessKey: cred.NewSecret(emulator.DemoSecret)}

func newCloud(t *testing.T, w emulator.World) *cloud {
	t.Helper()
	server, err := emulator.New(w, emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	c := &cloud{t: t, server: server, url: h.URL}
	c.performer = c.newPerformer()
	return c
}

func (c *cloud) newPerformer() *Performer {
	p := &Performer{}
	c.t.Cleanup(func() {
		if p.client != nil {
			p.client.transport.CloseIdleConnections()
		}
	})
	return p
}

func (c *cloud) endpoint() plan.Endpoint { return plan.Endpoint{Region: "us-east-1", URL: c.url} }

// role is the hop into a role of the emulated world.
func (c *cloud) role(name string) plan.AssumeRole {
	return plan.AssumeRole{RoleARN: emulator.DemoRole(name), SessionName: "me", Duration: time.Hour, Endpoint: c.endpoint()}
}

// must performs a hop that must succeed.
func (c *cloud) must(h plan.Hop, from cred.Credentials) cred.Credentials {
	c.t.Helper()
	got, err := c.performer.Perform(c.t.Context(), h, from)
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

// count is how often AWS was asked for an action.
func (c *cloud) count(action string) int {
	n := 0
	for _, r := range c.server.Requests() {
		if r.Action == action {
			n++
		}
	}
	return n
}

// code answers for the emulated user's MFA device.
func (c *cloud) code(context.Context, plan.MFA, error) (string, error) {
	return c.server.Code(emulator.DemoDevice)
}
