package keyring

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// testBus starts a message bus that starts no services, and returns its
// address and its process.
func testBus(t testing.TB) (address string, daemon *os.Process) {
	t.Helper()
	dir := tempDir(t)
	config := filepath.Join(dir, "bus.conf")
	socket := filepath.Join(dir, "bus")
	err := os.WriteFile(config, fmt.Appendf(nil, `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>`, socket), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program(t, "dbus-daemon", "dbus-daemon"), "--config-file="+config, "--nofork", "--nopidfile", "--print-address")
	cmd.Env = []string{"HOME=" + dir}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, cmd)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("dbus-daemon does not start: %v", err)
	}
	return strings.TrimSpace(line), cmd.Process
}

// gnomeKeyring starts a GNOME Keyring without a screen on a bus of its own. Its
// keyring is unlocked.
func gnomeKeyring(t testing.TB) (address string) {
	t.Helper()
	address, _ = testBus(t)
	dir := tempDir(t)
	cmd := exec.Command(program(t, "gnome-keyring-daemon", "gnome-keyring"), "--foreground", "--unlock", "--components=secrets", "--control-directory="+dir)
	cmd.Env = []string{"HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_RUNTIME_DIR=" + dir, "DBUS_SESSION_BUS_ADDRESS=" + address}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, cmd)
	_, _ = io.WriteString(in, "password")
	in.Close()
	s := newSecretService(Options{Kind: SessionKeys, SessionBus: address})
	defer s.Close()
	soon(t, "GNOME Keyring", func() error { return s.probe(t.Context()) })
	return address
}

func countOf(name string) int {
	n := 0
	for _, cmdline := range processes() {
		argv0, _, _ := strings.Cut(cmdline, " ")
		if filepath.Base(argv0) == name {
			n++
		}
	}
	return n
}
