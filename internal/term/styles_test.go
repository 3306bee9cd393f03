package term

import "testing"

// TestCleanTextPassesNoStyle: what a file or a server colours is not what the
// program colours, though it looks the same.
func TestCleanTextPassesNoStyle(t *testing.T) {
	styled := NewStyler(true, "", "xterm").Red("red") + "\n"
	if got, want := CleanText(styled), `\x1b[31mred\x1b[0m`+"\n"; got != want {
		t.Errorf("CleanText: %q, want %q", got, want)
	}
	if got := CleanLines(styled); got != styled {
		t.Errorf("CleanLines: %q, want %q", got, styled)
	}
}
