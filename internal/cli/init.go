package cli

import (
	"embed"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// shellCode is what init prints: for each shell a file that defines functions
// and registers the completion, and one that puts a segment into the prompt.
//
//go:embed shell
var shellCode embed.FS

// shellSuffixes are the suffixes of their names, by shell.
func shellSuffixes() map[string]string {
	return map[string]string{"bash": ".bash", "zsh": ".zsh", "fish": ".fish", "powershell": ".ps1"}
}

func (a *app) initCommand() *cobra.Command {
	var prompt bool
	shells := slices.Sorted(maps.Keys(shellSuffixes()))
	cmd := &cobra.Command{
		Use:   "init [--prompt] bash|fish|powershell|zsh",
		Short: "Print code for your shell: completion, a prompt segment, refresh",
		Long: `Print code for your shell to evaluate when it starts, at the end of its
start-up file. It gives the shell

  - completion of commands, flags and profiles, and behind -- that of the command
    which stands there;
  - a function aws_switch_role_prompt, which prints the profile and the time left
    for a prompt, red in the last five minutes, and nothing outside a switched
    shell; of a secretless one, whose session renews itself, the profile. With
    --prompt it is put in front of yours;
  - a function aws-switch-role, with which "aws-switch-role refresh" renews the
    credentials of this very shell (in PowerShell: aws-switch-role-refresh). All
    else it hands to the program;
  - the question for a code, once, before the next prompt, when the session of a
    secretless shell needs one (not in PowerShell).

To draw the prompt sends nothing, opens no keyring, and starts no process (in
fish, and in bash before 4.2, only date).`,
		Example: `  eval "$(aws-switch-role init zsh)"           # in ~/.zshrc
  eval "$(aws-switch-role init bash --prompt)" # in ~/.bashrc
  aws-switch-role init fish | source           # in ~/.config/fish/config.fish
  aws-switch-role init powershell | Out-String | Invoke-Expression`,
		ValidArgs: shells,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return usagef("init takes the name of your shell: %s", strings.Join(shells, ", "))
			}
			code, err := initCode(args[0], prompt)
			if err != nil {
				return err
			}
			_, err = io.WriteString(a.stdout, code)
			return err
		},
	}
	cmd.Flags().BoolVar(&prompt, "prompt", false, "put the profile and the time left in front of your prompt")
	return cmd
}

// initCode is the code for a shell to evaluate.
func initCode(shell string, prompt bool) (string, error) {
	suffix := shellSuffixes()[shell]
	code, err := shellFile("init" + suffix)
	if err != nil {
		return "", err
	}
	if shell == "zsh" {
		// All of an eval is parsed before any of it runs, with the aliases of
		// that moment: the code hides in an argument from them, and from the
		// options, which stay with its functions.
		outside, err := shellFile("outside.zsh")
		if err != nil {
			return "", err
		}
		code = "'builtin' 'emulate' 'zsh' '-o' 'no_aliases' '-o' 'no_err_exit' '-o' 'no_err_return' '-c' " + quote(code) + "\n" + outside
	}
	if !prompt {
		return code, nil
	}
	segment, err := shellFile("prompt" + suffix)
	return code + segment, err
}

// shellFile returns a file of the shell code.
func shellFile(name string) (string, error) {
	text, err := shellCode.ReadFile("shell/" + name)
	return string(text), err
}
