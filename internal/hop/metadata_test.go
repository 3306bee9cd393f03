package hop

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// serve puts a handler on a socket.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// says answers every request alike.
func says(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

// fails performs the hop of a source, which must fail, and returns how.
func (c *cloud) fails(h plan.Hop) *SourceError {
	c.t.Helper()
	_, err := c.performer.Perform(c.t.Context(), h, cred.Credentials{})
	e, ok := errors.AsType[*SourceError](err)
	if !ok {
		c.t.Fatalf("error is %v", err)
	}
	return e
}

// kindOf is the kind of a SourceError, 0 of any other.
func kindOf(err error) SourceKind {
	if e, ok := errors.AsType[*SourceError](err); ok {
		return e.Kind
	}
	return 0
}

// who demands that got are credentials of the role.
func (c *cloud) who(got cred.Credentials, role string) {
	c.t.Helper()
	id, err := c.performer.Identity(c.t.Context(), c.endpoint(), got)
	if err != nil {
		c.t.Fatal(err)
	}
	if !strings.Contains(id.ARN, ":assumed-role/"+role+"/") {
		c.t.Errorf("the credentials are of %s, want role %s", id.ARN, role)
	}
	if time.Until(got.Expires) < time.Hour {
		c.t.Errorf("they end at %v", got.Expires)
	}
}

func TestInstanceMetadata(t *testing.T) {
	c := newCloud(t, emulator.Demo())
	h := plan.InstanceMetadata{Endpoint: serve(t, c.server.Metadata()) + "/", V1Disabled: true}
	c.who(c.must(h, cred.Credentials{}), "Machine")
	for _, action := range []string{"GetToken", "GetRole", "GetInstanceCredentials"} {
		if n := c.count(action); n != 1 {
			t.Errorf("%d of %s, want 1", n, action)
		}
	}
}

// The metadata service of old knows no tokens; one behind a container's
// network may not answer to the request for one.
func TestOnEC2(t *testing.T) {
	for file, text := range map[string]string{"devices/virtual/dmi/id/sys_vendor": "Amazon EC2\n", "hypervisor/uuid": "ec2e1916-9099-7caf-fd21-012345abcdef\n"} {
		if !OnEC2(fstest.MapFS{file: {Data: []byte(text)}}) {
			t.Errorf("%s does not tell of EC2", file)
		}
		if OnEC2(fstest.MapFS{file: {Data: []byte("QEMU\n")}}) {
			t.Errorf("%s tells of EC2 elsewhere", file)
		}
	}
	if OnEC2(fstest.MapFS{}) {
		t.Error("nothing tells of EC2")
	}
}

func TestInstanceMetadataV1(t *testing.T) {
	for name, effect := range map[string]emulator.Effect{
		"forbidden":  emulator.Fail(403, "Forbidden", ""),
		"not found":  emulator.Fail(404, "NotFound", ""),
		"not a verb": emulator.Fail(405, "MethodNotAllowed", ""),
		"broken":     emulator.Fail(500, "Broken", ""),
		"hangs up":   emulator.HangUp(),
		"stalls":     emulator.Stall(),
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, emulator.Demo())
			c.server.Inject(emulator.Fault{Action: "GetToken", Effect: effect})
			h := plan.InstanceMetadata{Endpoint: serve(t, c.server.Metadata()), Timeout: 300 * time.Millisecond}
			c.who(c.must(h, cred.Credentials{}), "Machine")
			h.V1Disabled = true
			if e := c.fails(h); !strings.Contains(e.Msg.String(), "IMDSv1 is disabled") {
				t.Errorf("error is %v", e)
			}
			if n := c.count("GetRole"); n != 1 {
				t.Errorf("the role was asked for %d times, want 1: never without a token when IMDSv1 is disabled", n)
			}
		})
	}
}

func TestInstanceMetadataFails(t *testing.T) {
	c := newCloud(t, emulator.Demo())
	bare := emulator.Demo()
	bare.Instance.RoleARN = ""
	wrong := emulator.Demo()
	wrong.Instance.RoleARN = emulator.DemoRole("Ops")
	world := func(w emulator.World, f ...emulator.Fault) http.Handler {
		s, err := emulator.New(w, emulator.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range f {
			s.Inject(f)
		}
		return s.Metadata()
	}
	for name, tt := range map[string]struct {
		h    http.Handler
		kind SourceKind
	}{
		"no role":      {world(bare), NoRole},
		"role nobody":  {world(emulator.Demo(), emulator.Fault{Action: "GetRole", Effect: emulator.Respond(200, "", "\n")}), NoRole},
		"untrusted":    {world(wrong), ServiceFailed},
		"bad request":  {world(emulator.Demo(), emulator.Fault{Action: "GetToken", Effect: emulator.Fail(400, "Bad", "")}), BadAnswer},
		"web page":     {says(200, "<html>hello there</html>"), BadAnswer},
		"unauthorized": {world(emulator.Demo(), emulator.Fault{Action: "GetRole", Effect: emulator.Fail(401, "", "")}), ServiceRefused},
		"broken":       {world(emulator.Demo(), emulator.Fault{Action: "GetRole", Effect: emulator.Fail(500, "", "")}), ServiceFailed},
		"no JSON":      {world(emulator.Demo(), emulator.Fault{Action: "GetInstanceCredentials", Effect: emulator.Respond(200, "", "SECRET")}), BadAnswer},
		"huge":         {world(emulator.Demo(), emulator.Fault{Action: "GetInstanceCredentials", Effect: emulator.Respond(200, "", strings.Repeat(" ", 1<<20)+"SECRET")}), BadAnswer},
		"redirect":     {world(emulator.Demo(), emulator.Fault{Action: "GetRole", Effect: emulator.Redirect("http://127.0.0.1:1/")}), ServiceFailed},
		"no token":     {world(emulator.Demo(), emulator.Fault{Action: "GetInstanceCredentials", Effect: emulator.Respond(200, "", `{"Code":"Success",`+instanceKey+`}`)}), BadAnswer},
		"ended":        {world(emulator.Demo(), emulator.Fault{Action: "GetInstanceCredentials", Effect: emulator.Respond(200, "", `{"Code":"Success",`+instanceKey+`,"Token":"t","Expiration":"2001-01-01T00:00:00Z"}`)}), BadAnswer},
		"hostile":      {world(emulator.Demo(), emulator.Fault{Action: "GetInstanceCredentials", Effect: emulator.Respond(200, "", `{"Code":"Success",`+instanceKey+`,"Token":"t\u001b","Expiration":"2999-01-01T00:00:00Z"}`)}), BadAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			e := c.fails(plan.InstanceMetadata{Endpoint: serve(t, tt.h)})
			if e.Kind != tt.kind || strings.Contains(e.Msg.String()+e.Said, "SECRET") || len(e.Said) > maxSaid {
				t.Errorf("error is %d %v (said %q), want kind %d", e.Kind, e, e.Said, tt.kind)
			}
		})
	}
}

const instanceKey = `"AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"SECRET"`

// Away from EC2 nothing answers: that is known after the tries that were asked
// for, and nothing is sent but requests for a token.
func TestInstanceMetadataElsewhere(t *testing.T) {
	t.Run("nobody listens", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		c := newCloud(t, emulator.World{})
		e := c.fails(plan.InstanceMetadata{Endpoint: "http://" + l.Addr().String(), Attempts: 3})
		if e.Kind != NoService || !strings.Contains(e.Msg.String(), "does not answer as an EC2 instance") {
			t.Errorf("error is %v", e)
		}
	})
	t.Run("no route", func(t *testing.T) {
		const timeout, tries = 200 * time.Millisecond, 2
		m := (&Performer{}).metadata("EC2 instance", "http://192.0.2.1", timeout, tries)
		m.transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			select { // the transport may go on dialing for nobody
			case <-ctx.Done():
			case <-t.Context().Done():
			}
			return nil, context.Canceled
		}
		begun := time.Now()
		if _, err := m.instanceToken(t.Context(), false); kindOf(err) != NoService {
			t.Errorf("error is %v", err)
		}
		if d := time.Since(begun); d < timeout*tries || d > timeout*tries+10*time.Second {
			t.Errorf("it took %v", d)
		}
	})
}

// No proxy sees a request, whatever the environment says.
func TestMetadataWithoutProxy(t *testing.T) {
	if m := (&Performer{}).metadata("", "http://169.254.169.254", time.Second, 1); m.transport.Proxy != nil {
		t.Error("there is a proxy")
	}
}

func TestContainer(t *testing.T) {
	c := newCloud(t, emulator.Demo())
	url := serve(t, c.server.Container())
	got := c.must(plan.Container{URL: url + emulator.DemoTaskPath}, cred.Credentials{})
	c.who(got, "Task")
	if got.AccountID != emulator.DemoAccount {
		t.Errorf("the account is %q", got.AccountID)
	}

	c.performer.ContainerToken = func() cred.Secret { return cred.NewSecret(emulator.DemoPodToken) }
	c.who(c.must(plan.Container{URL: url + emulator.DemoPodPath}, cred.Credentials{}), "Task")

	// The file goes before the variable, and is read each time.
	file := filepath.Join(t.TempDir(), "token")
	h := plan.Container{URL: url + emulator.DemoPodPath, TokenFile: file}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if e := c.fails(h); e.Kind != NoToken || e.Name != file {
		t.Errorf("error is %v", e)
	}
	write("stale")
	if e := c.fails(h); e.Kind != ServiceRefused || !strings.Contains(e.Said, "Authorization token is missing or invalid") {
		t.Errorf("error is %v", e)
	}
	write(emulator.DemoPodToken)
	c.who(c.must(h, cred.Credentials{}), "Task")
	for _, text := range []string{emulator.DemoPodToken + "\n", "a\r\nX-Evil: b"} {
		write(text)
		if e := c.fails(h); e.Kind != NoToken || strings.Contains(e.Msg.String(), "Evil") {
			t.Errorf("error is %v", e)
		}
	}
}

// Other vendors' endpoints hand out key ids that are not in AWS's form.
func TestContainerOtherVendor(t *testing.T) {
	c := newCloud(t, emulator.Demo())
	const id = "minio-user_1"
	url := serve(t, says(http.StatusOK, `{"AccessKeyId": "`+id+`", "SecretAccessKey": "secret", "Token": "token", "Expiration": "2999-01-01T00:00:00Z"}`))
	if got := c.must(plan.Container{URL: url + "/"}, cred.Credentials{}); got.AccessKeyID != id {
		t.Errorf("credentials are %+v", got)
	}
}

// TestWaiting checks that of each request one is told when its answer is waited
// for, and when no longer.
func TestWaiting(t *testing.T) {
	url := serve(t, says(http.StatusNotFound, ""))
	var told []string
	p := &Performer{Waiting: func(what message.Text) func() {
		told = append(told, what.String())
		return func() { told = append(told, "done") }
	}}
	_, err := p.Perform(t.Context(), plan.Container{URL: url}, cred.Credentials{})
	if want := []string{"waiting for " + strings.TrimPrefix(url, "http://"), "done"}; err == nil || !slices.Equal(told, want) {
		t.Errorf("told %q, want %q (%v)", told, want, err)
	}
}

func TestContainerRetries(t *testing.T) {
	for name, tt := range map[string]struct {
		fault emulator.Fault
		asked int
		kind  SourceKind
	}{
		"throttled":  {emulator.Fault{Effect: emulator.Fail(429, "Slow", ""), Count: 2}, 3, 0},
		"busy":       {emulator.Fault{Effect: emulator.Fail(503, "Busy", ""), Count: 1}, 2, 0},
		"hangs up":   {emulator.Fault{Effect: emulator.HangUp(), Count: 1}, 2, 0},
		"broken":     {emulator.Fault{Effect: emulator.Fail(500, "Broken", "")}, 3, ServiceFailed},
		"refuses":    {emulator.Fault{Effect: emulator.Fail(403, "No", "")}, 1, ServiceRefused},
		"not found":  {emulator.Fault{Effect: emulator.Fail(404, "No", "")}, 1, ServiceFailed},
		"never says": {emulator.Fault{Effect: emulator.HangUp()}, 3, NoService},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, emulator.Demo())
			c.server.Inject(tt.fault)
			_, err := c.performer.Perform(t.Context(), plan.Container{URL: serve(t, c.server.Container()) + emulator.DemoTaskPath}, cred.Credentials{})
			if kindOf(err) != tt.kind || (err == nil) != (tt.kind == 0) {
				t.Errorf("error is %v", err)
			}
			// A request on a connection kept from before is repeated by
			// net/http itself when that was closed meanwhile; here each is
			// on a new one.
			if n := c.count("GetContainerCredentials"); n != tt.asked {
				t.Errorf("%d requests, want %d", n, tt.asked)
			}
		})
	}
}

// The address of ECS, as the relative URI leads to it.
func TestContainerRelative(t *testing.T) {
	c := newCloud(t, emulator.Demo())
	there := strings.TrimPrefix(serve(t, c.server.Container()), "http://")
	m := c.performer.metadata("ECS or EKS container", "http://169.254.170.2", containerTimeout, containerTries)
	dialled := ""
	m.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled = address
		return (&net.Dialer{}).DialContext(ctx, network, there)
	}
	defer m.close()
	got, err := c.performer.containerFrom(t.Context(), m, emulator.DemoTaskPath+"?id=1", "")
	if err != nil {
		t.Fatal(err)
	}
	c.who(got, "Task")
	if dialled != "169.254.170.2:80" {
		t.Errorf("%s was dialled", dialled)
	}
}

// A name that plain http is allowed for may lead elsewhere all the same.
func TestContainerElsewhere(t *testing.T) {
	for address, allowed := range map[string]bool{
		"127.0.0.1:80": true, "[::1]:80": true, "127.1.2.3:80": true,
		"169.254.170.2:80": true, "169.254.170.23:80": true, "[fd00:ec2::23]:80": true, "[::ffff:127.0.0.1]:80": true,
		"169.254.169.254:80": false, "192.0.2.1:80": false, "[2001:db8::1]:80": false, "10.0.0.1:80": false, "x": false,
	} {
		if err := onlyBeside("tcp", address, nil); (err == nil) != allowed {
			t.Errorf("%s: error is %v", address, err)
		}
	}
	p := &Performer{}
	m := p.metadata("ECS or EKS container", "http://localhost:1", containerTimeout, 1)
	m.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &elsewhereError{netip.MustParseAddr("192.0.2.1")}}
	}
	_, err := p.containerFrom(t.Context(), m, "/", "")
	if kindOf(err) != NoService || !strings.Contains(err.Error(), "plain http to localhost:1 is refused") {
		t.Errorf("error is %v", err)
	}
}
