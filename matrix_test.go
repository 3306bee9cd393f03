//go:build unix

package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"aws-switch-role/internal/figure"
)

// event is something that happens at a terminal: at the question for a code, in
// a command, and in a shell that was opened. Each returns the status that the
// shell which it happens in is to see.
type event struct {
	name                     string
	question, command, shell func(x *terminal) (status int)
}

// leaveQuestion interrupts it.
func (x *terminal) leaveQuestion() int { x.press(ctrlC); return 130 }

// events are those of the matrix.
var events = []event{
	{
		name:     "^C",
		question: (*terminal).leaveQuestion,
		command:  func(x *terminal) int { x.starts("sleep 1000"); x.press(ctrlC); return 130 },
		shell: func(x *terminal) int {
			x.editing()
			x.press("half" + ctrlC)
			x.prompt("open")
			return x.exits("exit 5", 5)
		},
	},
	{
		name:     `^\`,
		question: func(x *terminal) int { x.press(ctrlBackslash); return 131 },
		command: func(x *terminal) int {
			x.starts("sh -c 'ulimit -c 0; exec sleep 1000'")
			x.press(ctrlBackslash)
			return 131
		},
		shell: func(x *terminal) int {
			x.editing()
			x.press(ctrlBackslash + ctrlU)
			x.run("open", "true")
			return x.exits("exit 5", 5)
		},
	},
	{
		name: "^Z and fg",
		question: func(x *terminal) int {
			x.press(ctrlZ)
			x.prompt("")
			x.same("stopped")
			x.line("fg")
			x.expect(question)
			return x.leaveQuestion()
		},
		command: func(x *terminal) int {
			x.starts("sleep 1000")
			x.press(ctrlZ)
			x.prompt("")
			x.same("stopped")
			x.line("fg")
			x.expect("sleep 1000")
			x.expect("\n")
			x.running()
			x.press(ctrlC)
			return 130
		},
		shell: func(x *terminal) int {
			x.line("sleep 1000")
			x.expect("\n")
			x.running()
			x.press(ctrlZ)
			x.prompt("open")
			x.line("fg")
			x.expect("sleep 1000")
			x.running()
			x.press(ctrlC)
			x.prompt("open")
			return x.exits("exit 5", 5)
		},
	},
	{
		name:     "^D",
		question: func(x *terminal) int { x.press(ctrlD); return 130 },
		command:  func(x *terminal) int { x.starts("cat"); x.press(ctrlD); return 0 },
		shell: func(x *terminal) int {
			x.run("open", "(exit 5)")
			x.run("open", "true")
			return x.exits(ctrlD, 0)
		},
	},
	{
		name:     "HUP",
		question: func(x *terminal) int { x.signal("aws-switch-role tempsession", syscall.SIGHUP); return 129 },
		command:  func(x *terminal) int { x.starts("sleep 1000"); x.signal("sleep 1000", syscall.SIGHUP); return 129 },
		shell: func(x *terminal) int {
			// Not all shells end by the signal itself.
			x.line(x.shell)
			x.prompt("open")
			x.line("kill -HUP $$")
			x.prompt("open")
			status := x.status("open")
			x.line("kill -HUP $$")
			return status
		},
	},
	{
		name: "suspend",
		question: func(x *terminal) int {
			if x.shell == "dash" {
				// It leaves the terminal as who was stopped by others has left
				// it, and we are not told of that: see hooked in package term.
				x.press("half" + ctrlZ)
			} else {
				x.signal("aws-switch-role tempsession", syscall.SIGTSTP)
			}
			x.prompt("")
			x.same("stopped")
			x.line("fg")
			x.expect(question)
			return x.leaveQuestion()
		},
		command: func(x *terminal) int {
			x.line("aws-switch-role open -- sh -c 'kill -STOP $$; exit 3'")
			x.prompt("")
			x.same("stopped")
			x.line("fg")
			return 3
		},
		shell: func(x *terminal) int {
			suspend := "suspend"
			if x.shell == "dash" { // which has no such command
				suspend = "kill -STOP $$"
			}
			x.line(suspend)
			x.prompt("")
			x.same("stopped")
			x.line("fg")
			x.expect("\n")
			x.run("open", "true")
			return x.exits("exit 5", 5)
		},
	},
}

// starts runs a command by us and waits until it runs.
func (x *terminal) starts(command string) {
	x.t.Helper()
	x.line("aws-switch-role open -- " + command)
	x.expect("open: 222222222222 role/Open, until ")
	x.expect("\n")
	x.running()
}

// running waits until the terminal's foreground is a sleep or a cat that runs.
func (x *terminal) running() {
	x.t.Helper()
	x.holds("a command in the foreground", func() bool {
		for _, line := range x.states() {
			if f := strings.Fields(line); len(f) > 2 && strings.Contains(f[1], "+") && strings.HasPrefix(f[1], "S") && (f[2] == "sleep" || f[2] == "cat") {
				return true
			}
		}
		return false
	})
}

// signal sends a signal to the process of the place that has a command line.
func (x *terminal) signal(command string, s syscall.Signal) {
	x.t.Helper()
	x.holds(command, func() bool {
		for _, line := range x.processes() {
			pid, argv, _ := strings.Cut(line, " ")
			n, err := strconv.Atoi(pid)
			if argv = strings.TrimSpace(argv); err == nil && strings.HasPrefix(argv, command) {
				return syscall.Kill(n, s) == nil
			}
		}
		return false
	})
}

// exits leaves the shell that was opened by a line or a key.
func (x *terminal) exits(how string, status int) int {
	if how == ctrlD {
		x.press(how)
	} else {
		x.line(how)
	}
	return status
}

// editing waits until the shell reads a line, with the settings that it always
// has for that: its prompt comes first.
func (x *terminal) editing() {
	x.t.Helper()
	x.holds("the settings of the shell's prompt", func() bool { return x.settings() == x.atPrompt })
}

// same fails the test unless the terminal is as it was found.
func (x *terminal) same(when string) {
	x.t.Helper()
	if now, _ := x.run("", "stty -g"); now != x.stty {
		x.t.Errorf("%s: the terminal is at %s, and was at %s", when, now, x.stty)
	}
}

// TestTerminalMatrix has each event happen in each place, below each shell: the
// status is as it would be without us, and the terminal as before.
func TestTerminalMatrix(t *testing.T) {
	s := &stage{bin: buildProgram(t)}
	rounds := figure.Of(1, 20)
	var cells atomic.Int64
	below := []string{"bash", "zsh", "dash"}
	t.Cleanup(func() {
		if !t.Failed() {
			note(t, "terminal", "%d of %d; rounds: %d", cells.Load()/int64(rounds), len(below)*len(events)*3, rounds)
		}
	})
	for _, shell := range below {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			p := s.place(t)
			for range rounds {
				x := p.openShell(shell)
				x.run("", "true") // the settings of a shell that has run something
				x.stty, _ = x.run("", "stty -g")
				x.atPrompt = x.settings()
				for _, e := range events {
					for where, happens := range map[string]func(*terminal) int{"question": e.question, "command": e.command, "shell": e.shell} {
						switch where {
						case "question":
							x.line("aws-switch-role tempsession")
							x.expect(question)
						case "shell":
							x.line("aws-switch-role open")
							x.prompt("open")
						}
						want := happens(x)
						x.prompt("")
						at := fmt.Sprintf("%s at the %s", e.name, where)
						if status := x.status(""); status != want {
							t.Errorf("%s: status %d, want %d", at, status, want)
						}
						x.editing()
						x.same(at)
						cells.Add(1)
					}
				}
				x.exit()
			}
		})
	}
}
