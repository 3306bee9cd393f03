package term

import (
	"context"
	"fmt"
	"math"
	"strings"
	"syscall"
	"unicode/utf8"
)

// List is what a person picks one row of.
type List struct {
	// Prompt stands before what is typed.
	Prompt string
	// Titles head the columns. On a narrow terminal the last ones are left
	// out.
	Titles []string
	// Rows have a field for every title, as it came: what is not safe for a
	// terminal is made so. Every field is searched.
	Rows   [][]string
	Styler Styler
}

// Pick shows a list on the whole terminal and returns the row that the person
// chose. What is typed narrows the list down to the rows that match it; the
// arrow keys and their like move, Enter takes the row.
//
// The terminal is as before when Pick returns, but for what was typed and is
// taken. The error is [Interrupted] after a signal, Esc, Ctrl-C, or Ctrl-D
// where nothing is typed, and ctx.Err() when ctx is done.
func (t *Terminal) Pick(ctx context.Context, l List) (row int, err error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	p := newPicker(l)
	if err := t.pick(ctx, p); err != nil {
		return 0, err
	}
	return p.chosen, nil
}

// picker is a list with what has been typed to it. What it draws and what it
// reads are the business of the terminal's own code.
type picker struct {
	list   List
	widths []int // of the columns, as wide as their widest field
	search *search
	kbd    keyboard

	query    string
	searched string // the query that hits are for
	hits     []int  // the rows that match, best first
	at       int    // the selected one in hits
	top      int    // the first one on the screen
	page     int    // how many are on the screen
	chosen   int    // the row that was taken

	width, height int
	shown         []string // the lines on the screen; nil when nobody knows
}

// maxQuery bounds what is typed, in runes.
const maxQuery = 200

func newPicker(l List) *picker {
	rows := make([][]string, len(l.Rows))
	widths := make([]int, len(l.Titles))
	for i, fields := range l.Rows {
		rows[i] = make([]string, len(fields))
		for j, f := range fields {
			rows[i][j] = Clean(f)
			widths[j] = max(widths[j], Cells(rows[i][j]))
		}
	}
	for j, w := range widths {
		if w > 0 {
			widths[j] = max(w, Cells(l.Titles[j]))
		}
	}
	l.Rows = rows
	p := &picker{list: l, widths: widths, search: newSearch(rows), page: 1}
	p.hits = p.search.best("")
	return p
}

// What typing can come to, beside an error.
type outcome int

const (
	goOn outcome = iota
	taken
	suspended
)

// typed takes what the person typed. With nothing, the time for the rest of a
// key is over.
func (p *picker) typed(b []byte) (outcome, error) {
	defer p.find()
	for _, k := range p.kbd.keys(b) {
		switch k.name {
		case keyEscape, keyInterrupt:
			return goOn, Interrupted{syscall.SIGINT}
		case keyQuit:
			return goOn, Interrupted{syscall.SIGQUIT}
		case keyEnd:
			if p.query == "" {
				return goOn, Interrupted{syscall.SIGINT}
			}
		case keySuspend:
			return suspended, nil
		case keyEnter:
			p.find() // for what was typed right before it
			if len(p.hits) > 0 {
				p.chosen = p.hits[p.at]
				return taken, nil
			}
		case keyRedraw:
			p.shown = nil
		case keyUp, keyDown, keyPageUp, keyPageDown, keyFirst, keyLast:
			p.find()
			p.move(k.name)
		default:
			p.edit(k)
		}
	}
	return goOn, nil
}

// edit changes the query.
func (p *picker) edit(k key) {
	switch k.name {
	case keyText:
		p.query += k.text
		if runes := []rune(p.query); len(runes) > maxQuery {
			p.query = string(runes[:maxQuery])
		}
	case keyBackspace:
		_, size := utf8.DecodeLastRuneInString(p.query)
		p.query = p.query[:len(p.query)-size]
	case keyClear:
		p.query = ""
	case keyClearWord:
		p.query = strings.TrimRight(p.query, " ")
		p.query = p.query[:strings.LastIndexByte(p.query, ' ')+1]
	}
}

// find searches again when the query is another.
func (p *picker) find() {
	if p.query != p.searched {
		p.hits, p.at, p.top, p.searched = p.search.best(p.query), 0, 0, p.query
	}
}

// move changes the selected row.
func (p *picker) move(k keyName) {
	switch k {
	case keyUp:
		p.at--
	case keyDown:
		p.at++
	case keyPageUp:
		p.at -= p.page
	case keyPageDown:
		p.at += p.page
	case keyFirst:
		p.at = 0
	case keyLast:
		p.at = len(p.hits) - 1
	}
	p.at = max(0, min(p.at, len(p.hits)-1))
}

// Lines of the screen beside the rows.
const (
	heightForTitles = 5 // from which there is room for the columns' titles
	heightForHelp   = 8
	help            = "enter: take it   esc: leave   ctrl-u: clear"
)

// frame returns the lines of the screen, the uppermost first, and the column,
// from 1, at which the cursor stands in it.
func (p *picker) frame() (lines []string, cursor int) {
	y := p.list.Styler
	p.page = p.height - 1
	titles, helps := p.height >= heightForTitles, p.height >= heightForHelp
	if titles {
		p.page--
	}
	if helps {
		p.page--
	}
	p.page = max(p.page, 1)
	p.top = max(0, min(p.top, p.at), p.at-p.page+1)

	first, cursor := p.promptLine()
	lines = append(lines, first)
	columns := p.columns()
	if titles {
		line := ""
		for _, c := range columns {
			line += moveTo(c.x) + y.Dim(Fit(p.list.Titles[c.field], c.width))
		}
		lines = append(lines, line)
	}
	words := queryWords(p.query)
	for i := p.top; i < min(p.top+p.page, len(p.hits)); i++ {
		lines = append(lines, p.rowLine(columns, words, p.hits[i], i == p.at))
	}
	for len(lines) < p.height {
		lines = append(lines, "")
	}
	if helps {
		lines[p.height-1] = y.Dim(Fit(help, p.width))
	}
	return lines[:p.height], cursor
}

// promptLine is the line that is typed in, with the number of hits at its end
// where there is room.
func (p *picker) promptLine() (line string, cursor int) {
	prompt := Fit(p.list.Prompt, p.width/2)
	query := p.query
	for Cells(query) > max(0, p.width-1-Cells(prompt)) { // its end is what one sees
		_, size := utf8.DecodeRuneInString(query)
		query = query[size:]
	}
	used := Cells(prompt) + Cells(query)
	line = p.list.Styler.Bold(prompt) + query
	count := fmt.Sprintf("%d/%d", len(p.hits), len(p.list.Rows))
	if x := p.width - len(count) + 1; x > used+2 {
		line += moveTo(x) + p.list.Styler.Dim(count)
	}
	return line, min(used+1, p.width)
}

// column is a column on the screen: x is where it begins, from 1.
type column struct{ field, x, width int }

// Measures of the columns.
const (
	pointer   = 2  // the width of the mark before the selected row
	gutter    = 2  // between two columns
	narrowest = 12 // to which a column is cut to make room for others
)

// columns says which columns there is room for, and where. Empty ones are
// left out, and of the others the last; then the widest are cut. The first,
// which says most, counts as half as wide as it is.
func (p *picker) columns() []column {
	var columns []column
	need := func(most int) int {
		sum := pointer - gutter
		for _, c := range columns {
			sum += min(c.width, most) + gutter
		}
		return sum
	}
	for j, w := range p.widths {
		if w > 0 {
			columns = append(columns, column{field: j, width: w})
		}
	}
	for len(columns) > 1 && need(narrowest) > p.width {
		columns = columns[:len(columns)-1]
	}
	for need(math.MaxInt) > p.width {
		widest, most := 0, columns[0].width/2
		for i, c := range columns {
			if i > 0 && c.width > max(most, narrowest) {
				widest, most = i, c.width
			}
		}
		columns[widest].width--
	}
	x := 1 + pointer
	for i := range columns {
		columns[i].x = x
		x += columns[i].width + gutter
	}
	return columns
}

// rowLine draws one row. Each field is put where it belongs rather than where
// the one before ends: whether a character takes two cells is a guess.
func (p *picker) rowLine(columns []column, words []string, row int, selected bool) string {
	var b strings.Builder
	y := p.list.Styler
	if selected {
		b.WriteString(y.Bold(y.Yellow(">")))
	}
	runes := matched(words, p.search.rows[row])
	for _, c := range columns {
		b.WriteString(moveTo(c.x))
		i := 0
		for _, part := range parts(Fit(p.list.Rows[row][c.field], c.width), runes[c.field]) {
			if i++; i%2 == 0 {
				part = y.Yellow(part)
			}
			if selected {
				part = y.Bold(part)
			}
			b.WriteString(part)
		}
	}
	return b.String()
}

// parts divides a text into parts of which every second is marked.
func parts(s string, marked map[int]bool) []string {
	out := []string{""}
	i := 0
	for _, r := range s {
		if (len(out)%2 == 0) != (marked[i] && r != '…') {
			out = append(out, "")
		}
		out[len(out)-1] += string(r)
		i++
	}
	return out
}

// What a terminal is told (ECMA-48; for the modes with ? see the control
// sequences of xterm).
const (
	// A screen of our own, on which no line is continued on the next, and
	// pastes are marked as such.
	enter = "\x1b[?1049h\x1b[?7l\x1b[?2004h"
	// The console of Linux has no second screen to go back from.
	leave      = "\x1b[?2004l\x1b[?7h\x1b[H\x1b[J\x1b[?1049l"
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	eraseAll   = "\x1b[H\x1b[2J"
	eraseLine  = "\x1b[2K"
)

func moveTo(x int) string { return fmt.Sprintf("\x1b[%dG", x) }

// resize says how large the screen is, of which nothing is known then.
func (p *picker) resize(width, height int) {
	p.width, p.height, p.shown = max(width, 1), max(height, 1), nil
}

// paint returns what makes the screen show the list as it is now.
func (p *picker) paint() string {
	lines, cursor := p.frame()
	var b strings.Builder
	b.WriteString(hideCursor)
	if p.shown == nil {
		b.WriteString(eraseAll)
	}
	for i, line := range lines {
		if p.shown == nil || p.shown[i] != line {
			fmt.Fprintf(&b, "\x1b[%d;1H%s%s", i+1, eraseLine, line)
		}
	}
	fmt.Fprintf(&b, "\x1b[1;%dH%s", cursor, showCursor)
	p.shown = lines
	return b.String()
}
