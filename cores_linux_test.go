package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"aws-switch-role/internal/figure"
)

// TestCores has root look for what a keeper has handed out, once it has: in the
// core that gdb takes, and in the memory itself. Nobody else gets either.
func TestCores(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a keeper can be looked into by root alone")
	}
	p := (&stage{bin: buildProgram(t)}).secretlessPlace(t)
	p.keepAnswers()
	x := p.openShell("bash")
	p.shorten("AssumeRole", 14*time.Minute) // so that the keeper gets a new one each time
	x.enter()
	rounds, copies := figure.Of(2, 100), 0
	for round := range rounds {
		x.wantRun("tempsession", "~/ask", "ASIA", "asked: 0.")
		served := p.answered()
		var find finder // of the words as they are: in memory nobody writes them otherwise
		for _, word := range served {
			find = append(find, []byte(word))
		}
		// What was said is forgotten a moment later.
		keeper, found := p.keeper(), 0
		for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
			if found = find.inMemory(t, keeper); found == 0 || time.Now().After(deadline) {
				break
			}
		}
		if found > 0 {
			t.Errorf("round %d: %d places of the keeper's memory hold what it has handed out", round, found)
		}
		copies += found
		if round > 0 {
			continue
		}
		// The search finds what is there: the shell's own memory, for one.
		x.wantRun("tempsession", "export kept=$(cat ~/answers); echo kept")
		if find.inMemory(t, p.pidOf("bash")) == 0 {
			t.Error("the search does not find what a shell has in a variable")
		}
		x.wantRun("tempsession", "unset kept; exec bash") // one that has never seen it
		core := filepath.Join(t.TempDir(), "core")
		if out, err := exec.Command("gcore", "-o", core, strconv.Itoa(keeper)).CombinedOutput(); err != nil {
			t.Fatalf("gcore: %v\n%s", err, out)
		}
		text, err := os.ReadFile(fmt.Sprint(core, ".", keeper))
		if err != nil {
			t.Fatal(err)
		}
		if len(text) < 1<<20 || !bytes.Contains(text, []byte("aws-switch-role")) {
			t.Errorf("a core of %d bytes is none of the keeper", len(text))
		}
		if find.in(text) {
			t.Error("the core holds what the keeper has handed out")
			copies++
		}
	}
	if n := p.asked("AssumeRole"); n < rounds {
		t.Errorf("the keeper got %d sessions in %d rounds", n, rounds)
	}
	x.line("exit")
	x.prompt("")
	x.exit()
	p.plain = append(p.plain, "answers")
	if !t.Failed() {
		note(t, "cores", "%d sessions renewed and handed out: %d copies in the memory, or in a core by gcore", rounds, copies)
	}
}

// keepAnswers has ask keep the last answer in a file.
func (p *place) keepAnswers() {
	p.t.Helper()
	path := filepath.Join(p.home, "ask")
	text, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	write(p.t, path, strings.Replace(string(text), `rm "$HOME/answer.$$"`, `mv "$HOME/answer.$$" "$HOME/answers"`, 1), 0o700)
	p.t.Cleanup(func() { _ = os.Remove(filepath.Join(p.home, "answers")) })
}

// answered are the secrets of the last answer.
func (p *place) answered() []string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.home, "answers"))
	var a struct{ SecretAccessKey, SessionToken string }
	if err == nil {
		err = json.Unmarshal(text, &a)
	}
	if err != nil || a.SecretAccessKey == "" || a.SessionToken == "" {
		p.t.Fatalf("no answer: %v", err)
	}
	// The last half of the token is its own: tokens begin alike.
	return []string{a.SecretAccessKey, a.SessionToken[len(a.SessionToken)/2:]}
}

// pidOf is the process id of a program of the place that was started last.
func (p *place) pidOf(name string) (pid int) {
	p.t.Helper()
	for _, line := range p.processes() {
		f := strings.Fields(line)
		if len(f) > 1 && filepath.Base(f[1]) == name {
			n, err := strconv.Atoi(f[0])
			if err != nil {
				p.t.Fatal(err)
			}
			pid = max(pid, n)
		}
	}
	return pid
}

var mapping = regexp.MustCompile(`(?m)^([0-9a-f]+)-([0-9a-f]+) r`)

// inMemory counts the stretches of a process's memory that hold the words. What
// not even root can read is left out.
func (f finder) inMemory(t *testing.T, pid int) (found int) {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	read := 0
	for _, m := range mapping.FindAllSubmatch(maps, -1) {
		from, ferr := strconv.ParseUint(string(m[1]), 16, 63)
		to, terr := strconv.ParseUint(string(m[2]), 16, 63)
		if ferr != nil || terr != nil {
			continue // the page of the kernel
		}
		text := make([]byte, to-from)
		if n, err := memory.ReadAt(text, int64(from)); err == nil || n > 0 {
			read += n
			if f.in(text[:n]) {
				found++
			}
		}
	}
	if read < 1<<20 {
		t.Fatalf("only %d bytes of process %d could be read", read, pid)
	}
	return found
}
