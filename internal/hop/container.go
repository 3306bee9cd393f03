package hop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// The waits of botocore for a container's endpoint.
const (
	containerTimeout = 2 * time.Second
	containerTries   = 3
)

// container gets the credentials of the container's role, from the endpoint
// of ECS or EKS.
func (p *Performer) container(ctx context.Context, h plan.Container) (cred.Credentials, error) {
	u, err := url.Parse(h.URL)
	if err != nil {
		return cred.Credentials{}, err
	}
	m := p.metadata("ECS or EKS container", u.Scheme+"://"+u.Host, containerTimeout, containerTries)
	defer m.close()
	if u.Scheme == "https" {
		if err := m.trust(p.CABundle); err != nil {
			return cred.Credentials{}, err
		}
	} else {
		m.transport.DialContext = (&net.Dialer{Timeout: containerTimeout, Control: onlyBeside}).DialContext
	}
	return p.containerFrom(ctx, m, u.RequestURI(), h.TokenFile)
}

// onlyBeside refuses to connect to an address that plain http must not go to.
// The plan has looked at the URL's host; this is about what its name was
// resolved to.
func onlyBeside(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !plan.ContainerAddress(to.Addr().Unmap().WithZone("").String()) {
		return &elsewhereError{to.Addr()}
	}
	return nil
}

// elsewhereError says that a name led away from this machine.
type elsewhereError struct{ addr netip.Addr }

func (e *elsewhereError) Error() string {
	return fmt.Sprintf("its name leads to %s, which is neither this machine nor the address of ECS or EKS", e.addr)
}

// containerFrom asks m for the path, with the token of the file, else of the
// environment, if there is one.
func (p *Performer) containerFrom(ctx context.Context, m *metadata, path, tokenFile string) (cred.Credentials, error) {
	token, err := p.containerToken(tokenFile)
	if err != nil {
		return cred.Credentials{}, err
	}
	var headers []header
	if !token.IsZero() {
		headers = []header{{"Authorization", token}}
	}
	r, err := m.ask(ctx, http.MethodGet, path, headers...)
	if e, ok := errors.AsType[*elsewhereError](err); ok {
		return cred.Credentials{}, m.fail(NoService, reply{}, e, message.New("service-plain-http", "plain http to %s is refused: %v", m.host(), e))
	}
	switch {
	case err != nil:
		return cred.Credentials{}, m.silent(err)
	case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden:
		return cred.Credentials{}, m.fail(ServiceRefused, r, nil, message.New("service-refuses", "%s refuses to answer (HTTP status %d)", m.host(), r.status))
	case r.status != http.StatusOK:
		return cred.Credentials{}, m.fail(ServiceFailed, r, nil, message.New("service-status", "%s answers with HTTP status %d", m.host(), r.status))
	}
	return m.credentials(r, p.now())
}

// containerToken is what the Authorization header is to hold. The file is
// read each time: EKS replaces the token in it.
func (p *Performer) containerToken(file string) (cred.Secret, error) {
	token, name := cred.Secret{}, "AWS_CONTAINER_AUTHORIZATION_TOKEN"
	switch {
	case file != "":
		text, err := readToken(file)
		if err != nil {
			return cred.Secret{}, err
		}
		token, name = cred.NewSecret(text), file
	case p.ContainerToken != nil:
		token = p.ContainerToken()
	}
	if strings.ContainsAny(token.Reveal(), "\r\n\x00") {
		return cred.Secret{}, &SourceError{Kind: NoToken, Name: name, Msg: message.New("token-line-break", "the token of %s holds a line break: it cannot be sent", name)}
	}
	return token, nil
}
