package term

import "strings"

// The styles, as Select Graphic Rendition sequences of ECMA-48.
const (
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

// Styler styles text for one stream. The zero value styles nothing.
type Styler struct{ on bool }

// NewStyler returns a styler that is on for a terminal, unless NO_COLOR is set
// and not empty (https://no-color.org) or TERM is dumb. It is given the values
// of these variables.
func NewStyler(terminal bool, noColor, term string) Styler {
	return Styler{terminal && noColor == "" && term != "dumb"}
}

// Bold returns s in bold.
func (y Styler) Bold(s string) string { return y.style(bold, s) }

// Dim returns s in a faint colour.
func (y Styler) Dim(s string) string { return y.style(dim, s) }

// Red returns s in red.
func (y Styler) Red(s string) string { return y.style(red, s) }

// Green returns s in green.
func (y Styler) Green(s string) string { return y.style(green, s) }

// Yellow returns s in yellow.
func (y Styler) Yellow(s string) string { return y.style(yellow, s) }

func (y Styler) style(style, s string) string {
	if !y.on || s == "" {
		return s
	}
	return style + s + plain
}

// leadingStyle returns the style that s begins with, if any.
func leadingStyle(s string) string {
	if !strings.HasPrefix(s, "\x1b") {
		return ""
	}
	for _, style := range []string{bold, dim, red, green, yellow, plain} {
		if strings.HasPrefix(s, style) {
			return style
		}
	}
	return ""
}
