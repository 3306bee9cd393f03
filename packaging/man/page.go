package main

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// page returns the man page of a command, made from its help.
func page(c *cobra.Command, date time.Time) []byte {
	var b roff
	name := fileName(c)
	// No name of a manual: with it the headers of long names overlap.
	b.line(".TH %s 1 %s aws-switch-role \" \"", strings.ToUpper(name), date.Format(time.DateOnly))
	b.section("NAME")
	short, _, _ := strings.Cut(c.Short, ":")
	b.text(wrap(name + ` \- ` + escape(strings.ToLower(short[:1])+short[1:])))

	b.section("SYNOPSIS")
	b.line(".nh") // nothing is broken where a command line has no break
	b.text(`\fB` + escape(c.CommandPath()) + `\fR` + escape(strings.TrimPrefix(c.UseLine(), c.CommandPath())))
	b.line(".hy")

	b.section("DESCRIPTION")
	b.prose(cmp.Or(c.Long, c.Short+"."))

	if c.Flags().HasAvailableFlags() {
		b.section("OPTIONS")
		c.InitDefaultHelpFlag()
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Hidden {
				return
			}
			value, usage := pflag.UnquoteUsage(f)
			flag := `\fB` + escape("--"+f.Name) + `\fR`
			if f.Shorthand != "" {
				flag = `\fB` + escape("-"+f.Shorthand) + `\fR, ` + flag
			}
			switch {
			case value == "":
			case f.NoOptDefVal != "" && f.Value.Type() != "bool":
				flag += `[=\fI` + escape(value) + `\fR]`
			default:
				flag += ` \fI` + escape(value) + `\fR`
			}
			if !strings.Contains(usage, "default") && f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" && f.DefValue != "0" && f.DefValue != "0s" {
				usage += " (default " + f.DefValue + ")"
			}
			b.item(flag, usage)
		})
	}

	if subs := described(c); len(subs) > 0 {
		b.section("COMMANDS")
		for _, sub := range subs {
			b.item(`\fB`+escape(sub.Name())+`\fR`, sub.Short+"; see "+fileName(sub)+"(1)")
		}
	}
	if c.Example != "" {
		b.section("EXAMPLES")
		b.verbatim(c.Example)
	}
	if !c.HasParent() {
		for _, s := range sections {
			b.section(s.name)
			if s.text != "" {
				b.prose(s.text)
			}
			for _, i := range s.items {
				b.item(`\fB`+escape(i.term)+`\fR`, i.text)
			}
		}
	}
	also := "aws-switch-role(1)"
	if !c.HasParent() {
		also = "aws(1), envchain(1)"
	} else if c.Parent().HasParent() {
		also = fileName(c.Parent()) + "(1), " + also
	}
	b.section("SEE ALSO")
	b.text(escape(also))
	return b.Bytes()
}

// described are the commands under a command that a page is about.
func described(c *cobra.Command) (subs []*cobra.Command) {
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			subs = append(subs, sub)
		}
	}
	return subs
}

func fileName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// roff is a page in the man macros (man(7)).
type roff struct{ bytes.Buffer }

func (b *roff) line(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }

func (b *roff) section(name string) { b.line(".SH %s", name) }

// text writes what is escaped already, a sentence or two a line.
func (b *roff) text(s string) {
	for line := range strings.Lines(s) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			line = `\&` + line
		}
		b.line("%s", line)
	}
}

// item writes a term, and indented what it is.
func (b *roff) item(term, text string) {
	b.line(".TP")
	b.text(term)
	b.text(wrap(escape(text)))
}

// prose writes paragraphs. Lines that are indented stay as they are.
func (b *roff) prose(s string) {
	for i, paragraph := range strings.Split(strings.Trim(s, "\n"), "\n\n") {
		if i > 0 {
			b.line(".PP")
		}
		if strings.HasPrefix(paragraph, " ") {
			b.verbatim(paragraph)
		} else {
			b.text(wrap(escape(paragraph)))
		}
	}
}

func (b *roff) verbatim(s string) {
	b.line(".nf")
	b.line(".RS")
	for line := range strings.Lines(strings.Trim(s, "\n")) {
		b.text(escape(strings.TrimPrefix(line, "  ")))
	}
	b.line(".RE")
	b.line(".fi")
}

// escape makes text roff that shows it, with hyphens that can be copied.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...", "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, "\t", "    ").Replace(s)
}

// wrap breaks text into lines of moderate length.
func wrap(s string) string {
	var b strings.Builder
	n := 0
	for i, word := range strings.Fields(s) {
		switch {
		case i == 0:
		case n+len(word) > 78:
			b.WriteByte('\n')
			n = 0
		default:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		n += len(word)
	}
	return b.String()
}
