package doctor

import (
	"strings"

	"aws-switch-role/internal/awsconfig"
)

// What is odd about the prompt and the keyring.
const (
	// SilentPrompt is a prompt theme that does not show AWS_PROFILE. Args: the
	// theme, what is in the way, and the line that shows it.
	SilentPrompt ID = "silent-prompt"
	// KeyringOut is a keyring that cannot be used. Args: what was asked for,
	// and why not.
	KeyringOut ID = "keyring-out-of-reach"
	// ClockBehind and ClockAhead are a clock of this machine's that is not
	// AWS's, which only those find out who ask AWS. Args: by how much.
	ClockBehind ID = "clock-off-behind"
	ClockAhead  ID = "clock-off-ahead"
)

// Prompt is a theme's setting that hides the profile.
type Prompt struct {
	Theme   string
	Setting string
	Instead string // the line that should stand there
	Origin  awsconfig.Origin
}

// Keyring is what keeps secrets here.
type Keyring struct {
	Asked string // what AWS_SWITCH_ROLE_KEYRING says
	Why   string // why it cannot be used; "" when it can
	// Chosen is the keyring that session keys are kept in, or "none", and
	// PassedOver says of each that would have gone before it why it did not.
	Chosen     string
	PassedOver []string
}

// What is worth knowing of this machine, and nothing to mend.
const (
	// KeyringChosen is where session keys are kept. Args: the keyring.
	KeyringChosen ID = "keyring-chosen"
	// KeyringForgets is a keyring that forgets at a restart. Args: the keyring.
	KeyringForgets ID = "keyring-forgets"
	// NothingKept: no keyring can be used, or none is to be.
	NothingKept ID = "nothing-kept"
	// KeyringPassedOver is one that would have been used before the chosen.
	// Args: its name, and why it was not.
	KeyringPassedOver ID = "keyring-passed-over"
	// NoSecretless: --secretless is not for this operating system.
	NoSecretless ID = "no-secretless"
	// OpenMemory: this operating system has no way to keep the user's other
	// programs from reading this one's memory.
	OpenMemory ID = "open-memory"
	// OpenEndpoint: on this operating system serve cannot tell whose program
	// asks it.
	OpenEndpoint ID = "open-endpoint"
	// NoProfiles: the files have none. Args: the files.
	NoProfiles ID = "no-profiles"
)

// Note is something to know of the machine that no change of a file mends. Its
// words are chosen as those of a [Finding].
type Note struct {
	ID   ID
	Args []string
}

// Notes returns what is to know about the machine.
func Notes(f Facts) []Note {
	var all []Note
	if f.Config != nil && none(f.Config) {
		all = append(all, Note{NoProfiles, []string{f.Config.ConfigFile(), f.Config.CredentialsFile()}})
	}
	all = append(all, overrides(f)...)
	k := f.Keyring
	switch k.Chosen {
	case "":
	case "none":
		all = append(all, Note{ID: NothingKept})
	case "kernel":
		all = append(all, Note{KeyringForgets, []string{k.Chosen}})
	default:
		all = append(all, Note{KeyringChosen, []string{k.Chosen}})
	}
	for _, why := range k.PassedOver {
		name, why, _ := strings.Cut(strings.TrimPrefix(why, "keyring "), ": ")
		all = append(all, Note{KeyringPassedOver, []string{name, why}})
	}
	for _, limit := range f.Limits {
		all = append(all, Note{ID: limit})
	}
	return all
}

// none reports whether there are no profiles.
func none(c *awsconfig.Config) bool {
	for range c.Names() {
		return false
	}
	return true
}

func prompts(f Facts) []Finding {
	var all []Finding
	for _, p := range f.Prompts {
		all = append(all, Finding{ID: SilentPrompt, Origin: p.Origin, Args: []string{p.Theme, p.Setting, p.Instead}})
	}
	return all
}

func keyrings(f Facts) []Finding {
	if f.Keyring.Why == "" {
		return nil
	}
	return []Finding{{ID: KeyringOut, Args: []string{f.Keyring.Asked, f.Keyring.Why}}}
}
