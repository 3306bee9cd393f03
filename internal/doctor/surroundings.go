package doctor

import (
	"aws-switch-role/internal/awsconfig"
)

// What is odd about the prompt and the keyring.
const (
	// SilentPrompt is a prompt theme that does not show AWS_PROFILE. Args: the
	// theme, and what is in the way.
	SilentPrompt ID = "silent-prompt"
	// KeyringOut is a keyring that cannot be used. Args: what was asked for,
	// and why not.
	KeyringOut ID = "keyring-out-of-reach"
)

// Prompt is a theme's setting that hides the profile.
type Prompt struct {
	Theme   string
	Setting string
	Origin  awsconfig.Origin
}

// Keyring is what keeps secrets here.
type Keyring struct {
	Asked string // what AWS_SWITCH_ROLE_KEYRING says
	Why   string // why it cannot be used; "" when it can
}

func prompts(f Facts) []Finding {
	var all []Finding
	for _, p := range f.Prompts {
		all = append(all, Finding{ID: SilentPrompt, Origin: p.Origin, Args: []string{p.Theme, p.Setting}})
	}
	return all
}

func keyrings(f Facts) []Finding {
	if f.Keyring.Why == "" {
		return nil
	}
	return []Finding{{ID: KeyringOut, Args: []string{f.Keyring.Asked, f.Keyring.Why}}}
}
