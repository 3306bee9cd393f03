package term

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

var keyNames = map[keyName]string{
	keyEnter: "enter", keyEscape: "esc", keyInterrupt: "intr", keyQuit: "quit", keySuspend: "susp", keyEnd: "end", keyUp: "up", keyDown: "down",
	keyPageUp: "pgup", keyPageDown: "pgdn", keyFirst: "first", keyLast: "last", keyBackspace: "back", keyClear: "clear", keyClearWord: "word", keyRedraw: "redraw",
}

// typing tells keys: texts in quotes, the others by name.
func typing(keys []key) string {
	var out []string
	for _, k := range keys {
		if k.name == keyText {
			out = append(out, fmt.Sprintf("%q", k.text))
		} else {
			out = append(out, keyNames[k.name])
		}
	}
	return strings.Join(out, " ")
}

func TestKeys(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		chunks     []string // an empty one: nothing comes in time
	}{
		{"letters", `"a" "ü" "京"`, []string{"aü京"}},
		{"a letter in parts", `"京"`, []string{"\xe4", "\xba", "\xac"}},
		{"half a letter", `"a"`, []string{"\xe4\xba", "", "a"}},
		{"no letter", `"a"`, []string{"\xffa\u202e\u200d\x01\x00"}},
		{"controls", "enter down up down up down back back clear word redraw end intr quit susp esc", []string{"\r\x0e\x10\n\x0b\t\x08\x7f\x15\x17\x0c\x04\x03\x1c\x1a\x07"}},
		{"arrows", "up down up down first last pgup pgdn up", []string{"\x1b[A\x1b[B\x1bOA\x1bOB\x1b[H\x1b[F\x1b[5~\x1b[6~\x1b[Z"}},
		{"home and end of others", "first last first last", []string{"\x1b[1~\x1b[4~\x1b[7~\x1b[8~"}},
		{"with modifiers", "up down first pgdn", []string{"\x1b[1;5A\x1b[1;2B\x1b[1;5H\x1b[6;5~"}},
		{"in parts", "up", []string{"\x1b", "[", "A"}},
		{"escape", "esc", []string{"\x1b", ""}},
		{"escape twice", "esc esc", []string{"\x1b\x1b", ""}},
		{"escape before enter", "esc enter", []string{"\x1b\r"}},
		{"escape before a key", "esc up", []string{"\x1b\x1b[A"}},
		{"unknown ones", `"x"`, []string{"\x1b[15~\x1b[99;9u\x1bOP\x1b[[A\x1bqx"}},
		{"broken off", `"x"`, []string{"\x1b[1;", "", "x"}},
		{"broken off by another", "up", []string{"\x1b[1;\x1b[A"}},
		{"broken off by escape", "esc", []string{"\x1b[1;\x1b", ""}},
		{"broken off by a control", "enter", []string{"\x1b[\r"}},
		{"paste", `"prod acme" enter`, []string{"\x1b[200~prod\racme\x1b[201~\r"}},
		{"paste in parts", `"pr" "od" ""`, []string{"\x1b[20", "0~pr", "od\x1b", "[201", "~"}},
		{"paste of half a letter", `"a" "京" "" "b"`, []string{"\x1b[200~a\xe4\xba", "\xac", "\x1b[201~b"}},
		{"paste of controls", `" [A  "`, []string{"\x1b[200~\x1b[A\x04\r\x1b[201~"}},
		{"paste left by ctrl-C", `"prod" intr "x"`, []string{"\x1b[200~prod\x03x"}},
		{"paste without an end", `"prod" esc`, []string{"\x1b[200~prod", "", "\x1b", ""}},
	} {
		var k keyboard
		var keys []key
		for _, c := range tt.chunks {
			keys = append(keys, k.keys([]byte(c))...)
		}
		if got := typing(keys); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if k.patience() != 0 {
			t.Errorf("%s: something is still waited for", tt.name)
		}
	}
}

// However the bytes are cut into parts, they are the same keys, and nothing is
// waited for when the time is over.
func FuzzKeys(f *testing.F) {
	f.Add([]byte("a京\x1b[A\x1b[200~x\x1b[201~\r"), uint8(3))
	f.Add([]byte("\x1b[[A\x1bO\x1b[1;\xe4\x1b"), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, n uint8) {
		var whole, cut keyboard
		text := func(keys []key) (out string) { // the parts of a paste are as they come
			for _, k := range keys {
				out += k.text + strings.Repeat("<"+keyNames[k.name]+">", min(1, len(keyNames[k.name])))
			}
			return out
		}
		want := text(append(whole.keys(append([]byte{' '}, b...)), whole.keys(nil)...))
		var keys []key
		for part := range slices.Chunk(append([]byte{' '}, b...), int(n)+1) {
			keys = append(keys, cut.keys(part)...)
		}
		keys = append(keys, cut.keys(nil)...)
		if got := text(keys); got != want {
			t.Errorf("%q in parts of %d: %s, want %s", b, int(n)+1, got, want)
		}
		if whole.patience() != 0 || cut.patience() != 0 {
			t.Error("something is still waited for")
		}
	})
}
