package awsconfig

import (
	"bytes"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// Quirk is a way to write a line that the AWS tools read differently.
type Quirk string

// The quirks. The tools are the AWS CLI and boto3 (botocore), and the SDKs for
// Go and for JavaScript.
const (
	// TrailingComment is a value with a comment behind it, after a blank:
	// botocore takes the comment for a part of the value.
	TrailingComment Quirk = "trailing-comment"
	// ContinuedValue is a value that goes on in an indented line: botocore
	// and the SDK for Go join the lines, that for JavaScript keeps the first.
	ContinuedValue Quirk = "continued-value"
	// ColonSeparator is a colon in the place of the equals sign: botocore
	// takes it, the SDKs do not.
	ColonSeparator Quirk = "colon-separator"
	// QuotedValue is a value in double quotes: the SDK for Go drops them, the
	// others keep them.
	QuotedValue Quirk = "quoted-value"
	// QuotedName is a profile's name in quotes: botocore takes them off, the
	// SDKs do not find the profile.
	QuotedName Quirk = "quoted-name"
	// CapitalKey is a key in capitals: the SDK for JavaScript does not find
	// it.
	CapitalKey Quirk = "capital-key"
	// PaddedHeader is a header with blanks inside its brackets: before the
	// text botocore does not find the section, behind it the SDK for JavaScript
	// does not.
	PaddedHeader Quirk = "padded-header"
	// SecondSection is a section whose header was there before: botocore
	// refuses the whole file, the SDKs merge the two.
	SecondSection Quirk = "second-section"
	// StraySection is a section that no tool reads: one of the config file
	// without the word "profile", or one of the credentials file with it.
	StraySection Quirk = "stray-section"
	// SecondKey is a key that was there before: botocore refuses the whole
	// file, for the SDKs the last counts.
	SecondKey Quirk = "second-key"
	// NestedComment is a setting of a nested block with a comment behind it:
	// the SDK for JavaScript cuts it off, botocore and that for Go do not.
	NestedComment Quirk = "nested-comment"
	// NestedCapital is a key of a nested block in capitals: botocore does not
	// find it, the SDK for Go does.
	NestedCapital Quirk = "nested-capital"
	// TwoDefaults is a section [default] beside a [profile default]: the SDKs
	// read the second alone, botocore the later one.
	TwoDefaults Quirk = "two-defaults"
	// InheritedSection is [DEFAULT], of which all sections inherit for
	// botocore, and which nobody else reads.
	InheritedSection Quirk = "inherited-section"
	// NoSetting is a line that is neither a header nor a setting: botocore
	// refuses the whole file, the SDKs pass over the line.
	NoSetting Quirk = "no-setting"
	// HeadlessLine is a line above the first header: botocore refuses the
	// whole file, the SDKs pass over the line.
	HeadlessLine Quirk = "headless-line"
	// ByteOrderMark is one at the start of a file: botocore refuses the file.
	ByteOrderMark Quirk = "byte-order-mark"
	// NotUTF8 is a line in another encoding: botocore refuses the whole file.
	NotUTF8 Quirk = "not-utf8"
)

// Disagreement is a line that the AWS tools read differently. Section is the
// text of its header, Profile the name in it where it is a profile's, and Key
// the setting's name where the line is one.
type Disagreement struct {
	Origin
	Quirk   Quirk
	Section string
	Profile string
	Key     string
	// Before is the number of the line that a SecondSection, a SecondKey or
	// one of TwoDefaults repeats.
	Before int
	// Mended is how the line should read for all tools to read it alike, as
	// far as one line does it. Value is the part of it that may be a secret.
	Mended, Value string
}

// Disagreements yields the lines of the two files on which the AWS tools
// disagree, in their order.
func (c *Config) Disagreements() iter.Seq[Disagreement] {
	return func(yield func(Disagreement) bool) {
		_ = c.config.disagreements(yield, configHeader) && c.credentials.disagreements(yield, credentialsHeader)
	}
}

// heading is what a header says in the file that it is in.
type heading struct {
	profile string // "" when it names none
	stray   bool   // nobody reads the section
	mended  string // the header that a stray one should be
	kinds   bool   // the first word of a header is its kind
}

// configHeader reads the text of a header of the config file. The AWS CLI has
// a few sections there without a name.
func configHeader(text []byte) heading {
	h := heading{kinds: true}
	switch string(text) {
	case defaultName:
		h.profile = defaultName
		return h
	case "preview", "plugins", "toolkit", inherited:
		return h
	}
	if !slices.ContainsFunc([]string{profileKind, sessionKind, servicesKind}, func(kind string) bool { return bytes.HasPrefix(text, []byte(kind)) }) {
		h.stray = true
		if words := bytes.Fields(text); len(words) > 0 {
			h.mended = profileKind + " " + string(words[len(words)-1])
		}
		return h
	}
	if word, ok := secondWord(text, nil); ok && bytes.HasPrefix(text, []byte(profileKind)) {
		h.profile = string(word)
	}
	return h
}

// credentialsHeader is the same for the credentials file.
func credentialsHeader(text []byte) heading {
	h := heading{profile: string(text)}
	if word, ok := secondWord(text, nil); ok && bytes.HasPrefix(text, []byte(profileKind)) {
		h.stray, h.mended = true, string(word)
	}
	return h
}

// inherited is the section whose settings configparser puts into all others.
const inherited = "DEFAULT"

// differences walks through a file and tells of its quirks.
type differences struct {
	file  *file
	s     scanner
	yield func(Disagreement) bool
	read  func(text []byte) heading

	headers map[string]int // the lines of the headers, by their text
	keys    map[string]int // those of the keys of the section
	now     Disagreement   // with the section, the profile and the key
	stops   bool           // whoever is told wants no more

	// What a continuation goes on.
	plain bool // the setting has a value in its own line
	value []byte
}

// disagreements reports whether to go on.
func (f *file) disagreements(yield func(Disagreement) bool, read func(text []byte) heading) bool {
	d := differences{file: f, s: scanner{data: f.data}, yield: yield, read: read, headers: map[string]int{}}
	if f.marked {
		d.s.num = 1
		d.tell(ByteOrderMark, "", "", 0)
		d.s.num = 0
	}
	for !d.stops && d.s.scan() {
		switch d.s.kind {
		case header:
			d.header()
		case setting:
			d.setting()
		case continuation:
			d.continuation()
		}
	}
	return !d.stops
}

// tell tells of a quirk of the line that was read last.
func (d *differences) tell(q Quirk, mended, value string, before int) {
	if d.stops {
		return
	}
	now := d.now
	now.Origin, now.Quirk, now.Mended, now.Value, now.Before = d.file.origin(&d.s), q, mended, value, before
	d.stops = !d.yield(now)
}

func (d *differences) header() {
	text, _ := headerText(d.s.text)
	h := d.read(text)
	d.now = Disagreement{Section: string(text), Profile: h.profile}
	d.keys, d.plain = map[string]int{}, false
	if end := bytes.LastIndexByte(d.s.text, ']'); end-1 != len(text) {
		d.tell(PaddedHeader, "["+string(text)+"]", "", 0)
	}
	if h.kinds && quoted(text) && !h.stray {
		kind, _, _ := bytes.Cut(text, []byte(" "))
		if word, ok := secondWord(text, nil); ok {
			d.tell(QuotedName, "["+string(kind)+" "+strings.Join(strings.Fields(string(word)), "-")+"]", "", 0)
		}
	}
	before := d.headers[d.now.Section]
	switch other := d.otherDefault(h); {
	case before > 0:
		d.tell(SecondSection, "", "", before)
	case other > 0:
		d.tell(TwoDefaults, "", "", other)
	default:
		d.headers[d.now.Section] = d.s.num
	}
	switch {
	case h.kinds && string(text) == inherited:
		d.tell(InheritedSection, "", "", 0)
	case h.stray && h.mended != "":
		d.tell(StraySection, "["+h.mended+"]", "", 0)
	}
}

// otherDefault is the line of the other of the two headers that the config
// file may have for the profile default.
func (d *differences) otherDefault(h heading) int {
	if !h.kinds || h.profile != defaultName {
		return 0
	}
	if d.now.Section == defaultName {
		return d.headers[profileKind+" "+defaultName]
	}
	return d.headers[defaultName]
}

func (d *differences) setting() {
	d.now.Key, d.plain = "", false
	text := d.s.text
	if !utf8.Valid(text) {
		d.tell(NotUTF8, "", "", 0)
		return
	}
	if text[0] == '[' { // a header that lacks something: see [Config.Malformed]
		d.keys = map[string]int{}
		return
	}
	if d.keys == nil {
		d.tell(HeadlessLine, "", "", 0)
		return
	}
	sep := bytes.IndexAny(text, "=:")
	if sep <= 0 {
		d.tell(NoSetting, "", "", 0)
		return
	}
	key, value := bytes.TrimSpace(text[:sep]), bytes.TrimSpace(text[sep+1:])
	plain := cutComment(text[sep+1:])
	d.now.Key, d.plain, d.value = lower(key), len(plain) > 0, plain
	isQuoted := len(plain) > 1 && plain[0] == '"' && plain[len(plain)-1] == '"' && !slices.Contains(commands, d.now.Key)
	should := plain
	if isQuoted {
		should = plain[1 : len(plain)-1]
	}
	tell := func(q Quirk) { d.tell(q, d.now.Key+" = "+string(should), string(should), 0) }
	if text[sep] == ':' {
		tell(ColonSeparator)
	}
	if string(key) != d.now.Key {
		tell(CapitalKey)
	}
	if len(plain) != len(value) {
		tell(TrailingComment)
	}
	if isQuoted {
		tell(QuotedValue)
	}
	if before := d.keys[d.now.Key]; before > 0 {
		d.tell(SecondKey, "", "", before)
	}
	d.keys[d.now.Key] = d.s.num
}

func (d *differences) continuation() {
	text := d.s.text
	switch {
	case !utf8.Valid(text):
		d.tell(NotUTF8, "", "", 0)
		return
	case d.now.Key == "": // it goes on what was told of
		return
	case d.plain:
		whole := string(d.value) + " " + string(text)
		d.tell(ContinuedValue, d.now.Key+" = "+whole, whole, 0)
		d.now.Key = "" // once is enough
		return
	}
	outer := d.now
	defer func() { d.now = outer }()
	key, value, ok := bytes.Cut(text, []byte("="))
	key, value = bytes.TrimSpace(key), bytes.TrimSpace(value)
	if !ok || len(key) == 0 {
		d.tell(NoSetting, "", "", 0)
		return
	}
	d.now.Key = outer.Key + "." + lower(key)
	plain := cutComment(value)
	should := lower(key) + " = " + string(plain)
	if lower(key) != string(key) {
		d.tell(NestedCapital, should, string(plain), 0)
	}
	if len(plain) != len(value) {
		d.tell(NestedComment, should, string(plain), 0)
	}
}

// commands are keys whose value is a command line, in which quotes are the
// command's own.
var commands = []string{"credential_process", "mfa_process", "web_identity_token_process"}
