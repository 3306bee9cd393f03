package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"aws-switch-role/internal/cache"
	"aws-switch-role/internal/deliver"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/term"
)

// codeStep is the period of a device's codes (RFC 6238 as AWS uses it).
const codeStep = 30 * time.Second

// helperTimeout bounds a program that answers for a person.
const (
	helperTimeout = time.Minute
	maxHelperText = 64 << 10
)

// asker gets MFA codes, from the first of these that applies: --mfa-code, the
// profile's mfa_process, the terminal, an askpass program.
type asker struct {
	app     *app
	flags   *switchFlags
	profile string // what is being switched to, for the line before a prompt
	where   string // an endpoint that is not AWS's own, or ""

	codes *cache.Dir

	mu   sync.Mutex      // one question at a time
	used map[string]bool // codes handed out by this process, by device and code
}

func (a *app) newAsker(f *switchFlags, p plan.Plan, codes *cache.Dir) *asker {
	k := &asker{app: a, flags: f, profile: p.Profile, codes: codes, used: map[string]bool{}}
	if who := p.Who(); who != "" {
		k.profile += ": " + who
	}
	for _, h := range p.Hops {
		switch h := h.(type) {
		case plan.AssumeRole:
			k.where = h.Endpoint.URL
		case plan.SessionToken:
			k.where = h.Endpoint.URL
		}
	}
	return k
}

// noInputError says what would have been asked for, had anybody been there.
type noInputError struct {
	what    message.Text // "the MFA code of …"
	device  string       // whose code it is, where it is one
	flag    string       // that forbids to ask, "" where there is no terminal
	instead string       // the flag that answers, if --yes does not
	cause   error
}

func (e *noInputError) Error() string {
	return e.text().String()
}

func (e *noInputError) text() message.Text {
	if e.flag != "" {
		return message.New("asking-forbidden", "%s is needed, and %s forbids to ask", e.what, e.flag)
	}
	return message.New("nobody-there", "%s is needed, and there is no terminal to ask on", e.what)
}

// theCode is what is asked for most.
func theCode(serial string) message.Text {
	return message.New("the-mfa-code", "the MFA code of %s", serial)
}

func (e *noInputError) Unwrap() error { return e.cause }

// code implements hop.Performer's MFACode. AWS takes a code once, so one that
// was handed out before is not handed out again.
func (k *asker) code(ctx context.Context, m plan.MFA, problem error) (string, error) {
	// Who may not ask does not wait for others who do.
	if k.flags.noInput && k.flags.mfaCode == "" && m.Process == "" {
		return "", or(problem, &noInputError{what: theCode(m.Serial), device: m.Serial, flag: k.flags.name("no-input")})
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	done, err := k.turn(ctx, m)
	if err != nil {
		return "", err
	}
	defer done()
	switch {
	case k.flags.mfaCode != "":
		if problem == nil && k.take(ctx, m, k.flags.mfaCode) {
			return k.flags.mfaCode, nil
		}
		return "", or(problem, &hop.CodeError{Serial: m.Serial, Msg: message.New("flag-code-used", "the code of %s is used already, and a further one is needed", k.flags.name("mfa-code"))})
	case m.Process != "":
		return k.fromProcess(ctx, m, problem)
	}
	t, err := term.Open()
	if err != nil {
		return k.fromAskpass(ctx, m, problem, err)
	}
	defer t.Close()
	if problem != nil {
		t.Print(k.app.sentence(message.New("ask-next-code", "%s; the next code comes in %s", message.Of(saidOf(problem)), k.untilNext())))
	} else {
		t.Print(k.heading())
	}
	for {
		code, err := t.Ask(ctx, plan.Prompt(term.Clean(m.Serial))+" ")
		if err != nil {
			return "", err
		}
		if k.take(ctx, m, code) {
			return code, nil
		}
		t.Print(k.app.sentence(message.New("ask-used-code", "that code is used already; the next one comes in %s", k.untilNext())))
	}
}

// turn waits until no other process is asking for a code of the device.
func (k *asker) turn(ctx context.Context, m plan.MFA) (done func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, patienceOfPeople)
	defer cancel()
	unlock, err := k.codes.LockDevice(ctx, m.Serial)
	if err != nil {
		return nil, err
	}
	k.codes.Doing("asking for the MFA code of " + m.Serial)
	return func() {
		k.codes.Doing("")
		unlock()
	}, nil
}

// can reports whether a code can be had, without asking for one.
func (k *asker) can() bool {
	if k.flags.noInput {
		return false
	}
	t, err := term.Open()
	if err != nil {
		return false
	}
	_ = t.Close()
	return true
}

// or returns the first error that there is.
func or(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// heading is the line before a prompt: what the code is for and, where that
// is not AWS, who gets it.
func (k *asker) heading() string {
	s := term.Clean(k.profile)
	if k.where != "" {
		s += ", by way of " + term.Clean(k.where)
	}
	return s
}

// isCode reports whether s may be the code of an MFA device.
func isCode(s string) bool { return len(s) == 6 && strings.Trim(s, "0123456789") == "" }

// take notes that a code is handed out; false says that it was before, by this
// process or another. What is no code is never sent, so it may be handed out twice.
func (k *asker) take(ctx context.Context, m plan.MFA, code string) bool {
	if !isCode(code) {
		return true
	}
	id := m.Serial + " " + code
	if k.used[id] {
		return false
	}
	k.used[id] = true
	k.app.codeTaken.Store(true)
	first, err := k.codes.Spend(ctx, m.Serial, code)
	if err != nil {
		k.app.log().Debug("the spent code is not remembered", "error", err)
		return true
	}
	return first
}

// untilNext is how long the present code lasts.
func (k *asker) untilNext() time.Duration { return untilNextCode(k.app.now()) }

// untilNextCode is how long the code lasts that a device shows now.
func untilNextCode(now time.Time) time.Duration {
	return (codeStep - time.Duration(now.UnixNano())%codeStep).Round(time.Second)
}

// fromProcess runs the profile's mfa_process. A code that is used already is
// waited out, once.
func (k *asker) fromProcess(ctx context.Context, m plan.MFA, problem error) (string, error) {
	for range 2 {
		code, err := k.app.helper(ctx, deliver.CommandLine(m.Process), "mfa_process")
		if err == nil && !isCode(code) {
			err = &helperError{"mfa_process", message.New("helper-no-code", "it printed no code of six digits")}
		}
		if err != nil {
			return "", err
		}
		if k.take(ctx, m, code) {
			return code, nil
		}
		wait := k.untilNext()
		if t, err := term.Open(); err == nil {
			t.Print(k.app.sentence(message.New("ask-process-wait", "the code of mfa_process is used already; waiting %s for the next one", wait)))
			_ = t.Close()
		}
		select {
		case <-time.After(wait + time.Second):
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	return "", or(problem, &hop.CodeError{Serial: m.Serial, Msg: message.New("process-code-used", "mfa_process printed a code that is used already, twice")})
}

// fromAskpass asks through a program with a window of its own, where there is
// no terminal.
func (k *asker) fromAskpass(ctx context.Context, m plan.MFA, problem, noTerminal error) (string, error) {
	for _, v := range []string{"AWS_SWITCH_ROLE_ASKPASS", "SSH_ASKPASS"} {
		program := k.app.getenv(v)
		if program == "" {
			continue
		}
		prompt := k.heading() + "\n" + plan.Prompt(m.Serial) + " "
		if problem != nil {
			prompt = k.app.sentence(message.Of(saidOf(problem))) + "\n" + prompt
		}
		code, err := k.app.helper(ctx, []string{program, term.CleanText(prompt)}, v)
		if err != nil {
			return "", err
		}
		if !k.take(ctx, m, code) {
			return "", &hop.CodeError{Serial: m.Serial, Msg: message.New("code-used", "that code is used already")}
		}
		return code, nil
	}
	return "", or(problem, &noInputError{what: theCode(m.Serial), device: m.Serial, cause: noTerminal})
}

// helper runs a program that answers for a person and returns the line that it
// prints. It gets no AWS variable, so that it neither sees a key nor acts on
// one; what it says goes to the terminal if there is one.
func (a *app) helper(ctx context.Context, argv []string, what string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, helperTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = a.withoutAWS()
	cmd.WaitDelay = time.Second
	var out, said bytes.Buffer
	cmd.Stdout = &limited{&out, maxHelperText}
	cmd.Stderr = &limited{&said, maxHelperText}
	if t, err := term.Open(); err == nil {
		defer t.Close()
		cmd.Stderr = io.MultiWriter(t, cmd.Stderr)
	}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = message.New("helper-slow", "no answer within %s", helperTimeout)
		}
		if s := strings.TrimSpace(said.String()); s != "" {
			err = fmt.Errorf("%w: %s", err, term.Clean(s))
		}
		return "", &helperError{what, err}
	}
	line, _, _ := strings.Cut(strings.TrimSpace(out.String()), "\n")
	return strings.TrimSpace(line), nil
}

// helperError says that a helper program failed.
type helperError struct {
	what string
	err  error
}

func (e *helperError) Error() string { return e.text().String() }

func (e *helperError) text() message.Text {
	return message.New("helper-failed", "%s failed: %v", e.what, message.Of(e.err))
}

func (e *helperError) Unwrap() error { return e.err }

// withoutAWS is the environment less every variable of AWS's and of ours.
func (a *app) withoutAWS() []string {
	var env []string
	for _, e := range a.environ {
		if !strings.HasPrefix(e, "AWS_") && !strings.HasPrefix(e, "AMAZON_") {
			env = append(env, e)
		}
	}
	return env
}

// limited takes no more than left bytes and drops the rest.
type limited struct {
	to   io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	if _, err := l.to.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// confirm asks to type the profile's name before a protected one is used.
func (a *app) confirm(ctx context.Context, f *switchFlags, p plan.Plan) error {
	if !p.Protected || f.yes {
		return nil
	}
	what := message.New("a-confirmation", "a confirmation of the protected profile %s", p.Profile)
	if f.noInput {
		return &noInputError{what: what, flag: f.name("no-input")}
	}
	t, err := term.Open()
	if err != nil {
		return &noInputError{what: what, cause: err}
	}
	defer t.Close()
	line, err := t.AskVisible(ctx, a.sentence(message.New("ask-confirm", "Type the profile's name to become %s:", p.Profile))+" ")
	if err != nil {
		return err
	}
	if line != p.Profile {
		return &notConfirmedError{}
	}
	return nil
}

// notConfirmedError says that something else was typed than the name.
type notConfirmedError struct{}

func (e *notConfirmedError) Error() string { return e.text().String() }

func (e *notConfirmedError) text() message.Text {
	return message.New("wrong-name", "that is not its name; nothing was done")
}

// saidOf is the sentence about a code, where err is one.
func saidOf(err error) error {
	if c, ok := errors.AsType[*hop.CodeError](err); ok {
		return c.Msg
	}
	return err
}

// personFor opens the terminal to ask for something that instead could be told
// by a flag.
func (a *app) personFor(f *switchFlags, what message.Text, instead string) (*term.Terminal, error) {
	if f.noInput {
		return nil, &noInputError{what: what, flag: f.name("no-input"), instead: instead}
	}
	t, err := term.Open()
	if err != nil {
		return nil, &noInputError{what: what, instead: instead, cause: err}
	}
	return t, nil
}

// maxOffered is how many answers are offered: more than a screen of them helps
// nobody.
const maxOffered = 15

// choose has the person choose one of several things, by its number or its
// name; an empty answer is the first.
func choose(ctx context.Context, t *term.Terminal, what string, offered []string) (string, error) {
	for i, o := range offered[:min(len(offered), maxOffered)] {
		t.Print(fmt.Sprintf("  %d  %s", i+1, term.Clean(o)))
	}
	if n := len(offered) - maxOffered; n > 0 {
		t.Print(fmt.Sprintf("  and %d more", n))
	}
	for {
		answer, err := t.AskVisible(ctx, what+" [1]: ")
		if err != nil {
			return "", err
		}
		if answer == "" {
			answer = "1"
		}
		if n, err := strconv.Atoi(answer); err == nil && n >= 1 && n <= len(offered) {
			return offered[n-1], nil
		}
		if slices.Contains(offered, answer) {
			return answer, nil
		}
		t.Print("a number from 1 to " + strconv.Itoa(len(offered)) + ", or a name")
	}
}
