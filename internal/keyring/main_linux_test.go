package keyring

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// scratch holds the homes and sockets of the programs that the tests start.
// Sockets want a short path.
var scratch string

func TestMain(m *testing.M) {
	if os.Getenv("KEYRING_TEST_FILL") != "" {
		os.Exit(fillQuota())
	}
	var err error
	scratch, err = os.MkdirTemp("/tmp", "asrk")
	if err != nil {
		panic(err)
	}
	code := m.Run()
	if left := leftovers(time.Now().Add(patience)); len(left) > 0 {
		fmt.Println("FAIL: processes are left behind:", left)
		code = 1
	}
	if err := os.RemoveAll(scratch); err != nil {
		fmt.Println("FAIL:", err)
		code = 1
	}
	os.Exit(code)
}

// leftovers lists the processes that know of scratch, once they had until
// deadline to end.
func leftovers(deadline time.Time) []string {
	for {
		var left []string
		for pid, cmdline := range processes() {
			environ, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
			if pid != os.Getpid() && (strings.Contains(cmdline, scratch) || bytes.Contains(environ, []byte(scratch))) {
				left = append(left, fmt.Sprint(pid, " ", cmdline))
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// processes returns the command line of each process.
func processes() map[int]string {
	all := map[int]string{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			cmdline, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
			all[pid] = strings.TrimSpace(strings.ReplaceAll(string(cmdline), "\x00", " "))
		}
	}
	return all
}

// program finds a program that the tests need, and names its Debian package
// where there is none.
func program(t testing.TB, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is needed: apt-get install %s", name, debian)
	}
	return path
}

// start starts a program that ends with the test.
func start(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(scratch, "")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// patience is how long the tests wait for what should happen at once: a busy
// machine may take its time.
const patience = 30 * time.Second

// soon calls f until it succeeds.
func soon(t testing.TB, what string, f func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

// ends fails a test whose f waits for what never comes.
func ends(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Errorf("it has not ended within %v", patience)
	}
}
