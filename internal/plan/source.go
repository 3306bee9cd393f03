package plan

import (
	"cmp"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/message"
)

// credentialSource handles the key of that name; its values are case-sensitive
// (AWS SDKs and Tools Reference Guide, "Assume role credential provider").
func (b *builder) credentialSource(ch *chain, l link, v awsconfig.Value) error {
	switch v.Text {
	case "Environment":
		return b.environment(ch, l, v.Origin.String())
	case "Ec2InstanceMetadata":
		if b.o.Environment.metadataOff() {
			return &Error{Kind: Conflict, Profile: l.Name, Origin: v.Origin, Name: "AWS_EC2_METADATA_DISABLED", Msg: message.New("metadata-forbidden", "credential_source = Ec2InstanceMetadata, and AWS_EC2_METADATA_DISABLED forbids it")}
		}
		return b.instanceMetadata(ch, l, v.Origin.String())
	case "EcsContainer":
		if b.o.Environment.ContainerRelativeURI == "" && b.o.Environment.ContainerFullURI == "" {
			return &Error{Kind: NoContainer, Profile: l.Name, Origin: v.Origin, Name: v.Text,
				Msg: message.New("container-nowhere", "credential_source = EcsContainer, and the environment has no AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI")}
		}
		return b.container(ch, l, v.Origin.String())
	}
	return &Error{Kind: BadValue, Profile: l.Name, Origin: v.Origin, Name: v.Text, Near: near(v.Text, slices.Values([]string{"Environment", "Ec2InstanceMetadata", "EcsContainer"})),
		Msg: message.New("credential-source", "credential_source is %s; it may be Environment, Ec2InstanceMetadata or EcsContainer", shown(v.Text))}
}

// source makes the profile l, which assumes no role with other credentials,
// the source of ch. The order is botocore's for a profile: web identity, SSO,
// the credentials file, login, process, the config file
// (ProfileProviderBuilder.providers); the keyrings go before the files.
func (b *builder) source(ch *chain, l link, asSource bool) error {
	ch.from = l
	switch {
	case l.has("web_identity_token_file", "web_identity_token_process"):
		return b.webIdentityProfile(ch, l)
	case l.has("sso_account_id", "sso_role_name"):
		return b.sso(ch, l)
	case l.keyring != "" || l.has("envchain_namespace"):
		return b.keyringKey(ch, l)
	case l.has("aws_access_key_id") && l.Keys["aws_access_key_id"].File == b.config.CredentialsFile():
		return b.storedKey(ch, l)
	case l.has("login_session"):
		return b.login(ch, l)
	case l.has("credential_process"):
		v := l.Keys["credential_process"]
		if !b.callsUs(v.Text, l.Name) {
			ch.source = Process{Profile: l.Name, Command: v.Text}
			ch.facts = []Fact{{"credential_process", v.Text, v.Origin.String()}}
			return nil
		}
		if !l.static() {
			return &Error{Kind: ProcessLoop, Profile: l.Name, Origin: v.Origin, Name: l.Name, Msg: message.New("process-is-us", "credential_process starts this program for the same profile again, and the profile has nothing else to start from")}
		}
		return b.storedKey(ch, l)
	case l.has("aws_access_key_id"):
		return b.storedKey(ch, l)
	case l.has("sso_session", "sso_start_url"):
		return b.sso(ch, l)
	case l.static():
		return b.storedKey(ch, l) // which says what is missing
	}
	switch {
	case asSource:
		return &Error{Kind: NoCredentials, Profile: l.Name, Origin: l.Origin, Name: l.Name, Msg: message.New("source-without-keys", "the source profile %s must have credentials", l.Name)}
	case b.o.Environment.any():
		return b.environment(ch, l, "no keys and no role in the profile")
	case b.o.Environment.other():
		return b.ambient(ch, l)
	case b.onInstance(l):
		return b.instanceMetadata(ch, l, "no other source in the profile")
	}
	return &Error{Kind: NoCredentials, Profile: l.Name, Origin: l.Origin, Name: l.Name, Msg: message.New("nothing-to-start-from", "the profile has no keys and no role")}
}

// KeyOf returns the parts of the key that a profile holds, empty ones where it
// has none. They are those of one file, the one with the id: what the other
// file says is of another key (botocore, SharedCredentialProvider and
// ConfigProvider). The token has an older name, which goes first there.
func KeyOf(p awsconfig.Profile) (id, secret, token awsconfig.Value) {
	id = p.Keys["aws_access_key_id"]
	beside := func(key string) awsconfig.Value {
		for _, v := range []awsconfig.Value{p.Keys[key], p.Replaced[key]} {
			if v.File == id.File {
				return v
			}
		}
		return awsconfig.Value{}
	}
	if token = beside("aws_security_token"); token.Text == "" {
		token = beside("aws_session_token")
	}
	return id, beside("aws_secret_access_key"), token
}

// keyringKey makes the key of a keyring the source: of ours, else envchain's.
func (b *builder) keyringKey(ch *chain, l link) error {
	if l.keyring != "" {
		ch.source = StoredKey{Profile: cmp.Or(l.holder, l.Name), AccessKeyID: l.keyring, Keyring: true}
		ch.facts = []Fact{{"aws_access_key_id", l.keyring, ofKeyring}, {"aws_secret_access_key", isSecret, ofKeyring}}
		return nil
	}
	v := l.Keys["envchain_namespace"]
	ch.source = EnvchainKey{Namespace: v.Text}
	ch.facts = []Fact{{"envchain_namespace", v.Text, v.Origin.String()}}
	return nil
}

// storedKey makes the profile's own key, of the files, the source.
func (b *builder) storedKey(ch *chain, l link) error {
	id, secret, token := KeyOf(l.Profile)
	other, hasOther := l.get("aws_secret_access_key")
	switch {
	case id.Text == "":
		return &Error{Kind: PartialKey, Profile: l.Name, Origin: other.Origin, Name: "aws_access_key_id", Msg: message.New("id-missing", "aws_secret_access_key is here, but no aws_access_key_id")}
	case secret.Text == "" && hasOther:
		return &Error{Kind: PartialKey, Profile: l.Name, Origin: id.Origin, Name: "aws_secret_access_key", Msg: message.New("secret-elsewhere", "aws_access_key_id is here, but aws_secret_access_key in the other file (%s)", other.Origin)}
	case secret.Text == "":
		return &Error{Kind: PartialKey, Profile: l.Name, Origin: id.Origin, Name: "aws_secret_access_key", Msg: message.New("secret-missing", "aws_access_key_id is here, but no aws_secret_access_key")}
	case !validKeyID(id.Text):
		return &Error{Kind: BadValue, Profile: l.Name, Origin: id.Origin, Name: "aws_access_key_id", Msg: message.New("key-id-form", "aws_access_key_id is not an access key id, such as AKIAIOSFODNN7EXAMPLE")}
	}
	ch.source = StoredKey{Profile: cmp.Or(l.holder, l.Name), AccessKeyID: id.Text, Temporary: token.Text != ""}
	ch.facts = []Fact{{"aws_access_key_id", id.Text, id.Origin.String()}, {"aws_secret_access_key", isSecret, secret.Origin.String()}}
	if token.Text != "" {
		ch.facts = append(ch.facts, Fact{"aws_session_token", isSecret, token.Origin.String()})
	}
	return nil
}

// callsUs reports whether a command line is this program for this profile, or
// stands in the files of a switched shell: those ask for their own profiles.
func (b *builder) callsUs(command, profile string) bool {
	words, err := SplitCommand(command)
	if err != nil || len(words) < 2 || b.o.Environment.Self == "" {
		return false
	}
	return filepath.Base(words[0]) == filepath.Base(b.o.Environment.Self) && slices.Contains(words[1:], "credential-process") &&
		slices.ContainsFunc(words[1:], func(w string) bool {
			return w == profile || w == "--profile="+profile || strings.HasPrefix(w, "--in-shell")
		})
}

// SplitCommand parts a command line into words as botocore does for
// credential_process on POSIX systems (Python's shlex.split): blanks part
// words, quotes and backslashes keep them together, and nothing is expanded.
func SplitCommand(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\'':
			end := strings.IndexByte(s[i+1:], '\'')
			if end < 0 {
				return nil, message.New("single-quote-open", "a single quote is not closed")
			}
			word.WriteString(s[i+1 : i+1+end])
			i += end + 1
			inWord = true
		case c == '"':
			inWord = true
			for i++; ; i++ {
				if i >= len(s) {
					return nil, message.New("double-quote-open", "a double quote is not closed")
				}
				if s[i] == '"' {
					break
				}
				if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\') {
					i++
				}
				word.WriteByte(s[i])
			}
		case c == '\\':
			if i++; i >= len(s) {
				return nil, message.New("backslash-open", "a backslash ends the line")
			}
			word.WriteByte(s[i])
			inWord = true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// onInstance reports whether a profile that leads nowhere has the role of the
// EC2 instance. The SDKs ask for that wherever they run, and wait for an answer
// in vain; here it is asked where the service's address is configured, or the
// machine is EC2's.
func (b *builder) onInstance(l link) bool {
	env := b.o.Environment
	if env.metadataOff() {
		return false
	}
	return env.MetadataEndpoint != "" || l.has("ec2_metadata_service_endpoint") || b.o.OnEC2 != nil && b.o.OnEC2()
}

// instanceMetadata makes the EC2 instance's role the source. The environment
// goes before the profile, as for the SDKs.
func (b *builder) instanceMetadata(ch *chain, l link, from string) error {
	env := b.o.Environment
	h := InstanceMetadata{}
	facts := []Fact{{"credential_source", "Ec2InstanceMetadata", from}}
	value := func(variable, text, key string) awsconfig.Value {
		if text != "" {
			return awsconfig.Value{Text: text, Origin: awsconfig.Origin{File: variable}}
		}
		v, _ := l.get(key)
		return v
	}
	bad := func(v awsconfig.Value, key string, msg message.Text) error {
		return &Error{Kind: BadValue, Profile: l.Name, Origin: v.Origin, From: fromFlag(v), Name: key, Msg: msg}
	}
	if v := value("AWS_EC2_METADATA_SERVICE_ENDPOINT", env.MetadataEndpoint, "ec2_metadata_service_endpoint"); v.Text != "" {
		u, err := url.Parse(v.Text)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return bad(v, "ec2_metadata_service_endpoint", message.New("metadata-endpoint-form", "ec2_metadata_service_endpoint is not a URL"))
		}
		h.Endpoint = v.Text
		facts = append(facts, Fact{"ec2_metadata_service_endpoint", v.Text, v.Origin.String()})
	}
	if v := value("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", env.MetadataMode, "ec2_metadata_service_endpoint_mode"); v.Text != "" {
		switch strings.ToLower(v.Text) {
		case "ipv4":
		case "ipv6":
			h.IPv6 = true
		default:
			return bad(v, "ec2_metadata_service_endpoint_mode", message.New("metadata-mode-form", "ec2_metadata_service_endpoint_mode must be IPv4 or IPv6"))
		}
	}
	if v := value("AWS_EC2_METADATA_V1_DISABLED", env.MetadataV1Disabled, "ec2_metadata_v1_disabled"); v.Text != "" {
		on, err := parseBool(v.Text)
		if err != nil {
			return bad(v, "ec2_metadata_v1_disabled", message.New("not-a-bool", "%s must be true or false", "ec2_metadata_v1_disabled"))
		}
		h.V1Disabled = on
	}
	if v := value("AWS_METADATA_SERVICE_TIMEOUT", env.MetadataTimeout, "metadata_service_timeout"); v.Text != "" {
		n, err := strconv.ParseFloat(v.Text, 64)
		if err != nil || n <= 0 || n > 60 {
			return bad(v, "metadata_service_timeout", message.New("metadata-timeout-form", "metadata_service_timeout must be a number of seconds, at most 60"))
		}
		h.Timeout = time.Duration(n * float64(time.Second))
	}
	if v := value("AWS_METADATA_SERVICE_NUM_ATTEMPTS", env.MetadataAttempts, "metadata_service_num_attempts"); v.Text != "" {
		n, err := strconv.Atoi(v.Text)
		if err != nil || n < 1 || n > 10 {
			return bad(v, "metadata_service_num_attempts", message.New("metadata-attempts-form", "metadata_service_num_attempts must be a number from 1 to 10"))
		}
		h.Attempts = n
	}
	ch.source, ch.facts = h, facts
	return nil
}

// containerHost is where ECS answers a relative URI.
const containerHost = "http://169.254.170.2"

// container makes the container's role the source.
func (b *builder) container(ch *chain, l link, from string) error {
	env := b.o.Environment
	h := Container{TokenFile: env.ContainerTokenFile}
	name := "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
	if env.ContainerRelativeURI != "" {
		if !strings.HasPrefix(env.ContainerRelativeURI, "/") {
			return &Error{Kind: BadValue, Profile: l.Name, From: name, Name: name, Msg: message.New("not-a-path", "it does not begin with /")}
		}
		h.URL = containerHost + env.ContainerRelativeURI
	} else {
		name = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
		h.URL = env.ContainerFullURI
	}
	u, err := url.Parse(h.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return &Error{Kind: BadValue, Profile: l.Name, From: name, Name: name, Msg: message.New("not-a-url", "it is not a URL")}
	}
	if u.Scheme == "http" && !ContainerAddress(u.Hostname()) {
		return &Error{Kind: BadValue, Profile: l.Name, From: name, Name: name, Msg: message.New("container-plain-http", "%s is neither this machine nor the address of ECS or EKS: plain http is refused", u.Host)}
	}
	ch.source = h
	ch.facts = []Fact{{name, h.URL, from}}
	if h.TokenFile != "" {
		ch.facts = append(ch.facts, Fact{"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", h.TokenFile, "environment"})
	}
	return nil
}

// ContainerAddress reports whether plain http to host is safe, by the SDKs'
// rule: loopback, and the link-local addresses of ECS and EKS.
func ContainerAddress(host string) bool {
	if loopback(host) {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && slices.Contains([]string{"169.254.170.2", "169.254.170.23", "fd00:ec2::23"}, a.String())
}

// ambient makes what the environment leads to the source, where it holds no
// key: a web identity token, then a container's endpoint, in the SDKs' order.
func (b *builder) ambient(ch *chain, l link) error {
	env := b.o.Environment
	if env.WebIdentityTokenFile == "" {
		return b.container(ch, l, "no other source in the profile")
	}
	if env.RoleARN == "" {
		return &Error{Kind: BadValue, Profile: l.Name, From: "AWS_WEB_IDENTITY_TOKEN_FILE", Name: "AWS_ROLE_ARN", Msg: message.New("token-without-role", "a web identity token needs a role to assume, and AWS_ROLE_ARN is not set")}
	}
	if _, err := ParseRoleARN(env.RoleARN); err != nil {
		return &Error{Kind: BadValue, Profile: l.Name, From: "AWS_ROLE_ARN", Name: "AWS_ROLE_ARN", Msg: message.Of(err)}
	}
	h := WebIdentity{RoleARN: env.RoleARN, TokenFile: env.WebIdentityTokenFile, SessionName: env.RoleSessionName, Duration: DefaultRoleDuration}
	if h.SessionName == "" {
		h.SessionName = DefaultSessionName(b.o.UserName)
	}
	if !validName(h.SessionName) {
		return &Error{Kind: BadValue, Profile: l.Name, From: "AWS_ROLE_SESSION_NAME", Name: "AWS_ROLE_SESSION_NAME", Msg: message.New("session-name-variable", "it must be 2 to 64 letters, digits or _+=,.@-")}
	}
	ch.source = h
	ch.facts = []Fact{
		{"AWS_ROLE_ARN", h.RoleARN, "environment"},
		{"AWS_WEB_IDENTITY_TOKEN_FILE", h.TokenFile, "environment"},
		{"role_session_name", h.SessionName, "environment"},
	}
	return nil
}

// webIdentityProfile makes the profile's web identity the source. Its role
// must stand in the profile: the environment's, if there is one, belongs to
// another token.
func (b *builder) webIdentityProfile(ch *chain, l link) error {
	key := "web_identity_token_file"
	if !l.has(key) {
		key = "web_identity_token_process"
	}
	token, _ := l.get(key)
	arn, ok := l.get("role_arn")
	if !ok {
		return &Error{Kind: BadValue, Profile: l.Name, Origin: token.Origin, Name: "role_arn", Msg: message.New("token-without-role-arn", "%s needs a role_arn in the same profile", key)}
	}
	// The role's values and their checks are those of any other role.
	role, facts, err := b.role(l, len(ch.roles) == 0, false, false)
	if err != nil {
		return err
	}
	h := WebIdentity{RoleARN: arn.Text, SessionName: role.SessionName, Duration: role.Duration, Policy: role.Policy, PolicyARNs: role.PolicyARNs}
	if h.Duration == 0 {
		h.Duration = DefaultRoleDuration
	}
	if key == "web_identity_token_file" {
		h.TokenFile = token.Text
	} else {
		h.TokenProcess = token.Text
	}
	ch.source = h
	ch.facts = append(facts, Fact{key, token.Text, token.Origin.String()})
	return nil
}

// webIdentity gives a web identity its endpoint.
func (b *builder) webIdentity(h WebIdentity, ch chain, region string, e Endpoint) (Hop, error) {
	arn, err := ParseRoleARN(h.RoleARN)
	if err != nil {
		return nil, err
	}
	h.Endpoint, err = b.at(e, region, arn.Partition, ch.target())
	return h, err
}

// sso makes the profile's role of IAM Identity Center the source. A section
// sso-session and the profile must not contradict each other (botocore,
// SSOProvider).
func (b *builder) sso(ch *chain, l link) error {
	values := map[string]awsconfig.Value{}
	for _, k := range []string{"sso_account_id", "sso_role_name", "sso_start_url", "sso_region"} {
		if v, ok := l.get(k); ok {
			values[k] = v
		}
	}
	h := SSO{Profile: l.Name, Scopes: defaultScopes()}
	facts := []Fact{}
	at := map[string]awsconfig.Origin{}
	if name, ok := l.get("sso_session"); ok {
		section, found, err := b.config.Section("sso-session", name.Text)
		if err != nil {
			return err
		}
		if !found {
			return &Error{Kind: MissingSource, Profile: l.Name, Origin: name.Origin, Name: name.Text, Msg: message.New("no-sso-section", "sso_session names %s, and there is no section [sso-session %s]", shown(name.Text), shown(name.Text))}
		}
		h.Session, h.Scopes = name.Text, scopes(section)
		facts = append(facts, Fact{"sso_session", name.Text, name.Origin.String()})
		for _, k := range []string{"sso_start_url", "sso_region"} {
			at[k] = section.Origin // where it belongs
			in, ok := section.Keys[k]
			if !ok || in.Text == "" {
				continue
			}
			if own, twice := values[k]; twice && own.Text != in.Text {
				return &Error{Kind: Conflict, Profile: l.Name, Origin: own.Origin, Name: k, Msg: message.New("sso-contradiction", "%s is not the one of its sso-session (%s)", k, in.Origin)}
			}
			values[k] = in
		}
	}
	var missing []string
	for _, k := range []string{"sso_role_name", "sso_account_id", "sso_start_url", "sso_region"} {
		if values[k].Text == "" {
			missing = append(missing, k)
		}
	}
	if len(missing) > 0 {
		origin, inSession := at[missing[0]]
		if !inSession {
			origin = l.Origin
		}
		return &Error{Kind: MissingKey, Profile: l.Name, Origin: origin, Name: missing[0], Msg: message.New("sso-incomplete", "the profile is for IAM Identity Center but has no %s", strings.Join(missing, ", "))}
	}
	h.AccountID, h.RoleName, h.StartURL, h.Region = values["sso_account_id"].Text, values["sso_role_name"].Text, values["sso_start_url"].Text, values["sso_region"].Text
	switch {
	case !made(h.AccountID, digits, 12, 12):
		return &Error{Kind: BadValue, Profile: l.Name, Origin: values["sso_account_id"].Origin, Name: "sso_account_id", Msg: message.New("sso-account-form", "sso_account_id must be the twelve digits of an account")}
	case !validRegion(h.Region):
		return &Error{Kind: BadValue, Profile: l.Name, Origin: values["sso_region"].Origin, Name: "sso_region", Msg: message.New("sso-region-form", "sso_region must be the name of a region, such as eu-west-1")}
	}
	for _, k := range []string{"sso_start_url", "sso_region", "sso_account_id", "sso_role_name"} {
		facts = append(facts, Fact{k, values[k].Text, values[k].Origin.String()})
	}
	if err := b.identityCenterAt(&h, ch.target()); err != nil {
		return err
	}
	ch.source, ch.facts = h, facts
	return nil
}

// identityCenterAt sets the URLs that are configured for Identity Center.
func (b *builder) identityCenterAt(h *SSO, l link) error {
	e, err := b.variants(l)
	if err != nil {
		return err
	}
	h.FIPS, h.DualStack = e.FIPS, e.DualStack
	if h.Endpoint, err = b.serviceURL(l, "sso", b.o.Environment.EndpointURLSSO, "AWS_ENDPOINT_URL_SSO"); err != nil {
		return err
	}
	h.OIDCEndpoint, err = b.serviceURL(l, "sso_oidc", b.o.Environment.EndpointURLOIDC, "AWS_ENDPOINT_URL_SSO_OIDC")
	return err
}

// defaultScopes are what the AWS CLI asks for where nothing else is configured:
// access to the accounts and roles of the person.
func defaultScopes() []string { return []string{"sso:account:access"} }

// scopes are those of a section sso-session, which commas divide.
func scopes(section awsconfig.Profile) []string {
	var list []string
	for s := range strings.SplitSeq(section.Keys["sso_registration_scopes"].Text, ",") {
		if s = strings.TrimSpace(s); s != "" {
			list = append(list, s)
		}
	}
	if list == nil {
		return defaultScopes()
	}
	return list
}

// SSOSession returns what is known of the Identity Center behind the section
// [sso-session name], as an [SSO] of no account and no role.
func SSOSession(c *awsconfig.Config, name string, o Options) (SSO, error) {
	section, found, err := c.Section("sso-session", name)
	if err != nil {
		return SSO{}, err
	}
	if !found {
		return SSO{}, &Error{Kind: MissingSource, Name: name, Msg: message.New("no-sso-section-named", "there is no section [sso-session %s]", shown(name))}
	}
	h := SSO{Session: name, StartURL: section.Keys["sso_start_url"].Text, Region: section.Keys["sso_region"].Text, Scopes: scopes(section)}
	for _, k := range []string{"sso_start_url", "sso_region"} {
		if section.Keys[k].Text == "" {
			return SSO{}, &Error{Kind: BadValue, Origin: section.Origin, Name: k, Msg: message.New("sso-section-lacks", "[sso-session %s] has no %s", shown(name), k)}
		}
	}
	if !validRegion(h.Region) {
		return SSO{}, &Error{Kind: BadValue, Origin: section.Keys["sso_region"].Origin, Name: "sso_region", Msg: message.New("sso-region-form", "sso_region must be the name of a region, such as eu-west-1")}
	}
	b := builder{config: c, o: o}
	return h, b.identityCenterAt(&h, link{})
}

// login makes the profile's console sign-in the source.
func (b *builder) login(ch *chain, l link) error {
	v, _ := l.get("login_session")
	h := Login{Profile: l.Name, Session: v.Text}
	ch.facts = []Fact{{"login_session", v.Text, v.Origin.String()}}
	region, _, err := b.region(ch.profiles())
	if err != nil {
		return err
	}
	h.Region = stsRegion(region, partitionOf(region))
	e, err := b.variants(ch.target())
	if err != nil {
		return err
	}
	h.FIPS, h.DualStack = e.FIPS, e.DualStack
	if h.Endpoint, err = b.serviceURL(ch.target(), "signin", b.o.Environment.EndpointURLSign, "AWS_ENDPOINT_URL_SIGNIN"); err != nil {
		return err
	}
	ch.source = h
	return nil
}
