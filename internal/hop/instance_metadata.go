package hop

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// The instance metadata service (IMDS), from the EC2 user guide.
const (
	instanceIPv4     = "http://169.254.169.254"
	instanceIPv6     = "http://[fd00:ec2::254]"
	instanceTokens   = "/latest/api/token"
	instanceRoles    = "/latest/meta-data/iam/security-credentials/"
	instanceTokenTTL = "300" // seconds; it is used at once
)

// OnEC2 reports whether the machine is an EC2 instance, by what the kernel tells
// of the hardware beneath sys, Linux's /sys: the vendor of a Nitro instance, the
// hypervisor of a Xen one (EC2 User Guide, "Detect whether a host is an EC2
// instance").
func OnEC2(sys fs.FS) bool {
	for _, told := range []struct{ file, begins string }{
		{"devices/virtual/dmi/id/sys_vendor", "Amazon EC2"},
		{"hypervisor/uuid", "ec2"},
	} {
		if text, err := fs.ReadFile(sys, told.file); err == nil && strings.HasPrefix(string(text), told.begins) {
			return true
		}
	}
	return false
}

// instanceMetadata gets the role's credentials of the EC2 instance: a token
// first (IMDSv2), with it the role's name, and then its credentials.
//
// The SDK's client is not used: it reads the environment by itself, and with
// several attempts tries the token so often for each of them.
func (p *Performer) instanceMetadata(ctx context.Context, h plan.InstanceMetadata) (cred.Credentials, error) {
	base := instanceIPv4
	if h.IPv6 {
		base = instanceIPv6
	}
	m := p.metadata("EC2 instance", cmp.Or(h.Endpoint, base), cmp.Or(h.Timeout, time.Second), max(h.Attempts, 1))
	defer m.close()
	if strings.HasPrefix(m.base, "https:") {
		if err := m.trust(p.CABundle); err != nil {
			return cred.Credentials{}, err
		}
	}
	token, err := m.instanceToken(ctx, h.V1Disabled)
	if err != nil {
		return cred.Credentials{}, err
	}
	list, err := m.instanceGet(ctx, instanceRoles, token)
	if err != nil {
		return cred.Credentials{}, err
	}
	role, _, _ := strings.Cut(strings.TrimSpace(string(list.body)), "\n")
	role = strings.TrimSpace(role)
	if !printable(role, maxKeyID) {
		return cred.Credentials{}, m.fail(NoRole, reply{}, nil, message.New("instance-no-role", "this EC2 instance has no role"))
	}
	r, err := m.instanceGet(ctx, instanceRoles+url.PathEscape(role), token)
	if err != nil {
		return cred.Credentials{}, err
	}
	return m.credentials(r, p.now())
}

// instanceToken returns the header that makes a request one of IMDSv2, or
// none where only IMDSv1 is left. As with the SDKs that is so when the service
// knows no tokens, or when it can be reached but gives no answer: its answer
// to this request alone may be kept from crossing a container's network.
func (m *metadata) instanceToken(ctx context.Context, v1Disabled bool) ([]header, error) {
	r, err := m.ask(ctx, http.MethodPut, instanceTokens, header{"X-Aws-Ec2-Metadata-Token-Ttl-Seconds", cred.NewSecret(instanceTokenTTL)})
	s, unanswered := errors.AsType[*silence](err)
	switch {
	case err == nil && r.status == http.StatusOK && printable(string(r.body), maxToken):
		return []header{{"X-Aws-Ec2-Metadata-Token", cred.NewSecret(string(r.body))}}, nil
	case err != nil && !unanswered, unanswered && !s.heard:
		return nil, m.silent(err)
	case v1Disabled && unanswered:
		return nil, m.fail(NoService, reply{}, err, message.New("instance-token-silence", "%s gives no answer to a request for a token, and IMDSv1 is disabled", m.host()))
	case v1Disabled:
		return nil, m.fail(ServiceFailed, r, nil, message.New("instance-no-token", "%s gives no token (HTTP status %d), and IMDSv1 is disabled", m.host(), r.status))
	case err == nil && r.status == http.StatusBadRequest, err == nil && r.status == http.StatusOK:
		return nil, m.fail(BadAnswer, r, nil, message.New("instance-unlike", "%s does not answer as an EC2 instance's metadata service (HTTP status %d to a request for a token)", m.host(), r.status))
	}
	m.log("falling back to IMDSv1", "host", m.host())
	return nil, nil
}

func (m *metadata) instanceGet(ctx context.Context, path string, token []header) (reply, error) {
	r, err := m.ask(ctx, http.MethodGet, path, token...)
	switch {
	case err != nil:
		return r, m.silent(err)
	case r.status == http.StatusNotFound:
		return r, m.fail(NoRole, reply{}, nil, message.New("instance-no-role", "this EC2 instance has no role"))
	case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden:
		return r, m.fail(ServiceRefused, r, nil, message.New("service-refuses", "%s refuses to answer (HTTP status %d)", m.host(), r.status))
	case r.status != http.StatusOK:
		return r, m.fail(ServiceFailed, r, nil, message.New("service-status", "%s answers with HTTP status %d", m.host(), r.status))
	}
	return r, nil
}
