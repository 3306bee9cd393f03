package cli

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aws-switch-role/internal/completion"
)

// A command is made when it is called by its name, which is therefore told
// twice: in the table, and by the command.
func TestCommandsAreNamed(t *testing.T) {
	a := newApp(nil, nil, nil, nil)
	for _, c := range a.commands() {
		if got := c.make().Name(); got != c.name {
			t.Errorf("%s is made for %s", got, c.name)
		}
		var made []string
		for _, cmd := range a.root([]string{c.name, "x"}).Commands() {
			made = append(made, cmd.Name())
		}
		if !slices.Contains(made, c.name) || len(made) > 2 { // cobra's help is the other
			t.Errorf("for %s are made: %v", c.name, made)
		}
	}
}

// What completes before the commands are made knows their names apart, and the
// man pages are made from Commands, which has them all.
func TestCommandsComplete(t *testing.T) {
	var names []string
	for _, c := range Commands().Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	slices.Sort(names)
	if d := cmp.Diff(names, completion.Commands); d != "" {
		t.Errorf("commands (-made +completed)\n%s", d)
	}
}
