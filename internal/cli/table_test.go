package cli

import (
	"strings"
	"testing"
	"unicode/utf8"

	"aws-switch-role/internal/term"
)

// TestTableFits: a line is as wide as the terminal or less, the columns that
// are of no use in part are whole, and the one that people type goes last.
func TestTableFits(t *testing.T) {
	lines := func(width int) []string {
		x := table{heads: []string{"PROFILE", "ACCOUNT", "ROLE", "REGION"}, whole: []string{"ACCOUNT"}, width: width}
		x.add(row{cells: []string{"a-profile-of-long-name", "222222222222", "a/role/of/an/even/longer/name", "ap-northeast-1"}})
		x.add(row{cells: []string{"b", "222222222222", "é", ""}})
		x.add(row{cells: []string{"c", "222222222222"}, note: "what is wrong with it takes many words to say"})
		return strings.Split(strings.TrimSuffix(x.String(), "\n"), "\n")
	}
	for width, want := range map[int]string{
		0:  "a-profile-of-long-name  222222222222  a/role/of/an/even/longer/name  ap-northeast-1",
		83: "a-profile-of-long-name  222222222222  a/role/of/an/even/longer/name  ap-northeast-1",
		70: "a-profile-of-long-name  222222222222  a/role/of/an/ev…  ap-northeast-1",
		54: "a-profile-of-long-name  222222222222  a/role…  ap-nor…",
		48: "a-profile-of-long…  222222222222  a/rol…  ap-no…",
		20: "a-profile-o…  222222222222  a/rol…  ap-no…", // is wrapped
	} {
		got := lines(width)
		if got[1] != want {
			t.Errorf("in %d columns: %q, want %q", width, got[1], want)
		}
		if !strings.HasSuffix(got[2], "-") || !strings.Contains(got[2], "  é ") {
			t.Errorf("in %d columns: %q", width, got[2])
		}
		for _, line := range got {
			if n := utf8.RuneCountInString(line); width >= 42 && n > width {
				t.Errorf("in %d columns there is a line of %d: %q", width, n, line)
			}
		}
	}
}

// TestTableWide: characters that take two cells of a terminal count as two,
// where columns are filled up and where they are cut.
func TestTableWide(t *testing.T) {
	for width, want := range map[int]string{
		0:  "PROFILE     ROLE\n本番環境    とても長い役割\ne\u0301combining  Ops\n",
		24: "PROFILE     ROLE\n本番環境    とても長い…\ne\u0301combining  Ops\n",
	} {
		x := table{heads: []string{"PROFILE", "ROLE"}, width: width}
		x.add(row{cells: []string{"本番環境", "とても長い役割"}})
		x.add(row{cells: []string{"e\u0301combining", "Ops"}})
		if got := x.String(); got != want {
			t.Errorf("in %d columns:\n%swant\n%s", width, got, want)
		}
	}
}

func TestTableStyles(t *testing.T) {
	x := table{heads: []string{"ONE", "TWO"}, style: term.NewStyler(true, "", "xterm")}
	x.add(row{cells: []string{"\x1b[31m", "b"}, paint: []func(string) string{nil, x.style.Green}})
	x.add(row{cells: []string{"c"}, note: "d"})
	want := "\x1b[1mONE\x1b[0m       \x1b[1mTWO\x1b[0m\n" + `\x1b[31m` + "  \x1b[32mb\x1b[0m\n" + "c         \x1b[31md\x1b[0m\n"
	if got := x.String(); got != want {
		t.Errorf("the table is %q, want %q", got, want)
	}
}
