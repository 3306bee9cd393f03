//go:build unix

package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unexplained returns the errors of ours, in a log of testscript, behind which
// no hint says what to type.
func unexplained(log string) (errors []string) {
	last := ""
	done := func() {
		if last != "" {
			errors = append(errors, last)
		}
		last = ""
	}
	for line := range strings.Lines(log) {
		switch text, ours := strings.CutPrefix(line, "aws-switch-role: "); {
		case ours && !strings.HasPrefix(text, "warning: "):
			done()
			last = strings.TrimSpace(line)
		case strings.HasPrefix(line, "> "):
			done()
		case last != "" && strings.HasPrefix(line, "hint: ") && typable.MatchString(line):
			last = ""
		}
	}
	done()
	return errors
}

// typable is what can be typed at a prompt, or written into a line of a file.
var typable = regexp.MustCompile(`(aws-switch-role|aws|envchain|sudo|chmod|unset|export|kill|exit|sed|iconv) |` + // commands
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
`
	if got, want := unexplained(log), []string{"aws-switch-role: denied", "aws-switch-role: refused"}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}
