package hop

import (
	"context"
	"net"
)

// DialWith makes p reach every host through dial: a test within a bubble of
// testing/synctest cannot wait for a socket.
func (p *Performer) DialWith(dial func(ctx context.Context, network, addr string) (net.Conn, error)) error {
	p.once.Do(func() { p.client, p.err = newHTTPClient(p.CABundle, p.compareClocks) })
	if p.err == nil {
		p.client.transport.DialContext = dial
	}
	return p.err
}

// What the tests hold the client to.
const (
	HeaderTimeout = headerTimeout
	TotalTimeout  = totalTimeout
	MaxAttempts   = maxAttempts
	MaxBody       = maxBody
)
