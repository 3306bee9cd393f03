package deliver

import (
	"bufio"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestPeerUID connects in the ways in which clients do.
func TestPeerUID(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	for name, dial := range map[string]func() (net.Conn, error){
		"IPv4": func() (net.Conn, error) { return net.Dial("tcp4", l.Addr().String()) },
		"a socket of both families": func() (net.Conn, error) {
			s, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return nil, err
			}
			file := os.NewFile(uintptr(s), "client")
			defer file.Close()
			mapped := unix.SockaddrInet6{Port: port, Addr: netip.MustParseAddr("::ffff:127.0.0.1").As16()}
			if err := unix.Connect(s, &mapped); err != nil {
				return nil, err
			}
			return net.FileConn(file)
		},
		"half closed": func() (net.Conn, error) {
			c, err := net.Dial("tcp4", l.Addr().String())
			if err != nil {
				return nil, err
			}
			return c, c.(*net.TCPConn).CloseWrite()
		},
	} {
		client, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		uid, err := peerUID(server.RemoteAddr().(*net.TCPAddr).AddrPort(), server.LocalAddr().(*net.TCPAddr).AddrPort())
		if err != nil || uid != uint32(os.Geteuid()) {
			t.Errorf("%s: user %d, %v", name, uid, err)
		}
		if err := checkPeer(server); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, _ = client.Close(), server.Close()
	}
}

// TestPeerUIDNobody asks about sockets that are closed, or never were; a
// listener on the same port is not them.
func TestPeerUIDNobody(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	here, there := server.LocalAddr().(*net.TCPAddr).AddrPort(), server.RemoteAddr().(*net.TCPAddr).AddrPort()
	client.Close()
	for name, ends := range map[string][2]netip.AddrPort{
		"closed":          {there, here},
		"never connected": {netip.MustParseAddrPort("127.0.0.1:1"), here},
		"a listener":      {here, netip.MustParseAddrPort("127.0.0.1:1")},
	} {
		if uid, err := peerUID(ends[0], ends[1]); err == nil {
			t.Errorf("%s: user %d", name, uid)
		}
	}
}

// TestDiagAnswer cuts and spoils an answer of the kernel's form.
func TestDiagAnswer(t *testing.T) {
	local, remote := netip.MustParseAddrPort("127.0.0.1:4660"), netip.MustParseAddrPort("127.0.0.1:22136")
	good := slices.Concat(
		[]byte{88, 0, 0, 0, unix.SOCK_DIAG_BY_FAMILY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		[]byte{unix.AF_INET, 1, 0, 0, 0x12, 0x34, 0x56, 0x78},
		[]byte{127, 0, 0, 1}, make([]byte, 12), []byte{127, 0, 0, 1}, make([]byte, 12), make([]byte, 12),
		make([]byte, 12), []byte{7, 7, 7, 7}, []byte{9, 9, 9, 9},
	)
	if uid, err := diagAnswer(good, local, remote); err != nil || uid != 0x07070707 {
		t.Fatalf("user %x, %v", uid, err)
	}
	for n := range good {
		if _, err := diagAnswer(good[:n], local, remote); err == nil {
			t.Errorf("the first %d bytes are an answer", n)
		}
	}
	for name, at := range map[string]int{"a port": 20, "the other port": 23, "an address": 27, "the other address": 43, "the kind": 4} {
		bad := slices.Clone(good)
		bad[at]++
		if _, err := diagAnswer(bad, local, remote); err == nil {
			t.Errorf("%s differs, and nobody minds", name)
		}
	}
	orphan := slices.Clone(good)
	clear(orphan[len(orphan)-4:])
	if _, err := diagAnswer(orphan, local, remote); err == nil {
		t.Error("a socket without an inode has an owner")
	}
}

// TestParentEnded kills the parent of a process that watches it.
func TestParentEnded(t *testing.T) {
	if os.Getenv("WATCH_PARENT") != "" {
		ended := ParentEnded(t.Context())
		_, _ = os.Stdout.WriteString("watching\n")
		select {
		case <-ended:
			_, _ = os.Stdout.WriteString("ended\n")
		case <-time.After(30 * time.Second):
			_, _ = os.Stdout.WriteString("never\n")
		}
		os.Exit(0)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command("/bin/sh", "-c", `"$0" -test.run '^TestParentEnded$' & read line`, self)
	parent.Env = append(os.Environ(), "WATCH_PARENT=1")
	if _, err := parent.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for _, want := range []string{"watching", "ended"} {
		if !lines.Scan() || lines.Text() != want {
			t.Errorf("%q, want %q", lines.Text(), want)
		}
		_ = parent.Process.Kill()
	}
	_ = parent.Wait()
}
