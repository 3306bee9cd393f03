package words

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var verb = regexp.MustCompile(`%(\[\d+\])?.`)

// TestCatalogue checks that everything is said in both languages, about the
// same things.
func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, part := range catalogue {
		for id, e := range part {
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
