package plan

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/message"
)

var update = flag.Bool("update", false, "rewrite the wanted output of testdata/*.txtar")

// TestTable plans each case of testdata: files and options in, printed plan
// or error out.
func TestTable(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runCase(t, archive)
			i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
			if *update {
				if i >= 0 {
					archive.Files = archive.Files[:i]
				}
				archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if i < 0 {
				t.Fatal("no section want")
			}
			if diff := cmp.Diff(string(archive.Files[i].Data), got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

// runCase plans one case and returns what is printed of it.
func runCase(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir() + string(os.PathSeparator)
	var args []string
	env := parseEnv(t, "")
	for _, f := range archive.Files {
		switch f.Name {
		case "args":
			args = strings.Fields(string(f.Data))
		case "env":
			env = parseEnv(t, string(f.Data))
		case "config", "credentials":
			if err := os.WriteFile(dir+f.Name, f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	o := parseArgs(t, args[1:])
	o.Environment = env
	c, err := awsconfig.Load(dir+"config", dir+"credentials")
	if err != nil {
		t.Fatal(err)
	}
	p, err := For(c, args[0], o)
	return strings.ReplaceAll(printed(t, p, err), dir, "")
}

// printed is what the table shows of a plan or of the error in its place.
func printed(t *testing.T, p Plan, err error) string {
	t.Helper()
	if err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return "error: " + err.Error() + "\n"
		}
		out := fmt.Sprintf("error: %v\n", err)
		if len(e.Near) > 0 {
			out += "near: " + strings.Join(e.Near, ", ") + "\n"
		}
		for _, s := range e.Loop {
			out += fmt.Sprintf("loop: %s %s\n", s.Profile, s.Origin)
		}
		return out
	}
	checkInvariants(t, p)
	var b bytes.Buffer
	if err := Print(&b, p, message.Text.String, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// checkInvariants holds every plan to AWS's rules.
func checkInvariants(t *testing.T, p Plan) {
	t.Helper()
	if len(p.Facts) != len(p.Hops) {
		t.Errorf("%d facts for %d hops", len(p.Facts), len(p.Hops))
	}
	temporary, asked := isTemporary(p.Source()), 0
	if w, ok := p.Source().(WebIdentity); ok && w.Endpoint.Region == "" {
		t.Error("web identity has no endpoint")
	}
	for i, h := range p.Hops[1:] {
		switch h := h.(type) {
		case SessionToken:
			if temporary || i > 0 {
				t.Error("GetSessionToken with temporary credentials")
			}
			if h.MFA.Serial != "" {
				asked++
			}
		case FederationToken:
			if temporary || i > 0 || len(p.Hops) > 2 {
				t.Error("GetFederationToken with temporary credentials, or more behind it")
			}
			if h.Policy == "" && len(h.PolicyARNs) == 0 {
				t.Error("a federated user who may do nothing")
			}
		case AssumeRole:
			if temporary && h.Duration > MaxChainedDuration {
				t.Errorf("%s for a chained role", h.Duration)
			}
			if h.MFA.Serial != "" {
				asked++
				if i > 0 {
					t.Error("a code goes with a role that is assumed with another session")
				}
			}
			if h.Duration != 0 && (h.Duration < MinDuration || h.Duration > MaxRoleDuration) {
				t.Errorf("a role session of %s", h.Duration)
			}
		default:
			t.Errorf("a source in the middle: %T", h)
		}
		temporary = true
	}
	if last, ok := p.Hops[len(p.Hops)-1].(SessionToken); ok && p.Console.URL != "" {
		t.Errorf("%s signs in to the console", Describe(last))
	}
	if d := p.Console.Duration; d != 0 && len(p.Hops) > 2 {
		t.Errorf("a console session of %s for a chained role", d)
	}
	if asked > 1 || asked != len(p.Asks()) {
		t.Errorf("%d codes are asked for, %d announced", asked, len(p.Asks()))
	}
}

func parseEnv(t *testing.T, text string) Environment {
	t.Helper()
	env := Environment{Self: "/opt/bin/aws-switch-role"}
	texts := map[string]*string{
		"AWS_ENDPOINT_URL_STS":                   &env.EndpointURLSTS,
		"AWS_ENDPOINT_URL":                       &env.EndpointURL,
		"AWS_STS_REGIONAL_ENDPOINTS":             &env.STSRegional,
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS":    &env.IgnoreEndpoints,
		"AWS_ROLE_ARN":                           &env.RoleARN,
		"AWS_ROLE_SESSION_NAME":                  &env.RoleSessionName,
		"AWS_WEB_IDENTITY_TOKEN_FILE":            &env.WebIdentityTokenFile,
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": &env.ContainerRelativeURI,
		"AWS_CONTAINER_CREDENTIALS_FULL_URI":     &env.ContainerFullURI,
		"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": &env.ContainerTokenFile,
		"AWS_EC2_METADATA_SERVICE_ENDPOINT":      &env.MetadataEndpoint,
		"AWS_EC2_METADATA_DISABLED":              &env.MetadataDisabled,
		"AWS_ENDPOINT_URL_SIGNIN":                &env.EndpointURLSign,
	}
	for line := range strings.Lines(text) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch k {
		case "AWS_ACCESS_KEY_ID":
			env.AccessKeyID = v
		case "AWS_SECRET_ACCESS_KEY":
			env.HasSecret = true
		case "AWS_SESSION_TOKEN":
			env.HasToken = true
		case "AWS_REGION":
			env.Region, env.RegionFrom = v, k
		case "IN_ROLE":
			env.InRole, env.BaseKeyID = true, v
		default:
			if texts[k] == nil {
				t.Fatalf("unknown variable %s", k)
			}
			*texts[k] = v
		}
	}
	return env
}

func parseArgs(t *testing.T, args []string) Options {
	t.Helper()
	o := Options{UserName: "jane"}
	for i := 0; i < len(args); i++ {
		flag := args[i]
		switch flag {
		case "--on-ec2":
			o.OnEC2 = func() bool { return true }
			continue
		case "--no-session":
			o.NoSession = true
			continue
		case "--read-only":
			o.ReadOnly = true
			continue
		case "--console":
			o.Console = true
			continue
		}
		i++
		v := args[i]
		switch flag {
		case "--duration-default":
			o.DurationDefault = true
			fallthrough
		case "--duration":
			if v == "max" {
				o.Longest = true
				continue
			}
			d, err := time.ParseDuration(v)
			if err != nil {
				t.Fatal(err)
			}
			o.Duration = d
		case "--source-profile":
			o.SourceProfile = v
		case "--mfa-serial":
			o.MFASerial = v
		case "--external-id":
			o.ExternalID = v
		case "--role-session-name":
			o.SessionName = v
		case "--source-identity":
			o.SourceIdentity = v
		case "--tag":
			k, val, _ := strings.Cut(v, "=")
			o.Tags = append(o.Tags, Tag{k, val})
		case "--transitive-tag":
			o.TransitiveTags = append(o.TransitiveTags, v)
		case "--region":
			o.Region = v
		case "--policy":
			o.Policy, o.PolicyFrom = v, flag
		case "--policy-arn":
			o.PolicyARNs = append(o.PolicyARNs, v)
		case "--user":
			o.UserName = v
		case "--in-keyring":
			name, id, _ := strings.Cut(v, "=")
			o.InKeyring = only(name, id)
		default:
			t.Fatalf("unknown flag %s", flag)
		}
	}
	return o
}

// TestKeyringFails: when it is not known whether the keyring holds a key, no
// other key takes its place.
func TestChain(t *testing.T) {
	c := load(t, `[profile base]
aws_access_key_id = AKIAEXAMPLEBASEBASE0
aws_secret_access_key = s
[profile one]
role_arn = arn:aws:iam::222222222222:role/One
source_profile = base
[profile two]
role_arn = arn:aws:iam::333333333333:role/Two
source_profile = one
[profile self]
role_arn = arn:aws:iam::222222222222:role/Self
source_profile = self
aws_access_key_id = AKIAEXAMPLESELFSELF0
aws_secret_access_key = s
[profile wrapped]
role_arn = arn:aws:iam::222222222222:role/Wrapped
credential_source = Environment
`)
	env := Environment{AccessKeyID: "AKIAEXAMPLEWRAPPED00", HasSecret: true}
	for name, want := range map[string][]string{
		"base": {"base"}, "one": {"base", "one"}, "two": {"base", "one", "two"}, "self": {"self"}, "wrapped": {"wrapped"},
		"arn:aws:iam::222222222222:role/Ops": {"Ops@222222222222"},
	} {
		p, err := For(c, name, Options{UserName: "jane", Environment: env})
		if err != nil || !slices.Equal(p.Chain, want) {
			t.Errorf("the chain of %s is %q (%v), want %q", name, p.Chain, err, want)
		}
	}
}

// TestBrief: what is wrong is said, what it may have been is not looked for.
func TestBrief(t *testing.T) {
	c := load(t, "[profile main]\n[profile x]\nrole_arn = arn:aws:iam::222222222222:role/X\nsource_profile = mian\n[profile y]\ninclude_profile = mian\n")
	for name, want := range map[string]Kind{"mian": UnknownProfile, "x": MissingSource, "y": MissingSource} {
		for _, brief := range []bool{false, true} {
			_, err := For(c, name, Options{Brief: brief})
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Kind != want || slices.Contains(e.Near, "main") == brief {
				t.Errorf("%s, brief %t: %+v", name, brief, err)
			}
		}
	}
}

func TestKeyringFails(t *testing.T) {
	c := load(t, "[default]\naws_access_key_id = AKIAEXAMPLEDEFAULT1\naws_secret_access_key = secret\n")
	broken := errors.New("broken")
	_, err := For(c, "default", Options{InKeyring: func(string) (string, error) { return "", broken }})
	if !errors.Is(err, broken) {
		t.Errorf("err = %v", err)
	}
}

// TestEveryFieldIsInTheKey changes each field of each hop in turn: the key
// must change with it, unless the field says that it does not shape the
// credentials.
func TestEveryFieldIsInTheKey(t *testing.T) {
	checked := 0
	for _, hop := range []Hop{
		StoredKey{}, EnvchainKey{}, EnvironmentKey{}, InstanceMetadata{}, Container{}, Process{}, WebIdentity{}, SSO{}, Login{}, SessionToken{}, FederationToken{}, AssumeRole{},
	} {
		base := Plan{Hops: []Hop{hop}}.Key(0)
		eachField(reflect.TypeOf(hop), nil, func(path []int, name string, keyed bool) {
			v := reflect.New(reflect.TypeOf(hop)).Elem()
			v.Set(reflect.ValueOf(hop))
			change(t, v.FieldByIndex(path))
			if got := (Plan{Hops: []Hop{v.Interface().(Hop)}}).Key(0) != base; got != keyed {
				t.Errorf("%T.%s: changes the key: %v, want %v", hop, name, got, keyed)
			}
			checked++
		})
	}
	if checked < 50 {
		t.Errorf("only %d fields were checked", checked)
	}
}

func eachField(typ reflect.Type, path []int, f func(path []int, name string, keyed bool)) {
	for i := range typ.NumField() {
		field := typ.Field(i)
		at := append(slices.Clone(path), i)
		keyed := field.Tag.Get("key") != "-"
		if field.Type.Kind() == reflect.Struct {
			eachField(field.Type, at, func(p []int, n string, k bool) { f(p, field.Name+"."+n, k && keyed) })
			continue
		}
		f(at, field.Name, keyed)
	}
}

func change(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString("changed")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64, reflect.Int:
		v.SetInt(42)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	default:
		t.Fatalf("no way to change a %s", v.Kind())
	}
}

func TestKeysOfOneDeviceAreShared(t *testing.T) {
	plans := map[string]Plan{}
	c := load(t, `
[profile a]
role_arn = arn:aws:iam::222222222222:role/A
source_profile = default
mfa_serial = arn:aws:iam::111111111111:mfa/me
region = us-east-1
[profile b]
role_arn = arn:aws:iam::333333333333:role/B
source_profile = default
mfa_serial = arn:aws:iam::111111111111:mfa/me
region = ap-northeast-1
[default]
aws_access_key_id = AKIAEXAMPLEDEFAULT1
aws_secret_access_key = secret
`)
	for _, name := range []string{"a", "b"} {
		p, err := For(c, name, Options{UserName: "jane"})
		if err != nil {
			t.Fatal(err)
		}
		plans[name] = p
	}
	a, b := plans["a"], plans["b"]
	if a.Key(1) != b.Key(1) {
		t.Error("two regions behind one device do not share its session")
	}
	if a.Key(2) == b.Key(2) {
		t.Error("two roles have one key")
	}
}

func load(t *testing.T, config string) *awsconfig.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := awsconfig.Load(file, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMinLeft(t *testing.T) {
	for _, tc := range []struct {
		hop  Hop
		want time.Duration
	}{
		{AssumeRole{Duration: time.Hour}, 15 * time.Minute},
		{AssumeRole{Duration: 15 * time.Minute}, 5 * time.Minute},
		{AssumeRole{}, 15 * time.Minute},
		{SessionToken{Duration: 12 * time.Hour}, 15 * time.Minute},
	} {
		if got := (Plan{Hops: []Hop{tc.hop}}).MinLeft(0); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.hop, got, tc.want)
		}
	}
}

func TestDefaultSessionName(t *testing.T) {
	for user, want := range map[string]string{
		"jane": "jane", "": "aws-switch-role", "x": "x-user", `CORP\jane.doe`: "jane.doe", "José O'Neil": "Jos--O-Neil",
		strings.Repeat("a", 100): strings.Repeat("a", 64),
	} {
		if got := DefaultSessionName(user); got != want || !validName(got) {
			t.Errorf("%q becomes %q, want %q", user, got, want)
		}
	}
}

func TestNear(t *testing.T) {
	names := []string{"production", "staging", "sub-account", "sub-account-2", "dev"}
	for name, want := range map[string]string{
		"prodcution": "production", "Production": "production", "sub-acount": "sub-account", "sub": "sub-account",
		"dve": "dev", "zzz": "",
	} {
		got := append(near(name, slices.Values(names)), "")
		if got[0] != want {
			t.Errorf("near %s is %q, want %q", name, got[0], want)
		}
	}
}

func TestShown(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "eu-west-1": "eu-west-1", "me\n aws_secret_access_key = x": "me…", "roleaws_secret_access_key=x": "roleaws_secret_access_key…",
		"=x": "…", strings.Repeat("é", 200): strings.Repeat("é", 200), strings.Repeat("é", 201): strings.Repeat("é", 200) + "…",
	} {
		if got := shown(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

// Python's shlex.split parts command lines so.
func TestSplitCommand(t *testing.T) {
	for line, want := range map[string][]string{
		"":                         nil,
		" \t\n":                    nil,
		"tool -a  b\tc":            {"tool", "-a", "b", "c"},
		`tool "a b" 'c d' e\ f`:    {"tool", "a b", "c d", "e f"},
		`"/opt/my tool"/bin x'y'z`: {"/opt/my tool/bin", "xyz"},
		`tool "" ''`:               {"tool", "", ""},
		`tool "a\"b\\c\d"`:         {"tool", `a"b\c\d`},
		`tool 'a\b'`:               {"tool", `a\b`},
		`tool $HOME ~ * | ; # x`:   {"tool", "$HOME", "~", "*", "|", ";", "#", "x"},
		`tool a\'b`:                {"tool", "a'b"},
	} {
		got, err := SplitCommand(line)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", line, got, err, want)
		}
	}
	for _, line := range []string{`tool "a`, `tool 'a`, `tool a\`, `"`} {
		if got, err := SplitCommand(line); err == nil {
			t.Errorf("%s: %q, want an error", line, got)
		}
	}
}
