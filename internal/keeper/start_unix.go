//go:build linux || darwin

package keeper

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The files that a keeper is started with.
const (
	ordersFD = 3 // orders are read from it
	readyFD  = 4 // what stands in the way is written to it, or that nothing does
)

const (
	readyText = "ready"
	startTime = 20 * time.Second
)

// Start starts the keeper of the shell that this process is about to become,
// and waits until it listens. program with args and environ is to call
// [Detach], and what that starts is to call [Receive].
//
// The calling goroutine must be the one that then executes the shell, and is
// wired to its thread: what makes the shell known to the keeper belongs to
// that.
func Start(program string, args, environ []string, o Orders) error {
	ordersIn, orders, err := os.Pipe()
	if err != nil {
		return err
	}
	defer orders.Close()
	ready, readyOut, err := os.Pipe()
	if err != nil {
		_ = ordersIn.Close()
		return err
	}
	defer ready.Close()
	first, err := spawn(program, args, environ, ordersIn, readyOut)
	_, _ = ordersIn.Close(), readyOut.Close()
	if err != nil {
		return err
	}
	deadline := time.Now().Add(startTime)
	_, _ = orders.SetDeadline(deadline), ready.SetDeadline(deadline)
	o.Admission = admit(o.Dir)
	err = errors.Join(writeOrders(orders, o), orders.Close())
	if errors.Is(err, syscall.EPIPE) {
		err = nil // why is what it says
	}
	if err == nil {
		err = hear(ready)
	}
	// The first process ends as soon as it has started the keeper, which so is
	// no child of the shell's: a shell waits for its children.
	if err := errors.Join(err, reap(first)); err != nil {
		return err
	}
	o.Admission.retain()
	return nil
}

// hear waits until the keeper says that it is ready, or why not.
func hear(ready io.Reader) error {
	said, err := io.ReadAll(io.LimitReader(ready, maxRequest))
	switch text := string(said); {
	case text == readyText:
		return nil
	case text != "":
		return errors.New(text)
	case err != nil:
		return err
	}
	return errors.New("it ended at once")
}

// spawn starts a process with nothing of ours but its orders.
func spawn(program string, args, environ []string, orders, ready *os.File) (*os.Process, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	return os.StartProcess(program, args, &os.ProcAttr{
		Dir:   "/",
		Env:   environ,
		Files: []*os.File{null, null, null, orders, ready},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
}

func reap(p *os.Process) error {
	state, err := p.Wait()
	if err != nil {
		return err
	}
	if !state.Success() {
		return fmt.Errorf("it could not be started: %s", state)
	}
	return nil
}

// Detach starts the keeper proper, from the process that Start started.
func Detach(program string, args, environ []string) error {
	orders, ready, err := inherited()
	if err != nil {
		return err
	}
	defer orders.Close()
	defer ready.Close()
	// Whoever started us may wait for the end of a file that we were given.
	if err := closeOthers(readyFD + 1); err != nil {
		return err
	}
	_, err = spawn(program, args, clobbering(environ), orders, ready)
	return err
}

// clobbering is an environment in which Go's collector overwrites what it
// frees ([runtime], GODEBUG): what a keeper has handed on is not to lie about in
// its memory.
func clobbering(environ []string) []string {
	const name = "GODEBUG="
	environ = slices.DeleteFunc(slices.Clone(environ), func(e string) bool { return strings.HasPrefix(e, name) })
	return append(environ, name+"clobberfree=1")
}

// closeOthers has what this process executes not get the files from a number
// on.
func closeOthers(from int) error {
	files, err := os.ReadDir("/dev/fd")
	for _, f := range files {
		if fd, err := strconv.Atoi(f.Name()); err == nil && fd >= from {
			syscall.CloseOnExec(fd)
		}
	}
	return err
}

// Receive reads the orders of a keeper. begun is to be called once: without an
// error when the keeper listens, else with what stands in the way.
func Receive() (o Orders, begun func(error) error, err error) {
	orders, ready, err := inherited()
	if err != nil {
		return o, nil, err
	}
	defer orders.Close()
	if o, err = readOrders(orders); err != nil {
		_ = ready.Close()
		return o, nil, err
	}
	return o, func(problem error) error {
		defer ready.Close()
		text := readyText
		if problem != nil {
			text = strings.ToValidUTF8(problem.Error(), "")
		}
		_, err := io.WriteString(ready, text)
		return err
	}, nil
}

// inherited returns the files that a keeper is started with.
func inherited() (orders, ready *os.File, err error) {
	for _, fd := range []int{ordersFD, readyFD} {
		var st syscall.Stat_t
		if err := syscall.Fstat(fd, &st); err != nil || st.Mode&syscall.S_IFMT != syscall.S_IFIFO {
			return nil, nil, errors.New("this is not for people: a switch starts it")
		}
		syscall.CloseOnExec(fd)
	}
	return os.NewFile(ordersFD, "orders"), os.NewFile(readyFD, "ready"), nil
}
