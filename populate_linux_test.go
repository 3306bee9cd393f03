package main

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"aws-switch-role/internal/emulator"
)

// TestPopulateManyAccounts writes the profiles of somebody with three roles in
// each of 5,000 accounts, whose portal is busy now and then: in bounded memory,
// and nothing the second time.
func TestPopulateManyAccounts(t *testing.T) {
	const accounts, roles, maxPeak = 5000, 3, 80 << 10 // KiB
	person, names := emulator.Person{Name: emulator.DemoPerson}, map[string]string{}
	for a := range accounts {
		id := fmt.Sprintf("%012d", 500000000000+a)
		names[id] = fmt.Sprintf("Member %04d", a)
		for r := range roles {
			person.Roles = append(person.Roles, emulator.Assignment{Account: id, Role: fmt.Sprintf("Role%d", r)})
		}
	}
	h := &keyHome{t: t}
	var err error
	if h.server, err = emulator.New(emulator.World{Centers: []emulator.IdentityCenter{{StartURL: emulator.DemoStartURL, People: []emulator.Person{person}, Accounts: names}}}, emulator.Options{}); err != nil {
		t.Fatal(err)
	}
	l, err := h.server.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	h.url = l.URL
	h.settle(t)
	token, err := h.server.SSOToken(emulator.SSOSignIn{StartURL: emulator.DemoStartURL, Person: emulator.DemoPerson, Region: "us-east-1", Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(h.dir, ".aws", "config")
	write(t, filepath.Join(h.dir, ".aws", "sso", "cache", fmt.Sprintf("%x.json", sha1.Sum([]byte("corp")))), string(token), 0o600)
	write(t, config, ssoConfig, 0o600)
	useRealProgram(t)
	h.server.Inject(emulator.Fault{Action: "ListAccountRoles", Skip: 1000, Count: 3, Effect: emulator.Fail(429, "TooManyRequestsException", "HTTP 429 Unknown Code")})

	run := func(args ...string) (stdout, stderr string, peak int) {
		t.Helper()
		begun := time.Now()
		cmd := h.command(append([]string{"aws-switch-role", "sso", "populate", "corp", "--yes"}, args...)...)
		var out, said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for {
			select {
			case err := <-ended:
				if err != nil {
					t.Fatalf("%v\n%s", err, last(said.String(), 2000))
				}
				t.Logf("%v: %d KiB at most, in %v", args, peak, time.Since(begun).Round(time.Millisecond))
				if peak == 0 || peak > maxPeak {
					t.Errorf("it held %d KiB, want at most %d", peak, maxPeak)
				}
				return out.String(), said.String(), peak
			case <-time.After(2 * time.Millisecond):
				peak = max(peak, peakOf(cmd))
			}
		}
	}
	_, said, _ := run("--region", "eu-west-1")
	if !strings.HasSuffix(said, "/.aws/config: 15000 profiles added\n") {
		t.Errorf("it says %s", said)
	}
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "[profile Member-"); n != accounts*roles {
		t.Errorf("the file has %d profiles of it", n)
	}
	if !strings.HasPrefix(string(text), ssoConfig) || !strings.Contains(string(text), "[profile Member-4999-Role2]\nsso_session = corp\nsso_account_id = 500000004999\nsso_role_name = Role2\nregion = eu-west-1\n") {
		t.Error("the file is not as it should be")
	}
	out, said, _ := run("--region", "eu-west-1", "--prune")
	if again, err := os.ReadFile(config); err != nil || !bytes.Equal(again, text) || out != "" || said != "nothing to change: 15000 profiles of corp\n" {
		t.Errorf("the second time: %v, %q, %q", err, last(out, 200), said)
	}
	h.must("a switch", "Member-2500-Role1", "--", "true")
}

// peakOf is the most memory that a running process has held, in KiB, 0 when it
// is gone.
func peakOf(cmd *exec.Cmd) int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(line)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.Atoi(fields[0])
	return kib
}
