package emulator

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Listener serves a [Server] on a socket.
type Listener struct {
	URL    string // http://127.0.0.1:12345
	http   *http.Server
	cancel context.CancelFunc
	done   chan struct{} // closed when served is set
	served error
}

// Listen serves on addr until Close; "" is a free port of the loopback
// interface.
func (s *Server) Listen(addr string) (*Listener, error) {
	socket, err := net.Listen("tcp", cmp.Or(addr, "127.0.0.1:0"))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &Listener{
		URL: "http://" + socket.Addr().String(),
		http: &http.Server{
			Handler:           s,
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       time.Minute,
			BaseContext:       func(net.Listener) context.Context { return ctx },
			ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		},
		cancel: cancel,
		done:   make(chan struct{}),
	}
	go func() {
		defer close(l.done)
		l.served = l.http.Serve(socket)
	}()
	return l, nil
}

// Close ends what is still being answered, stalled requests among it, and
// frees the port. Nothing of the listener runs on after it. A second call does
// nothing.
func (l *Listener) Close() error {
	l.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := l.http.Shutdown(ctx)
	if err != nil {
		err = l.http.Close()
	}
	if <-l.done; l.served != http.ErrServerClosed {
		return l.served
	}
	return err
}
