package keyring

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os/exec"
	"path"
	"slices"
	"strings"
	"time"
)

// pass is the standard Unix password manager, used through its program. Entries
// stand under aws-switch-role/KIND/NAME and hold the secret in base64, so that
// they survive a look or an edit.
type pass struct {
	kind      Kind
	program   string
	env       []string
	mayPrompt bool
	timeout   time.Duration
}

// gpgOptions is pass's variable for options of gpg.
const gpgOptions = "PASSWORD_STORE_GPG_OPTS"

func newPass(o Options) pass {
	p := pass{o.Kind, o.PassProgram, slices.Clone(o.PassEnvironment), o.MayPrompt, time.Minute}
	if !o.MayPrompt {
		p.timeout = 10 * time.Second
		// gpg still uses a passphrase that its agent remembers.
		var options string
		p.env = slices.DeleteFunc(p.env, func(v string) bool {
			given, ok := strings.CutPrefix(v, gpgOptions+"=")
			if ok {
				options = given
			}
			return ok
		})
		p.env = append(p.env, gpgOptions+"="+strings.TrimSpace(options+" --batch --pinentry-mode=error"))
	}
	return p
}

func (p pass) entry(name string) string { return path.Join(application, string(p.kind), escape(name)) }

// Get implements [Keyring].
func (p pass) Get(ctx context.Context, name string) ([]byte, error) {
	out, err := p.run(ctx, nil, "show", p.entry(name))
	if err != nil {
		return nil, err
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(out)))
	if err != nil {
		return nil, fmt.Errorf("%w: the entry %s was changed by hand", ErrUnavailable, p.entry(name))
	}
	return secret, nil
}

// Set implements [Keyring].
func (p pass) Set(ctx context.Context, name string, secret []byte) error {
	line := append(base64.StdEncoding.AppendEncode(nil, secret), '\n')
	_, err := p.run(ctx, line, "insert", "--multiline", "--force", p.entry(name))
	return err
}

// Delete implements [Keyring].
func (p pass) Delete(ctx context.Context, name string) error {
	_, err := p.run(ctx, nil, "rm", "--force", p.entry(name))
	return err
}

func (p pass) run(ctx context.Context, in []byte, args ...string) ([]byte, error) {
	bounded, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(bounded, p.program, args...)
	cmd.Env = append(slices.Clip(p.env), "LC_ALL=C")
	cmd.Stdin = bytes.NewReader(in)
	cmd.Stdout = &out
	cmd.Stderr = &complaint
	// gpg and pinentry have our pipes, too, and may outlive pass.
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	said := complaint.String()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case bounded.Err() != nil:
		return nil, fmt.Errorf("%w: no answer within %v", ErrUnavailable, p.timeout)
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return out.Bytes(), nil
	case strings.Contains(said, "is not in the password store"):
		return nil, ErrNotFound
	}
	first, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
	if !p.mayPrompt && strings.Contains(said, "decryption failed: No secret key") { // so gpg calls a key that it may not ask for, too
		return nil, fmt.Errorf("%w, and nobody can be asked to unlock it: %s", ErrLocked, first)
	}
	return nil, fmt.Errorf("%w: %s: %w", ErrUnavailable, first, err)
}
