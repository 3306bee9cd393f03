// Package words holds the sentences that explain something to a person, in
// every language that the program speaks. It knows nothing of what they are
// about.
package words

import (
	"fmt"
	"strings"

	"aws-switch-role/internal/message"
)

// Language is one that the program speaks.
type Language string

// The languages.
const (
	English  Language = "en"
	Japanese Language = "ja"
)

// LanguageOf chooses by the variables that POSIX has for messages, the most
// general last: LC_ALL, LC_MESSAGES, LANG (POSIX.1-2017, 8.2). What is not
// spoken is English.
func LanguageOf(getenv func(name string) string) Language {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			if v == "ja" || strings.HasPrefix(v, "ja_") || strings.HasPrefix(v, "ja.") {
				return Japanese
			}
			return English
		}
	}
	return English
}

// Explanation is what a person is told: what is wrong, why, and what to type
// next. Why and Next may be empty.
type Explanation struct{ What, Why, Next string }

// text is one sentence in both languages. Its verbs take the arguments of the
// explanation by number, as in %[1]s, since the order of words differs.
type text struct{ en, ja string }

func (t text) in(l Language, args []any) string {
	s := t.en
	if l == Japanese {
		s = t.ja
	}
	if !strings.Contains(s, "%") {
		return s
	}
	return fmt.Sprintf(s, args...)
}

// entry is an explanation in both languages.
type entry struct{ what, why, next text }

// catalogue holds all explanations by their id, an id in one part alone. Each
// part is made when something is to be explained, and by no other start.
var catalogue = []func() map[string]entry{findings, refusals, hints, devices, shells}

// Explain returns the explanation called id; args are what it is about, made
// safe for a terminal by the caller. ok is false when there is none.
func Explain(l Language, id string, args ...string) (x Explanation, ok bool) {
	var e entry
	for _, part := range catalogue {
		if e, ok = part()[id]; ok {
			break
		}
	}
	if !ok {
		return Explanation{}, false
	}
	list := make([]any, len(args))
	for i, a := range args {
		list[i] = a
	}
	return Explanation{e.what.in(l, list), e.why.in(l, list), e.next.in(l, list)}, true
}

// Say puts a sentence of one of the packages below the command line into
// words. arg makes what it is about safe for a terminal; it is not asked about
// sentences within the sentence.
func Say(l Language, t message.Text, arg func(string) string) string {
	ja, ok := messages()[t.ID]
	if l != Japanese || !ok {
		return arg(t.String())
	}
	args := make([]any, len(t.Args))
	for i, a := range t.Args {
		switch a := a.(type) {
		case message.Text:
			args[i] = Say(l, a, arg)
		case string:
			args[i] = arg(a)
		}
	}
	return text{ja: ja}.in(l, args)
}
