package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/accesskey"
	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/deliver"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/keyring"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/session"
	"aws-switch-role/internal/term"
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
type explanation struct{ What, Why, Next string }

// explain puts an error into words.
func (a *app) explain(err error) []string {
	x := a.explanation(err)
	lines := []string{"aws-switch-role: " + x.What}
	if x.Why != "" {
		lines = append(lines, "  "+x.Why)
	}
	if x.Next != "" {
		lines = append(lines, "hint: "+x.Next)
	}
	return lines
}

func (a *app) explanation(err error) explanation {
	x := explanation{What: clean(err.Error())}
	if e, ok := errors.AsType[*session.HopError](err); ok {
		x = a.explainHop(e)
	} else if e, ok := errors.AsType[*keyError](err); ok {
		x = a.explainKey(e)
	} else if e, ok := errors.AsType[*envchainError](err); ok {
		x = explainEnvchain(e)
	} else if e, ok := errors.AsType[*usageError](err); ok {
		x = explanation{What: clean(e.msg), Next: "aws-switch-role --help shows how"}
	} else if e, ok := errors.AsType[*awsconfig.SyntaxError](err); ok {
		x = explanation{What: a.tilde(e.Origin.String()) + ": " + clean(e.Msg), Next: "mend that line; nothing else of the file is in the way"}
	} else if e, ok := errors.AsType[*plan.Error](err); ok {
		x = a.explainPlan(e)
	} else if e, ok := errors.AsType[*hop.NetworkError](err); ok {
		x = explainNetwork(e)
	} else if e, ok := errors.AsType[*hop.AnswerError](err); ok {
		x = explainAnswer(e, "PROFILE")
	} else if e, ok := errors.AsType[*hop.APIError](err); ok {
		x = explainAPI(e, nil, "PROFILE")
	} else if e, ok := errors.AsType[*noInputError](err); ok {
		x = explanation{What: clean(e.Error()), Next: "run it on a terminal without --no-input, or pass --yes"}
	} else if e, ok := errors.AsType[*deliver.NotFoundError](err); ok {
		x = explanation{What: clean(e.Error()), Next: "is it on the PATH? a shell's alias or function is not"}
	} else if e, ok := errors.AsType[*fs.PathError](err); ok {
		x = explanation{What: clean(a.tilde(e.Path)) + ": " + clean(e.Err.Error())}
	} else if refusedByCobra(err) {
		x.Next = "aws-switch-role --help shows how"
	} else {
		x.Next = keyringHint(err)
	}
	return x
}

// refusedByCobra reports whether cobra itself refused the command line.
func refusedByCobra(err error) bool { return strings.HasPrefix(err.Error(), "unknown command") }

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

// explainPlan puts what is wrong with the files or the flags into words.
func (a *app) explainPlan(e *plan.Error) explanation {
	at := ""
	switch {
	case e.From != "" && e.From != "argument":
		at = e.From + ": "
	case e.Origin.File != "" && e.From == "":
		at = a.tilde(e.Origin.String()) + ": "
	}
	who := ""
	if e.Profile != "" && e.Kind != plan.UnknownProfile && e.From != "argument" {
		who = "profile " + term.Clean(e.Profile) + ": "
	}
	x := explanation{What: clean(at + who + e.Msg)}
	name := term.Clean(e.Profile)
	switch e.Kind {
	case plan.UnknownProfile:
		x.Next = didYouMean(e.Near)
		if x.Next == "" {
			x.Next = "the files read are " + a.filesRead()
		}
	case plan.MissingSource:
		x.Next = didYouMean(e.Near)
		if x.Next == "" {
			x.Next = "add a section for " + term.Clean(e.Name) + ", or name another profile there"
		}
	case plan.PartialCredentials:
		x.Why = "and the environment holds no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to start from"
		x.Next = "add source_profile = NAME to the profile, pass --source-profile NAME, or bring the keys along: envchain NAMESPACE aws-switch-role " + name
		if e.From == "argument" {
			x.Next = "pass --source-profile NAME, or bring the keys along: envchain NAMESPACE aws-switch-role ROLE_ARN"
		}
	case plan.PartialKey:
		x.Next = "add " + e.Name + " to the same section"
	case plan.NoCredentials:
		x.Next = "give it keys (aws configure --profile " + term.Clean(e.Name) + "), a role_arn, or keys in the environment"
	case plan.NoEnvironmentKeys:
		x.Next = "envchain NAMESPACE aws-switch-role " + name + ", or export the two variables first"
	case plan.LeftEnvironmentKeys:
		x.Next = "leave this shell first (exit), or bring the keys along again: envchain NAMESPACE aws-switch-role " + name
	case plan.SourceLoop:
		x.Why = "the way round: " + a.loop(e.Loop)
		x.Next = "one of them must name keys of its own, or another source_profile"
	case plan.IncludeLoop:
		x.Why = "the way round: " + a.loop(e.Loop)
		x.Next = "take one include_profile out"
	case plan.Conflict:
		x.Next = "keep the one that is meant"
	case plan.BadValue:
		x.Next = didYouMean(e.Near)
	case plan.ChainedDuration:
		x.Next = "ask for --duration 1h or max, or set duration_seconds = 3600; the session is renewed without a code"
	case plan.FIDODevice:
		x.Next = "register an authenticator app as a second MFA device in the IAM console, and name its ARN, arn:aws:iam::ACCOUNT:mfa/NAME"
	case plan.NoContainer:
		x.Next = "run it in the container, or give the profile another source"
	case plan.ProcessLoop:
		x.Next = "give the profile keys or a role, or name another profile there"
	}
	return x
}

// explainKey says what is wrong with a key of the keyring.
func (a *app) explainKey(e *keyError) explanation {
	name := term.Clean(e.name)
	x := a.explanation(e.err)
	if second, ok := errors.AsType[*accesskey.SecondKeyError](e.err); ok {
		x.Why = "AWS has it since " + second.Other.Created.UTC().Format(time.DateOnly) + ", and it is "
		if second.Other.Active {
			x.Why += "active"
			x.Next = "if nothing uses it: aws iam delete-access-key --access-key-id " + clean(second.Other.ID)
		} else {
			x.Why += "inactive"
			x.Next = "delete it on the way: aws-switch-role keys rotate " + name + " --delete-inactive"
		}
	} else if _, ok := errors.AsType[*noDeviceError](e.err); ok {
		x.Why = "the user's policy does not allow it, or only with MFA, and no profile names the device"
		x.Next = "try again with --mfa-serial ARN, or set mfa_serial in [profile " + name + "]"
	} else if n, ok := errors.AsType[*noInputError](e.err); ok {
		x = explanation{What: clean(n.Error()), Next: "pass it on stdin: aws-switch-role keys add " + name + " --stdin"}
	} else if errors.Is(e.err, errKeyExists) {
		x.Next = "pass --force to replace it, or change it for a new one: aws-switch-role keys rotate " + name
	} else if errors.Is(e.err, accesskey.ErrNotAccepted) {
		x.Next = "the old key is still in use; go on in a moment: aws-switch-role keys rotate " + name
	} else if errors.Is(e.err, errKeyChanged) {
		x.Next = "try again"
	} else if errors.Is(e.err, keyring.ErrNotFound) {
		x.Next = "see aws-switch-role keys list, and store it with: aws-switch-role keys add " + name
		if keys, err := a.stored(); err == nil && keys[e.name].ID != "" {
			x.Why = "it was stored in the keyring " + term.Clean(keys[e.name].Keyring) + " on " + keys[e.name].Added.Local().Format(time.DateOnly)
			x.Next = "is that the keyring of AWS_SWITCH_ROLE_KEYRING? else store it again: aws-switch-role keys add " + name + " --force"
		}
	} else if errors.Is(e.err, errNoFileKey) {
		x.Next = "the files read are " + a.filesRead()
	}
	x.What = "key " + name + ": " + x.What
	return x
}

// explainEnvchain says what is wrong with a namespace of envchain.
func explainEnvchain(e *envchainError) explanation {
	x := explanation{What: clean(e.Error()), Next: keyringHint(e.err)}
	switch {
	case e.missing != "":
		x.Next = "envchain --set " + term.Clean(e.namespace) + " " + e.missing
	case errors.Is(e.err, keyring.ErrNotFound):
		x.What = "envchain has no namespace " + term.Clean(e.namespace) + " with an AWS key in it"
		x.Next = "envchain --set " + term.Clean(e.namespace) + " AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"
	}
	return x
}

// keyringHint says what to do about a keyring that does not serve.
func keyringHint(err error) string {
	switch {
	case errors.Is(err, keyring.ErrLocked):
		return "unlock it where you are logged in to the desktop, or run this on a terminal"
	case errors.Is(err, keyring.ErrDismissed):
		return "try again, and let it be unlocked"
	case errors.Is(err, keyring.ErrPassphrase), errors.Is(err, keyring.ErrShortPassphrase):
		return "try again with another"
	case errors.Is(err, keyring.ErrUnavailable):
		return "AWS_SWITCH_ROLE_KEYRING=passphrase keeps keys in a file under a passphrase of yours; --debug tells why others were passed over"
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

func didYouMean(names []string) string {
	if len(names) == 0 {
		return ""
	}
	for i := range names {
		names[i] = term.Clean(names[i])
	}
	return "did you mean " + strings.Join(names, ", ") + "?"
}

// filesRead names the AWS files of this run.
func (a *app) filesRead() string {
	return term.Clean(a.tilde(a.awsFile("AWS_CONFIG_FILE", "config"))) + " and " + term.Clean(a.tilde(a.awsFile("AWS_SHARED_CREDENTIALS_FILE", "credentials")))
}

// explainHop puts a failed hop into words: which one, and what AWS said.
func (a *app) explainHop(e *session.HopError) explanation {
	var x explanation
	h := e.Plan.Hops[e.Index]
	if s, ok := errors.AsType[*hop.SignInError](e.Err); ok {
		x = a.explainSignIn(s)
	} else if api, ok := errors.AsType[*hop.APIError](e.Err); ok {
		x = explainAPI(api, h, typed(e.Plan))
	} else if n, ok := errors.AsType[*hop.NetworkError](e.Err); ok {
		x = explainNetwork(n)
	} else if n, ok := errors.AsType[*hop.AnswerError](e.Err); ok {
		x = explainAnswer(n, typed(e.Plan))
	} else if s, ok := errors.AsType[*hop.SourceError](e.Err); ok {
		x = explainSource(s, h)
	} else if n, ok := errors.AsType[*noInputError](e.Err); ok {
		x = explanation{What: clean(n.Error()), Next: "run aws-switch-role " + typed(e.Plan) + " on a terminal, pass --mfa-code CODE, or set mfa_process or AWS_SWITCH_ROLE_ASKPASS"}
		if n.flag != "" {
			x.Next = "leave " + n.flag + " out, pass --mfa-code CODE, or set mfa_process in the profile"
		}
	} else if k, ok := errors.AsType[*keyError](e.Err); ok {
		x = a.explainKey(k)
	} else if n, ok := errors.AsType[*envchainError](e.Err); ok {
		x = explainEnvchain(n)
	} else if errors.Is(e.Err, hop.ErrKeyGone) {
		x = explanation{What: clean(e.Err.Error()), Next: "leave this shell first (exit), or bring the keys along again: envchain NAMESPACE aws-switch-role " + typed(e.Plan)}
	} else {
		x = explanation{What: clean(e.Err.Error())}
	}
	// The code's own sentence goes before what AWS said about it.
	if c, ok := errors.AsType[*hop.CodeError](e.Err); ok {
		x = explanation{What: clean(c.Msg), Next: "wait for the device's next code and try again; is " + term.Clean(c.Serial) + " the right device, and its clock right?"}
		if api, ok := errors.AsType[*hop.APIError](c.Err); ok {
			x.Why = "AWS said " + clean(api.Code+": "+api.Message)
		}
	}
	where := ""
	if len(e.Plan.Hops) > 1 {
		where = fmt.Sprintf(" (hop %d of %d, %s)", e.Index+1, len(e.Plan.Hops), clean(plan.Describe(h)))
	}
	x.What = "profile " + term.Clean(e.Plan.Profile) + where + ": " + x.What
	return x
}

// typed is a plan's name as it is typed on a command line.
func typed(p plan.Plan) string {
	if p.Adhoc {
		return term.Clean(p.RoleARN())
	}
	return term.Clean(p.Profile)
}

// explainSource says why a source that is no API of AWS gave nothing.
func explainSource(e *hop.SourceError, h plan.Hop) explanation {
	x := explanation{What: clean(e.Msg)}
	if e.Said != "" {
		x.Why = "it said " + ending(e.Said)
	}
	if process, ok := h.(plan.Process); ok {
		// The line itself may hold a password.
		x.Next = "try its command by hand; it stands in: aws-switch-role explain " + term.Clean(process.Profile)
		switch e.Kind {
		case hop.ProcessMissing:
			x.Next = "is it on the PATH? no shell reads credential_process of profile " + term.Clean(process.Profile) + ": write the whole path, without ~ or $HOME"
		case hop.ProcessNoExec:
			x.Next = "it must be a program that may be run (chmod +x), and quotes come in pairs"
		case hop.ProcessSlow:
			x.Next += "; does it ask for something?"
		case hop.ProcessLoop:
			x.Next = "give one of these profiles keys, a role, or another process"
		}
		return x
	}
	switch e.Kind {
	case hop.NoService:
		switch h.(type) {
		case plan.InstanceMetadata:
			x.Next = "away from EC2, give the profile a source_profile or another credential_source; on EC2, see that the metadata service is on"
		case plan.Container:
			x.Next = "away from ECS and EKS, unset AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI"
		}
	case hop.NoRole:
		x.Next = "attach one: aws ec2 associate-iam-instance-profile"
	case hop.ServiceRefused:
		x.Next = "is the token of AWS_CONTAINER_AUTHORIZATION_TOKEN or its _FILE the present one?"
		if _, ok := h.(plan.InstanceMetadata); ok {
			x.Next = "is the metadata service on, and open to this user?"
		}
	case hop.ServiceFailed, hop.BadAnswer:
		x.Next = "see whom it asks: aws-switch-role explain PROFILE"
	case hop.NoToken:
		x.Next = "see that the token is there, on one line, and may be read"
	}
	return x
}

// explainSignIn says how to sign in.
func (a *app) explainSignIn(e *hop.SignInError) explanation {
	x := explanation{What: clean(e.Msg)}
	if api, ok := errors.AsType[*hop.APIError](e.Err); ok {
		x.Why = "AWS said " + clean(api.Code+": "+api.Message)
	} else if f, ok := errors.AsType[*hop.TokenFileError](e.Err); ok {
		x.Why = clean(a.tilde(f.Path) + ": " + f.Err.Error())
	} else if f, ok := errors.AsType[*fs.PathError](e.Err); ok && !errors.Is(f, fs.ErrNotExist) {
		x.Why = clean(a.tilde(f.Path) + ": " + f.Err.Error())
	}
	switch {
	case e.Login:
		x.Next = "sign in: aws login --profile " + term.Clean(e.Profile)
	case e.Session != "":
		x.Next = "sign in: aws sso login --sso-session " + term.Clean(e.Session)
	default:
		x.Next = "sign in: aws sso login --profile " + term.Clean(e.Profile)
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

// explainAPI puts a refusal by AWS into words. Where AWS hides the cause, it
// names the likely ones. profile is what `explain` would be asked about.
func explainAPI(e *hop.APIError, h plan.Hop, profile string) explanation {
	x := explanation{What: clean(e.Code + ": " + e.Message)}
	role, assuming := h.(plan.AssumeRole)
	_, webIdentity := h.(plan.WebIdentity)
	sso, bySSO := h.(plan.SSO)
	switch {
	case clockOff(e):
		x.Why = fmt.Sprintf("this machine's clock is %s %s AWS's", plan.Length(e.Skew.Abs()), map[bool]string{true: "behind", false: "ahead of"}[e.Skew > 0])
		x.Next = "set the clock: sudo timedatectl set-ntp true"
	case e.Code == "AccessDenied" && strings.Contains(e.Message, "unable to validate MFA code"):
		x.Why = "the device is not one of this key's user, or does not exist"
		x.Next = "compare mfa_serial with: aws iam list-mfa-devices"
	case e.Code == "AccessDenied" && strings.Contains(e.Message, "GetSessionToken with session credentials"):
		x.Why = "the keys are temporary themselves"
		x.Next = "remove mfa_serial from the profile, or start from a long-lived key"
	case e.Code == "AccessDenied" && strings.Contains(e.Message, "perform: sts:TagSession"):
		x.Why = "the role's trust policy does not let this caller set session tags"
		x.Next = "leave out --tag and session_tags, or allow sts:TagSession in the role's trust policy"
	case e.Code == "AccessDenied" && strings.Contains(e.Message, "perform: sts:SetSourceIdentity"):
		x.Why = "the role's trust policy does not let this caller set a source identity"
		x.Next = "leave out --source-identity and source_identity, or allow sts:SetSourceIdentity in the role's trust policy"
	case e.Code == "AccessDenied" && webIdentity:
		x.Why = "the role's trust policy does not name this identity provider, or its conditions do not fit the token"
		x.Next = "compare the trust policy with the token's iss, aud and sub"
	case e.Code == "AccessDenied" && assuming:
		x.Why = "AWS gives no reason; the likely ones: the role's trust policy does not name this caller"
		if role.ExternalID == "" {
			x.Why += ", or demands an external id (external_id)"
		} else {
			x.Why += ", or another external id"
		}
		if role.MFA.Serial == "" {
			x.Why += ", or MFA (mfa_serial), or the role does not exist"
		} else {
			x.Why += ", or the role does not exist"
		}
		x.Next = "check the role's ARN and its trust policy, and that the caller may sts:AssumeRole on it"
	case bySSO && (e.Code == "ForbiddenException" || e.Code == "ResourceNotFoundException"):
		x.Why = "IAM Identity Center does not give you the role " + term.Clean(sso.RoleName) + " in account " + term.Clean(sso.AccountID) + ", or there is none"
		x.Next = "compare sso_account_id and sso_role_name with what is yours at " + term.Clean(sso.StartURL)
	case e.Reason == "INSUFFICIENT_PERMISSIONS":
		x.Why = "the user who signed in may not have sign-ins renewed"
		x.Next = "allow signin:CreateOAuth2Token: it is in the managed policy SignInLocalDevelopmentAccess"
	case e.Code == "AccessDenied":
		x.Next = "is the caller's policy allowing " + map[bool]string{true: "iam:", false: "sts:"}[strings.HasSuffix(e.Op, "AccessKey") || strings.HasSuffix(e.Op, "AccessKeys")] + clean(e.Op) + "?"
	case e.Code == "InvalidClientTokenId":
		x.Why = "AWS does not know the access key: it was deleted or made inactive, or is of another partition"
		x.Next = "check the key in the IAM console, and its id in: aws-switch-role explain " + profile
	case e.Code == "SignatureDoesNotMatch":
		x.Why = "the secret access key does not belong to the access key id"
		x.Next = "copy both again, whole: aws configure"
	case e.Code == "InvalidIdentityToken":
		x.Why = "STS does not take the web identity token: the account has no such identity provider, or the token is for another audience"
		x.Next = "compare the token's iss and aud with: aws iam list-open-id-connect-providers"
	case e.Code == "ExpiredTokenException" && webIdentity:
		x.Why = "the web identity token has ended"
		x.Next = "get a new one from the identity provider, then try again"
	case e.Code == "IDPCommunicationError":
		x.Why = "STS cannot reach the identity provider; the request was tried again already"
		x.Next = "try again in a moment"
	case e.Code == "ExpiredToken" || e.Code == "ExpiredTokenException":
		x.Why = "the temporary keys that the chain starts from have ended"
		x.Next = "renew them where they come from, then try again"
	case e.Code == "RegionDisabledException":
		x.Why = "STS is not enabled for that region in this account"
		x.Next = "choose another: --region us-east-1"
	case e.Code == "ValidationError" && strings.Contains(e.Message, "MaxSessionDuration"):
		x.Next = "ask for less, or for what the role allows: --duration max"
	case e.Code == "ValidationError" && strings.Contains(e.Message, "role chaining"):
		x.Next = "ask for --duration 1h"
	case e.Code == "PackedPolicyTooLarge":
		x.Next = "use fewer or shorter session tags"
	case e.Code == "Throttling" || e.Code == "ThrottlingException" || e.Status == http.StatusTooManyRequests || e.Status >= 500:
		x.Why = "AWS is busy, and was when the request was tried again"
		if e.MFA { // sent once
			x.Why = mayBeUsed
		}
		x.Next = "try again in a moment"
	}
	return x
}

// clockOff reports whether AWS refused a signature for its time.
func clockOff(e *hop.APIError) bool {
	return e.Skew.Abs() > time.Minute && (strings.Contains(e.Message, "Signature expired") || strings.Contains(e.Message, "Signature not yet current"))
}

// mayBeUsed is said of a code that went out with a request, of which nobody
// knows what became.
const mayBeUsed = "AWS may have used the MFA code: wait for the next one"

// explainNetwork says why no answer came, and what became of a code.
func explainNetwork(e *hop.NetworkError) explanation {
	host := clean(e.Host)
	x := explanation{What: "no answer from " + host + ": " + clean(e.Err.Error()), Next: "is the network up, and the region's name right?"}
	issuer, badCertificate := e.Certificate()
	switch {
	case badCertificate:
		x.What = "the certificate of " + host + " is not trusted (issuer " + clean(issuer) + ")"
		x.Next = "a proxy or portal may stand in between: sign in to it, or set ca_bundle (AWS_CA_BUNDLE) to its certificate"
	case e.Lookup():
		x.What = "the name of " + host + " cannot be resolved"
	case e.Timeout() || errors.Is(e.Err, context.DeadlineExceeded):
		x.What = "no answer from " + host + " in time"
	case errors.Is(e.Err, io.EOF) || errors.Is(e.Err, io.ErrUnexpectedEOF) || errors.Is(e.Err, syscall.ECONNRESET):
		x.What = host + " hung up without an answer"
		x.Next = "try again"
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		x.What = "nobody listens at " + host
	}
	if e.MFA {
		x.Why = mayBeUsed
	}
	return x
}

// explainAnswer says that what answered is not AWS.
func explainAnswer(e *hop.AnswerError, profile string) explanation {
	x := explanation{
		What: "the answer of " + clean(e.Host) + " to " + clean(e.Op) + " is not AWS's: " + clean(e.Msg),
		Next: "a captive portal or proxy may stand in between: open a web page to sign in to it; see the endpoint with: aws-switch-role explain " + profile,
	}
	if e.Ended {
		x.Next = "is this machine's clock right? sudo timedatectl set-ntp true"
	}
	if e.MFA {
		x.Why = mayBeUsed
	}
	return x
}
