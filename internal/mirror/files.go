// Package mirror makes the AWS files as a switched shell sees them: the user's
// own, with every identity put behind our credential_process. It keeps the
// directories of those shells, in which the files are.
//
// Nothing that it writes is secret, and it does not know how credentials are
// made: a credential_process of its making starts the program again, with the
// name of the profile that is asked for.
package mirror

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"aws-switch-role/internal/awsconfig"
)

// version is that of the files which are made: what makes other ones of the
// same sources has another version.
const version = 2

// processKey is the key by which a profile asks a program.
const processKey = "credential_process"

// defaultProfile is the profile that the AWS tools take where none is named.
const defaultProfile = "default"

// notice is the first line of the files.
const notice = "# aws-switch-role has made this for a switched shell. Do not edit it: your own file is where it was.\n"

// Files say what the files of a switched shell are made of.
type Files struct {
	// Own are the user's files.
	Own *awsconfig.Config
	// Active is the profile that was switched to, which need not be in a file.
	// The default profile becomes an alias of it: there are SDKs that read
	// that one first.
	Active string
	// Actives take its place where many commands, each as another profile, read
	// the same files. The default profile is then an alias of the one that the
	// command at hand was switched to.
	Actives []string
	// Keyring are the profiles whose key is in the OS keyring.
	Keyring []string
	// Program is the absolute path of the program that answers for the
	// profiles.
	Program string
}

// The flags of the command credential-process by which the files ask for a
// profile: by its name or, where that has characters which shells and the
// SDKs' own splitting of the line take differently, by its hexadecimal digits;
// or for the one that whoever asks was switched to.
const (
	NameFlag = "in-shell"
	HexFlag  = "in-shell-hex"
	OwnFlag  = "in-shell-own"
)

// keyKind is what a key of a profile is for.
type keyKind uint8

const (
	setting  keyKind = iota // anything but who one is
	shape                   // how the identity is come by: alone it is none
	identity                // it yields credentials
	secret                  // it is a part of an access key
)

// kindOf knows the keys of the AWS tools, of their peers, and ours.
func kindOf(key []byte) keyKind {
	switch string(key) {
	case "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token":
		return secret
	case "role_arn", "role_name", "source_profile", "credential_source", "include_profile",
		processKey, "envchain_namespace", "login_session",
		"web_identity_token_file", "web_identity_token_process",
		"sso_account_id", "sso_role_name":
		return identity
	case "role_session_name", "external_id", "duration_seconds", "mfa_serial", "mfa_process",
		"source_identity", "session_tags", "transitive_session_tags",
		"aws_account_id", expiresKey,
		// Without an account and a role these are a sign-in for bearer tokens.
		"sso_session", "sso_start_url", "sso_region", "sso_registration_scopes":
		return shape
	}
	return setting
}

// plain reports whether a character stands for itself everywhere: in a word and
// in double quotes, for Python's shlex, a POSIX shell and cmd.exe.
func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("_.-/+:,", c) >= 0
}

// plainName reports whether a profile's name may be a word of a
// credential_process.
func plainName(name string) bool {
	for i := range len(name) {
		if !plain(name[i]) && name[i] != '@' {
			return false
		}
	}
	return true
}

// writable reports whether a path may stand between double quotes in a
// credential_process: botocore splits that line by itself, the other SDKs give
// it to a shell. In quotes cmd.exe minds an @.
func writable(path string) bool {
	for i := range len(path) {
		if !plain(path[i]) && path[i] != ' ' && path[i] != filepath.Separator {
			return false
		}
	}
	return filepath.IsAbs(path)
}

// digest names the files that are made of f.
func (f Files) digest() string {
	own := f.Own.Fingerprint()
	h := sha256.New()
	parts := []string{strconv.Itoa(version), string(own[:]), f.Active, f.Program, strconv.Itoa(len(f.Keyring))}
	for _, part := range slices.Concat(parts, slices.Sorted(slices.Values(f.Keyring)), slices.Sorted(slices.Values(f.Actives))) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// write writes the two files.
func (f Files) write() (config, credentials []byte) {
	w := writer{
		Files:    f,
		process:  processKey + ` = "` + f.Program + `" credential-process --`,
		profiles: map[string]profile{defaultProfile: asks},
	}
	if f.Active != "" {
		w.Actives = []string{f.Active}
	}
	for _, name := range w.Actives {
		w.profiles[name] |= asks | active
	}
	for _, name := range f.Keyring {
		w.profiles[name] |= asks
	}
	for {
		w.late = false
		credentials = w.credentials()
		config = w.config()
		if !w.late {
			return config, credentials
		}
	}
}

// profile is what is known of a profile.
type profile uint8

const (
	asks          profile = 1 << iota // it yields credentials, and so asks us
	active                            // it was switched to
	asIs                              // a section of it was written as it stands
	inConfig                          // the config file has it
	inCredentials                     // the credentials file has it
)

// writer writes the files in one reading of the user's. Where a section was
// written as it stands, and one that is found later says that its profile
// yields credentials after all, they are read once more.
type writer struct {
	Files
	process  string // the setting by which a profile asks us, up to its flag
	profiles map[string]profile
	names    []string // of the profiles of the credentials file, each once
	late     bool     // a profile is in a file as it stands that should ask us

	out   bytes.Buffer
	kinds []keyKind // of the lines of the section at hand
}

// credentials writes the credentials file. Only the SDK for PHP looks for a
// process there, and it looks nowhere else: an active profile has one.
func (w *writer) credentials() []byte {
	_, size := w.Own.Sizes()
	w.begin(size)
	for s := range w.Own.CredentialsSections() {
		if s.Profile != "" && w.profiles[s.Profile]&inCredentials == 0 {
			w.names = append(w.names, s.Profile)
		}
		w.section(s, inCredentials, w.profiles[s.Profile]&active != 0 || s.Profile == defaultProfile)
	}
	for _, name := range w.Actives {
		// Blanks around a name would be none of it.
		if w.profiles[name]&inCredentials == 0 && strings.TrimSpace(name) == name {
			w.open([]byte("[" + name + "]"))
			w.ask(name)
		}
	}
	if w.profiles[defaultProfile]&(inCredentials|active) == 0 {
		w.open([]byte("[" + defaultProfile + "]"))
		w.ask(defaultProfile)
	}
	return w.out.Bytes()
}

// config writes the config file.
func (w *writer) config() []byte {
	size, _ := w.Own.Sizes()
	w.begin(size)
	for s := range w.Own.ConfigSections() {
		w.section(s, inConfig, true)
	}
	added := map[string]bool{}
	for _, name := range slices.Concat(w.Actives, []string{defaultProfile}, w.Keyring, w.names) {
		if w.profiles[name]&(asks|inConfig) == asks && !added[name] {
			added[name] = true
			w.open([]byte(header(name)))
			w.ask(name)
		}
	}
	return w.out.Bytes()
}

// begin begins a file in place of the user's of that size, which is mostly the
// shorter.
func (w *writer) begin(size int) {
	w.out = bytes.Buffer{}
	w.out.Grow(size*3/2 + 1<<10)
	w.out.WriteString(notice)
}

// header is what opens a profile in the config file.
func header(profile string) string {
	switch {
	case profile == defaultProfile:
		return "[" + profile + "]"
	case plainName(profile):
		return "[profile " + profile + "]"
	}
	return `[profile "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(profile) + `"]`
}

// open writes a header on a line of its own. It is never indented: a setting
// above it would go on in it.
func (w *writer) open(header []byte) {
	if b := w.out.Bytes(); b[len(b)-1] != '\n' && b[len(b)-1] != '\r' {
		w.out.WriteByte('\n')
	}
	w.out.Write(header)
	w.out.WriteByte('\n')
}

// ask writes the setting by which a profile asks us.
func (w *writer) ask(profile string) {
	if profile == defaultProfile {
		profile = w.Active
	}
	w.out.WriteString(w.process)
	switch {
	case profile == "":
		w.out.WriteString(OwnFlag)
	case plainName(profile):
		w.out.WriteString(NameFlag + "=")
		w.out.WriteString(profile)
	default:
		w.out.WriteString(HexFlag + "=" + hex.EncodeToString([]byte(profile)))
	}
	w.out.WriteByte('\n')
}

// section writes a section of a file of the user's: as it stands, or without
// the keys of its identity. Where it may ask, it asks us in their place.
func (w *writer) section(s *awsconfig.RawSection, file profile, mayAsk bool) {
	w.open(s.Header)
	w.kinds = w.kinds[:0]
	yields := false
	for _, l := range s.Lines {
		kind := kindOf(l.Key)
		w.kinds = append(w.kinds, kind)
		yields = yields || kind >= identity && !l.Continues
	}
	is := w.profiles[s.Profile] | file
	if yields {
		w.late = w.late || is&(asks|asIs) == asIs
		is |= asks
	}
	if s.Profile == "" || is&asks == 0 {
		w.profiles[s.Profile] = is | asIs
		w.lines(s, func(_ awsconfig.Line, kind keyKind) bool { return kind == secret }, func(l awsconfig.Line) { w.out.Write(l.Raw) })
		return
	}
	w.profiles[s.Profile] = is
	if mayAsk {
		w.ask(s.Profile)
	}
	own := func(l awsconfig.Line, kind keyKind) bool {
		return kind == secret || kind != setting && !l.Continues || !l.Readable()
	}
	w.lines(s, own, func(l awsconfig.Line) {
		// What the section was indented by is gone: see open.
		if l.Continues {
			w.out.WriteString("  ")
		}
		w.out.Write(l.Text)
		w.out.WriteByte('\n')
	})
}

// lines writes the lines of a section but for those to drop and the lines that
// continue them.
func (w *writer) lines(s *awsconfig.RawSection, drop func(awsconfig.Line, keyKind) bool, write func(awsconfig.Line)) {
	dropping := false
	for i, l := range s.Lines {
		if len(l.Text) > 0 && (!l.Continues || !dropping) {
			dropped := drop(l, w.kinds[i])
			if !l.Continues {
				dropping = dropped
			}
			if dropped {
				continue
			}
		}
		if !dropping {
			write(l)
		}
	}
}
