// Package doctor finds what is wrong, or will be, with a person's AWS files,
// environment and machine. It is given facts and returns findings; it opens
// nothing, asks nobody and prints nothing.
package doctor

import (
	"cmp"
	"io/fs"
	"slices"
	"time"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/plan"
)

// ID names a kind of finding. It is stable: scripts compare it.
type ID string

// Finding is one thing that is wrong. Its words are chosen by whoever prints
// it, by ID and Args, or by Err where the ID is [Unplannable] or
// [UnreadableLine].
type Finding struct {
	ID ID
	// Origin is the line to look at; a Line of 0 is the file as a whole, and
	// an empty File no file at all.
	Origin awsconfig.Origin
	// Profile is whose finding it is, if it is one profile's, and Others
	// counts the further profiles that the same line stops.
	Profile string
	Others  int
	// Args are what the words are about: names, paths, numbers. They may hold
	// anything that stood in a file.
	Args []string
	Err  error
	Fix  *Fix
}

// Fix is a change that mends a finding and that cannot do harm. One of its
// parts is set.
type Fix struct {
	// Edit is a change of the line at the origin.
	Edit *awsconfig.Edit
	// Mode is what the permissions of the file at the origin should be.
	Mode fs.FileMode
	// Remove are files that are no longer of use.
	Remove []string
}

// Facts are what is known of the machine. All but Config may be left out.
type Facts struct {
	Config  *awsconfig.Config
	Options plan.Options
	// Only limits the findings about profiles to this one and those that it
	// starts from; "" is all of them.
	Only string
	// Stored are the access key ids of the keyring, by profile.
	Stored map[string]string
	Files  []File
	Caches []Cache
	// Lookup returns the value of a variable, and whether it is set.
	Lookup  func(name string) (value string, ok bool)
	Prompts []Prompt
	Keyring Keyring
	// Exists reports whether there is a file, and Now is the time.
	Exists func(path string) bool
	Now    time.Time
	// Limits are those of the operating system: NoSecretless, OpenMemory,
	// OpenEndpoint.
	Limits []ID

	wanted func(profile string) bool
}

// wanted returns a test for the profiles that are to be examined: only, and
// those that it names, to whatever depth.
func wanted(c *awsconfig.Config, only string) func(profile string) bool {
	if only == "" {
		return func(string) bool { return true }
	}
	set := map[string]bool{}
	for todo := []string{only}; len(todo) > 0; todo = todo[1:] {
		if set[todo[0]] {
			continue
		}
		set[todo[0]] = true
		if p, ok, err := c.Profile(todo[0]); ok && err == nil {
			for _, key := range []string{"source_profile", "include_profile"} {
				if v := p.Keys[key].Text; v != "" {
					todo = append(todo, v)
				}
			}
		}
	}
	return func(profile string) bool { return set[profile] }
}

// Check returns the findings: those about files in the order of their lines,
// then the others. For many profiles the Config should have its index.
func Check(f Facts) []Finding {
	f.wanted = wanted(f.Config, f.Only)
	var all []Finding
	for _, family := range []func(Facts) []Finding{syntax, chains, settings, modes, caches, prompts, environment, keyrings} {
		all = append(all, family(f)...)
	}
	all = once(all)
	slices.SortStableFunc(all, func(a, b Finding) int {
		if (a.Origin.File == "") != (b.Origin.File == "") {
			return cmp.Compare(b.Origin.File, a.Origin.File)
		}
		return cmp.Or(cmp.Compare(a.Origin.File, b.Origin.File), cmp.Compare(a.Origin.Line, b.Origin.Line))
	})
	return all
}

// once leaves out what is told of a line that cannot be read at all.
func once(all []Finding) []Finding {
	unreadable := map[awsconfig.Origin]bool{}
	for _, f := range all {
		if f.ID == UnreadableLine {
			unreadable[f.Origin] = true
		}
	}
	return slices.DeleteFunc(all, func(f Finding) bool {
		return unreadable[f.Origin] && (f.ID == ID(awsconfig.NoSetting) || f.ID == ID(awsconfig.NotUTF8))
	})
}
