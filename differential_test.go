//go:build unix

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/tools/txtar"

	gocmp "github.com/google/go-cmp/cmp"

	"aws-switch-role/internal/emulator"
)

var update = flag.Bool("update", false, "rewrite testdata/differential and doc/differences.md")

// TestDifferential gives the AWS CLI and this program the same files and the
// same environment, and AWS itself stands between them: what each asked of it,
// as whom, where, and whom it became in the end must be the same. Where it is
// not, the difference must be one of those in the list, and is told to users
// in doc/differences.md.
//
// Each case is a file of testdata/differential: what the two are given, and
// what came of it. The generated ones hold what [generate] makes.
func TestDifferential(t *testing.T) {
	s := newReferee(t, 2)
	seen := &tally{cases: map[string][]string{}}
	t.Run("cases", func(t *testing.T) {
		for _, c := range cases(t) {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				s.judge(t, c, seen)
			})
		}
	})
	if t.Failed() || !seen.complete(t) {
		return
	}
	for _, d := range differences {
		if len(seen.cases[d.name]) == 0 {
			t.Errorf("no case shows the difference %q: it is gone, or needs one", d.name)
		}
	}
}

// TestDifferentialPrograms takes a sample of the cases to every AWS CLI on the
// PATH, as it was installed, and asks it for no more than who it is.
func TestDifferentialPrograms(t *testing.T) {
	s := newReferee(t, 0)
	all := map[string]trial{}
	for _, c := range cases(t) {
		all[c.name] = c
	}
	var versions []string
	for path := range onPath("aws") {
		version, err := exec.CommandContext(t.Context(), path, "--version").CombinedOutput()
		if err != nil || slices.Contains(versions, string(version)) {
			continue
		}
		versions = append(versions, string(version))
		for _, name := range []string{"role", "role_mfa", "chain_two", "environment_source_temporary", "process_temporary", "web", "sso_session", "container", "instance"} {
			t.Run(strings.TrimPrefix(path, "/")+"/"+name, func(t *testing.T) {
				t.Parallel()
				c, ok := all[name]
				if !ok {
					t.Fatal("there is no such case")
				}
				theirs, ours := s.run(t, c, program(path)), s.run(t, c, s.product)
				if !theirs.succeeded() {
					t.Errorf("%s%s", version, theirs)
				}
				settle(c, theirs, ours)
				if d := unlike(theirs, ours); d != "" {
					t.Errorf("a difference that is not in the list (-aws +aws-switch-role), of %s%s", version, d)
				}
			})
		}
	}
	if len(versions) == 0 {
		t.Error("no AWS CLI here: install the package awscli (make tools)")
	}
}

// program is an AWS CLI as it was installed.
func program(path string) contender {
	return func(t *testing.T, c trial, home string, env []string, code func() string) ([]byte, string) {
		dir := t.TempDir()
		out, errs := filepath.Join(dir, "out"), filepath.Join(dir, "err")
		cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", `exec "$@" >"$0/out" 2>"$0/err"`, dir, path}, append(slices.Clone(c.args), "sts", "get-caller-identity", "--output", "json")...)...)
		cmd.Dir, cmd.Env = home, env
		status, err := onTerminal(cmd, code)
		if err != nil {
			t.Fatal(err)
		}
		return result(t, status, read(t, out), read(t, errs))
	}
}

// tally counts the cases that show a difference.
type tally struct {
	mu    sync.Mutex
	cases map[string][]string
	ran   int
}

func (y *tally) add(name string, differs []string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.ran++
	for _, d := range differs {
		y.cases[d] = append(y.cases[d], name)
	}
}

// complete reports whether every case ran, rather than those that -run chose.
func (y *tally) complete(t *testing.T) bool { return y.ran == len(cases(t)) }

// The files of a case that are not part of the home directory.
const (
	fileArgs    = "args"    // what chooses the profile, for the AWS CLI
	fileEnv     = "env"     // variables, one a line
	fileBecomes = "becomes" // the ARN that one becomes where the two part company
	fileDiffers = "differs" // the names of the differences, one a line
	fileAWS     = "aws"     // what the AWS CLI did
	fileOurs    = "aws-switch-role"
)

// trial is one case.
type trial struct {
	name    string
	comment string
	args    []string
	env     []string
	home    []txtar.File
	becomes string
	want    [3]string // the files differs, aws and aws-switch-role
}

// cases are those of the files and those of the generator.
func cases(t *testing.T) []trial {
	t.Helper()
	files, err := filepath.Glob("testdata/differential/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	made := generate()
	var cases []trial
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := parseTrial(name, text)
		if g, ok := made[name]; ok {
			in := parseTrial(name, g)
			in.want, in.becomes = c.want, c.becomes
			c = in
			delete(made, name)
		} else if strings.HasPrefix(name, generated) {
			t.Errorf("%s is not what the generator makes", file)
		}
		cases = append(cases, c)
	}
	for _, name := range slices.Sorted(maps.Keys(made)) {
		cases = append(cases, parseTrial(name, made[name]))
	}
	return cases
}

func parseTrial(name string, text []byte) trial {
	a := txtar.Parse(text)
	c := trial{name: name, comment: string(a.Comment), args: []string{"--profile", "x"}}
	for _, f := range a.Files {
		switch text := string(f.Data); f.Name {
		case fileArgs:
			c.args = strings.Fields(text)
		case fileEnv:
			c.env = strings.Split(strings.TrimSpace(text), "\n")
		case fileBecomes:
			c.becomes = strings.TrimSpace(text)
		case fileDiffers:
			c.want[0] = text
		case fileAWS:
			c.want[1] = text
		case fileOurs:
			c.want[2] = text
		default:
			c.home = append(c.home, f)
		}
	}
	return c
}

// format is the case as a file.
func (c trial) format() []byte {
	a := txtar.Archive{Comment: []byte(c.comment), Files: slices.Clone(c.home)}
	add := func(name, text string) {
		if text != "" {
			a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(text)})
		}
	}
	if len(c.env) > 0 {
		add(fileEnv, strings.Join(c.env, "\n")+"\n")
	}
	if !slices.Equal(c.args, []string{"--profile", "x"}) {
		add(fileArgs, strings.Join(c.args, " ")+"\n")
	}
	if c.becomes != "" {
		add(fileBecomes, c.becomes+"\n")
	}
	add(fileDiffers, c.want[0])
	add(fileAWS, c.want[1])
	add(fileOurs, c.want[2])
	return txtar.Format(&a)
}

// judge runs a case and compares.
func (s *referee) judge(t *testing.T, c trial, seen *tally) {
	theirs, ours := s.run(t, c, s.awsCLI), s.run(t, c, s.product)
	got := [3]string{1: theirs.String(), 2: ours.String()}
	names := settle(c, theirs, ours)
	got[0] = strings.Join(append(names, ""), "\n")
	seen.add(c.name, names)
	if d := unlike(theirs, ours); d != "" {
		t.Errorf("a difference that is not in the list (-aws +aws-switch-role):\n%s\naws:\n%s\naws-switch-role:\n%s", d, got[1], got[2])
		return
	}
	if *update {
		c.want = got
		if err := os.WriteFile(filepath.Join("testdata/differential", c.name+".txtar"), c.format(), 0o644); err != nil {
			t.Error(err)
		}
		return
	}
	for i, what := range []string{"differences", "doings of the AWS CLI", "doings of aws-switch-role"} {
		if d := gocmp.Diff(c.want[i], got[i]); d != "" {
			t.Errorf("the %s are not those of the file, which -update rewrites (-file +now):\n%s", what, d)
		}
	}
}

// unlike tells in what two behaviours differ, whatever was said.
func unlike(theirs, ours *behaviour) string {
	return gocmp.Diff(theirs, ours, gocmp.AllowUnexported(behaviour{}, call{}), cmpopts.IgnoreFields(behaviour{}, "said"), cmpopts.EquateEmpty())
}

// behaviour is what came of one run.
type behaviour struct {
	calls []call
	who   string // the ARN of whom the credentials are; "" when there are none
	said  string // on stderr, when it failed
}

// call is a request to AWS.
type call struct {
	action, host, region string
	caller               string // "" when the request was not signed
	params               map[string]string
	code                 bool   // with an MFA code
	refused              string // AWS's error code
}

// String writes the behaviour for a person.
func (o *behaviour) String() string {
	var b strings.Builder
	for _, c := range o.calls {
		fmt.Fprintf(&b, "%s at %s", c.action, c.host)
		if c.caller != "" {
			fmt.Fprintf(&b, ", signed for %s by %s", c.region, c.caller)
		}
		b.WriteByte('\n')
		for _, name := range slices.Sorted(maps.Keys(c.params)) {
			fmt.Fprintf(&b, "    %s = %s\n", name, c.params[name])
		}
		if c.code {
			b.WriteString("    with a code\n")
		}
		if c.refused != "" {
			fmt.Fprintf(&b, "    refused: %s\n", c.refused)
		}
	}
	if o.who != "" {
		fmt.Fprintf(&b, "is %s\n", o.who)
	} else {
		fmt.Fprintf(&b, "fails: %s\n", o.said)
	}
	return unique.ReplaceAllString(b.String(), "${1}0")
}

// referee is what all cases share.
type referee struct {
	authority *authority
	jobs      chan *aws1 // idle processes of aws.py
	python    string
	binary    string
}

// newReferee starts that many processes of aws.py.
func newReferee(t *testing.T, processes int) *referee {
	t.Helper()
	s := &referee{authority: newAuthority(t), jobs: make(chan *aws1, processes), binary: filepath.Join(buildProgram(t), "aws-switch-role")}
	if processes > 0 {
		s.python = python3(t)
	}
	for range processes {
		s.jobs <- s.startAWS(t)
	}
	return s
}

// The AWS CLI that the cases are about: others use other words, and may do
// otherwise.
const (
	awsVersion = "1.46.2"
	awsLibrary = ".cache/awscli/awscli" // where make tools puts it
)

// python3 returns an interpreter that can run the AWS CLI of [awsLibrary].
func python3(t *testing.T) string {
	t.Helper()
	const check = "import awscli, cryptography, sys; sys.exit(awscli.__version__ != sys.argv[1])"
	var said []byte
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		cmd := exec.CommandContext(t.Context(), python, "-c", check, awsVersion)
		cmd.Env = append(os.Environ(), "PYTHONPATH="+awsLibrary)
		out, err := cmd.CombinedOutput()
		if err == nil {
			return python
		}
		said = fmt.Appendf(said, "%s: %v\n%s", python, err, out)
	}
	t.Fatalf("no python3 here runs version %s of the AWS CLI from %s: make tools puts it there, and installs python3-cryptography\n%s", awsVersion, awsLibrary, said)
	return ""
}

// aws makes the command that runs aws.py.
func (s *referee) aws(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.python, append([]string{"testdata/differential/aws.py"}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+awsLibrary)
	return cmd
}

// aws1 is a process that is the AWS CLI for one job after another.
type aws1 struct {
	in  io.Writer
	out *bufio.Scanner
}

// awsJob is what aws.py does at a time.
type awsJob struct {
	Args []string          `json:"args"`
	Env  map[string]string `json:"env"`
	Dir  string            `json:"dir"`
	Out  string            `json:"out"`
	Err  string            `json:"err"`
}

func (s *referee) startAWS(t *testing.T) *aws1 {
	t.Helper()
	cmd := s.aws(t.Context())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal to ask on
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &aws1{in, bufio.NewScanner(out)}
}

func (a *aws1) do(j awsJob) (status int, err error) {
	if err := json.NewEncoder(a.in).Encode(j); err != nil {
		return 0, err
	}
	if !a.out.Scan() {
		return 0, cmp.Or(a.out.Err(), io.ErrUnexpectedEOF)
	}
	return strconv.Atoi(a.out.Text())
}

// contender runs a program in a home with an environment and returns its
// stdout, or what it said when it failed. answer makes the code to type when
// it asks.
type contender func(t *testing.T, c trial, home string, env []string, code func() string) (stdout []byte, said string)

func (s *referee) awsCLI(t *testing.T, c trial, home string, env []string, code func() string) ([]byte, string) {
	out := t.TempDir()
	j := awsJob{Args: slices.Concat(c.args, []string{"configure", "export-credentials"}), Env: map[string]string{}, Dir: home, Out: out + "/out", Err: out + "/err"}
	for _, e := range env {
		k, v, _ := strings.Cut(e, "=")
		j.Env[k] = v
	}
	var status int
	var err error
	if c.asks() {
		text, merr := json.Marshal(j)
		if merr != nil {
			t.Fatal(merr)
		}
		status, err = onTerminal(s.aws(t.Context(), string(text)), code)
	} else {
		a := <-s.jobs
		status, err = a.do(j)
		s.jobs <- a
	}
	if err != nil {
		t.Fatal(err)
	}
	return result(t, status, read(t, j.Out), read(t, j.Err))
}

func (s *referee) product(t *testing.T, c trial, home string, env []string, code func() string) ([]byte, string) {
	args := []string{"credential-process"}
	if len(c.args) > 0 {
		args = append(args, c.args[1])
	}
	cmd := exec.CommandContext(t.Context(), s.binary, args...)
	cmd.Dir, cmd.Env = home, env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var status int
	var err error
	if c.asks() {
		status, err = onTerminal(cmd, code)
	} else {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		status, err = exitStatus(cmd.Run())
	}
	if err != nil {
		t.Fatal(err)
	}
	// What to do about it, on the lines that follow, the AWS CLI does not tell.
	said, _, _ := bytes.Cut(stderr.Bytes(), []byte("\n"))
	return result(t, status, stdout.Bytes(), said)
}

// asks reports whether a code will be asked for, and needs a terminal.
func (c trial) asks() bool {
	return slices.ContainsFunc(c.home, func(f txtar.File) bool { return bytes.Contains(f.Data, []byte("mfa_serial")) })
}

// onTerminal runs cmd on a terminal of its own and types a code when it is
// asked for one.
func onTerminal(cmd *exec.Cmd, code func() string) (status int, err error) {
	tty, err := pty.StartWithAttrs(cmd, nil, &syscall.SysProcAttr{Setsid: true, Setctty: true})
	if err != nil {
		return 0, err
	}
	defer tty.Close()
	var screen []byte
	buf := make([]byte, 1024)
	for {
		n, err := tty.Read(buf)
		screen = append(screen, buf[:n]...)
		if bytes.Contains(screen, []byte("Enter MFA code for ")) && bytes.HasSuffix(screen, []byte(": ")) {
			screen = nil
			fmt.Fprintln(tty, code())
		}
		if err != nil { // the program has ended, and the terminal with it
			break
		}
	}
	return exitStatus(cmd.Wait())
}

// exitStatus is that of a program which ran; err is set when it did not.
func exitStatus(err error) (int, error) {
	if e, ok := err.(*exec.ExitError); ok {
		return e.ExitCode(), nil
	}
	return 0, err
}

func result(t *testing.T, status int, stdout, stderr []byte) ([]byte, string) {
	t.Helper()
	if status == 0 {
		return stdout, ""
	}
	return nil, cmp.Or(strings.TrimSpace(string(stderr)), "status "+strconv.Itoa(status))
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// run has one contender do a case in an AWS of its own.
func (s *referee) run(t *testing.T, c trial, do contender) *behaviour {
	t.Helper()
	server, err := emulator.New(caseWorld(), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	proxy := s.authority.proxy(t, server)
	home := t.TempDir()
	imds, container := overHTTP(t, server.Metadata()), overHTTP(t, server.Container())
	sub := strings.NewReplacer(slices.Concat(replacements(t, server, proxy, home), signIns(t, server), []string{"@IMDS@", "http://" + imds, "@CONTAINER@", "http://" + container})...)
	// What is another one in each run.
	named := strings.NewReplacer(imds, "instance.example", container, "container.example", home, "~")
	for _, f := range c.home {
		name := filepath.Join(home, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(sub.Replace(string(f.Data))), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{
		"HOME=" + home, "XDG_RUNTIME_DIR=" + filepath.Join(home, "run"), "USER=jane", "PATH=" + os.Getenv("PATH"), "TERM=xterm",
		"HTTPS_PROXY=" + proxy, "AWS_CA_BUNDLE=" + s.authority.file, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_MAX_ATTEMPTS=1",
	}
	for _, e := range c.env {
		env = append(env, sub.Replace(e))
	}
	before := len(server.Requests())
	stdout, said := do(t, c, home, env, func() string {
		code, err := server.Code(emulator.DemoDevice)
		if err != nil {
			t.Error(err)
		}
		return code
	})
	o := &behaviour{said: named.Replace(said)}
	for _, r := range server.Requests()[before:] {
		if r.Action == "GetCallerIdentity" { // asked by the AWS CLI as it was installed, for the answer alone
			continue
		}
		delete(r.Params, "Action")
		delete(r.Params, "Version")
		if r.Caller == "" {
			r.Caller = r.AccessKeyID
		}
		o.calls = append(o.calls, call{r.Action, named.Replace(r.Host), r.Region, r.Caller, r.Params, r.HasCode, r.ErrorCode})
	}
	if said == "" {
		o.who = whoIs(t, proxy, stdout)
	}
	return o
}

// whoIs asks AWS, in each partition, whom credentials belong to.
func whoIs(t *testing.T, url string, output []byte) string {
	t.Helper()
	var c struct{ AccessKeyId, SecretAccessKey, SessionToken, Arn string }
	if err := json.Unmarshal(output, &c); err != nil {
		t.Fatalf("%v in %s", err, output)
	}
	if c.Arn != "" { // a program has asked already
		return c.Arn
	}
	for _, region := range []string{"us-east-1", "cn-north-1", "us-gov-west-1"} {
		out, err := stsClient(url, region, c.AccessKeyId, c.SecretAccessKey, c.SessionToken).GetCallerIdentity(t.Context(), nil)
		if err == nil {
			return *out.Arn
		}
	}
	return nobody + c.AccessKeyId
}

func stsClient(url, region, id, secret, token string) *sts.Client {
	return sts.New(sts.Options{
		Region: region, BaseEndpoint: &url, Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}, nil
		}),
	})
}

// What is in [caseWorld] beside the demo's.
const (
	chinaKeyID  = "AKIAEMULATEDCHINACHI"
	chinaSecret = "cn/SECRET+cn/SECRET+cn/SECRET+cn/SECRET+"
	govKeyID    = "AKIAEMULATEDGOVGOVGO"
	govSecret   = "gov/SECRETgov/SECRETgov/SECRETgov/SECRET"
	provider    = "arn:aws:iam::222222222222:oidc-provider/issuer.example"
)

// caseWorld is the demo's with roles One to Four, which take anybody, in each
// partition, and a role Web for an identity provider's users.
func caseWorld() emulator.World {
	w := emulator.Demo()
	for _, partition := range []string{"aws", "aws-cn", "aws-us-gov"} {
		for _, name := range []string{"One", "Two", "Three", "Four"} {
			w.Roles = append(w.Roles, emulator.Role{
				ARN: "arn:" + partition + ":iam::222222222222:role/" + name, MaxSession: 12 * time.Hour,
				Trust: `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]}}`,
			})
		}
	}
	w.Roles = append(w.Roles, emulator.Role{
		ARN: emulator.DemoRole("Web"), MaxSession: 12 * time.Hour,
		Trust: `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Federated": "` + provider + `"}, "Action": "sts:AssumeRoleWithWebIdentity"}}`,
	})
	w.Providers = append(w.Providers, emulator.Provider{ARN: provider, Audience: "sts.amazonaws.com"})
	w.Users = append(w.Users,
		emulator.User{ARN: "arn:aws-cn:iam::111111111111:user/cn", Keys: []emulator.AccessKey{{ID: chinaKeyID, Secret: chinaSecret}}},
		emulator.User{ARN: "arn:aws-us-gov:iam::111111111111:user/gov", Keys: []emulator.AccessKey{{ID: govKeyID, Secret: govSecret}}},
	)
	return w
}

// replacements puts into a case's files what is only known when it runs: a
// session of role Two, a web identity's token, and the home directory.
func replacements(t *testing.T, server *emulator.Server, url, home string) []string {
	t.Helper()
	token, err := server.WebIdentityToken(provider, "jane", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	out, err := stsClient(url, "us-east-1", emulator.DemoKeyID, emulator.DemoSecret, "").AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String(emulator.DemoRole("Two")), RoleSessionName: aws.String("already"),
	})
	if err != nil {
		t.Fatal(err)
	}
	c := out.Credentials
	return []string{"@ID@", *c.AccessKeyId, "@SECRET@", *c.SecretAccessKey, "@TOKEN@", *c.SessionToken, "@JWT@", token, "@HOME@", home, "@URL@", url}
}

// signIns are the files of people who have signed in, now or so long ago that
// the sign-in is to be renewed.
func signIns(t *testing.T, server *emulator.Server) []string {
	t.Helper()
	var all []string
	add := func(name string, file []byte, err error) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, name, string(file))
	}
	for suffix, life := range map[string]time.Duration{"@": time.Hour, "_ENDED@": -time.Minute} {
		in := emulator.SSOSignIn{StartURL: emulator.DemoStartURL, Person: emulator.DemoPerson, Region: "eu-west-1", Life: life}
		file, err := server.SSOToken(in)
		add("@SSO"+suffix, file, err)
		in.Legacy = true
		file, err = server.SSOToken(in)
		add("@LEGACY"+suffix, file, err)
		file, err = server.LoginToken(emulator.DemoUser, life)
		add("@LOGIN"+suffix, file, err)
	}
	return all
}

// overHTTP serves h without TLS and returns its host and port.
func overHTTP(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// authority stands for all of AWS's hosts, and any other: it signs
// certificates for whatever name a client asks for.
type authority struct {
	file  string // its own certificate
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey
	mu    sync.Mutex
	hosts map[string]*tls.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{file: filepath.Join(t.TempDir(), "ca.pem"), key: key, hosts: map[string]*tls.Certificate{}}
	der, err := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "all of AWS"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *authority) sign(c *x509.Certificate) ([]byte, error) {
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	return x509.CreateCertificate(rand.Reader, c, cmp.Or(a.cert, c), &a.key.PublicKey, a.key)
}

// certificate is for the host that a client wants.
func (a *authority) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.hosts[hello.ServerName]; c != nil {
		return c, nil
	}
	der, err := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(int64(len(a.hosts) + 2)), Subject: pkix.Name{CommonName: "AWS"}, DNSNames: []string{hello.ServerName},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return nil, err
	}
	c := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key}
	a.hosts[hello.ServerName] = c
	return c, nil
}

// proxy returns the URL of an HTTPS proxy behind which every host is server.
// Plain requests reach server, too.
func (a *authority) proxy(t *testing.T, server http.Handler) string {
	t.Helper()
	hosts := httptest.NewUnstartedServer(server)
	hosts.TLS = &tls.Config{GetCertificate: a.certificate}
	hosts.StartTLS()
	t.Cleanup(hosts.Close)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			server.ServeHTTP(w, r)
			return
		}
		back, err := net.Dial("tcp", hosts.Listener.Addr().String())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		conn, rest, err := http.NewResponseController(w).Hijack()
		if err != nil {
			_ = back.Close()
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() {
			_, _ = io.Copy(back, rest)
			_ = back.Close()
		}()
		_, _ = io.Copy(conn, back)
		_ = conn.Close()
	}))
	t.Cleanup(front.Close)
	return front.URL
}
