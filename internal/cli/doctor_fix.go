package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/doctor"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/term"
)

// mending is what doctor --fix does: to the text of files, and else.
type mending struct {
	files []string // in their order
	edits map[string][]awsconfig.Edit
	other []doctor.Finding // modes and removals
	count int              // of the findings that it mends
}

// mendings gathers the fixes of findings. What two findings want of one line is
// one edit.
func mendings(findings []doctor.Finding) mending {
	m := mending{edits: map[string][]awsconfig.Edit{}}
	for _, f := range findings {
		if f.Fix == nil {
			continue
		}
		m.count++
		if f.Fix.Edit == nil {
			m.other = append(m.other, f)
			continue
		}
		e, file := *f.Fix.Edit, f.Origin.File
		if !slices.Contains(m.files, file) {
			m.files = append(m.files, file)
		}
		i := slices.IndexFunc(m.edits[file], func(before awsconfig.Edit) bool {
			return before.Key != "" && before.Line == e.Line && before.Key == e.Key
		})
		if i < 0 {
			m.edits[file] = append(m.edits[file], e)
			continue
		}
		before := &m.edits[file][i]
		before.Equals = before.Equals || e.Equals
		if e.Name != e.Key { // to be spelled otherwise, not only in small letters
			before.Name = e.Name
		}
	}
	return m
}

// mend shows what the fixes of findings change, asks, and makes the changes.
func (a *app) mend(ctx context.Context, findings []doctor.Finding, yes bool) error {
	m := mendings(findings)
	if m.count == 0 {
		_, err := fmt.Fprintln(a.stdout, a.sentence(message.New("mend-none", "%s, none of which can be mended without you: aws-switch-role doctor", findingsText(len(findings)))))
		return err
	}
	shown, err := a.changes(m)
	if err != nil {
		return err
	}
	if _, err := (term.Writer{To: a.stdout}).Write([]byte(shown)); err != nil {
		return err
	}
	if !yes {
		if ok, err := a.agreed(ctx, a.sentence(message.New("mend-ask", "Make these changes? [y/N]"))+" "); err != nil || !ok {
			return err
		}
	}
	if err := m.make(); err != nil {
		return err
	}
	left := len(findings) - m.count
	if left == 0 {
		a.exit = 0
	}
	_, err = fmt.Fprintln(a.stdout, a.sentence(message.New("mend-made", "%s mended, %d left: aws-switch-role doctor", findingsText(m.count), left)))
	return err
}

// changes shows what is to change as a diff, and as the commands that would do
// the same.
func (a *app) changes(m mending) (string, error) {
	var b strings.Builder
	for _, file := range m.files {
		old, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		edited, err := awsconfig.Edited(old, m.edits[file]...)
		if err != nil {
			return "", &fileError{path: file, err: err}
		}
		name := a.tilde(file)
		fmt.Fprintf(&b, "--- %s\n+++ %s\n", name, name)
		was, is := splitLines(old), splitLines(edited)
		for i := range was { // an edit makes no line more, and none less
			if !bytes.Equal(was[i], is[i]) {
				fmt.Fprintf(&b, "@@ -%d +%d @@\n-%s\n+%s\n", i+1, i+1, showable(was[i], is[i]), showable(is[i], is[i]))
			}
		}
	}
	for _, f := range m.other {
		if f.Fix.Mode != 0 {
			fmt.Fprintf(&b, "chmod %o %s\n", f.Fix.Mode, a.tilde(f.Origin.File))
			continue
		}
		for _, path := range f.Fix.Remove {
			fmt.Fprintf(&b, "rm %s\n", a.tilde(path))
		}
	}
	return b.String(), nil
}

// splitLines divides a text where awsconfig does, whatever ends its lines.
func splitLines(text []byte) [][]byte {
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	return bytes.Split(bytes.ReplaceAll(text, []byte("\r"), []byte("\n")), []byte("\n"))
}

// showable is a line of a file less a value that may be a secret: which it is
// the key tells that stands in the line when it is mended.
func showable(line, mended []byte) string {
	text := strings.ReplaceAll(string(line), "\uFEFF", "<BOM>")
	i := strings.IndexAny(text, "=:")
	key, _, _ := bytes.Cut(mended, []byte("="))
	if i < 0 || bytes.HasPrefix(mended, []byte("[")) || doctor.Showable(strings.ToLower(string(bytes.TrimSpace(key)))) {
		return text
	}
	return text[:i+1] + " …"
}

// make makes the changes.
func (m mending) make() error {
	var failed error
	for _, file := range m.files {
		failed = errors.Join(failed, awsconfig.Rewrite(file, func(text []byte) ([]byte, error) { return awsconfig.Edited(text, m.edits[file]...) }))
	}
	for _, f := range m.other {
		if f.Fix.Mode != 0 {
			failed = errors.Join(failed, os.Chmod(f.Origin.File, f.Fix.Mode))
			continue
		}
		for _, path := range f.Fix.Remove {
			if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
				failed = errors.Join(failed, err)
			}
		}
	}
	return failed
}

// agreed asks a person a question of yes or no.
func (a *app) agreed(ctx context.Context, question string) (bool, error) {
	t, err := term.Open()
	if err != nil {
		return false, usagef("without a terminal to ask on, pass --yes")
	}
	defer t.Close()
	answer, err := t.AskVisible(ctx, question)
	return strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes"), err
}
