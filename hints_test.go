//go:build unix

package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unexplained returns the errors of ours, in a log of testscript, behind which
// no hint says what to type. A failed switch needs a hint of its own: what is
// said where nothing is known is not enough.
func unexplained(log string) (errors []string) {
	last, switching := "", false
	done := func() {
		if last != "" {
			errors = append(errors, last)
		}
		last = ""
	}
	for line := range strings.Lines(log) {
		text, ours := strings.CutPrefix(line, "aws-switch-role: ")
		command, isCommand := strings.CutPrefix(line, "> ")
		hint, isHint := strings.CutPrefix(line, "hint: ")
		switch {
		case ours && !strings.HasPrefix(text, "warning: "):
			done()
			last = strings.TrimSpace(line)
		case isCommand:
			done()
			switching = strings.HasPrefix(command, "exits 125 ") || strings.HasPrefix(command, "! exec ") && strings.Contains(command, " -- ")
		case last != "" && isHint && typable.MatchString(line) && !(switching && strings.HasPrefix(hint, "--debug shows every step")):
			last = ""
		}
	}
	done()
	return errors
}

// typable is what can be typed at a prompt, or written into a line of a file.
var typable = regexp.MustCompile(`(aws-switch-role|aws|envchain|sudo|chmod|unset|export|kill|exit|ls|sed|iconv) |` + // commands
	`--[a-z]+|[A-Z_]+=|[A-Za-z_キー]+ = |\[[a-z][^]]*\]` + // flags, variables, settings, headers
	`|did you mean [^ ]+\?|[^ ]+ のつもりでは`)

func TestUnexplained(t *testing.T) {
	log := `> exec aws-switch-role a
[stderr]
aws-switch-role: warning: careful
aws-switch-role: what
  why
hint: aws-switch-role b
> exec aws-switch-role b
[stderr]
aws-switch-role: denied
  why
> exec aws-switch-role c
[stderr]
aws-switch-role: refused
hint: think
> exits 1 aws-switch-role sessions
[stderr]
aws-switch-role: odd
hint: --debug shows every step; examine the files and this machine: aws-switch-role doctor
> exits 125 aws-switch-role d -- true
[stderr]
aws-switch-role: odd too
hint: --debug shows every step; examine the files and this machine: aws-switch-role doctor
`
	if got, want := unexplained(log), []string{"aws-switch-role: denied", "aws-switch-role: refused", "aws-switch-role: odd too"}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}
