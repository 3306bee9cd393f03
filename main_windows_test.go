package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aws-switch-role/internal/cli"
	"aws-switch-role/internal/emulator"
)

// asProgram in the environment makes the test binary the program itself, also
// where the program starts itself again.
const asProgram = "TEST_IS_AWS_SWITCH_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(cli.Main(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// TestWindows tells what users of Windows see. It runs on Windows, and in wine:
//
//	packaging/wine
func TestWindows(t *testing.T) {
	server, err := emulator.New(emulator.Demo(), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := server.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	// Not t.TempDir: Debian's wine lacks the call with which Go removes it.
	home, err := os.MkdirTemp("", "aws-switch-role-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(home)
	if err := os.CopyFS(filepath.Join(home, ".aws"), os.DirFS(filepath.Join("testdata", "home"))); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (status int, stdout, stderr string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), self, args...)
		for _, e := range os.Environ() {
			if !strings.HasPrefix(strings.ToUpper(e), "AWS_") {
				cmd.Env = append(cmd.Env, e)
			}
		}
		cmd.Env = append(cmd.Env, asProgram+"=1", "USERPROFILE="+home, "LOCALAPPDATA="+filepath.Join(home, "AppData", "Local"),
			"USERNAME=jane", "LANG=en_US.UTF-8", "AWS_ENDPOINT_URL="+l.URL, "NO_PROXY=127.0.0.1")
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), out.String(), errs.String()
	}
	code := func() string {
		code, err := server.Code(emulator.DemoDevice)
		if err != nil {
			t.Fatal(err)
		}
		return code
	}

	type command struct {
		args   []string
		status int
		want   []string // in what is said
	}
	commands := []command{
		{[]string{"version"}, 0, []string{"aws-switch-role ", "windows/amd64"}},
		{[]string{"list"}, 0, []string{"tempsession ", "222222222222 ", "default "}},
		{[]string{"explain", "tempsession"}, 0, []string{"arn:aws:iam::222222222222:role/Ops", `.aws\credentials`, "arn:aws:iam::111111111111:mfa/me"}},
		{[]string{"open", "--no-cache", "--", "cmd", "/c", "echo", "as", "%AWS_PROFILE%", "%AWS_ACCESS_KEY_ID%"}, 0, []string{"as open ASIA"}},
		{[]string{"open", "--no-cache", "--", "cmd.exe", "/c", "exit", "7"}, 7, nil},
		{[]string{"open", "--no-cache", "--", self, "status"}, 0, []string{"open", "222222222222"}},
		{[]string{"tempsession", "--no-cache", "--mfa-code", code(), "--", "cmd", "/c", "echo", "%AWS_SWITCH_ROLE_ROLE_ARN%"}, 0, []string{"arn:aws:iam::222222222222:role/Ops"}},
		{[]string{"export", "open", "--no-cache", "--format", "powershell"}, 0, []string{"$Env:AWS_ACCESS_KEY_ID = 'ASIA", "$Env:AWS_PROFILE = 'open'"}},
		{[]string{"init", "powershell"}, 0, []string{"Register-ArgumentCompleter"}},
		{[]string{"doctor"}, 1, []string{`.aws\credentials:2: the long-lived key`, "wincred"}},
		{[]string{"demo", "--", self, "open", "--no-cache", "--", "cmd", "/c", "echo", "%AWS_PROFILE%"}, 0, []string{"open"}},
		{[]string{"open", "--no-cache", "--", "nosuchprogram"}, 127, []string{"nosuchprogram"}},
		{[]string{"nosuchprofile"}, 125, []string{"nosuchprofile"}},
		{[]string{"tempsession", "--no-cache", "--no-input", "--", "cmd", "/c", "exit"}, 125, []string{"MFA"}},
		{[]string{"--secretless", "open", "--", "cmd", "/c", "exit"}, 125, []string{"--secretless"}},
	}
	// The Credential Manager is the user's own, unless this is nobody's machine.
	spare := os.Getenv("CI") != "" || os.Getenv("WINEPREFIX") != ""
	if spare {
		commands = append(commands, []command{
			// The keys move there, and the sessions are kept under a key from there: in this
			// order, for Debian's wine cannot remove a session.
			{[]string{"keys", "import", "default"}, 0, nil},
			{[]string{"keys", "list"}, 0, []string{"default", "AKIA…MEME", "wincred"}},
			{[]string{"open", "--", "cmd", "/c", "echo", "%AWS_PROFILE%"}, 0, []string{"open"}},
			{[]string{"sessions", "list"}, 0, []string{"arn:aws:iam::222222222222:role/Open"}},
		}...)
	}
	for _, test := range commands {
		t.Run(strings.Join(test.args[:min(len(test.args), 2)], " "), func(t *testing.T) {
			status, stdout, stderr := run(test.args...)
			for _, want := range test.want {
				if !strings.Contains(stdout+stderr, want) {
					t.Errorf("%q is not in what %q says", want, test.args)
				}
			}
			if status != test.status {
				t.Errorf("the status is %d, want %d", status, test.status)
			}
			if t.Failed() {
				t.Logf("stdout %q, stderr %q", stdout, stderr)
			}
		})
	}

	if text, err := os.ReadFile(filepath.Join(home, ".aws", "credentials")); err != nil || spare && bytes.Contains(text, []byte("SECRET")) {
		t.Errorf("the imported key still stands in the credentials file (%v)", err)
	}

	t.Run("credential-process", func(t *testing.T) {
		status, stdout, stderr := run("credential-process", "open", "--no-cache")
		var got struct {
			Version                                               int
			AccessKeyId, SecretAccessKey, SessionToken, AccountId string
		}
		if err := json.Unmarshal([]byte(stdout), &got); err != nil || status != 0 || stderr != "" {
			t.Fatalf("status %d, stderr %q, %v", status, stderr, err)
		}
		if got.Version != 1 || !strings.HasPrefix(got.AccessKeyId, "ASIA") || got.SecretAccessKey == "" || got.SessionToken == "" || got.AccountId != "222222222222" {
			t.Errorf("version %d, key %s of %s", got.Version, got.AccessKeyId, got.AccountId)
		}
	})
}
