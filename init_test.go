//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// refreshStub stands before the program on the PATH and answers `refresh`: it
// asks on the terminal, as the program does, and says how it was called.
const refreshStub = `#!/bin/sh
[ "$1" = refresh ] || exec aws-switch-role.real "$@"
echo "$*" >>"$HOME/refreshed"
case "$*" in *--help*) echo "help; echo evaluated"; exit ;; esac
trap 'echo >/dev/tty; trap - INT; kill -INT $$' INT
stty icanon icrnl isig </dev/tty
printf 'code? ' >/dev/tty
read -r code </dev/tty
[ "$code" != bad ] || exit 3
rm -f "$AWS_SWITCH_ROLE_SESSION/needs-code"
[ "$AWS_SWITCH_ROLE_SESSION" != "$HOME/session" ] || exit 0
case "$3" in
fish) echo "set -gx AWS_ACCESS_KEY_ID ASIARENEWED" ;;
*) echo "export AWS_ACCESS_KEY_ID='ASIARENEWED'" ;;
esac
`

// initLine evaluates what init prints.
func initLine(shell, flags string) string {
	if shell == "fish" {
		return "aws-switch-role init fish " + flags + " | source\n"
	}
	return `eval "$(aws-switch-role init ` + shell + " " + flags + `)"` + "\n"
}

// rcFile is the shell's start-up file.
func (p *place) rcFile(shell string) string {
	return filepath.Join(p.home, map[string]string{"zsh": ".zshrc", "bash": ".bashrc", "fish": ".config/fish/config.fish"}[shell])
}

// addToRC adds lines to the shell's start-up file.
func (p *place) addToRC(shell, lines string) {
	p.t.Helper()
	text, err := os.ReadFile(p.rcFile(shell))
	if err != nil {
		p.t.Fatal(err)
	}
	write(p.t, p.rcFile(shell), string(text)+lines, 0o600)
}

// stubRefresh puts refreshStub into the place.
func (p *place) stubRefresh() {
	p.t.Helper()
	bin := filepath.Join(p.home, "bin")
	write(p.t, filepath.Join(bin, "aws-switch-role"), refreshStub, 0o700)
	if err := os.Symlink(filepath.Join(p.bin, "aws-switch-role"), filepath.Join(bin, "aws-switch-role.real")); err != nil {
		p.t.Fatal(err)
	}
	for i, e := range p.env {
		if rest, ok := strings.CutPrefix(e, "PATH="); ok {
			p.env[i] = "PATH=" + bin + ":" + rest
		}
	}
}

// testInit has init in the start-up file, and the prompt as it is.
func testInit(p *place, shell string) {
	p.stubRefresh()
	write(p.t, filepath.Join(p.home, "bin", "fake"), "#!/bin/sh\necho \"fake got $*\"\n", 0o700)
	write(p.t, filepath.Join(p.home, "bin", "fake_completer"), "#!/bin/sh\ncase \"$COMP_LINE\" in 'fake al'*) echo alpha ;; esac\n", 0o700)
	write(p.t, filepath.Join(p.home, ".aws", "config"), awsConfig+"\n[profile \"org:o ne\"]\nrole_arn = arn:aws:iam::222222222222:role/Open\nsource_profile = default\n", 0o600)
	p.addToRC(shell, map[string]string{
		"zsh":  "autoload -Uz compinit && compinit -D -u\n_fake() { compadd alpha }\ncompdef _fake fake\n",
		"bash": "complete -C fake_completer fake\n",
		"fish": "complete -c fake -f -a alpha\n",
	}[shell]+initLine(shell, ""))
	x := p.openShell(shell)
	const segment = `echo "<$(aws_switch_role_prompt)>"`
	if out, _ := x.run("", segment); out != "<>" {
		p.t.Errorf("outside a switched shell the segment is %q", out)
	}
	x.wantRun("", "aws-switch-role open -- printenv AWS_PROFILE", "open")
	if _, status := x.run("", "aws-switch-role open -- sh -c 'exit 42'"); status != 42 {
		p.t.Errorf("the status is %d, want 42", status)
	}
	x.line("aws-switch-role open")
	x.prompt("open")
	if out, _ := x.run("open", segment); !regexp.MustCompile(`\(open (1h|59m)\)`).MatchString(out) {
		p.t.Errorf("the segment is %q", out)
	}
	testCompletion(x, shell)
	testRefresh(x, shell)
	x.line("exit")
	x.prompt("")
	x.exit()
}

// testCompletion presses the tab key in a shell that is switched to open.
func testCompletion(x *terminal, shell string) {
	for _, c := range []struct{ typed, then, want string }{
		{"aws-switch-role list tem\t", "\r", "tempsession +222222222222 +Ops"},
		{"aws-switch-role explain org\t", "\r", "org:o ne: 222222222222 role/Open"},
		{"aws-switch-role explain ope\t", "\r", "open: 222222222222 role/Open"},
		{"aws-switch-role exec open --dura\t", " 15m -- printenv AWS_PROFILE\r", `\nopen\n`},
		{"aws-switch-role explain arn:aws:iam::333333333333:role/Chained --source-profile tem\t", "\r", "222222222222:role/Ops"},
		{"aws-switch-role open -- fake al\t", "\r", "fake got alpha"},
		{"aws-switch-role open -- printen\t", " AWS_PROFILE\r", `\nopen\n`},
	} {
		x.press(c.typed)
		x.press(c.then)
		if before, _ := x.expectMatch(c.want); strings.Contains(before, "rror") {
			x.t.Errorf("%q shows\n%s", c.typed, before)
		}
		x.prompt("open")
	}
	x.press("aws-switch-role explain \t\t")
	x.expect("222222222222 Ops") // described
	x.press(ctrlU)
	if shell == "zsh" { // which asks before it lists a hundred candidates
		x.press("aws-switch-role \t\t")
		x.expect("222222222222 Ops")
		x.press(ctrlU)
	}
	x.line("echo do''ne")
	x.expect("\ndone\n")
	x.prompt("open")
}

// testRefresh renews the shell's own credentials, in a shell that is switched
// to open.
func testRefresh(x *terminal, shell string) {
	x.line("aws-switch-role refresh")
	x.expect("code? ")
	x.line("bad")
	x.prompt("open")
	if status := x.status("open"); status != 3 {
		x.t.Errorf("a refresh that fails with 3 ends with %d", status)
	}
	x.line("aws-switch-role refresh --no-cache")
	x.expect("code? ")
	x.line("123456")
	x.prompt("open")
	x.wantRun("open", "printenv AWS_ACCESS_KEY_ID", "ASIARENEWED")
	x.wantRun("open", "aws-switch-role refresh --help", "help; echo evaluated")

	// A secretless shell whose session needs a code.
	session := filepath.Join(x.home, "session")
	write(x.t, filepath.Join(session, "needs-code"), "", 0o600)
	export := "export AWS_SWITCH_ROLE_SESSION=" + session
	if shell == "fish" {
		export = "set -gx AWS_SWITCH_ROLE_SESSION " + session
	}
	x.line(export)
	x.expect("code? ")
	x.line("123456")
	x.prompt("open")
	x.wantRun("open", "true")
	x.line("touch session/needs-code")
	x.expect("code? ")
	x.press(ctrlC)
	x.prompt("open")
	if out, _ := x.run("open", "ls session"); !strings.Contains(out, "needs-code") || strings.Contains(out, "code? ") {
		x.t.Errorf("after the question was left: %q", out)
	}
	x.wantRun("open", "rm session/needs-code")
	x.line("touch session/needs-code")
	x.expect("code? ")
	x.line("123456")
	x.prompt("open")

	format := "env"
	if shell == "fish" {
		format = "fish"
	}
	refresh := "refresh --format " + format + "\n"
	want := refresh + "refresh --format " + format + " --no-cache\nrefresh --help\n" + strings.Repeat(refresh, 3)
	if got, err := os.ReadFile(filepath.Join(x.home, "refreshed")); err != nil || string(got) != want {
		x.t.Errorf("refresh was run as\n%s(%v), want\n%s", got, err, want)
	}
}

// testInitPrompt has the segment in front of a prompt, in a shell with the
// strictest options and with aliases of everything, and no program to be
// found.
func testInitPrompt(p *place, shell string) {
	aliases := ""
	for _, name := range []string{"builtin", "command", "local", "printf", "print", "shopt", "typeset", "declare", "return", "setopt", "complete", "test", "date"} {
		aliases += "alias " + name + "=false\n"
	}
	line := initLine(shell, "--prompt")
	prompt := `ready> $`
	variable := func(name, value string) string { return name + "=" + value }
	var rc string
	switch shell {
	case "zsh":
		prompt = `\$ $`
		rc = "setopt nounset ksh_arrays ksh_glob sh_word_split\nPROMPT='$ '\n" + aliases + line + line + "setopt err_exit\n"
	case "bash":
		rc = "set -u\nPS1='ready> '\nPROMPT_COMMAND='last=$?'\n" + aliases + line + line + "set -e\n"
	case "fish":
		variable = func(name, value string) string { return "set -gx " + name + " " + value }
		rc = "function fish_greeting; end\nfunction fish_prompt; echo -n 'ready> '; end\n" + line + line
	}
	write(p.t, p.rcFile(shell), rc, 0o600)
	x := p.openShell(shell)
	// drawn waits for the prompt and returns what was shown before it.
	drawn := func(segment string) string {
		p.t.Helper()
		before, _ := x.expectMatch(`(?m)^` + segment + prompt)
		return before
	}
	x.line("aws-switch-role open")
	shown := drawn(`\(open (1h|59m)\) `)
	if shell != "fish" { // which needs date
		x.line(variable("PATH", "/nowhere"))
		shown += drawn(`\(open (1h|59m)\) `)
	}
	x.line(variable("AWS_SESSION_EXPIRATION", "2001-01-01T00:00:00Z"))
	shown += drawn(`\(open ended\) `)
	x.line(variable("AWS_SESSION_EXPIRATION", "2100-01-01T00:00:00Z"))
	shown += drawn(`\(open \d+h(\d+m)?\) `)
	if strings.Contains(shown, "rror") || strings.Contains(shown, "not found") || strings.Contains(shown, "/nowhere:") {
		p.t.Errorf("the prompt does more than it should:\n%s", shown)
	}
	x.mu.Lock()
	for _, segment := range []string{"\x1b[31m(open ended) ", "\x1b[33m(open "} { // red, yellow
		if !bytes.Contains(x.raw, []byte(segment)) {
			p.t.Errorf("%q is not drawn", segment)
		}
	}
	from := len(x.raw)
	x.mu.Unlock()
	x.line(variable("NO_COLOR", "1"))
	drawn(`\(open \d+h(\d+m)?\) `)
	x.line("exit")
	drawn("")
	x.mu.Lock()
	if bytes.Contains(x.raw[from:], []byte("\x1b[33m(open ")) {
		p.t.Errorf("there is colour in %q", x.raw[from:])
	}
	x.mu.Unlock()
	x.exit()
}

// themes are prompts of zsh that people have, with what loads them. NODE
// stands for the directory of npm's packages.
var themes = map[string]struct{ load, shows string }{
	"powerlevel9k": {"POWERLEVEL9K_LEFT_PROMPT_ELEMENTS=(dir aws)\nsource /usr/share/powerlevel9k/powerlevel9k.zsh-theme\n", "open"},
	"spaceship":    {"SPACESHIP_PROMPT_ASYNC=false SPACESHIP_PROMPT_ORDER=(dir aws char)\nsource NODE/spaceship-prompt/spaceship.zsh\n", "open"},
	"pure":         {"fpath+=(NODE/pure-prompt)\nautoload -U promptinit; promptinit\nprompt pure\n", ""},
}

// testTheme has a theme beside init: without --prompt all of the prompt is the
// theme's, with it the segment stands in front.
func testTheme(p *place, name string) {
	theme := themes[name]
	write(p.t, filepath.Join(p.home, ".zshrc"), strings.ReplaceAll(theme.load, "NODE", p.node)+`
before=("$PROMPT" "$RPROMPT" "$PS2" $precmd_functions _aws_switch_role_precmd "$preexec_functions" "${(kv)options}")
eval "$(aws-switch-role init zsh ${=INIT_FLAGS})"
after=("$PROMPT" "$RPROMPT" "$PS2" $precmd_functions "$preexec_functions" "${(kv)options}")
`, 0o600)
	env := p.env
	for _, flags := range []string{"", "--prompt"} {
		p.env = append(slices.Clone(env), "INIT_FLAGS="+flags, "SHELL=/usr/bin/zsh")
		x := p.open("zsh")
		x.line(`[[ "${(pj:\0:)before}" == "${(pj:\0:)after}" ]] && echo al''ike`)
		x.expect("alike\n")
		x.line("aws-switch-role open")
		x.expect("role/Open, until ")
		x.line("echo in''side")
		shown := x.expect("inside\n")
		x.line("print the e''nd")
		shown += x.expect("the end\n")
		if !strings.Contains(shown, theme.shows) {
			p.t.Errorf("%s does not show the profile any more:\n%s", name, shown)
		}
		if has := regexp.MustCompile(`\(open (1h|59m)\) `).MatchString(shown); has != (flags != "") {
			p.t.Errorf("%s, with %q: the segment is there: %t\n%s", name, flags, has, shown)
		}
		if strings.Contains(shown, "rror") || strings.Contains(shown, "not found") {
			p.t.Errorf("%s, with %q: something failed:\n%s", name, flags, shown)
		}
		x.line("exit")
		x.line("echo out''side")
		x.expect("outside\n")
		x.line("print the e''nd")
		if shown := x.expect("the end\n"); strings.Contains(shown, "open") {
			p.t.Errorf("%s, with %q: outside it shows\n%s", name, flags, shown)
		}
		x.exit()
	}
}

// testStarship has starship beside init, as testTheme has the themes of zsh.
func testStarship(p *place, shell string) {
	write(p.t, filepath.Join(p.home, ".config", "starship.toml"), "add_newline = false\nformat = \"aws: $aws$status> \"\n"+
		"[aws]\nformat = \"$profile \\\\[$duration\\\\]\"\n[status]\ndisabled = false\nformat = \"$status\"\n", 0o600)
	env := append(slices.Clone(p.env), "STARSHIP_LOG=error", "SHELL=/usr/bin/"+shell)
	for i, e := range env {
		if path, ok := strings.CutPrefix(e, "PATH="); ok {
			env[i] = "PATH=" + path + ":" + p.starship
		}
	}
	for _, flags := range []string{"", "--prompt"} {
		load := `eval "$(starship init ` + shell + `)"` + "\n"
		if shell == "fish" {
			load = "function fish_greeting; end\nstarship init fish | source\n"
		}
		write(p.t, p.rcFile(shell), load+initLine(shell, flags), 0o600)
		segment := ""
		if flags != "" {
			segment = `\(open (1h|59m)\) `
		}
		p.env = env
		x := p.open("/usr/bin/" + shell)
		x.expectMatch(`(?m)^aws: > $`)
		x.line("aws-switch-role open")
		shown, _ := x.expectMatch(`(?m)^` + segment + `aws: open \[(1h|59m)[\dms]*\]> $`)
		x.line("false")
		more, _ := x.expectMatch(`(?m)^` + segment + `aws: open \[(1h|59m)[\dms]*\]1> $`) // the status is the command's
		if shown += more; strings.Contains(shown, "rror") || strings.Contains(shown, "not found") {
			p.t.Errorf("with %q something failed:\n%s", flags, shown)
		}
		x.line("exit")
		x.expectMatch(`(?m)^aws: .?> $`)
		x.exit()
	}
}
