package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/accesskey"
	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/cache"
	"aws-switch-role/internal/deliver"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/keyring"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/session"
	"aws-switch-role/internal/term"
	"aws-switch-role/internal/words"
)

// This file is the only home of the words that people read when something
// fails, and of the exit statuses. An error is one to three lines: what
// failed, why, and what to type next; lower case, no full stop.

// Exit statuses.
const (
	exitFailure       = 1
	exitUsage         = 2
	exitBeforeCommand = 125 // of shell and exec: we failed, nothing was run (as env and timeout)
	exitCannotRun     = 126
	exitNotFound      = 127
	exitSignal        = 128 // plus the signal's number
)

// report tells the person about an error and returns the exit status.
func (a *app) report(cmd *cobra.Command, err error) int {
	if i, ok := errors.AsType[term.Interrupted](err); ok {
		a.interrupted = &i
		return exitSignal + int(i.Signal)
	}
	if errors.Is(err, syscall.EPIPE) {
		return exitFailure // whoever read our output has read enough
	}
	if e, ok := errors.AsType[*session.HopError](err); ok && cmd.Name() != processName {
		a.draw(e)
	}
	a.command = cmd.CommandPath()
	for _, line := range a.explain(err) {
		fmt.Fprintln(a.stderr, line)
	}
	return exitStatus(cmd, err)
}

func exitStatus(cmd *cobra.Command, err error) int {
	if _, ok := errors.AsType[*deliver.NotFoundError](err); ok {
		return exitNotFound
	}
	if _, ok := errors.AsType[*deliver.NotExecutableError](err); ok {
		return exitCannotRun
	}
	switch name := cmd.Name(); {
	case name == "shell" || name == "exec" || !cmd.HasParent():
		return exitBeforeCommand
	}
	if _, ok := errors.AsType[*usageError](err); ok || refusedByCobra(err) {
		return exitUsage
	}
	return exitFailure
}

// explanation is what a person is told. Why and Next may be empty.
type explanation words.Explanation

// explain puts an error into words.
func (a *app) explain(err error) []string {
	x := a.explanation(err)
	lines := []string{"aws-switch-role: " + x.What}
	if x.Why != "" {
		lines = append(lines, "  "+x.Why)
	}
	if x.Next == "" {
		x.Next = a.phrase("look-closer").Next
	}
	return append(lines, "hint: "+strings.TrimRight(x.Next, " ")) // about a profile, which there may be none of
}

func (a *app) explanation(err error) explanation {
	x := explanation{What: clean(err.Error())}
	if said, ok := a.explainShell(err); ok {
		x = said
	} else if e, ok := errors.AsType[*inShellError](err); ok {
		x = a.explainInShell(e)
	} else if e, ok := errors.AsType[*withoutMFAError](err); ok {
		x = a.explainWithoutMFA(e)
	} else if e, ok := errors.AsType[*devicesError](err); ok {
		x = a.explanation(e.err)
		x.What = clean(e.prefix() + x.What)
	} else if e, ok := errors.AsType[*existsError](err); ok {
		x = a.explainExists(e)
	} else if errors.Is(err, errNoBase) {
		x = a.hint("no-base", x.What)
	} else if e, ok := errors.AsType[*deviceError](err); ok {
		x = a.explainDevice(e)
	} else if e, ok := errors.AsType[*session.HopError](err); ok {
		x = a.explainHop(e)
	} else if e, ok := errors.AsType[*keyError](err); ok {
		x = a.explainKey(e)
	} else if e, ok := errors.AsType[*envchainError](err); ok {
		x = a.explainEnvchain(e)
	} else if errors.Is(err, errNoProfile) {
		x = a.hint("name-profile", x.What)
	} else if e, ok := errors.AsType[*usageError](err); ok {
		x = a.usage(clean(e.msg))
	} else if e, ok := errors.AsType[*awsconfig.SyntaxError](err); ok {
		x = a.hint("mend-line", clean(a.tilde(e.Origin.String()))+": "+a.sentence(e.Problem.Text()))
	} else if e, ok := errors.AsType[*plan.Error](err); ok {
		x = a.explainPlan(e)
	} else if e, ok := errors.AsType[*cache.HeldError](err); ok {
		x = a.explainHeld(e)
	} else if e, ok := errors.AsType[*hop.SignInError](err); ok {
		x = a.explainSignIn(e)
	} else if e, ok := errors.AsType[*fileError](err); ok {
		x = explanation{What: clean(a.tilde(e.path)) + ": " + clean(e.err.Error())}
	} else if e, ok := errors.AsType[*awsconfig.FileError](err); ok {
		x = a.hint("look-at-file", a.sentence(e.Msg), a.tilde(e.Path))
	} else if e, ok := errors.AsType[*accesskey.IndexError](err); ok {
		x = a.hint("index-broken", x.What, e.Path)
	} else if errors.Is(err, errNoVault) {
		x = a.hint("share-sign-in", clean(err.Error()))
	} else if e, ok := errors.AsType[*hop.NetworkError](err); ok {
		x = a.explainNetwork(e, "PROFILE")
	} else if e, ok := errors.AsType[*hop.AnswerError](err); ok {
		x = a.explainAnswer(e, "PROFILE")
	} else if e, ok := errors.AsType[*hop.APIError](err); ok {
		x = a.explainAPI(e, plan.Plan{Profile: "PROFILE"}, -1)
	} else if e, ok := errors.AsType[*noInputError](err); ok {
		x = a.hint("cannot-confirm", a.sentence(e.text()))
		if e.instead != "" {
			x = a.hint("cannot-ask", a.sentence(e.text()), e.instead)
		}
	} else if e, ok := errors.AsType[*notConfirmedError](err); ok {
		x = a.hint("type-the-name", a.sentence(e.text()))
	} else if e, ok := errors.AsType[*deliver.NotFoundError](err); ok {
		x = a.hint("no-such-command", clean(e.Error()))
	} else if e, ok := errors.AsType[*deliver.NotExecutableError](err); ok {
		x = a.hint("no-program", clean(e.Error()))
	} else if e, ok := errors.AsType[*switchLinkError](err); ok {
		x = a.hint("no-role-to-switch-to", clean(e.Error()), typed(e.plan))
	} else if e, ok := errors.AsType[*userSessionError](err); ok {
		x = a.hint("user-session", clean(e.Error()))
	} else if id := browserTrouble(err); id != "" {
		x = a.hint(id, x.What)
	} else if e, ok := errors.AsType[*fs.PathError](err); ok {
		x = a.hint("look-at-file", clean(a.tilde(e.Path))+": "+clean(e.Err.Error()), a.tilde(e.Path))
	} else if e, ok := errors.AsType[*portError](err); ok {
		x = a.explainPort(e)
	} else if errors.Is(err, errNoShell) {
		x = a.hint("no-switched-shell", x.What)
	} else if errors.Is(err, errLongLived) {
		x = a.hint("long-lived-key", x.What)
	} else if errors.Is(err, errNotSwitched) {
		x = a.hint("open-one", x.What)
	} else if _, ok := errors.AsType[*noMatchError](err); ok {
		x = a.hint("list-shows", x.What)
	} else if refusedByCobra(err) {
		x = a.usage(x.What)
	} else {
		x = a.hint(keyringHint(err), x.What)
	}
	return x
}

// browserTrouble chooses the explanation of why no browser was opened; "" when
// that is not what went wrong.
func browserTrouble(err error) string {
	if _, ok := errors.AsType[*deliver.NoBrowserError](err); ok {
		return "no-browser"
	} else if _, ok := errors.AsType[*deliver.BrowserError](err); ok {
		return "browser-failed"
	} else if errors.Is(err, errNotVisited) {
		return "browser-stays-away"
	}
	return ""
}

// explainInShell tells what an SDK in a switched shell cannot have, where
// nobody can be asked.
func (a *app) explainInShell(e *inShellError) explanation {
	n, ok := errors.AsType[*noInputError](e.err)
	switch {
	case !ok:
		return a.explanation(e.err)
	case e.confirm:
		return a.hint("confirmed-apart", a.sentence(message.New("needed", "%s is needed", n.what)), e.profile)
	}
	return a.hint("asked-apart", a.sentence(message.New("needed", "%s is needed", n.what)), e.profile)
}

// refusedByCobra reports whether cobra itself refused the command line.
func refusedByCobra(err error) bool {
	return strings.HasPrefix(err.Error(), "unknown command") || strings.HasPrefix(err.Error(), "if any flags in the group")
}

// clean makes one line of any text, safe for a terminal. Unlike a value, a
// message is not cut at 200 characters but at a screenful.
func clean(s string) string {
	const most = 800
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return term.CleanText(s)
}

// tilde writes a path in the home directory as people do.
func (a *app) tilde(path string) string {
	if h := a.home(); h != "" {
		if rest, ok := strings.CutPrefix(path, h+string(os.PathSeparator)); ok {
			return "~" + string(os.PathSeparator) + rest
		}
	}
	return path
}

// explainWithoutMFA adds to a role's denial the device that may be wanting.
func (a *app) explainWithoutMFA(e *withoutMFAError) explanation {
	x := a.explanation(e.err)
	x.Next = a.withDevice(e, x.Next)
	return x
}

// withDevice puts the device that may be wanting before what else there is to do.
func (a *app) withDevice(e *withoutMFAError, next string) string {
	denied, _ := errors.AsType[*session.HopError](e.err)
	id := "device-to-write"
	if denied.Plan.Adhoc {
		id = "device-to-pass"
	}
	return a.phrase(id, e.device, profileOf(denied.Plan, denied.Index), next).Next
}

// explainExists says what has the name of a profile that was to be added.
func (a *app) explainExists(e *existsError) explanation {
	id := "profile-exists"
	switch {
	case e.keyring:
		id = "profile-is-key"
	case e.header:
		id = "profile-misplaced"
	}
	shown := *e
	shown.at.File = a.tilde(e.at.File)
	return a.hint(id, clean(shown.Error()), e.profile)
}

// explainDevice says why no device was written into a profile.
func (a *app) explainDevice(e *deviceError) explanation {
	what := clean(e.Error())
	switch {
	case errors.Is(e.err, errNoDevice):
		return a.hint("no-usable-device", what)
	case errors.Is(e.err, errFIDODevice), errors.Is(e.err, errOtherDevice):
		return a.hint("other-device", what, e.profile)
	}
	return explanation{What: what}
}

// explainPlan puts what is wrong with the files or the flags into words.
func (a *app) explainPlan(e *plan.Error) explanation {
	at := ""
	switch {
	case e.From != "" && e.From != "argument":
		at = e.From
	case e.Origin.File != "" && e.From == "":
		at = a.tilde(e.Origin.String())
	}
	msg, name := e.Msg, e.Profile
	if e.Profile != "" && e.Kind != plan.UnknownProfile && e.From != "argument" {
		msg = inProfile(e.Profile, msg)
	}
	what := a.sentence(msg)
	if at != "" {
		what = clean(at) + ": " + what
	}
	if len(e.Near) > 0 {
		return a.hint("did-you-mean", what, strings.Join(e.Near, ", "))
	}
	switch e.Kind {
	case plan.UnknownProfile:
		if near := a.commandLike(e.Name); near != "" {
			return a.hint("did-you-mean", what, near)
		}
		return a.hint("no-profile", what, a.filesRead()...)
	case plan.MissingSource:
		return a.hint("no-source", what, e.Name)
	case plan.PartialCredentials:
		if e.From == "argument" {
			return a.hint("partial-credentials-arn", what)
		}
		return a.hint("partial-credentials", what, name)
	case plan.PartialKey:
		return a.hint("partial-key", what, e.Name, name)
	case plan.MissingKey:
		return a.hint("missing-key", what, e.Name, name)
	case plan.NoCredentials:
		return a.hint("no-credentials", what, e.Name)
	case plan.NoEnvironmentKeys:
		return a.hint("no-environment-keys", what, name)
	case plan.LeftEnvironmentKeys:
		return a.hint("left-environment-keys", what, name)
	case plan.SourceLoop:
		return a.hint("source-loop", what, a.loop(e.Loop))
	case plan.IncludeLoop:
		return a.hint("include-loop", what, a.loop(e.Loop))
	case plan.Conflict:
		return a.hint("conflict", what, name)
	case plan.ChainedDuration:
		return a.hint("chained-duration", what)
	case plan.NoUser:
		return a.hint("no-user", what)
	case plan.FIDODevice:
		return a.hint("fido-device", what)
	case plan.NoContainer:
		return a.hint("not-a-container", what)
	case plan.ProcessLoop:
		return a.hint("own-process", what)
	}
	if e.From == "" && e.Origin.File != "" {
		return a.hint("mend-profile", what, name)
	}
	if strings.HasPrefix(e.From, "AWS_") {
		return a.hint("mend-variable", what, e.From)
	}
	return a.usage(what)
}

// problem says in a few words why the profile called name cannot be planned.
func problem(name string, err error) string {
	if e, ok := errors.AsType[*awsconfig.SyntaxError](err); ok {
		return fmt.Sprintf("line %d cannot be read", e.Line)
	}
	e, ok := errors.AsType[*plan.Error](err)
	if !ok {
		return clean(err.Error())
	}
	key := "source_profile"
	if strings.HasPrefix(e.Msg.String(), "include_profile") {
		key = "include_profile"
	}
	switch e.Kind {
	case plan.MissingSource:
		return key + " " + e.Name + " is missing"
	case plan.PartialCredentials:
		return "no source_profile, no keys in the environment"
	case plan.PartialKey:
		return e.Name + " is missing"
	case plan.NoCredentials:
		if e.Name != name {
			return key + " " + e.Name + " has no keys"
		}
		return "no keys, no role"
	case plan.NoEnvironmentKeys, plan.LeftEnvironmentKeys:
		return "no keys in the environment"
	case plan.SourceLoop, plan.IncludeLoop:
		return key + " leads back to itself"
	case plan.NoContainer:
		return "not in a container"
	case plan.TooDeep:
		return key + " leads too far"
	}
	return clean(e.Msg.String())
}

// explainKey says what is wrong with a key of the keyring.
func (a *app) explainKey(e *keyError) explanation {
	name := term.Clean(e.name)
	x := a.explanation(e.err)
	if second, ok := errors.AsType[*accesskey.SecondKeyError](e.err); ok {
		id := "second-key-inactive"
		if second.Other.Active {
			id = "second-key-active"
		}
		x = a.hint(id, x.What, name, second.Other.Created.UTC().Format(time.DateOnly), second.Other.ID)
	} else if _, ok := errors.AsType[*noDeviceError](e.err); ok {
		x = a.hint("no-device", x.What, name)
	} else if n, ok := errors.AsType[*noInputError](e.err); ok {
		x = a.hint("key-on-stdin", a.sentence(n.text()), name)
	} else if errors.Is(e.err, errKeyExists) {
		x = a.hint("key-exists", x.What, name)
	} else if errors.Is(e.err, accesskey.ErrNotAccepted) {
		x = a.hint("key-not-accepted", x.What, name)
	} else if errors.Is(e.err, errKeyChanged) {
		x = a.hint("try-again", x.What)
	} else if errors.Is(e.err, keyring.ErrNotFound) {
		id, about := "key-not-there", []string{name}
		if keys, err := a.stored(); err == nil && keys[e.name].ID != "" {
			id, about = "key-gone", []string{name, keys[e.name].Keyring, keys[e.name].Added.Local().Format(time.DateOnly)}
		}
		x = a.hint(id, x.What, about...)
	} else if errors.Is(e.err, errNoFileKey) {
		x = a.hint("files-read", x.What, a.filesRead()...)
	}
	x.What = a.sentence(message.New("place-key", "key %s: %s", e.name, x.What))
	return x
}

// explainEnvchain says what is wrong with a namespace of envchain.
func (a *app) explainEnvchain(e *envchainError) explanation {
	switch {
	case e.missing != "":
		return a.hint("envchain-set-one", clean(e.Error()), e.namespace, e.missing)
	case errors.Is(e.err, keyring.ErrNotFound):
		return a.phrase("envchain-namespace", e.namespace)
	}
	return a.hint(keyringHint(e.err), clean(e.Error()))
}

// explainPort says why a port cannot be served on.
func (a *app) explainPort(e *portError) explanation {
	x := a.hint("other-port", clean(e.Error()))
	for _, known := range []error{syscall.EADDRINUSE, syscall.EACCES} {
		if errors.Is(e.err, known) {
			x.What = fmt.Sprintf("port %d of 127.0.0.1: %v", e.port, known)
		}
	}
	return x
}

// refusal puts an error into the words that SDKs show of an endpoint. The
// status says whether they may try again (502, 503) or a person must do
// something.
func (a *app) refusal(err error) *deliver.Refusal {
	x, r := a.explanation(err), &deliver.Refusal{Status: http.StatusBadGateway, Code: "NotRenewed"}
	switch {
	case errors.Is(err, errRenewing):
		r.Status, r.Code = http.StatusServiceUnavailable, "Renewing"
		x.Next = "try again in a moment"
	case errors.Is(err, errAsking):
		r.Status, r.Code = http.StatusForbidden, "AnswerNeeded"
		x.Next = "answer on the terminal of aws-switch-role serve, then try again"
	case wantsPerson(err):
		r.Status, r.Code = http.StatusForbidden, "AnswerNeeded"
		if n, ok := errors.AsType[*noInputError](err); ok {
			x = explanation{What: a.sentence(message.New("needed-again", "%s is needed again", n.what))}
		}
		x.Next = "end aws-switch-role serve, and start it again to be asked for it"
	}
	r.Message = "aws-switch-role: " + x.What
	for _, more := range []string{x.Why, x.Next} {
		if more != "" {
			r.Message += "; " + more
		}
	}
	return r
}

// explainHeld says who was waited for in vain.
func (a *app) explainHeld(e *cache.HeldError) explanation {
	what := "gave up waiting for " + clean(e.Holder.String())
	if e.Holder.PID == 0 {
		return a.hint("held-by-nobody", what)
	}
	return a.hint("held", what, strconv.Itoa(e.Holder.PID))
}

// keyringHint says what to do about a keyring that does not serve.
func keyringHint(err error) string {
	switch {
	case errors.Is(err, keyring.ErrLocked):
		return "keyring-locked"
	case errors.Is(err, keyring.ErrDismissed):
		return "keyring-dismissed"
	case errors.Is(err, keyring.ErrPassphrase), errors.Is(err, keyring.ErrShortPassphrase):
		return "passphrase-wrong"
	case errors.Is(err, keyring.ErrUnavailable):
		return "keyring-none"
	}
	return ""
}

// loop draws the way round a loop with the line of each step; of a long one
// its two ends.
func (a *app) loop(steps []plan.Step) string {
	const ends = 5
	var parts []string
	for i, s := range steps {
		if i >= ends && i < len(steps)-ends {
			if i == ends {
				parts = append(parts, "…")
			}
			continue
		}
		p := term.Clean(s.Profile)
		if s.File != "" {
			p += " (" + term.Clean(a.tilde(s.Origin.String())) + ")"
		}
		parts = append(parts, p)
	}
	return strings.Join(parts, " -> ")
}

// filesRead names the AWS files of this run.
func (a *app) filesRead() []string {
	return []string{a.tilde(a.awsFile("AWS_CONFIG_FILE", "config")), a.tilde(a.awsFile("AWS_SHARED_CREDENTIALS_FILE", "credentials"))}
}

// explainHop puts a failed hop into words: which one, and what AWS said.
func (a *app) explainHop(e *session.HopError) explanation {
	var x explanation
	h := e.Plan.Hops[e.Index]
	if s, ok := errors.AsType[*hop.SignInError](e.Err); ok {
		x = a.explainSignIn(s)
	} else if api, ok := errors.AsType[*hop.APIError](e.Err); ok {
		x = a.explainAPI(api, e.Plan, e.Index)
	} else if n, ok := errors.AsType[*hop.NetworkError](e.Err); ok {
		x = a.explainNetwork(n, typed(e.Plan))
	} else if n, ok := errors.AsType[*hop.AnswerError](e.Err); ok {
		x = a.explainAnswer(n, typed(e.Plan))
	} else if s, ok := errors.AsType[*hop.SourceError](e.Err); ok {
		x = a.explainSource(s, h, typed(e.Plan))
	} else if n, ok := errors.AsType[*noInputError](e.Err); ok {
		x = a.hint("nobody-to-ask", a.sentence(n.text()), typed(e.Plan))
		if n.flag != "" {
			x = a.hint("may-not-ask", a.sentence(n.text()), n.flag)
		}
	} else if held, ok := errors.AsType[*cache.HeldError](e.Err); ok {
		x = a.explainHeld(held)
	} else if h, ok := errors.AsType[*helperError](e.Err); ok {
		x = a.hint("helper", a.sentence(h.text()), typed(e.Plan))
	} else if k, ok := errors.AsType[*keyError](e.Err); ok {
		x = a.explainKey(k)
	} else if n, ok := errors.AsType[*envchainError](e.Err); ok {
		x = a.explainEnvchain(n)
	} else if errors.Is(e.Err, hop.ErrKeyGone) {
		x = a.hint("left-environment-keys", clean(e.Err.Error()), typed(e.Plan))
	} else {
		x = explanation{What: a.sentence(message.Of(e.Err))}
	}
	x = a.withEndpoint(x, e)
	// The code's own sentence goes before what AWS said about it.
	if c, ok := errors.AsType[*hop.CodeError](e.Err); ok {
		x = a.phrase("code-wrong", c.Serial, a.nextCode(), typed(e.Plan))
		x.What = a.sentence(c.Msg)
		if api, ok := errors.AsType[*hop.APIError](c.Err); ok {
			x.Why = a.phrase("said-by-aws", api.Code+": "+api.Message).Why
		}
	}
	where := inProfile(e.Plan.Profile, x.What)
	if n := len(e.Plan.Hops); n > 1 {
		where = message.New("place-hop", "profile %s (hop %d of %d, %s): %s", e.Plan.Profile, e.Index+1, n, plan.Description(h), x.What)
	}
	x.What = a.sentence(where)
	return x
}

// inProfile is a sentence, or its text, about a profile.
func inProfile(profile string, what any) message.Text {
	return message.New("place-profile", "profile %s: %s", profile, what)
}

// sentence puts a sentence from another package into the person's language.
func (a *app) sentence(t message.Text) string {
	return words.Say(words.LanguageOf(a.getenv), t, clean)
}

// typed is a plan's name as it is typed on a command line.
func typed(p plan.Plan) string {
	if p.Adhoc {
		return term.Clean(p.RoleARN())
	}
	return term.Clean(p.Profile)
}

// explainSource says why a source that is no API of AWS gave nothing.
func (a *app) explainSource(e *hop.SourceError, h plan.Hop, profile string) explanation {
	id := map[hop.SourceKind]string{hop.ServiceFailed: "service-failed", hop.BadAnswer: "service-failed", hop.NoToken: "no-token", hop.NoRole: "no-role-there"}[e.Kind]
	about := profile
	switch h := h.(type) {
	case plan.Process:
		about = h.Profile
		// The line itself may hold a password.
		id = "process-failed"
		switch e.Kind {
		case hop.ProcessMissing:
			id = "process-missing"
		case hop.ProcessNoExec:
			id = "process-no-exec"
		case hop.ProcessSlow:
			id = "process-slow"
		case hop.ProcessLoop:
			id = "process-loop"
		}
	case plan.InstanceMetadata:
		switch e.Kind {
		case hop.NoService:
			id = "no-instance"
		case hop.ServiceRefused:
			id = "instance-closed"
		}
	case plan.Container:
		switch e.Kind {
		case hop.NoService:
			id = "no-container"
		case hop.ServiceRefused:
			id = "container-token"
		}
	}
	x := explanation{}
	if id != "" {
		x = a.phrase(id, about)
	}
	x.What = a.sentence(e.Msg)
	if e.Said != "" {
		x.Why = a.phrase("process-said", ending(e.Said)).Why
	}
	return x
}

// explainSignIn says how to sign in.
func (a *app) explainSignIn(e *hop.SignInError) explanation {
	var x explanation
	switch {
	case e.Login:
		x = a.phrase("sign-in-login", e.Profile)
	case e.Session != "":
		x = a.phrase("sign-in-session", e.Session)
	default:
		x = a.phrase("sign-in-profile", e.Profile)
	}
	x.What = a.sentence(e.Msg)
	if api, ok := errors.AsType[*hop.APIError](e.Err); ok {
		x.Why = a.phrase("said-by-aws", api.Code+": "+api.Message).Why
	} else if f, ok := errors.AsType[*hop.TokenFileError](e.Err); ok {
		x.Why = clean(a.tilde(f.Path)) + ": " + a.sentence(message.Of(f.Err))
	} else if f, ok := errors.AsType[*fs.PathError](e.Err); ok && !errors.Is(f, fs.ErrNotExist) {
		x.Why = clean(a.tilde(f.Path) + ": " + f.Err.Error())
	} else if e.Err != nil && !errors.Is(e.Err, fs.ErrNotExist) {
		x.Why = clean(e.Err.Error())
	}
	return x
}

// ending is the end of what a program said, where the cause stands.
func ending(s string) string {
	const most = 400
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		s = "…" + string(r[len(r)-most:])
	}
	return clean(s)
}

// explainAPI puts a refusal by AWS into words: of hop i of p, or of no hop
// when i is negative. Where AWS hides the cause, it names the likely ones.
func (a *app) explainAPI(e *hop.APIError, p plan.Plan, i int) explanation {
	x := a.phrase(refusal(e, p, i), a.about(e, p, i)...)
	x.What = cmp.Or(x.What, clean(e.Code+": "+e.Message))
	return x
}

// refusal chooses the explanation of a refusal; "" is none.
func refusal(e *hop.APIError, p plan.Plan, i int) string {
	var h plan.Hop
	if i >= 0 {
		h = p.Hops[i]
	}
	_, assuming := h.(plan.AssumeRole)
	_, webIdentity := h.(plan.WebIdentity)
	_, bySSO := h.(plan.SSO)
	says := func(text string) bool { return strings.Contains(e.Message, text) }
	switch {
	case clockOff(e):
		return clock(e.Skew)
	case e.RefusedTime():
		return "clock-off"
	case e.Op == "getSigninToken" && e.Status == http.StatusBadRequest:
		return "console-refused"
	case bySSO && (e.Code == "ForbiddenException" || e.Code == "ResourceNotFoundException"):
		return "sso-not-given"
	case e.Code == "InvalidRequestException" && (e.Op == "RegisterClient" || e.Op == "StartDeviceAuthorization"):
		return "sso-nowhere"
	case e.Reason == "INSUFFICIENT_PERMISSIONS":
		return "login-not-renewable"
	case e.Code == "InvalidClientTokenId" && ofIAM(e.Op):
		return "iam-without-mfa"
	case e.Code == "InvalidClientTokenId" && plan.OptIn(regionOf(h)):
		return "key-unknown-there"
	case e.Code == "AccessDenied":
		return denial(e, assuming, webIdentity)
	case e.Code == "InvalidClientTokenId":
		return "key-unknown"
	case e.Code == "SignatureDoesNotMatch":
		return "secret-wrong"
	case e.Code == "InvalidIdentityToken":
		return "identity-token-refused"
	case e.Code == "ExpiredTokenException" && webIdentity:
		return "identity-token-ended"
	case e.Code == "IDPCommunicationError":
		return "identity-provider-out"
	case e.Code == "ExpiredToken" || e.Code == "ExpiredTokenException":
		return "base-ended"
	case e.Code == "RegionDisabledException":
		return "region-off"
	case e.Code == "ValidationError" && says("MaxSessionDuration"):
		return "over-maximum"
	case e.Code == "ValidationError" && says("role chaining"):
		return "over-chained"
	case e.Code == "PackedPolicyTooLarge":
		return "packed-too-large"
	case e.Code == "Throttling" || e.Code == "ThrottlingException" || e.Status == http.StatusTooManyRequests || e.Status >= 500:
		if e.MFA { // sent once
			return "busy-mfa"
		}
		return "busy"
	}
	return ""
}

// denial chooses the explanation of AccessDenied. Newer messages end in the
// kind of policy that is at fault (IAM User Guide, "Troubleshoot access denied
// error messages"); those about a role of another account do not.
func denial(e *hop.APIError, assuming, webIdentity bool) string {
	says := func(text string) bool { return strings.Contains(e.Message, text) }
	switch {
	case says("unable to validate MFA code"):
		return "mfa-not-the-users"
	case says("GetSessionToken with session credentials"):
		return "mfa-with-temporary-keys"
	case says("perform: sts:TagSession"):
		return "tags-not-allowed"
	case says("perform: sts:SetSourceIdentity"):
		return "source-identity-not-allowed"
	case webIdentity:
		return "web-identity-not-trusted"
	case assuming && says("explicit deny"):
		return "explicitly-denied"
	case assuming && says("no identity-based policy allows"):
		return "not-allowed-to-assume"
	case assuming && (says("no role trust policy allows") || says("no resource-based policy allows")):
		return "not-trusted"
	case assuming && policyNamed(e.Message) != "":
		return "not-in-the-policy"
	case assuming:
		return "denied"
	case e.Op == "GetFederationToken":
		return "federation-denied"
	case ofIAM(e.Op):
		return "iam-denied"
	}
	return "sts-denied"
}

// ofIAM reports whether a request goes to IAM, rather than to STS.
func ofIAM(op string) bool {
	return strings.HasSuffix(op, "AccessKey") || strings.HasSuffix(op, "AccessKeys") || strings.HasSuffix(op, "MFADevices")
}

// policyNamed is the kind of policy to which a denial puts it down, "" when it
// names none.
func policyNamed(message string) string {
	if _, policy, ok := strings.Cut(message, "with an explicit deny in "); ok {
		return policy
	}
	_, rest, _ := strings.Cut(message, " because no ")
	policy, _, ok := strings.Cut(rest, " allows the ")
	if !ok {
		return ""
	}
	return policy
}

// regionOf is the region whose STS a hop asks, "" when it asks none.
func regionOf(h plan.Hop) string {
	switch h := h.(type) {
	case plan.SessionToken:
		return h.Endpoint.Region
	case plan.AssumeRole:
		return h.Endpoint.Region
	case plan.WebIdentity:
		return h.Endpoint.Region
	}
	return ""
}

// about is what the words of a refusal are about.
func (a *app) about(e *hop.APIError, p plan.Plan, i int) []string {
	if clockOff(e) {
		return []string{inMinutes(e.Skew)}
	}
	var h plan.Hop
	profile := typed(p)
	source := profile
	if i >= 0 {
		h = p.Hops[i]
		if s, ok := p.Source().(plan.StoredKey); ok {
			source = s.Profile
		}
	}
	switch id := refusal(e, p, i); id {
	case "sso-not-given":
		h := h.(plan.SSO)
		return []string{h.RoleName, h.AccountID, h.StartURL, profile}
	case "not-allowed-to-assume", "not-trusted", "not-in-the-policy", "explicitly-denied", "denied":
		h := h.(plan.AssumeRole)
		why := policyNamed(e.Message)
		if id == "denied" {
			var causes []string
			for _, c := range a.causes(e, p, i) {
				causes = append(causes, c.What)
			}
			why = strings.Join(causes, "; ")
		}
		return []string{profile, cmp.Or(caller(e.Message), a.phrase("cause-this-caller").What), h.RoleARN, why}
	case "key-unknown", "key-unknown-there":
		var causes []string
		for _, c := range a.causesOfUnknownKey(p, i) {
			causes = append(causes, c.What)
		}
		return []string{profile, source, regionOf(h), strings.Join(causes, "; ")}
	case "iam-denied", "sts-denied":
		return []string{e.Op}
	case "busy-mfa":
		return []string{profile, source, a.nextCode()}
	case "console-refused":
		return []string{e.Host}
	}
	return []string{profile, source, regionOf(h)}
}

// nextCode is how long it takes until every MFA device shows another code.
func (a *app) nextCode() string { return untilNextCode(a.now()).String() }

// caller is the ARN that AWS says it has refused, "" when it does not.
func caller(message string) string {
	if _, rest, ok := strings.Cut(message, "User: "); ok {
		arn, _, _ := strings.Cut(rest, " ")
		return arn
	}
	return ""
}

// clockOff reports whether AWS refused a signature for its time, and it is known
// by how much.
func clockOff(e *hop.APIError) bool {
	return e.Skew.Abs() > time.Minute && e.RefusedTime()
}

// clock is the id of what is said when AWS's clock is ahead of this machine's,
// or, with a negative difference, behind it.
func clock(ahead time.Duration) string {
	if ahead < 0 {
		return "clock-ahead"
	}
	return "clock-behind"
}

// inMinutes is a difference of clocks for people.
func inMinutes(d time.Duration) string { return plan.Length(d.Abs().Round(time.Minute)) }

// tellClock returns a func that tells a person of a clock that is off, while
// AWS still answers.
func (a *app) tellClock(f *switchFlags) func(ahead time.Duration) {
	return func(ahead time.Duration) {
		a.log().Debug("this machine's clock is wrong", "aws_is_ahead_by", ahead)
		if f.clockOff != nil {
			f.clockOff(ahead)
			return
		}
		if !f.quiet && a.onTerminal() {
			x := a.phrase(clock(ahead), inMinutes(ahead))
			fmt.Fprintf(a.stderr, "warning: %s; %s\n", x.Why, x.Next)
		}
	}
}

// explainNetwork says why no answer came, and what became of a code.
func (a *app) explainNetwork(e *hop.NetworkError, profile string) explanation {
	id, about := "no-answer", []string{e.Host, e.Err.Error(), profile}
	issuer, badCertificate := e.Certificate()
	switch {
	case badCertificate:
		id, about[1] = "certificate", issuer
	case e.Lookup():
		id = "no-such-host"
	case e.Timeout() || errors.Is(e.Err, context.DeadlineExceeded):
		id = "too-slow"
	case errors.Is(e.Err, io.EOF) || errors.Is(e.Err, io.ErrUnexpectedEOF) || errors.Is(e.Err, syscall.ECONNRESET):
		id = "hung-up"
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		id = "nobody-listens"
	}
	return a.withCode(a.phrase(id, about...), e.MFA)
}

// explainAnswer says that what answered is not AWS.
func (a *app) explainAnswer(e *hop.AnswerError, profile string) explanation {
	id := "not-aws"
	if e.Ended {
		id = "ended-on-arrival"
	}
	return a.withCode(a.phrase(id, e.Host, e.Op, a.sentence(e.Msg), profile), e.MFA)
}

// withCode adds to an explanation what became of a code that went out with the
// request: nobody knows.
func (a *app) withCode(x explanation, sent bool) explanation {
	if sent {
		x.Why = a.phrase("code-may-be-used", a.nextCode()).Why
	}
	return x
}

// usage refers to the help of the command that failed.
func (a *app) usage(what string) explanation {
	return a.hint("usage", what, cmp.Or(a.command, programName))
}

// programName is what this program is called.
const programName = "aws-switch-role"

// commandLike is the command that the name of a profile, on the bare command's
// line, was probably meant to be; "" where there is none.
func (a *app) commandLike(name string) string {
	if a.command != programName {
		return ""
	}
	names := func(yield func(string) bool) {
		for _, c := range a.commands() {
			if c.name != keepName && !yield(c.name) {
				return
			}
		}
	}
	if near := plan.Nearest(name, names); near != "" {
		return programName + " " + near
	}
	return ""
}

// hint adds to what went wrong the why and the next of the catalogue's
// explanation called id, if it has one.
func (a *app) hint(id, what string, about ...string) explanation {
	x := a.phrase(id, about...)
	x.What = what
	return x
}

// phrase returns an explanation of the catalogue, in the person's language. What
// it is about may come from a file or a server.
func (a *app) phrase(id string, about ...string) explanation {
	for i := range about {
		about[i] = clean(about[i])
	}
	x, _ := words.Explain(words.LanguageOf(a.getenv), id, about...)
	return explanation(x)
}
