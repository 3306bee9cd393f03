package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// secretService starts a message bus and an unlocked GNOME Keyring of its own,
// and returns what ends them and the address of the bus.
func secretService(dir string) (stop func(), bus string, err error) {
	var started []*exec.Cmd
	stop = func() {
		for _, cmd := range started {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	defer func() {
		if err != nil {
			stop()
			err = fmt.Errorf("a Secret Service to measure (packages dbus-daemon and gnome-keyring): %w", err)
		}
	}()
	home := filepath.Join(dir, "secrets")
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, "", err
	}
	env := []string{"HOME=" + home, "XDG_DATA_HOME=" + home, "XDG_RUNTIME_DIR=" + home, "PATH=" + os.Getenv("PATH")}

	daemon := exec.Command("dbus-daemon", "--session", "--nofork", "--nopidfile", "--address=unix:path="+filepath.Join(home, "bus"), "--print-address")
	daemon.Env = env
	out, err := daemon.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := daemon.Start(); err != nil {
		return nil, "", err
	}
	started = append(started, daemon)
	if bus, err = bufio.NewReader(out).ReadString('\n'); err != nil {
		return nil, "", err
	}
	bus = strings.TrimSpace(bus)

	keyring := exec.Command("gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets", "--control-directory="+home)
	keyring.Env = append(env, "DBUS_SESSION_BUS_ADDRESS="+bus)
	in, err := keyring.StdinPipe()
	if err != nil {
		return nil, "", err
	}
	if err := keyring.Start(); err != nil {
		return nil, "", err
	}
	started = append(started, keyring)
	_, err = io.WriteString(in, "password")
	if err := errors.Join(err, in.Close()); err != nil {
		return nil, "", err
	}
	return stop, bus, serves(bus)
}

// serves waits until a Secret Service is on a bus.
func serves(bus string) error {
	conn, err := dbus.Connect(bus)
	if err != nil {
		return err
	}
	defer conn.Close()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		var there bool
		if err := conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, "org.freedesktop.secrets").Store(&there); err != nil || there {
			return err
		}
	}
	return errors.New("it does not come up")
}
