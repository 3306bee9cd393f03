package deliver

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"aws-switch-role/internal/cred"
)

// scrubbed are the variables that never pass from our environment into the
// child's: each could name another identity than the one that was switched
// to, or answer a question that will be asked again. What the user chose
// otherwise stays, the defaults of our own flags included
// (AWS_SWITCH_ROLE_KEYRING, AWS_SWITCH_ROLE_SECRETLESS and so on).
var scrubbed = []string{
	// Keys, under the names that AWS tools of all ages read them by.
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_SECURITY_TOKEN", "AWS_ACCESS_KEY", "AWS_SECRET_KEY",
	"AMAZON_ACCESS_KEY_ID", "AMAZON_SECRET_ACCESS_KEY", "AMAZON_SESSION_TOKEN",
	"AWS_CREDENTIAL_FILE",

	// Facts about keys. botocore refuses keys whose AWS_CREDENTIAL_EXPIRATION
	// has passed; SDKs build account endpoints from AWS_ACCOUNT_ID.
	"AWS_ACCOUNT_ID", "AWS_CREDENTIAL_EXPIRATION", "AWS_SESSION_EXPIRATION",

	// Profiles. botocore prefers AWS_DEFAULT_PROFILE to AWS_PROFILE.
	"AWS_PROFILE", "AWS_DEFAULT_PROFILE",

	// Web identity and container endpoints, which some SDKs ask before, or
	// mix with, the keys in the environment.
	"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",

	// What other tools of our kind say about the shell we were started in:
	// prompts show it.
	"AWS_VAULT", "AWSUME_PROFILE", "AWSUME_EXPIRATION", "AWSU_PROFILE",
	"AWS_SSO_PROFILE", "AWSRUNAS_PROFILE",

	// What we said about the shell we were started in.
	"AWS_SWITCH_ROLE_PROFILE", "AWS_SWITCH_ROLE_ROLE_ARN", "AWS_SWITCH_ROLE_SESSION_NAME", "AWS_SWITCH_ROLE_DEPTH",
	"AWS_SWITCH_ROLE_ACCOUNT", "AWS_SWITCH_ROLE_ROLE_NAME",
	"AWS_SWITCH_ROLE_KEY_ID", "AWS_SWITCH_ROLE_BASE_KEY_ID", "AWS_SWITCH_ROLE_SESSION",
	"AWS_SWITCH_ROLE_CONFIG_FILE", "AWS_SWITCH_ROLE_CREDENTIALS_FILE",

	// Answers, good for one run: a code that AWS takes once, and the secret
	// that opens all others.
	"AWS_SWITCH_ROLE_MFA_CODE", "AWS_SWITCH_ROLE_PASSPHRASE",
}

// variable is one variable of the child's environment. It may hold a secret.
type variable struct{ name, value string }

// variables returns what the child of an environment is told of c and as,
// without the variables that would be empty.
func variables(base []string, c cred.Credentials, as As) []variable {
	profile := ""
	if as.InFiles || as.SessionDir != "" {
		profile = as.Profile
	}
	vars := append(files(base, as), []variable{
		{"AWS_ACCESS_KEY_ID", c.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey.Reveal()},
		{"AWS_SESSION_TOKEN", c.SessionToken.Reveal()},
		{"AWS_SESSION_EXPIRATION", timestamp(c.Expires)},
		{"AWS_PROFILE", profile},
		// The SDKs for Go v1 and JavaScript v2 read the config file only
		// with it.
		{"AWS_SDK_LOAD_CONFIG", "1"},
		// botocore reads only the second, most SDKs only the first.
		{"AWS_REGION", as.Region},
		{"AWS_DEFAULT_REGION", as.Region},
		{"AWS_SWITCH_ROLE_PROFILE", as.Profile},
		{"AWS_SWITCH_ROLE_ROLE_ARN", as.RoleARN},
		{"AWS_SWITCH_ROLE_SESSION_NAME", as.SessionName},
		{"AWS_SWITCH_ROLE_ACCOUNT", as.Account},
		{"AWS_SWITCH_ROLE_ROLE_NAME", as.RoleName},
		{"AWS_SWITCH_ROLE_DEPTH", strconv.Itoa(as.Depth)},
		// A run inside the child that finds another key in the environment
		// knows by these that it is a new base, not the role it is in.
		{"AWS_SWITCH_ROLE_KEY_ID", c.AccessKeyID},
		{"AWS_SWITCH_ROLE_BASE_KEY_ID", as.BaseKeyID},
	}...)
	return slices.DeleteFunc(vars, func(v variable) bool { return v.value == "" })
}

// files returns the variables that lead to the child's AWS files. Where they
// are the user's own, and the environment those of another switched shell, they
// lead back to the former.
func files(base []string, as As) []variable {
	if as.SessionDir != "" {
		return []variable{
			{configFile, as.ConfigFile},
			{credentialsFile, as.CredentialsFile},
			{"AWS_SWITCH_ROLE_SESSION", as.SessionDir},
			{"AWS_SWITCH_ROLE_CONFIG_FILE", as.OwnConfigFile},
			{"AWS_SWITCH_ROLE_CREDENTIALS_FILE", as.OwnCredentialsFile},
		}
	}
	var vars []variable
	for _, v := range []variable{{configFile, as.OwnConfigFile}, {credentialsFile, as.OwnCredentialsFile}} {
		if slices.Contains(shellFiles(base), v.name) {
			vars = append(vars, v)
		}
	}
	return vars
}

// The variables that lead to the AWS files.
const (
	configFile      = "AWS_CONFIG_FILE"
	credentialsFile = "AWS_SHARED_CREDENTIALS_FILE"
)

// shellFiles returns those of the two variables that lead, in the environment
// of a switched shell, to its own files.
func shellFiles(base []string) []string {
	dir, ok := lookup(base, "AWS_SWITCH_ROLE_SESSION")
	if !ok {
		return nil
	}
	return slices.DeleteFunc([]string{configFile, credentialsFile}, func(name string) bool {
		file, _ := lookup(base, name)
		return filepath.Dir(file) != filepath.Clean(dir)
	})
}

// scrubs has the names of scrubbed.
var scrubs = sync.OnceValue(func() map[string]bool {
	names := make(map[string]bool, len(scrubbed))
	for _, name := range scrubbed {
		names[name] = true
	}
	return names
})

// dropped are the names of the variables of base that do not pass.
func dropped(base []string) []string { return append(shellFiles(base), scrubbed...) }

// timestamp is t as AWS writes it, in RFC 3339 and UTC; the zero time is "".
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Env returns base as the environment of a child that is to use c: everything
// that could name another identity removed, every duplicate of it included,
// and c and as added at the end. The rest of base keeps its order; base itself
// is not changed.
func Env(base []string, c cred.Credentials, as As) []string {
	return overlay(base, shellFiles(base), variables(base, c, as), foldName)
}

// overlay returns base without the variables that are scrubbed and those of
// these names, and with vars. Names that fold to the same text are one
// variable.
func overlay(base, names []string, vars []variable, fold func(string) string) []string {
	drop := scrubs()
	env := make([]string, 0, len(base)+len(vars))
	for _, entry := range base {
		// An empty entry names nothing, and would end a Windows environment
		// block before our variables.
		if entry == "" {
			continue
		}
		name := fold(entryName(entry))
		if drop[name] || slices.Contains(names, name) || slices.ContainsFunc(vars, func(v variable) bool { return v.name == name }) {
			continue
		}
		env = append(env, entry)
	}
	for _, v := range vars {
		env = append(env, v.name+"="+v.value)
	}
	return env
}

// entryName returns the name that an entry of an environment, which is not
// empty, sets. Windows keeps the current directory of each drive in entries
// such as `=C:=C:\dir`, so a first `=` belongs to the name; an entry without
// any `=` is all name.
func entryName(entry string) string {
	name, _, _ := strings.Cut(entry[1:], "=")
	return entry[:1+len(name)]
}

// lookup returns the value of the first variable of env that is called name,
// as getenv(3) does, and whether there is one.
func lookup(env []string, name string) (value string, ok bool) {
	for _, entry := range env {
		if len(entry) > len(name) && entry[len(name)] == '=' && foldName(entry[:len(name)]) == name {
			return entry[len(name)+1:], true
		}
	}
	return "", false
}
