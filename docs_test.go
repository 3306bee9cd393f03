//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aws-switch-role/internal/cli"
	"aws-switch-role/internal/emulator"
)

// A block is what a page shows apart from its text, between two fences or
// behind four blanks.
type block struct {
	page    string
	section string // the heading it stands under
	number  int    // among the page's fenced blocks, from 1; 0 of one without fences
	line    int
	lang    string
	text    string
}

func (b block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// notRun are the commands of the pages that no test can run, and why.
var notRun = map[string]string{
	"make test":                          "it is what runs this test",
	"go test . -run TestScripts/scene_a": "make test runs it among all",
	"go test ./internal/plan":            "make test runs it among all",
}

// findings are commands of the pages whose exit status is 1 when they find
// something, as they do in the home of the tests.
var findings = regexp.MustCompile(`^aws-switch-role doctor\b`)

// toType is how a line begins that somebody would copy and type.
var toType = regexp.MustCompile(`^\s*(\$|%|>|(sudo |envchain \S+ env )?(aws-switch-role|aws|aws-vault|assume|go|make|docker|terraform|tmux|direnv|git|apt(-get)?|brew|scoop|curl|kill|eval|export)\s)`)

// pages are those whose commands are run. README.ja.md has the same commands
// (TestJapaneseReadme).
func pages(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("doc/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append(slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, ".ja.md") }), "README.md", "CONTRIBUTING.md", "SECURITY.md")
}

// blocksOf reads a page.
func blocksOf(t *testing.T, page string) (blocks []block) {
	t.Helper()
	section, fence, number := "", "", 0
	blank := true
	for i, line := range strings.Split(string(read(t, page)), "\n") {
		open := blocks != nil && fence != ""
		switch {
		case open && strings.TrimSpace(line) == fence:
			fence = ""
		case open:
			blocks[len(blocks)-1].text += line + "\n"
		case strings.HasPrefix(line, "```"):
			fence = "```"
			number++
			blocks = append(blocks, block{page: page, section: section, number: number, line: i + 1, lang: strings.TrimPrefix(line, "```")})
		case strings.HasPrefix(line, "## "):
			section = strings.TrimPrefix(line, "## ")
		case strings.HasPrefix(line, "    ") && blank:
			blocks = append(blocks, block{page: page, section: section, line: i + 1, text: line + "\n"})
		}
		blank = strings.TrimSpace(line) == "" || strings.HasPrefix(line, "    ")
	}
	if fence != "" {
		t.Errorf("%s: the last block has no end", page)
	}
	return blocks
}

// recipesRun are the blocks that scripts run, with the command recipe.
func recipesRun(t *testing.T) map[string]bool {
	t.Helper()
	run := map[string]bool{}
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	use := regexp.MustCompile(`(?m)^recipe (\d+) \S+ (\S+)$`)
	for _, script := range scripts {
		for _, m := range use.FindAllStringSubmatch(string(read(t, script)), -1) {
			run["doc/"+m[2]+" "+m[1]] = true
		}
	}
	return run
}

// commands are what a block says to type, without what cannot be run.
func (b block) commands() string {
	var typed strings.Builder
	text := strings.ReplaceAll(b.text, "\\\n", "\x00")
	for line := range strings.Lines(text) {
		if b.lang == "console" {
			_, command, ok := strings.Cut(line, "$ ")
			if before, _, _ := strings.Cut(line, "$"); !ok || before != "" && !strings.HasPrefix(before, "(") {
				continue
			}
			line = command
		}
		if _, ok := notRun[strings.TrimSpace(line)]; ok {
			continue
		}
		if findings.MatchString(line) {
			command, comment, _ := strings.Cut(strings.TrimSpace(line), " #")
			line = command + " || test $? = 1 #" + comment + "\n"
		}
		typed.WriteString(line)
	}
	return strings.ReplaceAll(typed.String(), "\x00", "\\\n")
}

// output are the lines that a session shows and nobody types.
func (b block) output() (lines []string) {
	if b.lang != "console" {
		return nil
	}
	for line := range strings.Lines(b.text) {
		line = strings.TrimSpace(line)
		if before, _, ok := strings.Cut(line, "$"); ok && (before == "" || strings.HasPrefix(before, "(") && strings.HasSuffix(before, ") ")) || line == "" {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// TestDocs does what the pages tell to do: every section has a home and an AWS
// of its own, in which its blocks are taken in their order.
//
//	sh, zsh          is typed, line by line, at a terminal
//	console          is what a terminal shows: what stands behind $ is typed, and
//	                 what does not must appear, in this order
//	text, or none    shows something, and has nothing to type in it
//	any other        is a file, whose name is in its first line, as a comment
//
// A section begins with the home of testdata/docs/home; what else it needs, a
// file testdata/docs/PAGE/SECTION.sh makes beforehand. The programs of others
// that do not run here have stand-ins in testdata/docs/bin, which check how they
// are called.
func TestDocs(t *testing.T) {
	bin := docPrograms(t)
	listed := map[string]bool{}
	scripts := recipesRun(t)
	for _, page := range pages(t) {
		sections := map[string][]block{}
		var order []string
		for _, b := range blocksOf(t, page) {
			for line := range strings.Lines(b.text) {
				if _, ok := notRun[strings.TrimSpace(line)]; ok {
					listed[strings.TrimSpace(line)] = true
				}
				if (b.lang == "" || b.lang == "text") && toType.MatchString(line) {
					t.Errorf("%s: %q can be typed: a block that begins with ```sh or ```console is tested", b, strings.TrimSpace(line))
				}
			}
			if b.lang == "" || b.lang == "text" || scripts[page+" "+strconv.Itoa(b.number)] {
				continue
			}
			if sections[b.section] == nil {
				order = append(order, b.section)
			}
			sections[b.section] = append(sections[b.section], b)
		}
		for _, section := range order {
			t.Run(strings.TrimSuffix(filepath.Base(page), ".md")+"/"+slug(section), func(t *testing.T) {
				t.Parallel()
				p := newDocPlace(t, bin)
				p.prepare(filepath.Join("testdata", "docs", strings.TrimSuffix(filepath.Base(page), ".md"), slug(section)+".sh"))
				for _, b := range sections[section] {
					p.do(b)
				}
			})
		}
	}
	for line := range notRun {
		if !listed[line] {
			t.Errorf("%q is excused from running, and in no page", line)
		}
	}
}

// slug is a heading as an address has it.
func slug(heading string) string {
	return strings.Trim(regexp.MustCompile(`[^\pL\pN_-]`).ReplaceAllString(strings.ReplaceAll(strings.ToLower(heading), " ", "-"), ""), "-")
}

// docPrograms is a directory with the program as users have it, and others that
// pages speak of.
func docPrograms(t *testing.T) string {
	t.Helper()
	dir := buildProgram(t)
	for _, name := range []string{"bash", "zsh", "tmux", "direnv", "dbus-run-session", "gnome-keyring-daemon", "secret-tool"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("no %s here: make tools installs it", name)
		}
	}
	aws, err := exec.LookPath("aws")
	if err != nil {
		t.Fatal("no aws here: make tools installs it")
	}
	// By its path: a version manager's looks at its own name.
	write(t, filepath.Join(dir, "aws"), "#!/bin/sh\nexec '"+aws+"' \"$@\"\n", 0o700)
	write(t, filepath.Join(dir, "shell"), "#!/bin/sh\nexec bash -e -o pipefail \"$@\"\n", 0o700)
	return dir
}

// docPlace is where a section of a page is done.
type docPlace struct {
	*world
	t     *testing.T
	bin   string // where the programs are
	home  string
	env   []string
	begin string // what every shell begins with
	bus   bool   // within a session that has a keyring
}

func newDocPlace(t *testing.T, bin string) *docPlace {
	t.Helper()
	p := &docPlace{world: &world{}, t: t, bin: bin}
	// A socket's path is short.
	var err error
	if p.home, err = os.MkdirTemp("", "docs-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// A server of tmux's outlives whoever has started it.
		sockets, _ := filepath.Glob(filepath.Join(p.home, "tmp", "tmux-*", "*"))
		for _, socket := range sockets {
			_ = exec.Command("tmux", "-S", socket, "kill-server").Run()
		}
		if err := os.RemoveAll(p.home); err != nil {
			t.Error(err)
		}
	})
	if p.server, err = emulator.New(declared(), emulator.Options{Now: p.now, DeviceInterval: time.Second}); err != nil {
		t.Fatal(err)
	}
	l, err := p.server.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if err := furnish(filepath.Join(p.home, ".aws"), "testdata/docs/home"); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(p.home, "run", ".keep"), "", 0o600)
	write(t, filepath.Join(p.home, "tmp", ".keep"), "", 0o600)
	stands := filepath.Join(workDir(t), "testdata", "docs", "bin")
	p.env = []string{
		"HOME=" + p.home, "USER=jane", "TERM=xterm-256color", "LANG=C.UTF-8", "NO_COLOR=1", "GORACE=atexit_sleep_ms=0",
		"PATH=" + strings.Join([]string{stands, bin, os.Getenv("PATH")}, string(os.PathListSeparator)),
		"SHELL=" + filepath.Join(bin, "shell"), "TMPDIR=" + filepath.Join(p.home, "tmp"), "TMUX_TMPDIR=" + filepath.Join(p.home, "tmp"),
		"XDG_RUNTIME_DIR=" + filepath.Join(p.home, "run"),
		"NO_PROXY=127.0.0.1", "AWS_ENDPOINT_URL=" + l.URL, "AWS_PAGER=",
		"AWS_SWITCH_ROLE_KEYRING=passphrase", "AWS_SWITCH_ROLE_PASSPHRASE=correct horse",
		"KEY_ID=" + emulator.DemoKeyID, "KEY=" + emulator.DemoSecret,
		"BROWSER=browser " + filepath.Join(p.home, "browser") + " %u person=" + emulator.DemoPerson,
		"GOSDK=" + filepath.Join(workDir(t), ".cache", "gosdk"),
		"GOBIN=" + filepath.Join(p.home, "go", "bin"), "CGO_ENABLED=0", // as buildProgram has it: nothing is built twice
	}
	// Go keeps what it builds below the home, unless told.
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		p.env = append(p.env, name+"="+strings.TrimSpace(string(value)))
	}
	return p
}

// prepare takes what a section needs from a file, if there is one.
func (p *docPlace) prepare(file string) {
	p.t.Helper()
	script, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.begin = string(script)
	p.bus = bytes.Contains(script, []byte("secret-tool")) || bytes.Contains(script, []byte("vault "))
}

// do does what a block says.
func (p *docPlace) do(b block) {
	p.t.Helper()
	switch b.lang {
	case "sh", "zsh", "console":
		script := b.commands()
		if strings.TrimSpace(script) == "" {
			return
		}
		shell := []string{"bash", "-e", "-o", "pipefail"}
		if b.lang == "zsh" {
			shell = []string{"zsh", "-f", "-e"}
		}
		out, err := p.typed(shell, script)
		if err != nil {
			p.t.Fatalf("%s: %v\n%s--\n%s", b, err, script, out)
		}
		inOrder(p.t, b, out)
	default:
		first, rest, _ := strings.Cut(b.text, "\n")
		m := regexp.MustCompile(`^(?:#|//) (\S+)`).FindStringSubmatch(first)
		if m == nil {
			p.t.Fatalf("%s: the first line of a file is a comment that says where it is, as in # ~/.aws/config", b)
		}
		path := filepath.Join(p.home, strings.TrimPrefix(m[1], "~/"))
		if filepath.Dir(path) == filepath.Join(p.home, ".aws") {
			rest = mergeSections(string(read(p.t, path)), rest, p.bin)
		}
		write(p.t, path, rest, 0o600)
	}
}

// mergeSections is an AWS file, and the sections of a page in place of those of
// the same name. A page leaves keys out.
func mergeSections(file, page, bin string) string {
	page = strings.NewReplacer("/usr/local/bin/", bin+"/", "AKIA…", emulator.DemoKeyID, "aws_secret_access_key = …", "aws_secret_access_key = "+emulator.DemoSecret).Replace(page)
	var kept strings.Builder
	drop := false
	for line := range strings.Lines(file) {
		if strings.HasPrefix(line, "[") {
			drop = strings.Contains("\n"+page, "\n"+strings.TrimSpace(line)+"\n")
		}
		if !drop {
			kept.WriteString(line)
		}
	}
	return kept.String() + "\n" + page
}

// replies are what a person answers, by what stands last on the terminal.
var replies = []struct {
	question *regexp.Regexp
	answer   string // CODE stands for what the device shows
}{
	{regexp.MustCompile(`Enter MFA code for \S+: $`), "CODE"},
	{regexp.MustCompile(`Access key id: $`), emulator.DemoKeyID},
	{regexp.MustCompile(`Secret access key: $`), emulator.DemoSecret},
	{regexp.MustCompile(`\[[Yy]/[Nn]\] $`), "y"},
	{regexp.MustCompile(`Type the profile's name[^\n]*: $`), "production"},
	{regexp.MustCompile(`(Region \(empty for none\)|A number|\(1\)|\[1\]|name): $`), ""},
}

// typed runs lines as they would be typed: what they start reads the lines
// behind it, as in a shell. It returns what is on the terminal then.
func (p *docPlace) typed(argv []string, script string) (string, error) {
	ptm, pts, err := pty.Open()
	if err != nil {
		return "", err
	}
	defer ptm.Close()
	if p.bus {
		argv = append([]string{"dbus-run-session", "--"}, argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Dir = p.env, p.home
	if regexp.MustCompile(`^(CGO_ENABLED=0 )?(go|make) `).MatchString(script) {
		cmd.Dir = workDir(p.t)
	}
	// The shell has not read on when it starts something: bash reads a pipe
	// byte by byte.
	cmd.Stdin = strings.NewReader(p.begin + script)
	cmd.Stdout, cmd.Stderr = pts, pts
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 1}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	_ = pts.Close()
	var mu sync.Mutex
	var out []byte
	read := make(chan struct{})
	go func() {
		defer close(read)
		answered := 0
		buf := make([]byte, 4096)
		for {
			n, err := ptm.Read(buf)
			mu.Lock()
			out = append(out, bytes.ReplaceAll(buf[:n], []byte("\r\n"), []byte("\n"))...)
			for _, r := range replies {
				if r.question.Match(out[answered:]) {
					answered = len(out)
					answer := r.answer
					if answer == "CODE" { // one that was not used yet
						p.advance(p.server.CodeIn(emulator.DemoDevice))
						answer, _ = p.server.Code(emulator.DemoDevice)
					}
					_, _ = io.WriteString(ptm, answer+"\r")
				}
			}
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err = <-done:
	case <-time.After(5 * time.Minute): // to build the program takes its time
		err = errors.New("it does not end")
	}
	// What it has left in the background goes with it.
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	select {
	case <-read:
	case <-time.After(time.Second):
	}
	mu.Lock()
	defer mu.Unlock()
	return string(out), err
}

// changing is what two runs show differently.
var changing = regexp.MustCompile(`\d{4}-\d\d-\d\d|\d\d:\d\d(:\d\d)?|\b(\d+[hms])+\b|127\.0\.0\.1:\d+|, by way of http://\S+|\s+`)

// inOrder finds the lines that a session shows in what there was to see.
func inOrder(t *testing.T, b block, out string) {
	t.Helper()
	even := func(s string) string { return strings.TrimSpace(changing.ReplaceAllString(s, " ")) }
	rest := strings.Split(out, "\n")
	for i := range rest {
		rest[i] = even(rest[i])
	}
	for _, want := range b.output() {
		i := slices.Index(rest, even(want))
		if i < 0 {
			t.Errorf("%s: no %q, or not there, in what it prints:\n%s", b, want, out)
			return
		}
		rest = rest[i+1:]
	}
}

// theirs are flags of other programs that the pages mention by themselves.
var theirs = map[string]string{
	"ecs-server":  "aws-vault's",
	"network":     "docker's",
	"profile":     "the AWS CLI's",
	"sso-session": "aws sso login's",
}

// TestDocsFlags looks at the commands and flags of ours that stand within the
// pages' text: there are such.
func TestDocsFlags(t *testing.T) {
	root := cli.Commands()
	known := map[string]bool{"help": true}
	var collect func(c *cobra.Command)
	collect = func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
		for _, sub := range c.Commands() {
			collect(sub)
		}
	}
	collect(root)
	inline := regexp.MustCompile("`([^`\n]+)`")
	flag := regexp.MustCompile(`^--([a-z][a-z-]*)`)
	japanese, err := filepath.Glob("doc/*.ja.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range slices.Concat(pages(t), japanese, []string{"README.ja.md", "CHANGELOG.md"}) {
		for _, m := range inline.FindAllSubmatch(read(t, page), -1) {
			text, ours := strings.CutPrefix(string(m[1]), "aws-switch-role ")
			args := strings.Fields(text)
			if i := slices.Index(args, "--"); i >= 0 {
				args = args[:i]
			}
			if len(args) == 0 {
				continue
			}
			if f := flag.FindStringSubmatch(args[0]); f != nil && !known[f[1]] && theirs[f[1]] == "" {
				t.Errorf("%s: no command has the flag of %s", page, m[0])
			}
			command, _, err := root.Find(args)
			if err != nil || command == root && !ours {
				continue
			}
			for _, arg := range args {
				if f := flag.FindStringSubmatch(arg); f != nil && command.Flags().Lookup(f[1]) == nil {
					t.Errorf("%s: %s: %s has no flag --%s", page, m[0], command.CommandPath(), f[1])
				}
			}
		}
	}
}

// TestJapaneseReadme holds README.ja.md to README.md: the same sections with the
// same blocks, pictures and links in the same order, and rows of the table.
func TestJapaneseReadme(t *testing.T) {
	english, japanese := string(read(t, "README.md")), string(read(t, "README.ja.md"))
	if !strings.Contains(english, "](README.ja.md)") || !strings.Contains(japanese, "](README.md)") {
		t.Error("the two do not lead to each other")
	}
	en, ja := blocksOf(t, "README.md"), blocksOf(t, "README.ja.md")
	if len(en) != len(ja) {
		t.Fatalf("%d blocks in English, %d in Japanese", len(en), len(ja))
	}
	for i := range en {
		if en[i].lang != ja[i].lang || en[i].text != ja[i].text {
			t.Errorf("%s and %s differ:\n%s--\n%s", en[i], ja[i], en[i].text, ja[i].text)
		}
	}
	for what, expr := range map[string]string{
		"headings": `(?m)^#+ `,
		"rows":     "(?m)^\\| `[^|]*\\|",
		"links":    `\]\([^)]+\)`,
	} {
		all := regexp.MustCompile(expr)
		want := all.FindAllString(strings.ReplaceAll(english, ".ja.md)", ".md)"), -1)
		got := all.FindAllString(strings.ReplaceAll(japanese, ".ja.md)", ".md)"), -1)
		if !slices.Equal(want, got) {
			t.Errorf("%s: English has\n%q, Japanese\n%q", what, want, got)
		}
	}
	for _, m := range regexp.MustCompile(`\]\((doc/[^)]*)\.md\)`).FindAllStringSubmatch(japanese, -1) {
		if _, err := os.Stat(m[1] + ".ja.md"); err == nil {
			t.Errorf("%s.ja.md is there, and the Japanese leads to the English", m[1])
		}
	}
	if kana := regexp.MustCompile(`\p{Hiragana}`).FindAllString(japanese, -1); len(kana) < 500 {
		t.Errorf("only %d kana", len(kana))
	}
}

// TestLinks follows the pages' links to files.
func TestLinks(t *testing.T) {
	japanese, err := filepath.Glob("doc/*.ja.md")
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^)#]*)(#[^)]*)?\)`)
	for _, page := range slices.Concat(pages(t), japanese, []string{"README.ja.md", "CHANGELOG.md"}) {
		for _, m := range link.FindAllStringSubmatch(string(read(t, page)), -1) {
			target := filepath.Join(filepath.Dir(page), m[1])
			if m[1] == "" {
				target = page
			}
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			if m[2] == "" {
				continue
			}
			headings := regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(read(t, target)), -1)
			if !slices.ContainsFunc(headings, func(h []string) bool { return "#"+slug(h[1]) == m[2] }) {
				t.Errorf("%s: %s has no heading for %s", page, target, m[2])
			}
		}
	}
}
