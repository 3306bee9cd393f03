package hop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// Bounds of a process, and of what any local source answers.
const (
	processTimeout = time.Minute // as the Go SDK's
	maxHelper      = 64 << 10
)

// chainVariable tells a process which profiles' processes it was started by.
// A credential_process may well start this program for another profile; where
// one leads back to a profile that is waiting for it, the run that notices
// fails, and with it all those before, in place of processes without end. The
// names are separated by commas and escaped as in a query.
const chainVariable = "AWS_SWITCH_ROLE_CHAIN"

// process runs a credential_process and takes the credentials that it prints.
// The format is of the AWS SDKs and Tools Reference Guide, "Process credential
// provider": a JSON object of Version 1.
func (p *Performer) process(ctx context.Context, h plan.Process) (cred.Credentials, error) {
	return p.processWithin(ctx, h, processTimeout)
}

func (p *Performer) processWithin(ctx context.Context, h plan.Process, limit time.Duration) (cred.Credentials, error) {
	fail := func(kind SourceKind, said string, err error, msg message.Text) (cred.Credentials, error) {
		return cred.Credentials{}, &SourceError{Kind: kind, Name: h.Profile, Msg: msg, Said: strings.TrimSpace(said), Err: err}
	}
	chain := p.chain()
	if slices.Contains(chain, h.Profile) {
		return fail(ProcessLoop, "", nil, message.New("process-back", "credential_process leads back to itself: %s", strings.Join(append(chain, h.Profile), " -> ")))
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd, err := command(limited, h.Command)
	if err != nil {
		return fail(ProcessNoExec, "", err, message.New("process-unrunnable", "credential_process cannot be run: %v", message.Of(err)))
	}
	var out bounded
	var said tail
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.Env = append(slices.Clip(p.Environ), chainVariable+"="+chainOf(append(chain, h.Profile)))
	cmd.WaitDelay = time.Second
	done := p.waiting(message.New("waiting-for-process", "waiting for credential_process of profile %s", h.Profile))
	err = cmd.Run()
	done()
	p.log().Debug("credential_process ended", "profile", h.Profile, "error", err)
	switch {
	case ctx.Err() != nil:
		return cred.Credentials{}, ctx.Err()
	case out.over:
		return fail(BadAnswer, "", nil, message.New("process-too-much", "credential_process prints more than %d KiB", maxHelper>>10))
	case limited.Err() != nil:
		return fail(ProcessSlow, said.String(), limited.Err(), message.New("process-endless", "credential_process did not end within %s", limit))
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		// The latter: it ended well, and something it started lives on.
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return fail(ProcessMissing, "", err, message.New("process-no-command", "credential_process cannot be run: there is no command %s", cmd.Args[0]))
	case cmd.ProcessState == nil:
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return fail(ProcessNoExec, "", err, message.New("process-not-run", "credential_process cannot be run: %s: %v", cmd.Args[0], err))
	default:
		return fail(ProcessFailed, said.String(), err, message.New("process-ended-badly", "credential_process failed: %v", err))
	}
	c, err := processCredentials(out.text, p.now())
	if err != nil {
		return fail(BadAnswer, "", nil, message.Of(err))
	}
	return c, nil
}

// chain lists the profiles whose processes wait for this program.
func (p *Performer) chain() []string {
	var chain []string
	for _, e := range p.Environ {
		if list, ok := strings.CutPrefix(e, chainVariable+"="); ok && list != "" {
			for name := range strings.SplitSeq(list, ",") {
				if name, err := url.QueryUnescape(name); err == nil {
					chain = append(chain, name)
				}
			}
		}
	}
	return chain
}

func chainOf(profiles []string) string {
	var escaped []string
	for _, name := range profiles {
		escaped = append(escaped, url.QueryEscape(name))
	}
	return strings.Join(escaped, ",")
}

// processCredentials reads what a credential_process printed. The text may
// hold a secret wherever it goes wrong, and so no error quotes it.
func processCredentials(text []byte, now time.Time) (cred.Credentials, error) {
	var printed struct {
		Version         any
		AccessKeyID     string `json:"AccessKeyId"`
		SecretAccessKey string
		SessionToken    string
		Expiration      *string
		AccountID       string `json:"AccountId"`
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return cred.Credentials{}, message.New("process-prints-nothing", "credential_process prints nothing")
	}
	if err := json.Unmarshal(text, &printed); err != nil {
		return cred.Credentials{}, message.New("process-no-json", "credential_process does not print the JSON of credentials")
	}
	switch v := printed.Version.(type) {
	case float64:
		if v != 1 {
			return cred.Credentials{}, message.New("process-version", "credential_process prints Version %v, and only 1 is known", v)
		}
	default:
		return cred.Credentials{}, message.New("process-no-version", "credential_process prints no Version that is a number")
	}
	k := key{id: printed.AccessKeyID, secret: printed.SecretAccessKey, token: printed.SessionToken, account: printed.AccountID}
	switch {
	case k.id == "":
		return cred.Credentials{}, message.New("process-no-key-id", "credential_process prints no AccessKeyId")
	case k.secret == "":
		return cred.Credentials{}, message.New("process-no-secret", "credential_process prints no SecretAccessKey")
	}
	if printed.Expiration != nil {
		t, err := time.Parse(time.RFC3339, *printed.Expiration)
		if err != nil {
			return cred.Credentials{}, message.New("process-expiration", "credential_process prints an Expiration that is no time, such as 2026-01-02T15:04:05Z")
		}
		k.expires = &t
	}
	c, err := k.credentials(now)
	if err != nil {
		return cred.Credentials{}, message.New("process-no-credentials", "credential_process prints no credentials: %v", message.Of(err))
	}
	return c, nil
}

// bounded keeps what is written to it, and breaks off where that is too much.
type bounded struct {
	text []byte
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if len(b.text)+len(p) > maxHelper {
		b.over = true
		return 0, errors.New("too much")
	}
	b.text = append(b.text, p...)
	return len(p), nil
}

// tail keeps the end of what is written to it, where programs say what went
// wrong.
type tail struct{ end []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.end = append(t.end, p...)
	if n := len(t.end) - maxSaid; n > 0 {
		t.end = slices.Delete(t.end, 0, n)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.end) }
