package plan

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/message"
)

// RoleARN is the parsed name of a role.
type RoleARN struct {
	Partition string // aws, aws-cn, aws-us-gov, …
	Account   string // twelve digits
	Path      string // path and name: "Ops", "team/Deploy"
}

// Name returns the role's name without its path.
func (r RoleARN) Name() string { return r.Path[strings.LastIndexByte(r.Path, '/')+1:] }

// String returns the ARN.
func (r RoleARN) String() string {
	return "arn:" + r.Partition + ":iam::" + r.Account + ":role/" + r.Path
}

// ParseRoleARN reads the ARN of an IAM role (IAM User Guide, "IAM ARNs").
func ParseRoleARN(s string) (RoleARN, error) {
	bad := func() error {
		return message.New("role-arn-form", "%s is not a role's ARN, which looks like arn:aws:iam::123456789012:role/Name", shown(s))
	}
	f := strings.SplitN(s, ":", 6)
	if len(f) != 6 || f[0] != "arn" || !strings.HasPrefix(f[1], "aws") || !made(f[1], lower+"-", 3, 32) || f[3] != "" || !made(f[4], digits, 12, 12) {
		return RoleARN{}, bad()
	}
	kind, path, _ := strings.Cut(f[5], "/")
	switch {
	case f[2] == "iam" && kind == "role" && made(path, nameChars+"/", 1, 576) && !strings.HasSuffix(path, "/"):
		return RoleARN{f[1], f[4], path}, nil
	case f[2] == "sts" && kind == "assumed-role":
		role, _, _ := strings.Cut(path, "/")
		return RoleARN{}, message.New("role-arn-of-session", "%s names a session of a role; the role itself is arn:%s:iam::%s:role/%s", shown(s), f[1], f[4], shown(role))
	}
	return RoleARN{}, bad()
}

// RoleOf is what a profile says of the role that it stands for, as the AWS SDKs
// spell it or the browser extension AWS Extend Switch Roles does. Nothing of it
// is checked.
func RoleOf(p awsconfig.Profile) (account, role string) {
	if arn, err := ParseRoleARN(p.Keys["role_arn"].Text); err == nil {
		return arn.Account, arn.Path
	}
	for _, k := range [][2]string{{"sso_account_id", "sso_role_name"}, {"aws_account_id", "role_name"}} {
		if id := p.Keys[k[0]].Text; id != "" {
			return id, p.Keys[k[1]].Text
		}
	}
	return "", p.Keys["role_arn"].Text
}

// RoleIn is the ARN of a role, by its path and name, in an account of the
// partition that a region is in.
func RoleIn(region, account, path string) string {
	return "arn:" + partitionOf(region) + ":iam::" + account + ":role/" + path
}

// Alphabets of the AWS STS API reference. Checks are loops over them rather
// than regular expressions, which every start of the program would compile.
const (
	digits    = "0123456789"
	lower     = "abcdefghijklmnopqrstuvwxyz"
	upper     = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	nameChars = digits + lower + upper + "_+=,.@-"
)

// made reports whether s consists of shortest to longest characters of the
// alphabet.
func made(s, alphabet string, shortest, longest int) bool {
	return len(s) >= shortest && len(s) <= longest && strings.Trim(s, alphabet) == ""
}

func validName(s string) bool       { return made(s, nameChars, 2, 64) }
func validExternalID(s string) bool { return made(s, nameChars+":/", 2, 1224) }

// validKeyID is wider than AWS's own ids, of 16 characters or more: the
// emulators that people develop against take short ones.
func validKeyID(s string) bool { return made(s, digits+lower+upper+"_-", 1, 128) }

// validRegion holds a region to a host name's label, as botocore does: it
// becomes part of one.
func validRegion(s string) bool {
	return made(s, lower+digits+"-", 1, 63) && strings.Trim(s, "-") == s
}

// tagText reports whether s is made of what AWS takes in the key and the value
// of a tag: [\p{L}\p{Z}\p{N}_.:/=+\-@].
func tagText(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+-@", r)
	}) && utf8.ValidString(s)
}

const maxTags = 50

// checkSerial says what is wrong with the serial number of an MFA device.
func checkSerial(s string) error {
	if strings.Contains(s, ":u2f/") {
		return message.New("fido", "%s is a FIDO security key or passkey, which STS cannot use", shown(s))
	}
	if !made(s, nameChars+"/:", 9, 256) {
		return message.New("device-form", "%s is not an MFA device: an ARN such as arn:aws:iam::123456789012:mfa/name, or a hardware token's serial number", shown(s))
	}
	return nil
}

// DefaultSessionName makes a role session name of a user's name.
func DefaultSessionName(user string) string {
	user = user[strings.LastIndexByte(user, '\\')+1:] // DOMAIN\user
	s := strings.Map(func(r rune) rune {
		if strings.ContainsRune(nameChars, r) {
			return r
		}
		return '-'
	}, user)
	switch {
	case s == "":
		return "aws-switch-role"
	case len(s) == 1:
		return s + "-user"
	}
	return s[:min(len(s), 64)]
}

// role makes the hop of one role profile. isTarget is the last one, which
// flags are about; chained says that it is assumed with temporary credentials;
// spendsMFA that its own hop is the one that a code is for.
func (b *builder) role(l link, isTarget, chained, spendsMFA bool) (AssumeRole, []Fact, error) {
	var h AssumeRole
	var facts []Fact
	bad := func(v awsconfig.Value, key string, msg message.Text) error {
		return &Error{Kind: BadValue, Profile: l.Name, Origin: v.Origin, From: fromFlag(v), Name: key, Msg: msg}
	}
	// value is a flag's text for the target, else the profile's.
	value := func(flag, text, key string) awsconfig.Value {
		if isTarget && text != "" {
			return awsconfig.Value{Text: text, Origin: awsconfig.Origin{File: flag}}
		}
		v, _ := l.get(key)
		return v
	}
	note := func(key string, v awsconfig.Value) { facts = append(facts, Fact{key, v.Text, v.Origin.String()}) }

	arn, _ := l.get("role_arn")
	parsed, err := ParseRoleARN(arn.Text)
	if err != nil {
		return h, nil, bad(arn, "role_arn", message.Of(err))
	}
	h.RoleARN = arn.Text
	note("role_arn", arn)

	if v := value("--role-session-name", b.o.SessionName, "role_session_name"); v.Text != "" {
		if !validName(v.Text) {
			return h, nil, bad(v, "role_session_name", message.New("session-name-form", "role_session_name must be 2 to 64 letters, digits or _+=,.@-"))
		}
		h.SessionName = v.Text
		note("role_session_name", v)
	} else {
		h.SessionName = DefaultSessionName(b.o.UserName)
		facts = append(facts, Fact{"role_session_name", h.SessionName, ofUser})
	}
	if v := value("--external-id", b.o.ExternalID, "external_id"); v.Text != "" {
		if !validExternalID(v.Text) {
			return h, nil, bad(v, "external_id", message.New("external-id-form", "external_id must be 2 to 1224 letters, digits or _+=,.@:/-"))
		}
		h.ExternalID = v.Text
		note("external_id", v)
	}
	if v := value("--source-identity", b.o.SourceIdentity, "source_identity"); v.Text != "" {
		if !validName(v.Text) {
			return h, nil, bad(v, "source_identity", message.New("source-identity-form", "source_identity must be 2 to 64 letters, digits or _+=,.@-"))
		}
		h.SourceIdentity = v.Text
		note("source_identity", v)
	}
	if err := b.tags(&h, l, isTarget, bad, note); err != nil {
		return h, nil, err
	}
	if isTarget {
		if h.Policy, h.PolicyARNs, err = b.policies(l, parsed.Partition, note); err != nil {
			return h, nil, err
		}
	}
	if err := b.duration(&h, l, isTarget, chained, spendsMFA, bad, &facts); err != nil {
		return h, nil, err
	}
	return h, facts, nil
}

// tags reads session tags as aws-vault spells them: key=value,key=value, and
// the transitive ones as key,key. Flags add to the profile's.
func (b *builder) tags(h *AssumeRole, l link, isTarget bool, bad func(awsconfig.Value, string, message.Text) error, note func(string, awsconfig.Value)) error {
	tags, ok := l.get("session_tags")
	if ok {
		for item := range strings.SplitSeq(tags.Text, ",") {
			k, v, ok := strings.Cut(strings.TrimSpace(item), "=")
			if !ok {
				return bad(tags, "session_tags", message.New("tags-form", "session_tags must be key=value,key=value"))
			}
			h.Tags = append(h.Tags, Tag{strings.TrimSpace(k), strings.TrimSpace(v)})
		}
		note("session_tags", tags)
	}
	transitive, ok := l.get("transitive_session_tags")
	if ok {
		for k := range strings.SplitSeq(transitive.Text, ",") {
			h.TransitiveTags = append(h.TransitiveTags, strings.TrimSpace(k))
		}
		note("transitive_session_tags", transitive)
	}
	if isTarget {
		for _, t := range b.o.Tags {
			h.Tags = slices.DeleteFunc(h.Tags, func(have Tag) bool { return have.Key == t.Key })
			h.Tags = append(h.Tags, t)
			tags.Origin = awsconfig.Origin{File: "--tag"}
			note("session tag", awsconfig.Value{Text: t.Key + "=" + t.Value, Origin: tags.Origin})
		}
		for _, k := range b.o.TransitiveTags {
			if !slices.Contains(h.TransitiveTags, k) {
				h.TransitiveTags = append(h.TransitiveTags, k)
				transitive.Origin = awsconfig.Origin{File: "--transitive-tag"}
				note("transitive tag", awsconfig.Value{Text: k, Origin: transitive.Origin})
			}
		}
	}
	// The order in which tags were written does not shape the session.
	slices.SortFunc(h.Tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	slices.Sort(h.TransitiveTags)
	if len(h.Tags) > maxTags {
		return bad(tags, "session_tags", message.New("too-many-tags", "a session takes at most %d tags, not %d", maxTags, len(h.Tags)))
	}
	for i, t := range h.Tags {
		if n := len([]rune(t.Key)); n < 1 || n > 128 || len([]rune(t.Value)) > 256 {
			return bad(tags, "session_tags", message.New("tag-length", "a session tag has a key of 1 to 128 characters and a value of at most 256"))
		}
		if !tagText(t.Key) || !tagText(t.Value) {
			return bad(tags, "session_tags", message.New("tag-characters", "a session tag consists of letters, digits, spaces and _.:/=+-@"))
		}
		if i > 0 && h.Tags[i-1].Key == t.Key {
			return bad(tags, "session_tags", message.New("tag-twice", "the session tag %s is given twice", shown(t.Key)))
		}
	}
	for _, k := range h.TransitiveTags {
		if !slices.ContainsFunc(h.Tags, func(t Tag) bool { return t.Key == k }) {
			return bad(transitive, "transitive_session_tags", message.New("transitive-tag-unknown", "the transitive tag %s is not among the session tags", shown(k)))
		}
	}
	return nil
}

// duration decides how long the role session is to last.
func (b *builder) duration(h *AssumeRole, l link, isTarget, chained, spendsMFA bool, bad func(awsconfig.Value, string, message.Text) error, facts *[]Fact) error {
	note := func(d time.Duration, from string) {
		h.Duration = d
		*facts = append(*facts, Fact{"duration_seconds", Length(d), from})
	}
	asked := isTarget && (b.o.Longest || b.o.Duration != 0)
	flag := awsconfig.Value{Origin: awsconfig.Origin{File: "--duration"}}
	v, ok := l.get("duration_seconds")
	var d time.Duration
	switch {
	case asked && b.o.Longest && chained:
		note(MaxChainedDuration, "the most that role chaining allows")
		return nil
	case asked && b.o.Longest:
		h.Duration = 0
		*facts = append(*facts, Fact{"duration_seconds", longest, "--duration"})
		return nil
	case asked:
		v, d = flag, b.o.Duration
	case ok:
		n, err := strconv.Atoi(v.Text)
		if err != nil {
			return bad(v, "duration_seconds", message.New("duration-form", "duration_seconds must be a whole number of seconds, 900 to 43200"))
		}
		d = time.Duration(n) * time.Second
	default:
		note(DefaultRoleDuration, "default")
		return nil
	}
	if d < MinDuration || d > MaxRoleDuration || d%time.Second != 0 {
		return bad(v, "duration_seconds", message.New("role-session-length", "a role session lasts from 15m to 12h (900 to 43200 seconds), not %s", Length(d)))
	}
	if d > MaxChainedDuration {
		switch {
		case chained && !isTarget, chained && asked && b.o.DurationDefault:
			note(MaxChainedDuration, "the most that role chaining allows")
			return nil
		case chained:
			return &Error{Kind: ChainedDuration, Profile: l.Name, Origin: v.Origin, From: fromFlag(v), Name: h.RoleARN,
				Msg: message.New("chained-length", "a role assumed with temporary credentials lasts 1h at most, not %s: AWS calls it role chaining", Length(d))}
		case spendsMFA && !isTarget:
			// A stepping stone that asked for a code of its own would cost the
			// one code that serves every role.
			note(MaxChainedDuration, "enough for the role behind it")
			return nil
		}
	}
	note(d, v.Origin.String())
	return nil
}

// boolean reads a key of ours that is true or false, absent meaning false.
func boolean(l link, key string) (bool, error) {
	v, ok := l.get(key)
	if !ok {
		return false, nil
	}
	b, err := parseBool(v.Text)
	if err != nil {
		return false, &Error{Kind: BadValue, Profile: l.Name, Origin: v.Origin, Name: key, Msg: message.New("not-a-bool", "%s must be true or false", key)}
	}
	return b, nil
}

var errNotBool = errors.New("neither true nor false")

func parseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errNotBool
}

// Length writes a duration as people do: 12h, 1h30m, 900s as 15m.
func Length(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
