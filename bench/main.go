// Command bench measures how long the program takes to start and to do its
// jobs, beside a Go program that does nothing, in one interleaved run. What
// counts are the ratios: the times are this machine's of this minute.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/creack/pty"

	"aws-switch-role/internal/emulator"
)

func main() {
	rounds := flag.Int("rounds", 40, "how often each command is run")
	only := flag.String("only", "", "run only the commands whose names match this regular expression, and their yardsticks")
	weigh := flag.Bool("weigh", false, "run the command given as arguments and print the most memory it held, in KiB")
	clock := flag.Bool("clock", false, "run the command given as arguments at each line of stdin and print how long it took, in nanoseconds")
	flag.Parse()
	err := error(nil)
	switch {
	case *weigh:
		err = weighOne(flag.Args())
	case *clock:
		err = clockMany(flag.Args())
	default:
		err = run(*rounds, *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bareSource is the yardstick: a Go program that does nothing.
const bareSource = "package main\n\nfunc main() {}\n"

// execSource is the yardstick of an exec: a Go program that only execs.
const execSource = `package main

import (
	"os"
	"syscall"
)

func main() { _ = syscall.Exec("/bin/true", []string{"true"}, os.Environ()) }
`

// manySource is the yardstick of each: a Go program that only starts as many
// children, as many at a time.
const manySource = `package main

import (
	"os/exec"
	"sync"
)

func main() {
	var all sync.WaitGroup
	next := make(chan bool)
	for range 8 {
		all.Go(func() {
			for range next {
				if err := exec.Command("/bin/true").Run(); err != nil {
					panic(err)
				}
			}
		})
	}
	for range 1000 {
		next <- true
	}
	close(next)
	all.Wait()
}
`

// members are the profiles of an organisation, as many as manySource has
// children.
const members = 1000

// job is one line of the table.
type job struct {
	name string
	argv []string
	env  []string
	base string // the job whose median is 1 in the ratio
	exit int    // the status that it ends with: the doctor finds something
	rare bool   // it takes seconds, and is run in few of the rounds
	// within, if there is one, is a command that runs the job's, given as its
	// last arguments, where it has to be run.
	within []string
	inside *clockwork
	before func() error // run before each, or nil
	// typed, if not empty, is typed on a terminal of the job's own as soon as
	// something is shown there.
	typed string
	// figures
	times []time.Duration
	cpu   []time.Duration // of the command and of the children that it waits for
	peak  int64           // of resident memory, in KiB
}

func run(rounds int, only string) error {
	chosen, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "aws-switch-role-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tool := filepath.Join(dir, "aws-switch-role")
	if err := build(tool, "."); err != nil {
		return err
	}
	bare, bareExec, many := filepath.Join(dir, "bare"), filepath.Join(dir, "bare-exec"), filepath.Join(dir, "many")
	for path, source := range map[string]string{bare: bareSource, bareExec: execSource, many: manySource} {
		file := path + ".go"
		if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
			return err
		}
		if err := build(path, file); err != nil {
			return err
		}
	}
	server, err := emulator.New(emulator.Demo(), emulator.Options{})
	if err != nil {
		return err
	}
	l, err := server.Listen("")
	if err != nil {
		return err
	}
	defer l.Close()
	small, err := home(dir, "small", 10, l.URL)
	if err != nil {
		return err
	}
	large, err := home(dir, "large", 10_000, l.URL)
	if err != nil {
		return err
	}
	huge, err := home(dir, "huge", 100_000, l.URL)
	if err != nil {
		return err
	}
	crowded, err := home(dir, "crowded", 10, l.URL)
	if err != nil {
		return err
	}
	if err := errors.Join(fill(tool, small, 5), fill(tool, crowded, 10_000)); err != nil {
		return err
	}
	stop, bus, err := secretService(dir)
	if err != nil {
		return err
	}
	defer stop()
	service, err := home(dir, "service", 10, l.URL)
	if err != nil {
		return err
	}
	service = append(service, "AWS_SWITCH_ROLE_KEYRING=secret-service", "DBUS_SESSION_BUS_ADDRESS="+bus)
	organisation, err := home(dir, "organisation", members, l.URL)
	if err != nil {
		return err
	}
	// The AWS CLI assumes the same role by itself, and keeps its session in
	// plain text.
	library, err := filepath.Abs(".cache/awscli/awscli")
	if err != nil {
		return err
	}
	if _, err := os.Stat(library); err != nil {
		return fmt.Errorf("the AWS CLI, which this compares with, is not here (make tools): %w", err)
	}
	awsIdentity := []string{"/usr/bin/python3", "-m", "awscli", "sts", "get-caller-identity"}
	theirs, err := home(dir, "theirs", 10, l.URL)
	if err != nil {
		return err
	}
	const alone, identity = "1,000 children alone, 8 at a time", "aws sts get-caller-identity --profile, warm"
	each := []string{tool, "each", "member-*", "--jobs", "8", "--", "/bin/true"}
	jobs := []*job{
		{name: "bare Go program", argv: []string{bare}, env: small},
		{name: "bare Go program that execs", argv: []string{bareExec}, env: small},
		{name: "version", argv: []string{tool, "version"}, env: small, base: "bare Go program"},
		{name: "explain, 10 profiles", argv: []string{tool, "explain", "open"}, env: small, base: "bare Go program"},
		{name: "explain, 10,000 profiles", argv: []string{tool, "explain", "open"}, env: large, base: "bare Go program"},
		{name: "explain, 100,000 profiles", argv: []string{tool, "explain", "open"}, env: huge, base: "bare Go program", rare: true},
		{name: "list, 10 profiles", argv: []string{tool, "list"}, env: small, base: "bare Go program"},
		{name: "list, 10,000 profiles", argv: []string{tool, "list"}, env: large, base: "bare Go program"},
		{name: "list, 100,000 profiles", argv: []string{tool, "list"}, env: huge, base: "bare Go program", rare: true},
		{name: "picker, 10,000 profiles", argv: []string{tool}, env: large, base: "bare Go program", exit: bySignal, typed: interrupt},
		{name: "picker, 100,000 profiles", argv: []string{tool}, env: huge, base: "bare Go program", exit: bySignal, typed: interrupt, rare: true},
		{name: "picker, 100,000 profiles, ten keys typed", argv: []string{tool}, env: huge, base: "bare Go program", exit: bySignal, typed: "account-04" + interrupt, rare: true},
		{name: "list, 10,000 sessions", argv: []string{tool, "list"}, env: crowded, base: "bare Go program"},
		{name: "sessions list, 10,000 sessions", argv: []string{tool, "sessions", "list"}, env: crowded, base: "bare Go program"},
		{name: "credential-process --renew, 10,000 sessions", argv: []string{tool, "credential-process", "--renew", "open"}, env: crowded, base: "bare Go program"},
		{name: "the same, and a sweep of them", argv: []string{tool, "credential-process", "--renew", "open"}, env: crowded, base: "credential-process --renew, 10,000 sessions", before: func() error { return due(crowded) }},
		{name: "doctor, 10,000 profiles", argv: []string{tool, "doctor"}, env: large, base: "bare Go program", exit: 1},
		{name: "doctor, 100,000 profiles", argv: []string{tool, "doctor"}, env: huge, base: "bare Go program", exit: 1, rare: true},
		{name: "status --short, 10,000 profiles", argv: []string{tool, "status", "--short"}, env: append([]string{"AWS_SWITCH_ROLE_PROFILE=open", "AWS_SESSION_EXPIRATION=2099-01-01T00:00:00Z"}, large...), base: "bare Go program"},
		{name: "completion of a name, 10,000 profiles", argv: []string{tool, "__complete", "account-0431"}, env: large, base: "bare Go program"},
		{name: "completion of all names, 10,000 profiles", argv: []string{tool, "__complete", ""}, env: large, base: "bare Go program"},
		{name: "completion of all names, 100,000 profiles", argv: []string{tool, "__complete", ""}, env: huge, base: "bare Go program", rare: true},
		{name: "completion of a name, 100,000 profiles", argv: []string{tool, "__complete", "account-0431"}, env: huge, base: "bare Go program", rare: true},
		{name: "credential-process, 10 profiles, warm", argv: []string{tool, "credential-process", "open"}, env: small, base: "bare Go program"},
		{name: "credential-process, 10,000 profiles, warm", argv: []string{tool, "credential-process", "open"}, env: large, base: "bare Go program"},
		{name: "credential-process, 10,000 sessions, warm", argv: []string{tool, "credential-process", "open"}, env: crowded, base: "bare Go program"},
		{name: "credential-process, Secret Service, warm", argv: []string{tool, "credential-process", "open"}, env: service, base: "bare Go program"},
		{
			name: "credential-process, of a keeper", argv: []string{tool, "credential-process", "--in-shell=open"}, env: small,
			base: "credential-process, 10 profiles, warm", within: []string{tool, "exec", "open", "--secretless", "--"},
		},
		{name: "exec -- /bin/true, warm", argv: []string{tool, "exec", "open", "--", "/bin/true"}, env: small, base: "bare Go program that execs"},
		{name: "exec -- /bin/true, 10,000 sessions, warm", argv: []string{tool, "exec", "open", "--", "/bin/true"}, env: crowded, base: "bare Go program that execs"},
		{name: "exec -- /bin/true, Secret Service, warm", argv: []string{tool, "exec", "open", "--", "/bin/true"}, env: service, base: "bare Go program that execs"},
		{name: "exec -- /bin/true, 10,000 profiles, warm", argv: []string{tool, "exec", "open", "--", "/bin/true"}, env: large, base: "bare Go program that execs"},
		{name: "exec --secretless -- /bin/true, warm", argv: []string{tool, "exec", "open", "--secretless", "--", "/bin/true"}, env: small, base: "bare Go program that execs"},
		{name: "credential-process, 10 profiles, cold", argv: []string{tool, "credential-process", "--no-cache", "open"}, env: small, base: "bare Go program"},
		{name: "credential-process, 10,000 profiles, cold", argv: []string{tool, "credential-process", "--no-cache", "open"}, env: large, base: "bare Go program"},
		{name: "exec -- /bin/true, cold", argv: []string{tool, "exec", "--no-cache", "open", "--", "/bin/true"}, env: small, base: "bare Go program that execs"},
		{name: alone, argv: []string{many}, env: organisation},
		{name: "each over 1,000 profiles, warm", argv: each, env: organisation, base: alone},
		{name: identity, argv: append(slices.Clone(awsIdentity), "--profile", "open"), env: append(theirs, "PYTHONPATH="+library), rare: true},
		{name: "exec -- aws sts get-caller-identity, warm", argv: append([]string{tool, "exec", "open", "--"}, awsIdentity...), env: append(slices.Clone(small), "PYTHONPATH="+library), base: identity, rare: true},
		{name: "each --secretless, warm", argv: slices.Insert(slices.Clone(each), 2, "--secretless"), env: organisation, base: alone, rare: true},
	}
	defer func() {
		for _, j := range jobs {
			j.end()
		}
	}()
	needed := map[string]bool{}
	for _, j := range jobs {
		if chosen.MatchString(j.name) {
			needed[j.name], needed[j.base] = true, true
		}
	}
	jobs = slices.DeleteFunc(jobs, func(j *job) bool { return !needed[j.name] })
	for _, j := range jobs { // fills the caches, and those of the disk
		if err := j.once(); err != nil {
			return err
		}
		j.times, j.cpu = nil, nil
	}
	for i := range rounds {
		for _, j := range jobs { // interleaved: a busy minute slows all alike
			if j.rare && i%rareEvery > 0 {
				continue
			}
			if err := j.once(); err != nil {
				return err
			}
		}
	}
	for _, j := range jobs {
		if j.peak, err = j.weigh(); err != nil {
			return err
		}
	}
	return report(jobs, rounds)
}

func build(out, what string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, what)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", what, err, msg)
	}
	return nil
}

// home makes a home directory with so many profiles, the one that is used in
// the middle, and returns the environment that leads there.
func home(dir, name string, profiles int, url string) ([]string, error) {
	h := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Join(h, ".aws"), 0o700); err != nil {
		return nil, err
	}
	var config strings.Builder
	if name == "organisation" {
		for i := range profiles {
			fmt.Fprintf(&config, "[profile member-%04d]\nrole_arn = %s\nrole_session_name = bench-%04d\nsource_profile = default\nregion = us-east-1\n\n", i, emulator.DemoRole("Open"), i)
		}
	}
	for i := range profiles {
		if i == profiles/2 {
			fmt.Fprintf(&config, "[profile open]\nrole_arn = %s\nsource_profile = default\nregion = us-east-1\n\n", emulator.DemoRole("Open"))
			continue
		}
		fmt.Fprintf(&config, "[profile account-%05d]\nrole_arn = arn:aws:iam::%012d:role/Ops\nsource_profile = default\nmfa_serial = %s\nregion = eu-west-1\n\n", i, i+1, emulator.DemoDevice)
	}
	credentials := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", emulator.DemoKeyID, emulator.DemoSecret)
	for file, text := range map[string]string{"config": config.String(), "credentials": credentials} {
		if err := os.WriteFile(filepath.Join(h, ".aws", file), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	// The kernel's keyring is the one that every Linux has; on others the
	// choice is an error, and bench says so.
	return []string{"HOME=" + h, "PATH=/usr/bin:/bin", "USER=bench", "AWS_ENDPOINT_URL=" + url, "NO_PROXY=127.0.0.1",
		"XDG_RUNTIME_DIR=" + filepath.Join(h, "run"), "AWS_SWITCH_ROLE_KEYRING=kernel"}, nil
}

// fill makes the session of a home, and others beside it that are never looked
// at: links to it under other names are all the same then.
func fill(tool string, env []string, sessions int) error {
	if err := (&job{name: "the first session", argv: []string{tool, "credential-process", "open"}, env: env}).once(); err != nil {
		return err
	}
	h, _ := strings.CutPrefix(env[0], "HOME=")
	made, err := filepath.Glob(filepath.Join(h, ".cache", "aws-switch-role", "sessions", "*.v1"))
	if err != nil || len(made) != 1 {
		return fmt.Errorf("%d sessions were made: %w", len(made), err)
	}
	for i := 1; i < sessions; i++ {
		name := fmt.Sprintf("%x.v1", sha256.Sum256([]byte(strconv.Itoa(i))))
		if err := os.Link(made[0], filepath.Join(filepath.Dir(made[0]), name)); err != nil {
			return err
		}
	}
	return nil
}

// once runs the job and notes time and memory.
func (j *job) once() error {
	if j.before != nil {
		if err := j.before(); err != nil {
			return err
		}
	}
	switch {
	case j.within != nil:
		return j.onceWithin()
	case j.typed != "":
		return j.onceTyped()
	}
	cmd := exec.Command(j.argv[0], j.argv[1:]...)
	cmd.Env = j.env
	var errs bytes.Buffer
	cmd.Stderr = &errs
	begun := time.Now()
	err := cmd.Run()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != j.exit {
		return fmt.Errorf("%s: %w\n%s", j.name, cmp.Or(err, errUnexpectedEnd), errs.String())
	}
	j.times = append(j.times, time.Since(begun))
	j.cpu = append(j.cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	return nil
}

// interrupt is what Ctrl-C types, and bySignal the status of what it ends.
const (
	interrupt = "\x03"
	bySignal  = -1
)

// onceTyped runs the job on a terminal, from its start to its end.
func (j *job) onceTyped() error {
	cmd := exec.Command(j.argv[0], j.argv[1:]...)
	cmd.Env = append([]string{"TERM=xterm"}, j.env...)
	begun := time.Now()
	t, err := pty.Start(cmd)
	if err != nil {
		return fmt.Errorf("%s: %w", j.name, err)
	}
	defer t.Close()
	shown := make([]byte, 4<<10)
	n, err := t.Read(shown)
	if err != nil {
		return fmt.Errorf("%s: %w", j.name, err)
	}
	if _, err := io.WriteString(t, j.typed); err != nil {
		return fmt.Errorf("%s: %w", j.name, err)
	}
	_, _ = io.Copy(io.Discard, t) // which ends with an error on Linux
	if err = cmd.Wait(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != j.exit {
		return fmt.Errorf("%s: %w\n%q", j.name, cmp.Or(err, errUnexpectedEnd), shown[:n])
	}
	j.times = append(j.times, time.Since(begun))
	j.cpu = append(j.cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	return nil
}

// due has a home's sessions swept when the next is kept.
func due(env []string) error {
	h, _ := strings.CutPrefix(env[0], "HOME=")
	long := time.Now().Add(-2 * time.Hour)
	return os.Chtimes(filepath.Join(h, ".cache", "aws-switch-role", "sessions", "CACHEDIR.TAG"), long, long)
}

// rareEvery is of how many rounds a rare job is run in one.
const rareEvery = 10

// errUnexpectedEnd says that a command ended well that should not have.
var errUnexpectedEnd = errors.New("it ended with status 0")

// clockwork is a process that runs a job where it has to be run.
type clockwork struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// onceWithin runs the job in another process's family, which measures it.
func (j *job) onceWithin() error {
	if j.inside == nil {
		if err := j.begin(); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(j.inside.in, "\n"); err != nil {
		return fmt.Errorf("%s: %w", j.name, err)
	}
	if !j.inside.out.Scan() {
		return fmt.Errorf("%s: %w", j.name, cmp.Or(j.inside.out.Err(), io.ErrUnexpectedEOF))
	}
	took, err := strconv.ParseInt(j.inside.out.Text(), 10, 64)
	j.times = append(j.times, time.Duration(took))
	return err
}

func (j *job) begin() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	argv := slices.Concat(j.within, []string{self, "-clock", "--"}, j.argv)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Stderr = j.env, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	j.inside = &clockwork{cmd, in, bufio.NewScanner(out)}
	return cmd.Start()
}

// end ends what begin began.
func (j *job) end() {
	if j.inside != nil {
		_ = j.inside.in.Close()
		_ = j.inside.cmd.Wait()
	}
}

// clockMany runs a command at each line of stdin.
func clockMany(argv []string) error {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		begun := time.Now()
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%q: %w\n%s", argv, err, out)
		}
		if _, err := fmt.Println(time.Since(begun).Nanoseconds()); err != nil {
			return err
		}
	}
	return nil
}

// weigh returns the most memory that the job holds, in KiB. A child's figure
// begins with its parent's, so a parent smaller than this one starts it.
func (j *job) weigh() (int64, error) {
	if j.typed != "" {
		return 0, nil // the terminal is not to be shared
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	argv := slices.Concat(j.within, []string{self, "-weigh", "--"}, j.argv)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = j.env
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", j.name, err)
	}
	return strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
}

func weighOne(argv []string) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	if err := cmd.Run(); cmd.ProcessState == nil { // how it ends was looked at before
		return err
	}
	_, err := fmt.Println(peak(cmd.ProcessState))
	return err
}

// median sorts times; of none, it is 0.
func median(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// report prints, besides the times, how much the processors had to do: on a
// busy machine that is what can be compared.
func report(jobs []*job, rounds int) error {
	fmt.Printf("medians of %d interleaved rounds, %s, %d cores\n\n", rounds, runtime.Version(), runtime.NumCPU())
	fmt.Printf("%-44s %9s %7s %12s %7s %10s\n", "", "time", "ratio", "processor", "ratio", "memory")
	byName := map[string]*job{}
	for _, j := range jobs {
		byName[j.name] = j
		base := byName[cmp.Or(j.base, j.name)]
		if _, err := fmt.Printf("%-44s %6.2f ms %6.2fx %9.2f ms %6.2fx %6.1f MiB\n", j.name,
			millis(median(j.times)), ratio(j.times, base.times), millis(median(j.cpu)), ratio(j.cpu, base.cpu), float64(j.peak)/1024); err != nil {
			return err
		}
	}
	return nil
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// ratio is that of the medians, 0 where one was not measured.
func ratio(times, base []time.Duration) float64 {
	if median(base) == 0 {
		return 0
	}
	return float64(median(times)) / float64(median(base))
}
