package cli

import (
	"io"
	"os"
	"slices"
	"strings"

	"aws-switch-role/internal/term"
)

// table is text in columns, for people: cells are made safe for a terminal,
// and shortened where they would not fit its width.
type table struct {
	heads []string
	whole []string // the heads of columns that are never shortened
	rows  []row
	style term.Styler
	width int // of the terminal; 0 is boundless
}

// newTable returns a table with these heads for what stdout is.
func (a *app) newTable(heads ...string) *table {
	return &table{
		heads: heads,
		style: term.NewStyler(term.IsTerminal(os.Stdout), a.getenv("NO_COLOR"), a.getenv("TERM")),
		width: term.Width(os.Stdout),
	}
}

// print writes a table to stdout.
func (a *app) print(t *table) error {
	_, err := io.WriteString(term.Writer{To: a.stdout}, t.String())
	return err
}

// row is a line of a table.
type row struct {
	cells []string
	paint []func(string) string // by column, where there is one; may be short
	note  string                // in place of the cells that are missing
}

// Columns are two blanks apart, and none is made narrower than this.
const (
	gap            = "  "
	narrowest      = 6
	narrowestFirst = 12 // of the first, which is what people type
)

// add adds a row.
func (t *table) add(r row) {
	for i := range r.cells {
		if r.cells[i] = term.Clean(r.cells[i]); r.cells[i] == "" {
			r.cells[i] = "-"
		}
	}
	r.note = term.Clean(r.note)
	t.rows = append(t.rows, r)
}

// String returns the table's lines.
func (t *table) String() string {
	widths := t.widths()
	var b strings.Builder
	if len(t.heads) > 0 {
		head := row{cells: t.heads}
		for range t.heads {
			head.paint = append(head.paint, t.style.Bold)
		}
		t.line(&b, head, widths)
	}
	for _, r := range t.rows {
		t.line(&b, r, widths)
	}
	return b.String()
}

// line writes a row in columns of these widths.
func (t *table) line(b *strings.Builder, r row, widths []int) {
	used := 0
	for i, cell := range r.cells {
		if i > 0 {
			b.WriteString(gap)
		}
		cell = term.Fit(cell, widths[i])
		painted := cell
		if i < len(r.paint) && r.paint[i] != nil {
			painted = r.paint[i](cell)
		}
		b.WriteString(painted)
		used += widths[i] + len(gap)
		if i < len(r.cells)-1 || r.note != "" {
			b.WriteString(strings.Repeat(" ", widths[i]-term.Cells(cell)))
		}
	}
	if r.note != "" {
		note := r.note
		if t.width > 0 {
			note = term.Fit(note, max(t.width-used, narrowest))
		}
		b.WriteString(gap + t.style.Red(note))
	}
	b.WriteByte('\n')
}

// widths are those of the columns: of their widest cells, or less so that a
// line fits. The widest are made narrower first, and the first column last.
func (t *table) widths() []int {
	var widths []int
	measure := func(cells []string) {
		for i, cell := range cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], term.Cells(cell))
		}
	}
	measure(t.heads)
	for _, r := range t.rows {
		measure(r.cells)
	}
	if t.width == 0 {
		return widths
	}
	over := len(gap)*(len(widths)-1) - t.width
	for _, w := range widths {
		over += w
	}
	for ; over > 0; over-- {
		widest := 0
		for i := 1; i < len(widths); i++ {
			cut := widths[i] > narrowest && !slices.Contains(t.whole, t.heads[i])
			if cut && (widest == 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest == 0 && widths[0] <= narrowestFirst {
			break // the terminal wraps the line
		}
		widths[widest]--
	}
	return widths
}
