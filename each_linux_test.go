package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"aws-switch-role/internal/emulator"
)

// accounts is how many accounts the organisation of TestThousandAccounts has.
const accounts = 1000

// maxPeak is the most memory that each may hold over all of them, in KiB.
const maxPeak = 60 << 10

// memberRole is a role of the organisation that wants MFA.
func memberRole(i int) string { return fmt.Sprintf("arn:aws:iam::%012d:role/Member", 500000000000+i) }

// TestThousandAccounts runs a command in an organisation of which a twentieth
// does not work at first.
func TestThousandAccounts(t *testing.T) {
	dir := t.TempDir()
	tool := filepath.Join(buildProgram(t), "aws-switch-role")

	world := emulator.Demo()
	var config strings.Builder
	for i := range accounts {
		world.Roles = append(world.Roles, emulator.Role{ARN: memberRole(i), Trust: `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
			"Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "sts:AssumeRole", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}]}`})
		fmt.Fprintf(&config, "[profile member-%04d]\nrole_arn = %s\nsource_profile = default\nmfa_serial = %s\nregion = eu-west-1\n\n", i, memberRole(i), emulator.DemoDevice)
	}
	server, err := emulator.New(world, emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := server.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.MkdirAll(filepath.Join(dir, ".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, ".aws", "config"), config.String(), 0o600)
	write(t, filepath.Join(dir, ".aws", "credentials"), fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", emulator.DemoKeyID, emulator.DemoSecret), 0o600)

	o := &organisation{t: t, server: server, dir: dir, tool: tool, environ: []string{
		"HOME=" + dir, "USER=jane", "PATH=" + os.Getenv("PATH"), "AWS_ENDPOINT_URL=" + l.URL, "NO_PROXY=127.0.0.1",
		"XDG_RUNTIME_DIR=" + filepath.Join(dir, "run"), "AWS_SWITCH_ROLE_KEYRING=kernel",
	}}

	// A twentieth is faulty: some refuse for good, the others once.
	const refused, passing = 20, 30
	for i := range refused {
		server.Inject(emulator.Fault{RoleARN: memberRole(i * 17), Effect: emulator.Fail(403, "AccessDenied", "not authorized to perform: sts:AssumeRole")})
	}
	for i := range passing {
		effect := emulator.Fail(503, "ServiceUnavailable", "busy")
		if i < 8 {
			effect = emulator.Throttle()
		}
		server.Inject(emulator.Fault{RoleARN: memberRole(500 + i), Count: 1, Effect: effect})
	}
	code, err := server.Code(emulator.DemoDevice)
	if err != nil {
		t.Fatal(err)
	}
	o.each(accounts-refused, refused, "--mfa-code", code)
	o.asked(1, accounts+passing)
	if n := strings.Count(o.stderr, "is not authorized") + strings.Count(o.stderr, "AccessDenied"); n < refused {
		t.Errorf("stderr tells of %d of %d refusals:\n%s", n, refused, o.stderr)
	}

	// What is left runs when the faults are gone, and all runs without AWS then.
	server.Heal()
	o.each(refused, 0, "--resume")
	o.asked(0, refused)
	o.each(accounts, 0)
	o.asked(0, 0)
}

// organisation is where each is run.
type organisation struct {
	t         *testing.T
	server    *emulator.Server
	seen      int // requests of earlier runs
	dir, tool string
	environ   []string
	stderr    string
}

// each runs it over all accounts, and holds every result to account: each
// profile has one, with its memory below the bound.
func (o *organisation) each(succeed, fail int, flags ...string) {
	o.t.Helper()
	args := append([]string{"each", "member-*", "--json"}, flags...)
	cmd := exec.Command(o.tool, append(args, "--", "sh", "-c", "grep VmHWM /proc/$PPID/status")...)
	cmd.Dir, cmd.Env = o.dir, o.environ
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	o.stderr = stderr.String()
	if _, exited := errors.AsType[*exec.ExitError](err); (err == nil) != (fail == 0) || err != nil && !exited {
		o.t.Errorf("each ended with %v\n%s", err, last(o.stderr, 2000))
	}
	seen := map[string]bool{}
	succeeded, failed, peak := 0, 0, 0
	for line := range strings.Lines(stdout.String()) {
		var r struct {
			Profile, Stdout, Error string
			Exit                   int
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			o.t.Fatalf("%v: %s", err, line)
		}
		if seen[r.Profile] {
			o.t.Errorf("%s has two results", r.Profile)
		}
		seen[r.Profile] = true
		if r.Exit != 0 {
			failed++
			if r.Exit != 125 || !strings.Contains(r.Error, "AccessDenied") {
				o.t.Errorf("%s ended with %d: %s", r.Profile, r.Exit, r.Error)
			}
			continue
		}
		succeeded++
		if f := strings.Fields(r.Stdout); len(f) > 1 {
			kib, _ := strconv.Atoi(f[1])
			peak = max(peak, kib)
		}
	}
	if succeeded != succeed || failed != fail {
		o.t.Errorf("%d succeeded and %d failed, want %d and %d\n%s", succeeded, failed, succeed, fail, last(o.stderr, 2000))
	}
	if peak == 0 || peak > maxPeak {
		o.t.Errorf("it held %d KiB, want at most %d", peak, maxPeak)
	}
	o.t.Logf("%d runs: %d KiB at most", len(seen), peak)
}

// asked checks what AWS was asked by the last run.
func (o *organisation) asked(tokens, roles int) {
	o.t.Helper()
	requests := o.server.Requests()
	n := map[string]int{}
	for _, r := range requests[o.seen:] {
		n[r.Action]++
	}
	o.seen = len(requests)
	if n["GetSessionToken"] != tokens || n["AssumeRole"] != roles || len(n) > 2 {
		o.t.Errorf("AWS was asked %v, want %d codes taken and %d roles assumed", n, tokens, roles)
	}
}

// last is the end of a text.
func last(s string, n int) string { return s[max(0, len(s)-n):] }
