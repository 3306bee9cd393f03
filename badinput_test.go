//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"aws-switch-role/internal/emulator"
)

// Bounds on every run below, whatever it is given: they tell work that grows with
// the square of a file, which takes minutes, from work that grows with the file,
// which takes a second or two, more where a core is shared.
const (
	longestRun = 30 * time.Second // by the clock of a busy machine
	longestCPU = 8 * time.Second  // of the program's own
	mostMemory = 25 << 10         // KiB, for files of up to 10,000 profiles
)

// TestBadInput starts the program as people do, on files, variables and
// arguments that are damaged, hostile or too large. Each run must end soon,
// with a right answer or with one clear error that is safe to show.
func TestBadInput(t *testing.T) {
	bin := t.TempDir()
	allow(t, bin)
	b := badInput{tool: filepath.Join(bin, "aws-switch-role"), weigher: filepath.Join(bin, "bench")}
	for out, pkg := range map[string]string{b.tool: ".", b.weigher: "./bench"} {
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if msg, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", pkg, err, msg)
		}
	}
	server, err := emulator.New(emulator.Demo(), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := server.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	b.url = l.URL
	t.Run("Mutations", b.mutations)
	t.Run("HostileValues", b.hostileValues)
	t.Run("HostileNames", b.hostileNames)
	t.Run("Files", b.files)
	t.Run("Chains", b.chains)
	t.Run("Large", b.large)
	t.Run("Variables", b.variables)
	t.Run("Arguments", b.arguments)
	t.Run("Memory", b.memory)
}

// badInput is what the runs share.
type badInput struct {
	tool, weigher string
	url           string // of an emulated AWS
}

// outcome is how a run ended.
type outcome struct {
	argv           []string
	exit           int
	stdout, stderr string
	cpu            time.Duration // in user mode
}

func (o outcome) String() string {
	return fmt.Sprintf("%.200q: exit %d\nstdout: %.2000q\nstderr: %.2000q", o.argv, o.exit, o.stdout, o.stderr)
}

// home makes a home directory with the two files in it.
func (b badInput) home(t *testing.T, config, credentials string) string {
	t.Helper()
	h := t.TempDir()
	if err := os.Mkdir(filepath.Join(h, ".aws"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(h, ".aws", "config"), config, 0o644)
	write(t, filepath.Join(h, ".aws", "credentials"), credentials, 0o644)
	return h
}

// allow lets other users into a directory of this test.
func allow(t *testing.T, dir string) {
	t.Helper()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// run runs the program without a terminal and checks what holds for every
// run. Variables are added to, or replace, those of a plain environment.
func (b badInput) run(t *testing.T, home string, variables []string, args ...string) outcome {
	t.Helper()
	return b.runAs(t, nil, home, variables, args...)
}

func (b badInput) runAs(t *testing.T, user *syscall.Credential, home string, variables []string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longestRun)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.tool, args...)
	cmd.Env = append([]string{"HOME=" + home, "PATH=/usr/bin:/bin", "USER=jane", "SHELL=/bin/sh", "AWS_ENDPOINT_URL=" + b.url, "NO_PROXY=127.0.0.1", "XDG_RUNTIME_DIR=" + filepath.Join(home, "run")}, variables...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: user} // nobody can be asked
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatalf("%.200q was not started: %v", args, err)
	}
	o := outcome{args, cmd.ProcessState.ExitCode(), stdout.String(), stderr.String(), cmd.ProcessState.UserTime()}
	if ctx.Err() != nil {
		t.Errorf("still running after %s: %v", longestRun, o)
	}
	if o.cpu > longestCPU {
		t.Errorf("took %s of the processor: %v", o.cpu, o)
	}
	o.check(t)
	return o
}

// check holds an outcome to what is promised of every run.
func (o outcome) check(t *testing.T) {
	t.Helper()
	if o.exit < 0 {
		t.Errorf("ended by a signal: %v", o)
	}
	for stream, text := range map[string]string{"stdout": o.stdout, "stderr": o.stderr} {
		safe := text
		if o.argv[0] == "__complete" {
			safe = strings.ReplaceAll(text, "\t", " ") // what parts a word from its description
			if stream == "stderr" {
				safe = "" // cobra's note for who debugs a completion; no shell shows it
			}
		}
		if at := unsafeAt(safe); at >= 0 {
			t.Errorf("%s holds %+q, which is not safe to show: %v", stream, safe[at:min(at+8, len(safe))], o)
		}
		if strings.Contains(text, "goroutine ") || strings.Contains(text, "panic") {
			t.Errorf("a trace on %s: %v", stream, o)
		}
		handsOn := stream == "stdout" && o.argv[0] == "credential-process"
		if strings.Contains(strings.ReplaceAll(text, "AWS_SECRET_ACCESS_KEY", ""), "SECRET") && !handsOn {
			t.Errorf("a secret on %s: %v", stream, o)
		}
	}
	lines := strings.Count(o.stderr, "\n")
	switch {
	case o.argv[0] == "__complete":
	case o.exit == 0 && lines > 0:
		t.Errorf("done, with complaints: %v", o)
	case o.exit != 0 && (lines < 1 || lines > 3 || !strings.HasPrefix(o.stderr, "aws-switch-role: ") || !strings.HasSuffix(o.stderr, "\n")):
		t.Errorf("not an error of one to three lines: %v", o)
	case o.exit != 0 && len(o.stderr) > 8<<10:
		t.Errorf("an error of %d bytes: %v", len(o.stderr), o)
	}
}

// unsafeAt returns the offset of what a terminal might obey, or -1: a control
// character other than a newline, a control of the direction of text, or what
// is no UTF-8.
func unsafeAt(s string) int {
	for i, r := range s {
		switch {
		case r == '\n':
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"), unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return i
		}
	}
	return -1
}

// namesLine is an error that says which line of which file is at fault.
var namesLine = regexp.MustCompile(`^aws-switch-role: ~/\.aws/(config|credentials):\d+: `)

// unknown is the other error that a damaged file may end in: what was a
// profile is none any more.
var unknown = regexp.MustCompile(`^aws-switch-role: no profile is named `)

// checkExplain holds an outcome of explain on damaged files to its two ways
// of ending.
func (o outcome) checkExplain(t *testing.T, profile string) {
	t.Helper()
	switch o.exit {
	case 0:
		if !strings.HasPrefix(o.stdout, profile) || !strings.Contains(o.stdout, "\n1. ") {
			t.Errorf("not an explanation: %v", o)
		}
	case 1:
		if !namesLine.MatchString(o.stderr) && !unknown.MatchString(o.stderr) || o.stdout != "" {
			t.Errorf("no line of a file is named: %v", o)
		}
	default:
		t.Errorf("neither a plan nor an error: %v", o)
	}
}

// The files that are damaged: every kind of value, a chain, and keys.
const (
	goodConfig = `# profiles
[default]
region = us-east-1

[profile target]
role_arn = arn:aws:iam::222222222222:role/Ops
source_profile = "base"
source_profile = base
mfa_serial = arn:aws:iam::111111111111:mfa/me
region = eu-west-1
external_id = example-external-id
role_session_name = jane
source_identity = jane
duration_seconds = 3600
session_tags = Project=x,Team=y
transitive_session_tags = Project
include_profile = common
services = local

[profile common]
use_fips_endpoint = false
switch_role_protected = true

[services local]
sts =
  endpoint_url = http://127.0.0.1:1

[profile open]
role_arn = arn:aws:iam::222222222222:role/Open ; a comment
source_profile = middle
[profile middle]
role_arn = arn:aws:iam::222222222222:role/Open
source_profile = base
`
	goodCredentials = `[base]
aws_access_key_id = ` + emulator.DemoKeyID + `
aws_secret_access_key = ` + emulator.DemoSecret + `
[default]
aws_access_key_id = AKIAEMULATEDOTHEROTH
aws_secret_access_key = other/SECRET
aws_session_token = token/SECRET
`
)

// hostile is what must not reach a terminal.
var hostile = map[string]string{
	"C0":        "\x01\x07\x08\x0c\x1f\x7f",
	"colour":    "\x1b[31mred\x1b[0m",
	"bold":      "\x1b[1mbold",
	"clear":     "\x1b[2J\x1b[H",
	"title":     "\x1b]0;owned\a",
	"link":      "\x1b]8;;http://evil.example\x1b\\here\x1b]8;;\x1b\\",
	"clipboard": "\x1b]52;c;b3duZWQ=\a",
	"C1":        "\u009b31m\u0085\u0090q",
	"raw C1":    "\x9b31m\x85",
	"bidi":      "\u202egpj.\u2066exe\u2069\u200f\u061c",
	"invalid":   "\xff\xfe\xc0\xaf\xed\xa0\x80",
	"separator": "\u2028\u2029\ufeff\u00ad",
	"tag":       "\U000e0041\ufff9\ufffd",
	"tab":       "a\tb\vc",
}

// damage is the ways of damaging a file. Each returns its text with one
// thing wrong.
var damage = []func(r *rand.Rand, text string) string{
	func(r *rand.Rand, s string) string { // a bit is flipped
		b := []byte(s)
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		return string(b)
	},
	func(r *rand.Rand, s string) string { // bytes are missing
		from, to := span(r, s, 20)
		return s[:from] + s[to:]
	},
	func(r *rand.Rand, s string) string { return insert(r, s, "\x00") },
	func(r *rand.Rand, s string) string { return insert(r, s, "\xff\xfe") },
	func(r *rand.Rand, s string) string { return insert(r, s, "\ufeff") },
	func(r *rand.Rand, s string) string { return insert(r, s, "\r") },
	func(r *rand.Rand, s string) string { return insert(r, s, "\n ") },
	func(r *rand.Rand, s string) string { return insert(r, s, "[") },
	func(r *rand.Rand, s string) string { return insert(r, s, "]") },
	func(r *rand.Rand, s string) string { return insert(r, s, "=") },
	func(r *rand.Rand, s string) string { return insert(r, s, pick(r, hostile)) },
	func(r *rand.Rand, s string) string { return insert(r, s, strings.Repeat(pick(r, hostile)+"x", 1<<16)) },
	func(r *rand.Rand, s string) string { return s[:r.IntN(len(s))] }, // the end is missing
	func(r *rand.Rand, s string) string { // a part is there twice
		from, to := span(r, s, 200)
		return s[:to] + s[from:]
	},
	func(r *rand.Rand, s string) string { // a part is elsewhere
		from, to := span(r, s, 200)
		return insert(r, s[:from]+s[to:], s[from:to])
	},
	func(r *rand.Rand, s string) string { // the ends of lines are mixed
		var b strings.Builder
		for line := range strings.Lines(s) {
			b.WriteString(strings.TrimSuffix(line, "\n") + []string{"\n", "\r\n", "\r", "\n\r"}[r.IntN(4)])
		}
		return b.String()
	},
	func(r *rand.Rand, s string) string { // a setting's key or value is missing
		lines := strings.SplitAfter(s, "\n")
		i := r.IntN(len(lines))
		key, value, _ := strings.Cut(lines[i], "=")
		lines[i] = []string{key + "=\n", "=" + value, key + "\n"}[r.IntN(3)]
		return strings.Join(lines, "")
	},
}

func span(r *rand.Rand, s string, longest int) (from, to int) {
	from = r.IntN(len(s))
	return from, min(len(s), from+1+r.IntN(longest))
}

func insert(r *rand.Rand, s, what string) string {
	at := r.IntN(len(s) + 1)
	return s[:at] + what + s[at:]
}

func pick(r *rand.Rand, from map[string]string) string {
	names := make([]string, 0, len(from))
	for n := range from {
		names = append(names, n)
	}
	slices.Sort(names)
	return from[names[r.IntN(len(names))]]
}

// mutations damages the files in 300 ways, each of which is the same in every
// run.
func (b badInput) mutations(t *testing.T) {
	const cases = 300
	for group := range 4 {
		t.Run(strconv.Itoa(group), func(t *testing.T) {
			t.Parallel()
			for i := group; i < cases; i += 4 {
				r := rand.New(rand.NewPCG(2026, uint64(i)))
				config, credentials := goodConfig, goodCredentials
				for range 1 + r.IntN(2) {
					how := damage[(i/4+r.IntN(2))%len(damage)]
					if r.IntN(3) == 0 {
						credentials = how(r, credentials)
					} else {
						config = how(r, config)
					}
				}
				home := b.home(t, config, credentials)
				before := t.Failed()
				b.run(t, home, nil, "explain", "target").checkExplain(t, "target")
				switch i % 6 {
				case 0:
					b.run(t, home, nil, "explain", "open").checkExplain(t, "open")
				case 1:
					b.run(t, home, nil, "exec", "open", "--", "true")
				case 2:
					b.run(t, home, nil, "credential-process", "--mfa-code", "123456", "--yes", "target")
				case 3:
					b.run(t, home, nil, "__complete", "")
				case 4:
					b.run(t, home, []string{"AWS_SWITCH_ROLE_PROFILE=target"}, "status")
				case 5:
					b.run(t, home, nil, "credential-process", "open")
				}
				if t.Failed() && !before {
					t.Logf("case %d\nconfig: %.3000q\ncredentials: %.3000q", i, config, credentials)
				}
			}
		})
	}
}

// hostileValues puts what no terminal should see into every value in turn.
func (b badInput) hostileValues(t *testing.T) {
	t.Parallel()
	lines := strings.SplitAfter(goodConfig+goodCredentials, "\n")
	for i, line := range lines {
		key, _, ok := strings.Cut(line, " = ")
		if !ok {
			continue
		}
		for name, what := range hostile {
			if (i+len(name))%3 != 0 {
				continue // a third of all pairs is enough
			}
			changed := slices.Clone(lines)
			changed[i] = strings.TrimSuffix(line, "\n") + what + "\n"
			text := strings.Join(changed, "")
			home := b.home(t, text[:strings.Index(text, "[base]")], text[strings.Index(text, "[base]"):])
			o := b.run(t, home, nil, "explain", "target")
			o.checkExplain(t, "target")
			if t.Failed() {
				t.Fatalf("%s in %s", name, key)
			}
		}
	}
	for name, what := range hostile {
		home := b.home(t, goodConfig+"[profile tagged]\nrole_arn=arn:aws:iam::222222222222:role/Ops\nsource_profile=base\nmfa_serial=arn:aws:iam::111111111111:mfa/me\nmfa_process = echo "+what+"\n", goodCredentials)
		b.run(t, home, nil, "explain", "tagged").checkExplain(t, "tagged")
		if t.Failed() {
			t.Fatalf("%s in mfa_process", name)
		}
	}
}

// hostileNames uses it as the names of profiles.
func (b badInput) hostileNames(t *testing.T) {
	t.Parallel()
	for _, what := range hostile {
		header := "[profile \"" + what + "\"]\n"
		role := "role_arn = arn:aws:iam::222222222222:role/Ops\n"
		home := b.home(t, goodConfig+header+role+"source_profile = base\n"+
			"[profile to-it]\n"+role+"source_profile = "+what+"\n"+
			"[profile with-it]\n"+role+"source_profile = base\ninclude_profile = "+what+"\n"+
			"[profile services]\n"+role+"source_profile = base\nservices = "+what+"\n"+
			"[profile round]\n"+role+"source_profile = "+what+"x\n[profile "+what+"x]\n"+role+"source_profile = round\n",
			goodCredentials+"["+what+"]\nregion = "+what+"\n")
		for _, profile := range []string{what, "to-it", "with-it", "services", "round", what + "x"} {
			o := b.run(t, home, nil, "explain", profile)
			if o.exit == 0 && !strings.HasPrefix(o.stdout, profile) {
				t.Errorf("not an explanation: %v", o)
			}
		}
		b.run(t, home, nil, "__complete", "")
		b.run(t, home, nil, "__complete", what)
		b.run(t, home, nil, "list")
		b.run(t, home, nil, "list", "--tree", what)
		b.run(t, home, []string{"AWS_SWITCH_ROLE_PROFILE=" + what, "AWS_SWITCH_ROLE_ROLE_ARN=" + what, "AWS_SESSION_EXPIRATION=" + what}, "status")
		b.run(t, home, []string{"AWS_SWITCH_ROLE_PROFILE=" + what}, "status", "--short")
		b.run(t, home, nil, "exec", what, "--", "true")
	}
}

// files puts things in the place of the config file that are no such file, or
// that hold nothing of use.
func (b badInput) files(t *testing.T) {
	t.Parallel()
	role := "role_arn = arn:aws:iam::222222222222:role/Ops\nsource_profile = base\n"
	replace := func(f func(path string) error) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			t.Helper()
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := f(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	text := func(s string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) { t.Helper(); write(t, path, s, 0o644) }
	}
	link := func(to string) func(t *testing.T, path string) {
		return replace(func(path string) error { return os.Symlink(to, path) })
	}
	for name, test := range map[string]struct {
		prepare func(t *testing.T, config string)
		profile string
		want    string // a pattern of the error; "" when there is a plan
	}{
		"missing":               {replace(func(string) error { return nil }), "target", `^no profile is named target`},
		"empty":                 {text(""), "target", `^no profile is named target`},
		"only a mark":           {text("\ufeff"), "target", `^no profile is named target`},
		"a mark in front":       {text("\ufeff[profile target]\n" + role), "target", ""},
		"two marks in front":    {text("\ufeff\ufeff[profile target]\n" + role), "target", `^no profile is named target`},
		"a mark in a header":    {text("[\ufeffprofile target]\n" + role), "target", `^no profile is named target`},
		"UTF-16":                {text("\xff\xfe[\x00p\x00"), "target", `^(~/\.aws/config:\d+: )?no profile is named target`},
		"no end of line":        {text("[profile target]\n" + strings.TrimSuffix(role, "\n")), "target", ""},
		"CR alone":              {text(strings.ReplaceAll("[profile target]\n"+role, "\n", "\r")), "target", ""},
		"directory":             {replace(func(p string) error { return os.Mkdir(p, 0o755) }), "target", `^\S*\.aws/config is a directory`},
		"pipe":                  {replace(func(p string) error { return syscall.Mkfifo(p, 0o644) }), "target", `\.aws/config is not a regular file`},
		"socket":                {replace(socket), "target", `^~/\.aws/config: no such device`},
		"/dev/zero":             {link("/dev/zero"), "target", `\.aws/config is not a regular file`},
		"/dev/null":             {link(os.DevNull), "target", `^no profile is named target`},
		"link to itself":        {link("config"), "target", `^~/\.aws/config: too many levels of symbolic links`},
		"link to nothing":       {link("nothing"), "target", `^no profile is named target`},
		"a file as directory":   {replaceParent, "target", `^~/\.aws/(config|credentials): not a directory`},
		"no name":               {text("[profile ]\n" + role + "[]\n" + role), "target", `^~/\.aws/config:1: no profile is named target, but this line`},
		"empty name":            {text("[profile \"\"]\n" + role), "target", `^~/\.aws/config:1: no profile is named target, but this line`},
		"an open header":        {text("[profile target\n" + role), "target", `^~/\.aws/config:1: no profile is named target, but this line`},
		"an open quote":         {text("[profile \"target]\n" + role), "target", `^~/\.aws/config:1: no profile is named target, but this line`},
		"without the word":      {text("[target]\n" + role), "target", `^~/\.aws/config:1: no profile is named target: in this file`},
		"header in header":      {text("[profile [profile target]]\n" + role), "target", `^~/\.aws/config:1: no profile is named target, but this line`},
		"section in section":    {text("[profile target]\n  [profile other]\n" + role), "target", `^~/\.aws/config:1: profile target: `},
		"section twice":         {text("[profile target]\n" + role + "[profile target]\nregion = x_y\n"), "target", `^~/\.aws/config:5: .*x_y is not the name of a region`},
		"no equals":             {text("[profile target]\nrole_arn\n"), "target", `^~/\.aws/config:2: neither a section header nor`},
		"nested without equals": {text("[profile target]\ns3 =\n  oops\n"), "target", `^~/\.aws/config:3: not "key = value"`},
		"NUL":                   {text("[profile target]\nrole_arn = \x00\n"), "target", `^~/\.aws/config:2: a NUL byte`},
		"no UTF-8":              {text("[profile target]\nrole_arn = \xff\n"), "target", `^~/\.aws/config:2: not valid UTF-8`},
		"line of 1 MiB":         {text("[profile target]\nregion = " + strings.Repeat("x", 1<<20-9) + "\n" + role), "target", `^~/\.aws/config:2: .*is not the name of a region`},
		"line over 1 MiB":       {text("[profile target]\nregion = " + strings.Repeat("x", 1<<20) + "\n" + role), "target", `^~/\.aws/config:2: longer than 1 MiB`},
		"comment over 1 MiB":    {text("[profile target]\n#" + strings.Repeat("x", 2<<20) + "\n" + role), "target", ""},
		"a secret too many":     {text("[profile target]\nrole_arn = arn:aws:iam::222222222222:role/Ops\n aws_secret_access_key = SECRET\n"), "target", `^~/\.aws/config:2: `},
		"a lost end of line":    {text("[profile target]\nrole_arn = arn:aws:iam::222222222222:role/Opsaws_secret_access_key = SECRET\n"), "target", `^~/\.aws/config:2: `},
		"a secret as source":    {text("[profile target]\nrole_arn = arn:aws:iam::222222222222:role/Ops\nsource_profile = base\n aws_secret_access_key = SECRET\n"), "target", `^~/\.aws/config:3: `},
		"a secret in a tag":     {text("[profile target]\n" + role + "session_tags = a=b\n aws_secret_access_key = SECRET\n"), "target", `^~/\.aws/config:4: `},
		"a secret in a region":  {text("[profile target]\n" + role + "region = us-east-1\n aws_secret_access_key = SECRET\n"), "target", `^~/\.aws/config:4: `},
		"a secret in a URL":     {text("[profile target]\n" + role + "endpoint_url = https://me:SECRET@example.com\n"), "target", `^~/\.aws/config:4: `},
		"a secret in half a URL": {text("[profile target]\n" + role + "endpoint_url = https://me:SECRET@exa mple.com:x\n"), "target",
			`^~/\.aws/config:4: `},
	} {
		t.Run(name, func(t *testing.T) {
			home := b.home(t, goodConfig, goodCredentials)
			test.prepare(t, filepath.Join(home, ".aws", "config"))
			var variables []string
			if strings.Contains(name, "URL") {
				variables = []string{"AWS_ENDPOINT_URL="}
			}
			o := b.run(t, home, variables, "explain", test.profile)
			b.wants(t, o, test.want)
			b.run(t, home, nil, "__complete", "")
			b.run(t, home, nil, "exec", test.profile, "--", "true")
		})
	}
	t.Run("unreadable", func(t *testing.T) {
		home := b.home(t, goodConfig, goodCredentials)
		allow(t, home)
		if err := os.Chmod(filepath.Join(home, ".aws", "config"), 0); err != nil {
			t.Fatal(err)
		}
		var nobody *syscall.Credential // root may read everything
		if os.Getuid() == 0 {
			nobody = &syscall.Credential{Uid: 65534, Gid: 65534}
		}
		b.wants(t, b.runAs(t, nobody, home, nil, "explain", "target"), `^~/\.aws/config: permission denied`)
	})
}

// wants checks an outcome of explain against a pattern of its error, or ""
// for a plan.
func (b badInput) wants(t *testing.T, o outcome, pattern string) {
	t.Helper()
	said := strings.TrimPrefix(o.stderr, "aws-switch-role: ")
	switch {
	case pattern == "" && (o.exit != 0 || !strings.Contains(o.stdout, "\n1. ")):
		t.Errorf("want a plan: %v", o)
	case pattern != "" && (o.exit != 1 || o.stdout != "" || !regexp.MustCompile(pattern).MatchString(said)):
		t.Errorf("want an error like %s: %v", pattern, o)
	}
}

// socket leaves a socket at path.
func socket(path string) error {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false)
	return l.Close()
}

// replaceParent puts a file where the directory of config should be.
func replaceParent(t *testing.T, config string) {
	t.Helper()
	dir := filepath.Dir(config)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "no directory", 0o644)
}

// chains follows source_profile and include_profile further than anybody
// goes, and round.
func (b badInput) chains(t *testing.T) {
	t.Parallel()
	// link makes n profiles p0, p1, …, each leading to the next by key, and
	// the last to end.
	link := func(n int, key, end string) string {
		var s strings.Builder
		for i := range n {
			next := "p" + strconv.Itoa(i+1)
			if i == n-1 {
				next = end
			}
			fmt.Fprintf(&s, "[profile p%d]\n", i)
			if key == "source_profile" || i == 0 {
				s.WriteString("role_arn = arn:aws:iam::222222222222:role/Ops\n")
			}
			if key != "source_profile" && i == 0 {
				s.WriteString("source_profile = base\n")
			}
			fmt.Fprintf(&s, "%s = %s\n", key, next)
		}
		return s.String() + "[profile last]\nregion = eu-west-1\n"
	}
	for name, test := range map[string]struct{ config, want string }{
		"100 sources":             {link(100, "source_profile", "base"), ""},
		"101 sources":             {link(101, "source_profile", "base"), `^~/\.aws/config:\d+: profile p0: the chain of source_profile is longer than 100`},
		"1,000 sources":           {link(1000, "source_profile", "base"), `^~/\.aws/config:\d+: profile p0: the chain of source_profile is longer than 100`},
		"a loop of 2":             {link(2, "source_profile", "p0"), `^~/\.aws/config:6: profile p0: source_profile leads back`},
		"a loop of 99":            {link(99, "source_profile", "p0"), `^~/\.aws/config:\d+: profile p0: source_profile leads back`},
		"to itself":               {link(1, "source_profile", "p0"), `^~/\.aws/config:\d+: `},
		"99 includes":             {link(99, "include_profile", "last"), ""},
		"1,000 includes":          {link(1000, "include_profile", "last"), `^~/\.aws/config:\d+: profile p0: the chain of include_profile is longer than 100`},
		"10,000 includes":         {link(10_000, "include_profile", "last"), `^~/\.aws/config:\d+: profile p0: the chain of include_profile is longer than 100`},
		"an include loop of 3":    {link(3, "include_profile", "p0"), `^~/\.aws/config:\d+: profile p0: include_profile leads back`},
		"an include loop of 90":   {link(90, "include_profile", "p0"), `^~/\.aws/config:\d+: profile p0: include_profile leads back`},
		"an include loop of 1000": {link(1000, "include_profile", "p0"), `^~/\.aws/config:\d+: profile p0: the chain of include_profile is longer than 100`},
		"includes itself":         {link(1, "include_profile", "p0"), `^~/\.aws/config:\d+: profile p0: include_profile leads back`},
	} {
		t.Run(name, func(t *testing.T) {
			home := b.home(t, test.config, goodCredentials)
			b.wants(t, b.run(t, home, nil, "explain", "p0"), test.want)
		})
	}
}

// many is a config file of n profiles with target in the middle.
func many(n int) string {
	var s strings.Builder
	for i := range n {
		if i == n/2 {
			s.WriteString("[profile target]\nrole_arn = arn:aws:iam::222222222222:role/Ops\nsource_profile = base\n")
		}
		fmt.Fprintf(&s, "[profile account-%07d]\nrole_arn = arn:aws:iam::%012d:role/Ops\nsource_profile = base\nregion = eu-west-1\n", i, i)
	}
	return s.String()
}

// large reads files that nobody has.
func (b badInput) large(t *testing.T) {
	const most = 64 << 20
	whole := func(s, tail string) string { return s[:most-len(tail)] + tail }
	end := "\n[profile target]\nrole_arn = arn:aws:iam::222222222222:role/Ops\nsource_profile = base\n"
	profiles := whole(strings.Repeat(many(10_000), most/len(many(10_000))+1), end)
	for name, test := range map[string]struct{ config, profile, want string }{
		"10,000 profiles":              {many(10_000), "target", ""},
		"none of 10,000":               {many(10_000), "targte", `^no profile is named targte\nhint: did you mean target`},
		"64 MiB of profiles":           {profiles, "target", ""},
		"none in 64 MiB of profiles":   {profiles, "targte", `^no profile is named targte\nhint: did you mean target`},
		"64 MiB of different profiles": {whole(many(600_000)+strings.Repeat("#", most), end), "targte", `^no profile is named targte\n`},
		"64 MiB of comment":            {whole(strings.Repeat("x", most), end), "target", ""},
		"64 MiB in one section":        {whole("[profile target]\n"+strings.Repeat("k = v\n", most/6), "\nregion = eu-west-1\n"), "target", `^~/\.aws/config:1: profile target: the profile has no keys`},
		"64 MiB of different keys":     {whole(keys(most), "\nregion = eu-west-1\n"), "target", `^~/\.aws/config:10002: more than 10,000 keys`},
		"64 MiB of continuation":       {whole("[profile target]\nrole_arn = x\n"+strings.Repeat(" y\n", most/3), "\nsource_profile = base\n"), "target", `^~/\.aws/config:2: profile target: `},
		"64 MiB of brackets":           {whole(strings.Repeat("[", most), end), "target", ""},
		"64 MiB of open headers":       {whole(strings.Repeat("[\n", most/2), end), "target", ""},
		"none in open headers":         {strings.Repeat("[\n", most/2), "target", `^~/\.aws/config:1: no profile is named target, but this line`},
		"64 MiB of zeros":              {strings.Repeat("\x00", most), "target", `^no profile is named target`},
		"64 MiB of empty lines":        {whole(strings.Repeat("\n", most), end), "target", ""},
		"64 MiB of carriage returns":   {whole(strings.Repeat("\r", most), end), "target", ""},
		"over 64 MiB":                  {strings.Repeat("x", most+1), "target", `\.aws/config is larger than 64 MiB`},
	} {
		t.Run(name, func(t *testing.T) {
			home := b.home(t, test.config, goodCredentials)
			o := b.run(t, home, nil, "explain", test.profile)
			b.wants(t, o, test.want)
			t.Logf("%s of the processor", o.cpu)
		})
	}
	t.Run("completion of 10,000", func(t *testing.T) {
		o := b.run(t, b.home(t, many(10_000), goodCredentials), nil, "__complete", "")
		if n := strings.Count(o.stdout, "\n"); n < 10_001+2+1 { // the profiles of both files, cobra's directive, and the commands
			t.Errorf("%d lines of completions", n)
		}
	})
}

// keys is a section of so many bytes, no key of which is there twice.
func keys(size int) string {
	var s strings.Builder
	s.WriteString("[profile target]\n")
	for i := 0; s.Len() < size; i++ {
		fmt.Fprintf(&s, "key%d = v\n", i)
	}
	return s.String()
}

// variables gives every variable that is read what it should not hold.
func (b badInput) variables(t *testing.T) {
	t.Parallel()
	home := b.home(t, goodConfig, goodCredentials)
	names := []string{
		"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
		"AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_CA_BUNDLE", "HOME", "USER", "SHELL", "HTTPS_PROXY", "SSL_CERT_FILE",
		"AWS_SWITCH_ROLE_DURATION", "AWS_SWITCH_ROLE_TAG", "AWS_SWITCH_ROLE_REGION", "AWS_SWITCH_ROLE_MFA_SERIAL", "AWS_SWITCH_ROLE_MFA_CODE",
		"AWS_SWITCH_ROLE_EXTERNAL_ID", "AWS_SWITCH_ROLE_ROLE_SESSION_NAME", "AWS_SWITCH_ROLE_SOURCE_IDENTITY", "AWS_SWITCH_ROLE_SOURCE_PROFILE",
		"AWS_SWITCH_ROLE_TRANSITIVE_TAG", "AWS_SWITCH_ROLE_RENEW", "AWS_SWITCH_ROLE_NO_SESSION", "AWS_SWITCH_ROLE_YES", "AWS_SWITCH_ROLE_DEBUG",
		"AWS_SWITCH_ROLE_DEPTH", "AWS_SWITCH_ROLE_KEY_ID", "AWS_SWITCH_ROLE_BASE_KEY_ID", "AWS_SWITCH_ROLE_PROFILE", "AWS_SWITCH_ROLE_ASKPASS",
	}
	values := map[string]string{
		"long": strings.Repeat("x", 120<<10), // Linux takes no string over 128 KiB
		"URL":  "http://[::1%\x1b]:x/\x1b[31m",
		"path": "/nowhere/\x1b[31m\u202e/config",
		"yes":  "1",
	}
	for name, what := range hostile {
		values[name] = strings.ReplaceAll(what, "\x00", "")
	}
	for i, name := range names {
		for v, value := range values {
			if v != "long" && v != "yes" && (i+len(v))%2 == 0 {
				continue
			}
			variables := []string{name + "=" + value}
			o := b.run(t, home, variables, "explain", "target")
			if o.exit == 0 && !strings.HasPrefix(o.stdout, "target") {
				t.Errorf("%s: not an explanation: %v", name, o)
			}
			switch len(v) % 3 {
			case 0:
				b.run(t, home, variables, "explain")
			case 1:
				if name != "AWS_SWITCH_ROLE_DEBUG" { // which may say more on stderr
					b.run(t, home, variables, "exec", "open", "--", "/bin/true")
				}
			case 2:
				b.run(t, home, append(variables, "AWS_SWITCH_ROLE_PROFILE=target"), "status")
			}
			if t.Failed() {
				t.Fatalf("%s = %s", name, v)
			}
		}
	}
}

// arguments gives every flag and every place of a word what they should not
// hold.
func (b badInput) arguments(t *testing.T) {
	t.Parallel()
	home := b.home(t, goodConfig, goodCredentials)
	values := map[string]string{
		"empty": "", "dash": "-", "dashes": "---", "long": strings.Repeat("x", 120<<10), "ARN": "arn:aws:iam::222222222222:role/\x1b[31m",
		"session": "arn:aws:sts::222222222222:assumed-role/\u202e/x", "equals": "=", "number": "99999999999999999999", "negative": "-1",
	}
	for name, what := range hostile {
		values[name] = what
	}
	flags := []string{
		"mfa-code", "mfa-serial", "duration", "role-session-name", "external-id", "source-identity", "tag", "transitive-tag", "source-profile",
		"region", "no-session", "renew", "no-cache", "no-input", "yes",
	}
	for v, value := range values {
		for i, args := range [][]string{
			{"explain", value}, {"exec", value, "--", "true"}, {"credential-process", value}, {"explain", "target", value},
			{"--" + value + "x"}, {"-" + value + "x"}, {"explain", "--" + value + "x", "target"}, {"export", "--format", value, "open"},
			{"exec", "open", "--", "/nowhere" + value}, {"status", value + "x"}, {"__complete", value}, {"__complete", "explain", "--" + value + "x", ""},
			{"__complete", "explain", "--region", value, value},
		} {
			b.run(t, home, nil, args...)
			if t.Failed() {
				t.Fatalf("%s in arguments %d", v, i)
			}
		}
		for i, flag := range flags {
			if (i+len(v))%3 == 0 {
				b.run(t, home, nil, "explain", "target", "--"+flag+"="+value)
			}
			if t.Failed() {
				t.Fatalf("%s in --%s", v, flag)
			}
		}
	}
}

// memory weighs the program: it is started at every call of an SDK.
func (b badInput) memory(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]string{"small": goodConfig, "10,000 profiles": many(10_000)} {
		home := b.home(t, config, goodCredentials)
		for _, profile := range []string{"target", "missing"} {
			// What a process held most begins with what its parent held, so
			// a small program starts it.
			argv := []string{b.tool, "explain", profile}
			if profile == "missing" {
				argv = []string{"/bin/sh", "-c", `"$@" 2>/dev/null; [ $? = 1 ]`, "sh", b.tool, "explain", profile}
			}
			cmd := exec.Command(b.weigher, append([]string{"-weigh", "--"}, argv...)...)
			cmd.Env = []string{"HOME=" + home, "PATH=/usr/bin:/bin", "USER=jane"}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, out)
			}
			kib, err := strconv.Atoi(strings.TrimSpace(string(out)))
			if err != nil || kib < 1<<10 || kib > mostMemory {
				t.Errorf("explain %s, %s: %d KiB, want at most %d (%v)", profile, name, kib, mostMemory, err)
			}
			t.Logf("explain %s, %s: %d KiB", profile, name, kib)
		}
	}
}
