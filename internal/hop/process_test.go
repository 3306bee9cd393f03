//go:build unix

package hop

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/plan"
)

const (
	goodKey = `"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "wJalrXUtnFEMI"`
	good    = `{"Version": 1, ` + goodKey + `}`
)

// script makes a program of shell code.
func script(t *testing.T, code string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a process")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+code+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return `"` + name + `"`
}

// run performs the hop of a process that is shell code.
func run(t *testing.T, code string) (cred.Credentials, error) {
	t.Helper()
	p := &Performer{Environ: os.Environ()}
	return p.Perform(t.Context(), plan.Process{Profile: "tool", Command: script(t, code)}, cred.Credentials{})
}

func TestProcess(t *testing.T) {
	c, err := run(t, `cat <<'END'
{"Version": 1, `+goodKey+`, "SessionToken": "token", "Expiration": "2999-01-02T03:04:05+02:00", "AccountId": "123456789012", "More": []}
END`)
	if err != nil {
		t.Fatal(err)
	}
	if c.AccessKeyID != "AKIAIOSFODNN7EXAMPLE" || c.SecretAccessKey.Reveal() != "wJalrXUtnFEMI" || c.SessionToken.Reveal() != "token" ||
		c.AccountID != "123456789012" || !c.Expires.Equal(time.Date(2999, 1, 2, 1, 4, 5, 0, time.UTC)) {
		t.Errorf("credentials are %+v", c)
	}
}

// A long-lived key has neither token nor end.
func TestProcessLongLived(t *testing.T) {
	c, err := run(t, "echo '"+good+"'")
	if err != nil {
		t.Fatal(err)
	}
	if c.Temporary() || !c.Expires.IsZero() {
		t.Errorf("credentials are %+v", c)
	}
}

// Other vendors' key ids are not in AWS's form.
func TestProcessOtherVendor(t *testing.T) {
	const id = "minio-user_1/eu"
	c, err := run(t, `echo '{"Version": 1, "AccessKeyId": "`+id+`", "SecretAccessKey": "secret"}'`)
	if err != nil || c.AccessKeyID != id {
		t.Errorf("credentials are %+v, error %v", c, err)
	}
}

func TestProcessAnswers(t *testing.T) {
	for name, tt := range map[string]struct{ prints, want string }{
		"nothing":         {"", "prints nothing"},
		"text":            {"SECRET", "does not print the JSON"},
		"more":            {good + good, "does not print the JSON"},
		"array":           {"[]", "does not print the JSON"},
		"number":          {`{"Version": 1, "AccessKeyId": 1, "SecretAccessKey": "SECRET"}`, "does not print the JSON"},
		"no version":      {`{` + goodKey + `}`, "prints no Version"},
		"version text":    {`{"Version": "1", ` + goodKey + `}`, "prints no Version"},
		"version 2":       {`{"Version": 2, ` + goodKey + `}`, "prints Version 2, and only 1 is known"},
		"no key id":       {`{"Version": 1, "SecretAccessKey": "SECRET"}`, "prints no AccessKeyId"},
		"no secret":       {`{"Version": 1, "AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}`, "prints no SecretAccessKey"},
		"key id":          {`{"Version": 1, "AccessKeyId": "AKIA\u001b[31mIOSFODNN7", "SecretAccessKey": "SECRET"}`, "access key id is none"},
		"key id's blank":  {`{"Version": 1, "AccessKeyId": "AKIA IOSFODNN7EXAMPLE", "SecretAccessKey": "SECRET"}`, "access key id is none"},
		"key id's length": {`{"Version": 1, "AccessKeyId": "` + strings.Repeat("A", 129) + `", "SecretAccessKey": "SECRET"}`, "access key id is none"},
		"secret":          {`{"Version": 1, "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "SECRET\nX"}`, "secret access key is none"},
		"token":           {`{"Version": 1, ` + goodKey + `, "SessionToken": "SECRET\u0000"}`, "session token is none"},
		"account":         {`{"Version": 1, ` + goodKey + `, "AccountId": "12"}`, "account id is none"},
		"no time":         {`{"Version": 1, ` + goodKey + `, "Expiration": "tomorrow"}`, "Expiration that is no time"},
		"expired":         {`{"Version": 1, ` + goodKey + `, "Expiration": "2001-01-01T00:00:00Z"}`, "have ended already, at 2001-01-01T00:00:00Z"},
		"beginning":       {`{"Version": 1, ` + goodKey + `, "Expiration": "0001-01-01T00:00:00Z"}`, "have ended already"},
		"larger than all": {strings.Repeat(" ", maxHelper) + good, "prints more than 64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "out")
			if err := os.WriteFile(file, []byte(tt.prints), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := run(t, "cat '"+file+"'")
			if kindOf(err) != BadAnswer || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("error is %v, want %s", err, tt.want)
			}
		})
	}
}

// A process that prints without end is stopped by that, not by the clock.
func TestProcessEndless(t *testing.T) {
	begun := time.Now()
	if _, err := run(t, "exec yes"); kindOf(err) != BadAnswer {
		t.Errorf("error is %v", err)
	}
	if d := time.Since(begun); d > processTimeout/2 {
		t.Errorf("it took %v", d)
	}
}

func TestProcessFails(t *testing.T) {
	_, err := run(t, `echo '`+good+`'; i=0; while [ $i -lt 500 ]; do echo "line $i of much" >&2; i=$((i+1)); done; echo "the last word" >&2; exit 3`)
	e, ok := errors.AsType[*SourceError](err)
	if !ok || e.Kind != ProcessFailed || !strings.Contains(e.Msg.String(), "exit status 3") {
		t.Fatalf("error is %v", err)
	}
	if !strings.HasSuffix(e.Said, "\nthe last word") || len(e.Said) > maxSaid {
		t.Errorf("%d bytes of what it said are kept, ending in %q", len(e.Said), e.Said[max(0, len(e.Said)-30):])
	}
}

func TestProcessCannotBeRun(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte("\x00\x01\x02"), 0o700); err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]SourceKind{
		"no-such-command-anywhere -x": ProcessMissing,
		dir + "/none":                 ProcessMissing,
		"~/bin/tool":                  ProcessMissing,
		plain:                         ProcessNoExec,
		garbage:                       ProcessNoExec,
		dir:                           ProcessNoExec,
		"tool 'open":                  ProcessNoExec,
		"":                            ProcessNoExec,
	} {
		p := &Performer{}
		if _, err := p.Perform(t.Context(), plan.Process{Profile: "tool", Command: command}, cred.Credentials{}); kindOf(err) != want {
			t.Errorf("%q: error is %v (%d), want kind %d", command, err, kindOf(err), want)
		}
	}
}

// No shell sees the line.
func TestProcessWithoutShell(t *testing.T) {
	out := filepath.Join(t.TempDir(), "words")
	name := script(t, `printf '[%s]' "$@" >'`+out+`'; echo '`+good+`'`)
	p := &Performer{}
	if _, err := p.Perform(t.Context(), plan.Process{Profile: "tool", Command: name + ` $HOME "a b" ';' * '' \>x`}, cred.Credentials{}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if want := "[$HOME][a b][;][*][][>x]"; string(got) != want {
		t.Errorf("words are %s, want %s", got, want)
	}
}

// What is over its time ends, with what it has started.
func TestProcessSlow(t *testing.T) {
	dir := t.TempDir()
	pid := filepath.Join(dir, "pid")
	h := plan.Process{Profile: "tool", Command: script(t, `sleep 600 & echo $! >'`+pid+`'; echo waiting >&2; wait`)}
	if processTimeout != time.Minute {
		t.Errorf("a process may take %v, and the SDK for Go ends it after a minute", processTimeout)
	}
	p := &Performer{Environ: os.Environ()}
	_, err := p.processWithin(t.Context(), h, 500*time.Millisecond)
	e, ok := errors.AsType[*SourceError](err)
	if !ok || e.Kind != ProcessSlow || e.Said != "waiting" {
		t.Fatalf("error is %v", err)
	}
	child := pidIn(t, pid)
	if tty, err := os.Open("/dev/tty"); err == nil {
		_ = tty.Close()
		_ = syscall.Kill(child, syscall.SIGKILL)
		t.Log("there is a terminal: what a process started is left to it")
		return
	}
	for range 100 {
		if gone(child) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("process %d lives on", child)
	_ = syscall.Kill(child, syscall.SIGKILL)
}

// pidIn reads a file with the id of a process in it.
func pidIn(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// gone reports whether a process has ended, be it that nobody has asked how.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return true
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "Z")
}

func TestProcessCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	p := &Performer{}
	if _, err := p.Perform(ctx, plan.Process{Profile: "tool", Command: "sleep 600"}, cred.Credentials{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

// An agent that a process leaves behind holds its output open; nobody waits
// for that.
func TestProcessLeavesAgent(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	begun := time.Now()
	_, err := run(t, "echo '"+good+"'; sleep 60 & echo $! >'"+pid+"'")
	_ = syscall.Kill(pidIn(t, pid), syscall.SIGKILL)
	if err != nil {
		t.Error(err)
	}
	if d := time.Since(begun); d > 30*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestProcessEnvironment(t *testing.T) {
	out := filepath.Join(t.TempDir(), "env")
	p := &Performer{Environ: []string{"PATH=" + os.Getenv("PATH"), "AWS_PROFILE=x", chainVariable + "=first,a+b%2Cc"}}
	h := plan.Process{Profile: "täter", Command: script(t, `env >'`+out+`'; [ -z "$(cat)" ] || exit 9; echo '`+good+`'`)}
	if _, err := p.Perform(t.Context(), h, cred.Credentials{}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"AWS_PROFILE=x\n", chainVariable + "=first,a+b%2Cc,t%C3%A4ter\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the environment lacks %s:\n%s", want, text)
		}
	}
	if p.Environ[2] != chainVariable+"=first,a+b%2Cc" {
		t.Error("the environment was changed")
	}
}

func TestProcessLoop(t *testing.T) {
	p := &Performer{Environ: []string{chainVariable + "=first,a+b%2Cc"}}
	_, err := p.Perform(t.Context(), plan.Process{Profile: "a b,c", Command: "no-such-command"}, cred.Credentials{})
	if kindOf(err) != ProcessLoop || !strings.Contains(err.Error(), "first -> a b,c -> a b,c") {
		t.Errorf("error is %v", err)
	}
}

// Whatever a process prints, what is taken from it is a key, and an error
// quotes nothing of it.
func FuzzProcessCredentials(f *testing.F) {
	for _, text := range []string{good, `{"Version": 1}`, `{"Version": 1, ` + goodKey + `, "Expiration": "2999-01-01T00:00:00Z", "SessionToken": "t", "AccountId": "123456789012"}`, "[", ""} {
		f.Add([]byte(text))
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := processCredentials(text, now)
		if err != nil {
			if c != (cred.Credentials{}) {
				t.Errorf("%v, and credentials", err)
			}
			return
		}
		if !c.GoodFor(now, 0) || strings.IndexFunc(c.AccessKeyID+c.SecretAccessKey.Reveal()+c.SessionToken.Reveal()+c.AccountID, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
			t.Errorf("%q gave %v", text, c)
		}
	})
}
