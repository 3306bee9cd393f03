package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The grid of a picture, in its units.
const (
	cellWidth  = 8.4
	lineHeight = 19
	fontSize   = 14
	margin     = 14
)

const (
	background = "#1d2129"
	foreground = "#d7dae0"
)

// colours are those of SGR 31 to 36.
var colours = map[string]string{
	"31": "#ef6b73", "32": "#98c379", "33": "#e5c07b", "34": "#61afef", "35": "#c678dd", "36": "#56b6c2",
}

// style is how text looks from one escape sequence to the next.
type style struct {
	colour    string
	bold, dim bool
}

// escape is a sequence that sets a style (SGR), or the start of any other.
var escape = regexp.MustCompile("\x1b(?:\\[([0-9;]*)m)?")

// apply returns the style after the parameters of a sequence.
func (s style) apply(parameters string) (style, error) {
	for p := range strings.SplitSeq(parameters, ";") {
		switch p {
		case "", "0":
			s = style{}
		case "1":
			s.bold = true
		case "2":
			s.dim = true
		case "22":
			s.bold, s.dim = false, false
		case "39":
			s.colour = ""
		case "49": // the background is never another
		default:
			c, known := colours[p]
			if !known {
				return s, fmt.Errorf("SGR %s is not drawn here", p)
			}
			s.colour = c
		}
	}
	return s, nil
}

// draw makes a picture of a screen, which tmux has reduced to text, line feeds
// and SGR.
func draw(title, screen string) ([]byte, error) {
	lines := strings.Split(strings.TrimRight(screen, "\n"), "\n")
	width, height := 2*margin+columns*cellWidth, 2*margin+len(lines)*lineHeight
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" viewBox="0 0 %.0f %d" role="img">
<title>%s</title>
<rect width="100%%" height="100%%" rx="8" fill="%s"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="%d" fill="%s">
`, width, height, width, height, escaped(title), background, fontSize, foreground)
	var s style
	for row, line := range lines {
		column := 0
		for line != "" {
			text, rest, parameters := line, "", ""
			at := escape.FindStringSubmatchIndex(line)
			if at != nil {
				if at[2] < 0 {
					return nil, fmt.Errorf("an escape sequence that is not drawn here in %q", line)
				}
				text, parameters, rest = line[:at[0]], line[at[2]:at[3]], line[at[1]:]
			}
			s.write(&b, row, column, text)
			column += utf8.RuneCountInString(text)
			if at != nil {
				var err error
				if s, err = s.apply(parameters); err != nil {
					return nil, err
				}
			}
			line = rest
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return b.Bytes(), nil
}

// write places text of one style in a cell and the cells after it. Its length
// is given, so that columns stand below each other in whatever font there is.
func (s style) write(b *bytes.Buffer, row, column int, text string) {
	indent := len(text) - len(strings.TrimLeft(text, " "))
	column, text = column+indent, strings.Trim(text, " ")
	if text == "" {
		return
	}
	fmt.Fprintf(b, `<text xml:space="preserve" x="%.1f" y="%d" textLength="%.1f" lengthAdjust="spacingAndGlyphs"`,
		margin+float64(column)*cellWidth, margin+row*lineHeight+fontSize, float64(utf8.RuneCountInString(text))*cellWidth)
	if s.colour != "" {
		fmt.Fprintf(b, ` fill="%s"`, s.colour)
	}
	if s.bold {
		b.WriteString(` font-weight="bold"`)
	}
	if s.dim {
		b.WriteString(` opacity="0.6"`)
	}
	fmt.Fprintf(b, ">%s</text>\n", escaped(text))
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}
