package deliver

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Visit is what a browser is started for: what stands for the placeholders of
// its command.
type Visit struct {
	URL     string // %u, and %s as in $BROWSER
	Profile string // %p
	Account string // %a
}

// NoBrowserError says that no command that would open a browser is there.
type NoBrowserError struct{ Tried []string }

// Error implements error.
func (e *NoBrowserError) Error() string {
	if len(e.Tried) == 0 {
		return "no browser was found"
	}
	return "no browser was found: there is no command " + strings.Join(e.Tried, ", ")
}

// Browser is the command of a browser: words with placeholders in them.
type Browser []string

// FindBrowser returns the first browser that is there of: command, which goes
// before all others; the commands in the variable BROWSER of env, which are
// separated as those of PATH are; this system's own way. The error is a
// [*NoBrowserError], or says what is wrong with command.
func FindBrowser(command string, env []string) (Browser, error) {
	var candidates []Browser
	add := func(command string) error {
		words, err := splitWords(command)
		if len(words) > 0 {
			candidates = append(candidates, words)
		}
		return err
	}
	list, _ := lookup(env, "BROWSER")
	switch {
	case command != "":
		if err := add(command); err != nil {
			return nil, err
		}
	case list != "":
		for one := range strings.SplitSeq(list, string(os.PathListSeparator)) {
			if err := add(one); err != nil {
				return nil, fmt.Errorf("BROWSER: %w", err)
			}
		}
	}
	if len(candidates) == 0 {
		candidates = systemBrowsers
	}
	none := &NoBrowserError{}
	for _, b := range candidates {
		if _, err := exec.LookPath(b[0]); err == nil {
			return b, nil
		}
		none.Tried = append(none.Tried, b[0])
	}
	return nil, none
}

// splitWords parts a command line at blanks that no quotes, single or double,
// surround. A backslash is a backslash: paths on Windows have them.
func splitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	begun, quote := false, rune(0)
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, begun = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if begun {
				words = append(words, word.String())
				word.Reset()
				begun = false
			}
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote (%c) has no end", quote)
	}
	if begun {
		words = append(words, word.String())
	}
	return words, nil
}

// argv is the command line for a visit. Where no word has the URL's
// placeholder the URL stands at the end.
func (b Browser) argv(v Visit) []string {
	argv := make([]string, 0, len(b)+1)
	named := false
	for i, word := range b {
		if i > 0 {
			var has bool
			word, has = v.fill(word)
			named = named || has
		}
		argv = append(argv, word)
	}
	if !named {
		argv = append(argv, v.URL)
	}
	return argv
}

// fill puts v into the placeholders of a word, and reports whether the URL's
// was one of them. In a word that is a URL itself, such as Firefox's
// ext+container:name=%p&url=%u, the values are escaped for it.
func (v Visit) fill(word string) (filled string, named bool) {
	escape := func(s string) string { return s }
	if scheme, _, ok := strings.Cut(word, ":"); ok && isScheme(scheme) {
		escape = func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	}
	var b strings.Builder
	for i := 0; i < len(word); i++ {
		if word[i] != '%' || i+1 == len(word) {
			b.WriteByte(word[i])
			continue
		}
		i++
		switch word[i] {
		case 'u', 's':
			b.WriteString(escape(v.URL))
			named = true
		case 'p':
			b.WriteString(escape(v.Profile))
		case 'a':
			b.WriteString(escape(v.Account))
		case '%':
			b.WriteByte('%')
		default:
			b.WriteString(word[i-1 : i+1])
		}
	}
	return b.String(), named
}

// isScheme reports whether s is the scheme of a URL (RFC 3986, section 3.1),
// rather than a drive of Windows.
func isScheme(s string) bool {
	const lower = "abcdefghijklmnopqrstuvwxyz"
	return len(s) > 1 && strings.ContainsRune(lower, rune(s[0])) && strings.Trim(s, lower+"0123456789+-.") == ""
}

// Open starts the browser in env, away from the terminal: it lives on when the
// terminal is closed and hears no Ctrl-C. What it says goes to said, nil for
// nowhere. ended gets one value: nil when the command, which is often not the
// browser itself, ended well.
func (b Browser) Open(v Visit, env []string, said *os.File) (ended <-chan error, err error) {
	argv := b.argv(v)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = slices.Clone(env)
	cmd.SysProcAttr = apart()
	if said != nil {
		cmd.Stderr = said
	}
	if err := cmd.Start(); err != nil {
		return nil, &BrowserError{argv[0], err}
	}
	done := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		if err != nil {
			err = &BrowserError{argv[0], err}
		}
		done <- err
	}()
	return done, nil
}

// BrowserError says that a browser's command failed.
type BrowserError struct {
	Command string // its first word
	Err     error
}

// Error implements error.
func (e *BrowserError) Error() string {
	return fmt.Sprintf("the browser's command %s failed: %v", e.Command, e.Err)
}

// Unwrap returns the cause.
func (e *BrowserError) Unwrap() error { return e.Err }
