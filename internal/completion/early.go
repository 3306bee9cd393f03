package completion

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/memory"
)

// Commands are the commands of the program, which complete together with the
// profiles.
var Commands = []string{
	"completion", "console", "credential-process", "demo", "doctor", "each", "exec", "explain", "export", "help", "init", "keys", "list", "mfa",
	"profile", "refresh", "serve", "sessions", "shell", "sso", "status", "version",
}

// Nothing of the program has run yet, and nothing of it will when the question
// is one for us.
func init() {
	answer, ok := early(os.Args, os.Environ())
	if !ok {
		return
	}
	if _, err := os.Stdout.WriteString(answer); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// early answers the completion of a first word that can only be a profile's
// name, in cobra's words for a shell: a line for each, and a directive not to
// complete files. ok is false for whatever else, and where anything is out of
// the ordinary: the command line knows what to do then.
func early(args, environ []string) (answer string, ok bool) {
	if len(args) != 3 || args[1] != "__complete" {
		return "", false
	}
	prefix := args[2]
	if prefix == "" || prefix[0] == '-' || slices.ContainsFunc(Commands, func(c string) bool { return strings.HasPrefix(c, prefix) }) {
		return "", false
	}
	home := ""
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		switch {
		case value != "" && slices.Contains(special, name):
			return "", false
		case name == "HOME":
			home = value
		}
	}
	data, err := os.UserConfigDir()
	if err != nil || home == "" {
		return "", false
	}
	// Keys in the keyring have names, too.
	if _, err := os.Lstat(filepath.Join(data, "aws-switch-role", "keys.json")); !errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	_ = memory.Hide() // the credentials file passes through it
	c, err := awsconfig.LoadStarting(filepath.Join(home, ".aws", "config"), filepath.Join(home, ".aws", "credentials"), prefix)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	for _, line := range Profiles(c, c.Names(), prefix) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	const noFiles = ":4\n" // cobra.ShellCompDirectiveNoFileComp
	return b.String() + noFiles, true
}

// special are variables that lead to other files than the usual ones, or have
// cobra complete otherwise. A switched shell has two of them.
var special = []string{
	"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "XDG_DATA_HOME",
	"BASH_COMP_DEBUG_FILE", "COBRA_COMPLETION_DESCRIPTIONS", "AWS_SWITCH_ROLE_COMPLETION_DESCRIPTIONS",
}
