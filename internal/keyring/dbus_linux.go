package keyring

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/godbus/dbus/v5"
)

// maxTraffic is how much a bus may send us during one operation. It is far above
// what any of our questions can be answered with, and keeps a service that runs
// wild from filling the memory.
const maxTraffic = 1 << 20

// farewell is how long it may take to tidy up when time or patience is over.
const farewell = 250 * time.Millisecond

// bus is a connection to a message bus.
type bus struct {
	conn *dbus.Conn
	wire *wire
}

// dialBus connects to the session bus at address, which is a value of
// DBUS_SESSION_BUS_ADDRESS, or else to the one in runtimeDir. Only Unix sockets
// that exist are dialled: no bus is ever started, as libdbus and godbus do by
// running dbus-launch, whose daemons nobody ends.
func dialBus(ctx context.Context, address, runtimeDir string, write time.Duration) (bus, error) {
	sockets := busSockets(address)
	if address == "" && runtimeDir != "" {
		path := filepath.Join(runtimeDir, "bus")
		if fi, err := os.Stat(path); err == nil && fi.Mode().Type() == os.ModeSocket {
			sockets = []string{path}
		}
	}
	err := errors.New("no session bus")
	for _, socket := range sockets {
		var b bus
		if b, err = dialSocket(ctx, socket, write); err == nil {
			return b, nil
		}
	}
	return bus{}, err
}

// busSockets lists the Unix sockets in an address of the D-Bus Specification,
// "Server Addresses". Other transports are not for a bus of the same machine
// and user, or start one.
func busSockets(address string) []string {
	var sockets []string
	for one := range strings.SplitSeq(address, ";") {
		pairs, ok := strings.CutPrefix(one, "unix:")
		if !ok {
			continue
		}
		for pair := range strings.SplitSeq(pairs, ",") {
			key, value, _ := strings.Cut(pair, "=")
			value, err := dbus.UnescapeBusAddressValue(value)
			switch {
			case err != nil || value == "":
			case key == "path":
				sockets = append(sockets, value)
			case key == "abstract":
				sockets = append(sockets, "@"+value)
			}
		}
	}
	return sockets
}

func dialSocket(ctx context.Context, socket string, write time.Duration) (bus, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return bus{}, err
	}
	// The connection outlives ctx, but not while it is still being made.
	live, end := context.WithCancel(context.Background())
	stop := context.AfterFunc(ctx, end)
	w := &wire{Conn: conn, in: bufio.NewReader(conn), write: write}
	w.left.Store(maxTraffic)
	c, err := dbus.NewConn(w, dbus.WithContext(live))
	if err != nil {
		end()
		return bus{}, errors.Join(err, conn.Close())
	}
	err = c.Auth(nil)
	if err == nil {
		err = c.Hello()
	}
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		end()
		_ = c.Close()
		return bus{}, err
	}
	return bus{c, w}, nil
}

// wire bounds what godbus does without a context: how long it writes and how
// much it reads.
type wire struct {
	net.Conn
	in    *bufio.Reader
	left  atomic.Int64 // bytes that may still be read
	write time.Duration
}

var errTraffic = errors.New("the bus sends too much")

func (w *wire) Read(p []byte) (int, error) {
	if w.left.Load() <= 0 {
		return 0, errTraffic
	}
	n, err := w.in.Read(p)
	w.left.Add(int64(-n))
	return n, err
}

// Write closes the connection when it fails: half a message has no second half.
func (w *wire) Write(p []byte) (int, error) {
	err := w.SetWriteDeadline(time.Now().Add(w.write))
	n := 0
	if err == nil {
		n, err = w.Conn.Write(p)
	}
	if err != nil {
		_ = w.Close()
	}
	return n, err
}

// call calls a method of a destination's object and stores what it returns.
func (b bus) call(ctx context.Context, destination string, path dbus.ObjectPath, method string, args []any, returns ...any) error {
	done := b.conn.Object(destination, path).GoWithContext(ctx, method, 0, make(chan *dbus.Call, 1), args...).Done
	select {
	case call := <-done:
		return call.Store(returns...)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// await subscribes to a signal of path. The channel is closed when the
// connection is.
func (b bus) await(ctx context.Context, path dbus.ObjectPath, iface, member string) (signals <-chan *dbus.Signal, stop func(), err error) {
	match := []dbus.MatchOption{dbus.WithMatchObjectPath(path), dbus.WithMatchInterface(iface), dbus.WithMatchMember(member)}
	if err := b.conn.AddMatchSignalContext(ctx, match...); err != nil {
		return nil, nil, err
	}
	c := make(chan *dbus.Signal, 8)
	b.conn.Signal(c)
	return c, func() {
		b.conn.RemoveSignal(c)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		_ = b.conn.RemoveMatchSignalContext(ctx, match...)
	}, nil
}

// explainBus says of an error of a connection what it means for a keyring.
func explainBus(err error) error {
	var reply dbus.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: no answer in time", ErrUnavailable)
	case !errors.As(err, &reply):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case reply.Name == "org.freedesktop.Secret.Error.IsLocked":
		return ErrLocked
	default:
		return fmt.Errorf("%w: %s", ErrUnavailable, reply.Name)
	}
}
