package words

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"aws-switch-role/internal/message"
)

var verb = regexp.MustCompile(`%(\[\d+\])?.`)

// TestCatalogue checks that everything is said in both languages, about the
// same things.
func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, part := range catalogue {
		for id, e := range part() {
			if seen[id] {
				t.Errorf("%s is there twice", id)
			}
			seen[id] = true
			checkEntry(t, id, e)
		}
	}
}

func checkEntry(t *testing.T, id string, e entry) {
	if e == (entry{}) {
		t.Errorf("%s says nothing", id)
	}
	japanese := ""
	for _, x := range []text{e.what, e.why, e.next} {
		japanese += x.ja
		if (x.en == "") != (x.ja == "") {
			t.Errorf("%s: %q and %q: one is missing", id, x.en, x.ja)
		}
		if en, ja := verbs(x.en), verbs(x.ja); !slices.Equal(en, ja) {
			t.Errorf("%s: %q has %q, %q has %q", id, x.en, en, x.ja, ja)
		}
		if strings.ContainsFunc(x.en, func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han) }) {
			t.Errorf("%s: not English: %q", id, x.en)
		}
		for _, s := range []string{x.en, x.ja} {
			if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "。") {
				t.Errorf("%s: a full stop at the end of %q", id, s)
			}
		}
	}
	if !strings.ContainsFunc(japanese, func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana) }) {
		t.Errorf("%s: not Japanese: %q", id, japanese)
	}
}

// typable is what can be typed at a prompt, or written into a line of a file.
var typable = regexp.MustCompile(`(aws-switch-role|aws|sudo|chmod|unset|export|sed|iconv) |` +
	`[A-Za-z_キー]+ = |\[default\]|%\[3\]s|%\[1\]s\] in line|%\[1\]s\]|%\[2\]s(\?| のつもり)`)

// TestFindings sees that each finding says what, why and which one thing mends
// it: a command, or a line of a file.
func TestFindings(t *testing.T) {
	for id, e := range findings() {
		note, ofError := e.why == (text{}) && e.next == (text{}), e.what == (text{})
		if note || ofError { // an error says itself what is wrong, and what mends it
			continue
		}
		if e.what.en == "" || e.why.en == "" {
			t.Errorf("%s says not what is wrong and why", id)
		}
		for _, next := range []string{e.next.en, e.next.ja} {
			if !typable.MatchString(next) {
				t.Errorf("%s: nothing can be typed of %q", id, next)
			}
		}
	}
}

// verbs are the arguments that a sentence uses, each once.
func verbs(s string) []string {
	return slices.Compact(slices.Sorted(slices.Values(verb.FindAllString(s, -1))))
}

func TestExplain(t *testing.T) {
	x, ok := Explain(English, "key-typo", "source_profle", "source_profile")
	if want := (Explanation{"source_profle is no setting of any AWS tool", "it is silently ignored", "did you mean source_profile?"}); x != want || !ok {
		t.Errorf("%q, %t", x, ok)
	}
	x, ok = Explain(Japanese, "key-typo", "source_profle", "source_profile")
	if x.Next != "source_profile のつもりでは?" || !ok {
		t.Errorf("%q, %t", x, ok)
	}
	if x, ok := Explain(English, "no such"); ok {
		t.Errorf("%q", x)
	}
}

func TestLanguageOf(t *testing.T) {
	tests := []struct {
		all, messages, lang string
		want                Language
	}{
		{"", "", "", English},
		{"", "", "C.UTF-8", English},
		{"", "", "ja_JP.UTF-8", Japanese},
		{"", "", "ja", Japanese},
		{"", "", "jam_JM", English},
		{"C", "", "ja_JP.UTF-8", English},
		{"", "ja_JP.eucJP", "en_US.UTF-8", Japanese},
		{"ja.UTF-8", "en_US.UTF-8", "", Japanese},
	}
	for _, tt := range tests {
		env := map[string]string{"LC_ALL": tt.all, "LC_MESSAGES": tt.messages, "LANG": tt.lang}
		if got := LanguageOf(func(name string) string { return env[name] }); got != tt.want {
			t.Errorf("%v: %s, want %s", env, got, tt.want)
		}
	}
}

// TestMessages looks through the source of all packages for the sentences that
// they make: each is there in Japanese, about the same things, and none is that
// nobody says.
func TestMessages(t *testing.T) {
	english := englishMessages(t)
	if len(english) < 100 {
		t.Errorf("only %d sentences were found", len(english))
	}
	for id, format := range english {
		ja, ok := messages()[id]
		if !ok {
			t.Errorf("%s (%q) is not there in Japanese", id, format)
			continue
		}
		want := make([]string, len(verb.FindAllString(format, -1)))
		for i := range want {
			want[i] = fmt.Sprintf("%%[%d]s", i+1)
		}
		if got := verbs(ja); !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%s: %q is about %q, %q about %q", id, format, want, ja, got)
		}
	}
	for id := range messages() {
		if _, ok := english[id]; !ok {
			t.Errorf("nobody says %s", id)
		}
	}
}

// englishMessages are the sentences that packages make, by their ids.
func englishMessages(t *testing.T) map[string]string {
	t.Helper()
	english := map[string]string{}
	files, err := filepath.Glob("../*/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 || !isNew(call.Fun) {
				return true
			}
			id, format := literal(call.Args[0]), literal(call.Args[1])
			if id == "" || format == "" {
				t.Errorf("%s: a sentence whose id and format are not literals", name)
			}
			if before, twice := english[id]; twice && before != format {
				t.Errorf("%s is both %q and %q", id, before, format)
			}
			english[id] = format
			return true
		})
	}
	return english
}

// isNew reports whether a function is message.New.
func isNew(fun ast.Expr) bool {
	s, ok := fun.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != "New" {
		return false
	}
	p, ok := s.X.(*ast.Ident)
	return ok && p.Name == "message"
}

// literal is the text of a string literal, "" for any other expression.
func literal(e ast.Expr) string {
	l, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	s, err := strconv.Unquote(l.Value)
	if err != nil {
		return ""
	}
	return s
}

func TestSay(t *testing.T) {
	loud := func(s string) string { return strings.ToUpper(s) }
	m := message.New("process-no-credentials", "credential_process prints no credentials: %v", message.New("answer-key-id", "the answer's access key id is none"))
	if got := Say(English, m, loud); got != "CREDENTIAL_PROCESS PRINTS NO CREDENTIALS: THE ANSWER'S ACCESS KEY ID IS NONE" {
		t.Errorf("%q", got)
	}
	if got := Say(Japanese, m, loud); got != "credential_process の出力に認証情報がない: 応答のアクセスキー ID がおかしい" {
		t.Errorf("%q", got)
	}
	if got := Say(Japanese, message.New("unknown-name", "no profile is named %s", "a"), loud); got != "A というプロファイルはない" {
		t.Errorf("%q", got)
	}
	if got := Say(Japanese, message.Of(errors.New("x")), loud); got != "X" {
		t.Errorf("%q", got)
	}
}
