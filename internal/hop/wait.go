package hop

import "aws-switch-role/internal/message"

// waiting tells of what is waited for now, until done is called.
func (p *Performer) waiting(what message.Text) (done func()) {
	if p.Waiting == nil {
		return func() {}
	}
	return p.Waiting(what)
}

// waitingFor is waiting for the answer of a host.
func (p *Performer) waitingFor(host string) (done func()) {
	return p.waiting(message.New("waiting-for", "waiting for %s", host))
}
