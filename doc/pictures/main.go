// Command pictures draws README's pictures anew: it builds the program, runs it
// in the demo's world on a terminal of tmux, and writes what stands on the
// screen into doc/pictures as SVG. It is run from the root of the repository
// and takes tmux, zsh and the AWS CLI.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// columns is the width of every picture's terminal.
const columns = 80

// zshrc is what README tells to put into ~/.zshrc, behind a plain prompt.
const zshrc = `PROMPT='$ '
eval "$(command aws-switch-role init zsh --prompt)"
`

// A step is typed, and the screen then waited for.
type step struct {
	text  string // typed as it is; code stands for what the MFA device shows
	enter bool
	until string // a regular expression that the screen's text matches then
}

const code = "CODE"

// A picture is a terminal after some steps.
type picture struct {
	name, title string
	rows        int
	steps       []step
}

const (
	question = `Enter MFA code for \S+:$`
	inside   = `\(1h\)\n\(tempsession( \w+)?\) \$$`
)

var pictures = []picture{
	{"picker", "aws-switch-role alone: a list of profiles, narrowed by typing", 11, []step{
		{"aws-switch-role", true, "7/7"},
		{"o", false, "6/7"},
	}},
	{"prompt", "a role's shell, whose prompt shows the profile and the time left", 12, []step{
		{"aws-switch-role tempsession", true, question},
		{code, true, inside},
		{"aws s3 ls s3://bucketname", true, `inventory.csv\n.*\$$`},
		{"exit", true, `exit\n\$$`},
	}},
	{"secretless", "a shell without keys in its environment, in which the AWS CLI works", 12, []step{
		{"aws-switch-role --secretless tempsession", true, question},
		{code, true, inside},
		{"env | grep -c ACCESS_KEY", true, `\n0\n.*\$$`},
		{"aws s3 ls s3://bucketname", true, `inventory.csv\n.*\$$`},
	}},
}

// masks make two runs of the same program the same picture.
var masks = []struct {
	changing *regexp.Regexp
	fixed    string
}{
	{regexp.MustCompile(`, by way of http://127\.0\.0\.1:\d+`), ""},
	{regexp.MustCompile(`until \d\d:\d\d `), "until 10:16 "},
	{regexp.MustCompile(`\(tempsession (1h|59m)\)`), "(tempsession 59m)"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "2026-11-24 09:16:25"},
}

func main() {
	if err := drawAll(filepath.Join("doc", "pictures")); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func drawAll(to string) error {
	dir, err := os.MkdirTemp("", "pictures-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "aws-switch-role"), ".")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "zshrc"), []byte(zshrc), 0o600); err != nil {
		return err
	}
	for _, p := range pictures {
		screen, err := p.play(dir)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		for _, m := range masks {
			screen = m.changing.ReplaceAllString(screen, m.fixed)
		}
		svg, err := draw(p.title, screen)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if err := os.WriteFile(filepath.Join(to, p.name+".svg"), svg, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// play takes the steps on a terminal of its own and returns what is on the
// screen then, with the escape sequences of its colours.
func (p picture) play(dir string) (string, error) {
	zsh, err := exec.LookPath("zsh")
	if err != nil {
		return "", err
	}
	tmux := func(args ...string) (string, error) {
		cmd := exec.Command("tmux", append([]string{"-L", p.name, "-f", "/dev/null"}, args...)...)
		cmd.Env = []string{"PATH=" + dir + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + dir, "TMUX_TMPDIR=" + dir,
			"SHELL=" + zsh, "TERM=xterm-256color", "LANG=C.UTF-8", "USER=jane"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("tmux %s: %w: %s", args[0], err, out)
		}
		return string(out), nil
	}
	world := "aws-switch-role demo -- sh -c 'cp " + dir + "/zshrc $HOME/.zshrc; mfa-code >" + dir + "/code; exec zsh'"
	if _, err := tmux("new-session", "-d", "-x", strconv.Itoa(columns), "-y", strconv.Itoa(p.rows), world); err != nil {
		return "", err
	}
	defer func() { _, _ = tmux("kill-server") }()
	for _, s := range append([]step{{until: `^\$$`}}, p.steps...) {
		text := s.text
		if text == code {
			shown, err := os.ReadFile(filepath.Join(dir, "code"))
			if err != nil {
				return "", err
			}
			text = strings.TrimSpace(string(shown))
		}
		if text != "" {
			if _, err := tmux("send-keys", "-l", text); err != nil {
				return "", err
			}
		}
		if s.enter {
			if _, err := tmux("send-keys", "Enter"); err != nil {
				return "", err
			}
		}
		if err := await(regexp.MustCompile(s.until), func() (string, error) { return tmux("capture-pane", "-p") }); err != nil {
			return "", err
		}
	}
	return tmux("capture-pane", "-p", "-e")
}

// await looks at a screen until it matches, for half a minute.
func await(want *regexp.Regexp, look func() (string, error)) error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		screen, err := look()
		if err != nil {
			return err
		}
		lines := strings.Split(strings.TrimRight(screen, "\n "), "\n")
		for i := range lines {
			lines[i] = strings.TrimRight(lines[i], " ")
		}
		if screen = strings.Join(lines, "\n"); want.MatchString(screen) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no %s on the screen:\n%s", want, screen)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
