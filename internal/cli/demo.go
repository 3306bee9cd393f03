package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/deliver"
	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/keyring"
	"aws-switch-role/internal/term"
)

func (a *app) demoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo [-- COMMAND [ARG...]]",
		Short: "Try it all in a throw-away world, without an AWS account",
		Long: `Start an emulator of AWS on this machine and a throw-away home with profiles in
it, say what to type on a tour of two minutes, show the MFA code, and open a
role's shell there. Without a terminal it plays the scenes by itself and prints
what happened. With a command behind --, it runs that command in the world;
mfa-code, on the command's PATH, prints what the MFA device shows. Nothing
leaves this machine, and your own AWS files are not read.`,
		Example: `  aws-switch-role demo
  aws-switch-role demo -- sh -c 'aws-switch-role tempsession --mfa-code $(mfa-code) -- env | grep ^AWS_'`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			before, command, dashed := split(cmd, args)
			if len(before) > 0 || dashed && len(command) == 0 {
				return usagef("demo takes a command behind --, or nothing")
			}
			// Until the very end: a terminal that is closed may hang up twice,
			// and the second time must not cut the clearing away short.
			ctx, stop := untilHangUp(cmd.Context())
			defer stop()
			d, err := a.newDemo()
			if err != nil {
				return err
			}
			defer d.close()
			switch {
			case dashed:
				a.exit, err = d.run(ctx, command, d.environ())
			case term.IsTerminal(os.Stdin) && a.onTerminal():
				a.exit, err = d.tour(ctx)
			default:
				err = d.play(ctx)
			}
			return err
		},
	}
	code := &cobra.Command{
		Use:    "code URL",
		Short:  "Print the code that the demo's MFA device shows",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE:   func(cmd *cobra.Command, args []string) error { return a.demoCode(cmd.Context(), args[0]) },
	}
	cmd.AddCommand(code)
	return cmd
}

// untilHangUp is done when the terminal is closed or we are asked to end, so
// that the world can be cleared away. A hangup that nohup has us ignore stays
// ignored.
func untilHangUp(ctx context.Context) (context.Context, context.CancelFunc) {
	signals := []os.Signal{syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signal.NotifyContext(ctx, signals...)
}

// demo is a world that lasts as long as the command: an emulator, and a home
// directory whose AWS files lead to it.
type demo struct {
	app     *app
	home    string
	sockets string // XDG_RUNTIME_DIR
	self    string // this program
	aws     string // the AWS CLI, "" where there is none
	server  *emulator.Server
	listen  *http.Server
	url     string
	ahead   atomic.Int64 // how far the world's clock is ahead, in nanoseconds
}

// demoCodePath is where the emulator's listener answers with the code that the
// device shows. AWS has nothing like it.
const demoCodePath = "/demo/code"

func (a *app) newDemo() (*demo, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	d := &demo{app: a, self: self}
	d.server, err = emulator.New(emulator.Demo(), emulator.Options{Now: d.now})
	if err != nil {
		return nil, err
	}
	if d.home, err = os.MkdirTemp("", "aws-switch-role-demo-"); err != nil {
		return nil, err
	}
	// A socket's path has 103 bytes on some systems, of which their directories
	// for temporary files leave too few.
	if d.sockets, err = os.MkdirTemp("/tmp", "aws-switch-role-demo-"); err != nil {
		d.sockets = filepath.Join(d.home, "run")
	}
	if err := d.serve(); err != nil {
		d.close()
		return nil, err
	}
	if err := d.furnish(); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *demo) now() time.Time { return time.Now().Add(time.Duration(d.ahead.Load())) }

// skip moves the world's clock on to the device's next code.
func (d *demo) skip() { d.ahead.Add(int64(codeStep)) }

func (d *demo) close() {
	if d.listen != nil {
		_ = d.listen.Close()
	}
	_ = os.RemoveAll(d.sockets)
	_ = os.RemoveAll(d.home)
}

// demoConfig and demoCredentials are the files of the throw-away home.
const demoConfig = `# keys in the credentials file, role here, MFA demanded by the role
[profile tempsession]
role_arn = %[1]s
source_profile = default
mfa_serial = %[2]s

# keys from the environment, as envchain sets them
[profile from-environment]
credential_source = Environment
role_arn = %[1]s
mfa_serial = %[2]s
region = ap-northeast-1

# the same, with neither source_profile nor credential_source
[profile sub-account]
role_arn = %[1]s
mfa_serial = %[2]s

# a role behind a role
[profile chained]
role_arn = %[3]s
source_profile = tempsession

# a role that may last 12 hours, and does
[profile long]
role_arn = %[4]s
source_profile = default
mfa_serial = %[2]s
duration_seconds = 43200

# a role that anybody in the account may assume without MFA
[profile open]
role_arn = %[5]s
source_profile = default
`

const demoCredentials = `[default]
aws_access_key_id = %s
aws_secret_access_key = %s
`

// Prompts that show AWS_PROFILE, and the session's own commands on the PATH:
// a user's rc files may not be read here, for they lead to the user's AWS.
const (
	demoZshrc = `autoload -U colors && colors
setopt prompt_subst
PROMPT='%{${fg[yellow]}%}%(!.#.$) $([[ -n $AWS_PROFILE ]] && echo "($AWS_PROFILE) ")%{$reset_color%}'
`
	demoBashrc = `PS1='$([ -n "$AWS_PROFILE" ] && echo "($AWS_PROFILE) ")\$ '
`
	demoFish = `function fish_greeting; end
function fish_prompt
    test -n "$AWS_PROFILE"; and echo -n "($AWS_PROFILE) "
    echo -n '$ '
end
`
)

// demoPass is the keyring of the throw-away home: what is kept in the user's
// own would stay there, and a key by a name that the user has, too, would take
// the place of the user's. It does what we ask of pass(1).
const demoPass = `#!/bin/sh
umask 077
for name; do :; done
file=%s/keyring/$name
case $1 in
insert) mkdir -p "${file%%/*}" && cat >"$file" ;;
show) cat "$file" 2>/dev/null && exit; echo "$name is not in the password store." >&2; exit 1 ;;
rm) rm -f "$file" ;;
esac
`

// furnish writes the home.
func (d *demo) furnish() error {
	d.aws, _ = exec.LookPath("aws")
	files := []struct {
		name, text string
		mode       os.FileMode
	}{
		{".aws/config", fmt.Sprintf(demoConfig, emulator.DemoRole("Ops"), emulator.DemoDevice, emulator.DemoRole("Chained"), emulator.DemoRole("Long"), emulator.DemoRole("Open")), 0o600},
		{".aws/credentials", fmt.Sprintf(demoCredentials, emulator.DemoKeyID, emulator.DemoSecret), 0o600},
		{".zshrc", demoZshrc, 0o600},
		{".bashrc", demoBashrc, 0o600},
		{".config/fish/config.fish", demoFish, 0o600},
		// Where this is, fish does not begin to read the man pages, in the
		// background and for longer than the demo may last.
		{".local/share/fish/generated_completions/README", "none\n", 0o600},
		{"bin/pass", fmt.Sprintf(demoPass, quote(d.home)), 0o700},
		{"bin/mfa-code", "#!/bin/sh\nexec " + quote(d.self) + " demo code " + quote(d.url) + "\n", 0o700},
	}
	if d.aws != "" {
		// Versions of the AWS CLI before 2.13 know the endpoint only as a flag.
		files = append(files, struct {
			name, text string
			mode       os.FileMode
		}{"bin/aws", "#!/bin/sh\nexec " + quote(d.aws) + " --endpoint-url " + quote(d.url) + ` "$@"` + "\n", 0o700})
	}
	for _, f := range files {
		path := filepath.Join(d.home, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(f.text), f.mode); err != nil {
			return err
		}
	}
	return os.Symlink(d.self, filepath.Join(d.home, "bin", "aws-switch-role"))
}

// quote makes one word of s for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// serve starts the emulator on a free port of the loopback interface, with the
// device's display beside it.
func (d *demo) serve() error {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	d.url = "http://" + socket.Addr().String()
	mux := http.NewServeMux()
	mux.Handle("/", d.server)
	mux.HandleFunc("GET "+demoCodePath, func(w http.ResponseWriter, _ *http.Request) {
		code, err := d.code()
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, code)
	})
	d.listen = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = d.listen.Serve(socket) }()
	return nil
}

// environ is the environment of the world: the user's, less all that would
// lead back to the user's own AWS.
func (d *demo) environ() []string {
	replaced := []string{"HOME", "PATH", "ZDOTDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "NO_PROXY", "no_proxy", "ENV", "BASH_ENV"}
	var env []string
	for _, e := range d.app.withoutAWS() {
		name, _, _ := strings.Cut(e, "=")
		if !slices.Contains(replaced, name) {
			env = append(env, e)
		}
	}
	return append(env,
		"HOME="+d.home,
		"PATH="+filepath.Join(d.home, "bin")+string(os.PathListSeparator)+d.app.getenv("PATH"),
		"AWS_ENDPOINT_URL="+d.url,
		"NO_PROXY=127.0.0.1",
		"AWS_PAGER=",
		"AWS_EC2_METADATA_DISABLED=true",
		"XDG_RUNTIME_DIR="+d.sockets,
		"AWS_DEFAULT_REGION=us-east-1",
		"AWS_SWITCH_ROLE_KEYRING="+string(keyring.Pass),
	)
}

// baseKeys are the keys as a wrapper such as envchain would set them.
func baseKeys() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + emulator.DemoKeyID, "AWS_SECRET_ACCESS_KEY=" + emulator.DemoSecret}
}

// run runs a command in the world and returns its status. The terminal sends
// its signals to the command as well as to us; the command decides.
func (d *demo) run(ctx context.Context, argv, env []string) (int, error) {
	return d.runTo(ctx, argv, env, os.Stdin, d.app.stdout, os.Stderr)
}

func (d *demo) runTo(ctx context.Context, argv, env []string, in io.Reader, out, errs io.Writer) (int, error) {
	path := argv[0]
	if !strings.ContainsRune(path, os.PathSeparator) {
		if _, err := os.Stat(filepath.Join(d.home, "bin", path)); err == nil {
			path = filepath.Join(d.home, "bin", path)
		}
	}
	cmd := exec.CommandContext(ctx, path, argv[1:]...)
	cmd.Args[0] = argv[0]
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, in, out, errs
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGHUP) } // a shell ignores SIGTERM
	cmd.WaitDelay = 2 * time.Second
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGQUIT)
	defer signal.Stop(signals)
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			return exitSignal + int(ws.Signal()), nil
		}
		return exit.ExitCode(), nil
	}
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return 0, &deliver.NotFoundError{Name: argv[0]}
	}
	return 0, err
}

// tour opens the role's shell for a person, with the code to type, and says
// what to type there.
func (d *demo) tour(ctx context.Context) (int, error) {
	say := func(format string, args ...any) { fmt.Fprintf(d.app.stderr, format+"\n", args...) }
	say(`This is a world of its own: an emulated AWS at %s,
and a home directory with these profiles in it, all behind one MFA device:
tempsession, from-environment, sub-account, chained, long, open.

A tour of two minutes; its first line is typed already:`, d.url)
	for i, l := range d.lines() {
		say("  %d. %-35s %s", i+1, l.command, l.shows)
	}
	say("\nShould a code be asked for again, mfa-code prints it.\n\n$ aws-switch-role tempsession")
	const tries = 3
	for try := range tries {
		code, err := d.code()
		if err != nil {
			return 0, err
		}
		say("\n  The MFA device shows %s: type it below. What you type is not shown.\n", code)
		status, err := d.run(ctx, []string{"aws-switch-role", "tempsession"}, d.environ())
		switch {
		case err != nil:
			return 0, err
		case status < exitBeforeCommand: // of what was typed last on the tour, such as doctor
			return 0, nil
		case status != exitBeforeCommand || try == tries-1:
			return status, nil
		}
	}
	return 0, nil
}

// countKeys counts, in any shell, the keys that programs started in it get.
const countKeys = "env | grep -c ACCESS_KEY"

// line is one thing to type on the tour, in whatever shell the person has.
type line struct{ command, shows string }

// lines are at most nine, so that they are on a screen of 24 lines together
// with the question for the code.
func (d *demo) lines() []line {
	use := line{"aws-switch-role status --online", "who you are, says AWS"}
	if d.aws != "" {
		use = line{"aws s3 ls s3://bucketname", "the AWS CLI as the role"}
	}
	return []line{
		{"aws-switch-role tempsession", "a role's shell, for a code"},
		use,
		{"aws-switch-role chained", "a role behind it: no code is asked for"},
		{"aws-switch-role list", "every profile, and what is left of it"},
		{"aws-switch-role status", "who this shell is"},
		{"aws-switch-role --secretless open", "a shell that has no keys:"},
		{countKeys, "0 of them are in its environment"},
		{"aws-switch-role doctor", "what is wrong in these files"},
		{"exit", "leave, once for each shell"},
	}
}

// code is what the device shows: a code that was not used yet.
func (d *demo) code() (string, error) {
	if wait := d.server.CodeIn(emulator.DemoDevice); wait > 0 {
		d.ahead.Add(int64(wait))
	}
	return d.server.Code(emulator.DemoDevice)
}

// scene is one thing that the demo shows without a terminal.
type scene struct {
	title string
	keys  bool     // the wrapper's keys are in the environment
	argv  []string // of aws-switch-role; CODE stands for the code
}

// play shows the scenes one after the other.
func (d *demo) play(ctx context.Context) error {
	look := []string{"aws-switch-role", "status", "--online"}
	list := look
	if d.aws != "" {
		list = []string{"aws", "s3", "ls", "s3://bucketname"}
	}
	scenes := []scene{
		{title: "a. keys in the credentials file, the role in the config file, MFA where the role demands it", argv: slices.Concat([]string{"tempsession", "--mfa-code", "CODE", "--"}, list)},
		{title: "every profile, and what is left of its session", argv: []string{"list"}},
		{title: "what a switch would do, before it does it", argv: []string{"explain", "chained"}},
		{title: "no key in the environment of the command: 0 of them", argv: []string{"--secretless", "open", "--", "sh", "-c", countKeys + "; aws-switch-role status"}},
		{title: "what is wrong in a profile's files, and how to mend it", argv: []string{"doctor", "chained"}},
		{title: "b. no keys on disk: a wrapper such as envchain puts them into the environment", keys: true, argv: slices.Concat([]string{"from-environment", "--mfa-code", "CODE", "--"}, look)},
		{title: "c. the same for a profile that names no source at all", keys: true, argv: slices.Concat([]string{"sub-account", "--mfa-code", "CODE", "--"}, look)},
		{title: "and what is wrong when it cannot", argv: []string{"sub-acount"}},
	}
	out := d.app.stdout
	fmt.Fprintf(out, "An emulated AWS on this machine, and a throw-away home with these profiles in\nit: tempsession, from-environment, sub-account, chained, long, open.\n")
	for _, s := range scenes {
		argv := slices.Clone(s.argv)
		if i := slices.Index(argv, "CODE"); i >= 0 {
			code, err := d.code()
			if err != nil {
				return err
			}
			argv[i] = code
		}
		env := d.environ()
		prefix := ""
		if s.keys {
			env = append(env, baseKeys()...)
			prefix = "envchain aws-main-account env "
			if err := os.WriteFile(filepath.Join(d.home, ".aws", "credentials"), nil, 0o600); err != nil {
				return err
			}
		}
		fmt.Fprintf(out, "\n%s\n$ %saws-switch-role %s\n", s.title, prefix, asTyped(argv))
		var said bytes.Buffer
		status, err := d.runTo(ctx, append([]string{"aws-switch-role"}, argv...), env, nil, &said, &said)
		if err != nil {
			return err
		}
		// The home has a long name that nobody needs.
		fmt.Fprint(out, strings.ReplaceAll(said.String(), d.home, "~"))
		if status != 0 {
			fmt.Fprintf(out, "(exit status %d)\n", status)
		}
		d.skip()
	}
	return d.summary(out)
}

// asTyped is a command as one types it: a word with a space in it is quoted.
func asTyped(argv []string) string {
	typed := slices.Clone(argv)
	for i, word := range typed {
		if strings.Contains(word, " ") {
			typed[i] = quote(word)
		}
	}
	return strings.Join(typed, " ")
}

// summary says what the emulator was asked.
func (d *demo) summary(out io.Writer) error {
	fmt.Fprintf(out, "\nwhat the emulated AWS was asked for in all this:\n")
	for _, r := range d.server.Requests() {
		code := ""
		if r.HasCode {
			code = ", with an MFA code"
		}
		if _, err := fmt.Fprintf(out, "  %-18s by %s%s\n", r.Action, r.Caller, code); err != nil {
			return err
		}
	}
	return nil
}

// demoCode prints the code that the device of a running demo shows.
func (a *app) demoCode(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+demoCodePath, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return errors.New("no demo is running at " + url)
	}
	defer resp.Body.Close()
	_, err = io.Copy(a.stdout, io.LimitReader(resp.Body, 1<<10))
	return err
}
