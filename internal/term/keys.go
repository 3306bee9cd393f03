package term

import (
	"bytes"
	"time"
	"unicode"
	"unicode/utf8"
)

// key is a key of the keyboard, or a text that came as one.
type key struct {
	name keyName
	text string // of keyText
}

type keyName int

const (
	keyNone keyName = iota // one that means nothing here
	keyText
	keyEnter
	keyEscape
	keyInterrupt
	keyQuit
	keySuspend
	keyEnd // of input: Ctrl-D
	keyUp
	keyDown
	keyPageUp
	keyPageDown
	keyFirst
	keyLast
	keyBackspace
	keyClear
	keyClearWord
	keyRedraw
)

// control is the key that is one byte.
func control(b byte) keyName {
	const ctrl = '@' // below the letter that is typed with Ctrl
	switch b {
	case 'C' - ctrl:
		return keyInterrupt
	case '\\' - ctrl:
		return keyQuit
	case 'Z' - ctrl:
		return keySuspend
	case 'D' - ctrl:
		return keyEnd
	case 'G' - ctrl: // as in Emacs and fzf
		return keyEscape
	case '\r':
		return keyEnter
	case 'N' - ctrl, 'J' - ctrl, '\t':
		return keyDown
	case 'P' - ctrl, 'K' - ctrl:
		return keyUp
	case 'H' - ctrl, 0x7f:
		return keyBackspace
	case 'U' - ctrl:
		return keyClear
	case 'W' - ctrl:
		return keyClearWord
	case 'L' - ctrl:
		return keyRedraw
	}
	return keyNone
}

// sequence is the key that is more: s stands behind ESC [ or ESC O, without
// the modifiers.
func sequence(s string) keyName {
	switch s {
	case "A", "Z": // Shift-Tab
		return keyUp
	case "B":
		return keyDown
	case "H", "1~", "7~":
		return keyFirst
	case "F", "4~", "8~":
		return keyLast
	case "5~":
		return keyPageUp
	case "6~":
		return keyPageDown
	}
	return keyNone
}

// A paste comes between these two, so that no part of it counts as a key.
const (
	pasteBegin = "\x1b[200~"
	pasteEnd   = "\x1b[201~"
)

// keyboard turns what a terminal sends into keys. The zero value is ready.
type keyboard struct {
	rest    []byte // the beginning of a key whose end has not come yet
	pasting bool
}

// How long the rest of a key, or of a paste, is waited for: an ESC that nothing
// follows is the key of that name.
const (
	keyTime   = 100 * time.Millisecond
	pasteTime = time.Second
)

// patience is how long to wait for the rest of what has begun; 0 when nothing
// has.
func (k *keyboard) patience() time.Duration {
	switch {
	case k.pasting:
		return pasteTime
	case len(k.rest) > 0:
		return keyTime
	}
	return 0
}

// keys takes what came and returns the keys in it. With nothing, the rest of
// what has begun will not come, and it is taken as it is.
func (k *keyboard) keys(came []byte) []key {
	hurry := len(came) == 0
	b := append(k.rest, came...)
	k.rest = nil
	var keys []key
	for len(b) > 0 {
		name, text, n := k.next(b, hurry)
		if n == 0 {
			k.rest = b
			break
		}
		b = b[n:]
		if name != keyNone {
			keys = append(keys, key{name, text})
		}
	}
	k.pasting = k.pasting && !hurry
	return keys
}

// next reads one key of n bytes; n is 0 when its end is still to come.
func (k *keyboard) next(b []byte, hurry bool) (name keyName, text string, n int) {
	switch {
	case k.pasting:
		return k.pasted(b, hurry)
	case b[0] == 0x1b:
		return k.escape(b, hurry)
	case b[0] < ' ' || b[0] == 0x7f:
		return control(b[0]), "", 1
	case !utf8.FullRune(b) && !hurry:
		return keyNone, "", 0
	}
	r, size := utf8.DecodeRune(b)
	if !typeable(r) {
		return keyNone, "", size
	}
	return keyText, string(r), size
}

// typeable reports whether a character may stand in a line on the screen.
func typeable(r rune) bool { return r != utf8.RuneError && unicode.IsPrint(r) }

// escape reads what begins with ESC.
func (k *keyboard) escape(b []byte, hurry bool) (keyName, string, int) {
	switch {
	case len(b) == 1 && hurry:
		return keyEscape, "", 1
	case len(b) == 1:
		return keyNone, "", 0
	case b[1] < ' ': // no key begins so: what follows is another
		return keyEscape, "", 1
	case b[1] != '[' && b[1] != 'O':
		return keyNone, "", 2 // with Alt
	}
	// Parameters and intermediate bytes, then the final one (ECMA-48, 5.4).
	end := 2
	if bytes.HasPrefix(b, []byte("\x1b[[")) { // a function key of the Linux console
		end++
	}
	for end < len(b) && b[end] >= ' ' && b[end] < '@' {
		end++
	}
	switch {
	case end == len(b) && !hurry:
		return keyNone, "", 0
	case end == len(b) || b[end] < ' ' || b[end] > '~':
		return keyNone, "", end // broken off
	}
	end++
	if string(b[:end]) == pasteBegin {
		k.pasting = true
	}
	first, _, modified := bytes.Cut(b[2:end-1], []byte(";"))
	final := string(b[end-1])
	if final == "~" || !modified {
		final = string(first) + final
	}
	return sequence(final), "", end
}

// pasted reads a part of a paste. Its control characters are blanks: the end
// of a line that was copied along does not press Enter. Only Ctrl-C, which
// terminals do not paste, is a key: the end of a paste may be lost.
func (k *keyboard) pasted(b []byte, hurry bool) (keyName, string, int) {
	const interrupt = 'C' - '@'
	if b[0] == interrupt {
		k.pasting = false
		return keyInterrupt, "", 1
	}
	part, _, ended := bytes.Cut(b, []byte(pasteEnd))
	if i := bytes.IndexByte(part, interrupt); i >= 0 {
		part, ended, hurry = part[:i], false, true
	}
	n := len(part)
	switch {
	case ended:
		k.pasting = false
		n += len(pasteEnd)
	case !hurry: // the end of it may be half of an end, or half of a character
		if i := bytes.LastIndexByte(part, 0x1b); i >= 0 && bytes.HasPrefix([]byte(pasteEnd), part[i:]) {
			part = part[:i]
		}
		for i := 1; i < utf8.UTFMax && i <= len(part); i++ {
			if tail := part[len(part)-i:]; utf8.RuneStart(tail[0]) {
				if !utf8.FullRune(tail) {
					part = part[:len(part)-i]
				}
				break
			}
		}
		n = len(part)
	}
	text := bytes.Map(func(r rune) rune {
		if typeable(r) {
			return r
		}
		return ' '
	}, part)
	return keyText, string(text), n
}
