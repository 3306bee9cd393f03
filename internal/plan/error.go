package plan

import (
	"fmt"
	"strings"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/message"
)

// Kind sorts errors by what a person can do about them.
type Kind int

const (
	// UnknownProfile: no file has the profile. Near holds names like it.
	UnknownProfile Kind = iota + 1
	// PartialCredentials: a role with neither source_profile nor
	// credential_source, and no keys in the environment.
	PartialCredentials
	// PartialKey: one half of a key pair is missing.
	PartialKey
	// MissingKey: a key without which the others of its kind mean nothing.
	MissingKey
	// MissingSource: source_profile or include_profile names a profile that
	// no file has.
	MissingSource
	// NoCredentials: a profile that should be a source has nothing to be one
	// with.
	NoCredentials
	// NoEnvironmentKeys: the keys should come from the environment, and it
	// has none, or half of one.
	NoEnvironmentKeys
	// LeftEnvironmentKeys: the keys that this shell started from are in no
	// environment any more: it holds a role's instead.
	LeftEnvironmentKeys
	// SourceLoop: source_profile leads back to a profile of the chain.
	SourceLoop
	// IncludeLoop: include_profile leads back to itself.
	IncludeLoop
	// Conflict: two values that exclude each other.
	Conflict
	// BadValue: a value that AWS would not take.
	BadValue
	// ChainedDuration: more than an hour for a role that is assumed with
	// temporary credentials.
	ChainedDuration
	// FIDODevice: a security key, which STS cannot ask.
	FIDODevice
	// NoContainer: the container's role is wanted, and this is no container.
	NoContainer
	// ProcessLoop: a credential_process that starts this program for the
	// same profile again.
	ProcessLoop
	// NoUser: something that only a user has is asked of a chain that starts
	// from none.
	NoUser
	// TooDeep: a chain, of sources or of includes, longer than [MaxDepth].
	TooDeep
)

// MaxDepth is the longest chain of profiles that is followed.
const MaxDepth = 100

// Error says why no plan can be made. Msg and the other texts may hold what
// stood in a file: whoever prints them makes them safe for a terminal.
type Error struct {
	Kind    Kind
	Profile string
	// Origin is the line at fault, or the profile's own; From names the flag
	// or variable instead when the value did not come from a file.
	Origin awsconfig.Origin
	From   string
	Msg    message.Text
	Name   string   // the profile, key or value that Msg is about
	Near   []string // names that Name may have been meant to be
	Loop   []Step   // the way round, for the loops
}

// Step is a profile on the way round a loop, with the line that leads on.
type Step struct {
	Profile string
	awsconfig.Origin
}

// shown is as much of a value as a message may tell. A line that has lost its
// end carries the next setting in its value, and that may be a secret: no
// value that a message is about goes on behind the end of its line or an
// equals sign. What is wrong with it must be readable behind it, so it is cut
// at maxShown characters, too.
func shown(text string) string {
	most := strings.IndexAny(text, "=\r\n")
	runes := 0
	for i := range text {
		if runes++; runes > maxShown || i == most {
			return text[:i] + "…"
		}
	}
	return text
}

const maxShown = 200

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	switch {
	case e.From != "":
		fmt.Fprintf(&b, "%s: ", e.From)
	case e.Origin.File != "":
		fmt.Fprintf(&b, "%s: ", e.Origin)
	}
	if e.Profile != "" && e.Kind != UnknownProfile {
		fmt.Fprintf(&b, "profile %s: ", e.Profile)
	}
	b.WriteString(e.Msg.String())
	return b.String()
}
