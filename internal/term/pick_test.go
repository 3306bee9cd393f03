package term

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// grid is a screen that does what paint asks for, and nothing else.
type grid struct {
	t             *testing.T
	width, height int
	cells         [][]string
	x, y          int
}

func newGrid(t *testing.T, width, height int) *grid {
	g := &grid{t: t, width: width, height: height, cells: make([][]string, height)}
	for y := range g.cells {
		g.erase(y)
	}
	return g
}

func (g *grid) erase(y int) {
	g.cells[y] = strings.Split(strings.Repeat(" ", g.width), "")
}

var drawing = regexp.MustCompile(`^\x1b\[(\??)([0-9;]*)([A-Za-z])`)

func (g *grid) show(text string) {
	g.t.Helper()
	for text != "" {
		if m := drawing.FindStringSubmatch(text); m != nil {
			text = text[len(m[0]):]
			n, _ := strconv.Atoi(strings.Split(m[2], ";")[0])
			switch m[1] + m[3] {
			case "H":
				g.x, g.y = 0, max(n, 1)-1
				if _, x, ok := strings.Cut(m[2], ";"); ok {
					n, _ = strconv.Atoi(x)
					g.x = n - 1
				}
			case "G":
				g.x = n - 1
			case "K":
				g.erase(g.y)
			case "J":
				for y := range g.cells {
					g.erase(y)
				}
			case "m", "?h", "?l":
			default:
				g.t.Fatalf("unknown sequence %q", m[0])
			}
			continue
		}
		for _, r := range text[:1+strings.IndexByte(text[1:]+"\x1b", '\x1b')] {
			if r < ' ' {
				g.t.Fatalf("a control character %q", r)
			}
			n := runeCells(r)
			if g.y >= g.height || g.x+n > g.width {
				g.t.Fatalf("%q at column %d, line %d of %dx%d", r, g.x+1, g.y+1, g.width, g.height)
			}
			if n == 0 {
				g.cells[g.y][max(g.x-1, 0)] += string(r)
				continue
			}
			g.cells[g.y][g.x] = string(r)
			if n == 2 {
				g.cells[g.y][g.x+1] = ""
			}
			g.x += n
		}
		text = text[1+strings.IndexByte(text[1:]+"\x1b", '\x1b'):]
	}
}

func (g *grid) String() string {
	var lines []string
	for _, row := range g.cells {
		lines = append(lines, strings.TrimRight(strings.Join(row, ""), " "))
	}
	return strings.Join(lines, "\n")
}

// accounts is a list with all sorts of names in it.
func accounts() List {
	l := List{Prompt: "profile: ", Titles: []string{"PROFILE", "LEFT", "ACCOUNT", "ROLE", "REGION", "FROM"}}
	l.Rows = [][]string{
		{"prod", "52m", "222222222222", "Ops", "eu-central-1", "main"},
		{"staging", "", "333333333333", "team/Deploy", "eu-central-1", "main"},
		{"東京", "", "444444444444", "閲覧専用", "ap-northeast-1", "main"},
		{"ev\x1b[2Jil\u202e", "", "", "", "", ""},
		{"a-profile-with-a-very-long-name-that-says-everything", "", "555555555555", "AWSReservedSSO_AdministratorAccess_0123456789abcdef", "us-east-1", "another-profile-that-is-long"},
		{"e\u0301toile", "", "666666666666", "Ops", "", "main"},
	}
	return l
}

func TestPickFrame(t *testing.T) {
	for _, tt := range []struct {
		name, typed   string
		width, height int
		want          string
	}{
		{"usual", "", 100, 10, `
profile:                                                                                         6/6
  PROFILE                        LEFT  ACCOUNT       ROLE            REGION          FROM
> prod                           52m   222222222222  Ops             eu-central-1    main
  staging                              333333333333  team/Deploy     eu-central-1    main
  東京                                 444444444444  閲覧専用        ap-northeast-1  main
  ev\x1b[2Jil\u{202e}
  a-profile-with-a-very-long-n…        555555555555  AWSReservedSS…  us-east-1       another-profil…
  étoile                               666666666666  Ops                             main

enter: take it   esc: leave   ctrl-u: clear`},
		{"narrowed", "ops\x1b[B", 60, 6, `
profile: ops                                             3/6
  PROFILE                   LEFT  ACCOUNT       ROLE
  prod                      52m   222222222222  Ops
> étoile                          666666666666  Ops
  a-profile-with-a-very-l…        555555555555  AWSReserved…
`},
		{"tiny", "\x1b[B\x1b[B\x1b[B", 20, 5, `
profile:         6/6
  PROFILE       LEFT
  staging
  東京
> ev\x1b[2Jil…`},
		{"a line", "s", 9, 1, `
pro…s`},
		{"a column", "s", 1, 3, `

>
`},
		{"nothing found", "xyz", 30, 4, `
profile: xyz               0/6


`},
		{"a long query", strings.Repeat("0123456789", 5), 30, 2, `
profile: 01234567890123456789
`},
	} {
		p := newPicker(accounts())
		p.resize(tt.width, tt.height)
		p.paint() // a page is as long as the screen
		if _, err := p.typed([]byte(tt.typed)); err != nil {
			t.Fatal(err)
		}
		g := newGrid(t, tt.width, tt.height)
		p.shown = nil
		g.show(p.paint())
		if got, want := norm(g.String()), norm(tt.want[1:]); got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", tt.name, got, want)
		}
	}
}

func norm(s string) string { return strings.ReplaceAll(s, "e\u0301", "é") }

// Whatever is typed and however large the screen is, what is drawn stays on
// it, and what is changed on it makes it look as if it were drawn anew.
func TestPickPaint(t *testing.T) {
	l := accounts()
	l.Rows = append(l.Rows, manyRows(50)...)
	l.Styler = NewStyler(true, "", "xterm")
	random := rand.New(rand.NewPCG(3, 4))
	keys := []string{"a", "p", "東", "-", " ", "1", "\x7f", "\x15", "\x17", "\x1b[A", "\x1b[B", "\x1b[5~", "\x1b[6~", "\x1b[H", "\x1b[F", "\x0c", "\x1b[200~ops\x1b[201~"}
	for range 15 {
		width, height := 1+random.IntN(120), 1+random.IntN(30)
		p := newPicker(l)
		p.resize(width, height)
		g := newGrid(t, width, height)
		typed := ""
		for range 20 {
			k := keys[random.IntN(len(keys))]
			typed += k
			if _, err := p.typed([]byte(k)); err != nil {
				t.Fatal(err)
			}
			g.show(p.paint())
			anew := newGrid(t, width, height)
			p.shown = nil
			anew.show(p.paint())
			if g.String() != anew.String() || g.x != anew.x || g.y != anew.y {
				t.Fatalf("%dx%d, %q:\n%s\nanew:\n%s", width, height, typed, g, anew)
			}
		}
	}
}

func TestPickKeys(t *testing.T) {
	many := List{Titles: []string{"NAME"}}
	for i := range 100 {
		many.Rows = append(many.Rows, []string{fmt.Sprint("row-", i)})
	}
	for _, tt := range []struct {
		typed string
		want  int // -1: none
	}{
		{"\r", 0},
		{"\x1b[B\x1b[B\x1b[A\r", 1},
		{"\x0e\n\t\x10\x0b\r", 1},
		{"\x1b[A\x1b[A\r", 0},
		{"\x1b[F\x1b[B\r", 99},
		{"\x1b[F\x1b[H\r", 0},
		{"\x1b[6~\x1b[6~\r", 14},
		{"\x1b[6~\x1b[6~\x1b[5~\r", 7},
		{"\x1b[F\x1b[6~\r", 99},
		{"42\r", 42},
		{"4\x1b[B\r", 40},
		{"4\x1b[B2\r", 42}, // another search, another first row
		{"42\x15\r", 0},
		{"row-4 9\x17\r", 4},
		{"row-42\x7f\r", 4},
		{"\x7f\x17\x15\r", 0},
		{"\x1b[200~42\r\x1b[201~\r", 42},
		{"xyz\r", -1},
		{"xyz\x1b[B\x1b[6~\x1b[F\r", -1},
		{"xyz\x04\r", -1},
	} {
		p := newPicker(many)
		p.resize(40, 10)
		p.paint()
		o, err := p.typed([]byte(tt.typed))
		if err != nil || (o == taken) != (tt.want >= 0) || o == taken && p.chosen != tt.want {
			t.Errorf("%q takes %d (%v, %v), want %d", tt.typed, p.chosen, o == taken, err, tt.want)
		}
	}
}

func TestPickLeft(t *testing.T) {
	for typed, want := range map[string]string{
		"\x03": "interrupted: interrupt", "\x07": "interrupted: interrupt", "\x1b\x1b": "interrupted: interrupt", "\x04": "interrupted: interrupt", "\x1c": "interrupted: quit",
		"xyz\x03": "interrupted: interrupt", "xyz\x15\x04": "interrupted: interrupt",
	} {
		p := newPicker(accounts())
		if o, err := p.typed([]byte(typed)); err == nil || o != goOn || err.Error() != want {
			t.Errorf("%q comes to %v, %v, want %s", typed, o, err, want)
		}
	}
}

func TestFit(t *testing.T) {
	for _, tt := range []struct {
		text string
		most int
		want string
	}{
		{"prod", 4, "prod"}, {"prod", 3, "pr…"}, {"prod", 1, "…"}, {"prod", 0, ""}, {"", 0, ""},
		{"東京都", 6, "東京都"}, {"東京都", 5, "東京…"}, {"東京都", 4, "東…"}, {"東", 1, "…"}, {"e\u0301e\u0301", 2, "e\u0301e\u0301"},
	} {
		if got := Fit(tt.text, tt.most); got != tt.want || Cells(got) > tt.most {
			t.Errorf("Fit(%q, %d) = %q of width %d, want %q", tt.text, tt.most, got, Cells(got), tt.want)
		}
	}
}
