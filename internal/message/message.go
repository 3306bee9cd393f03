// Package message holds sentences for people that packages below the command
// line make: in English, and with what it takes to say them in another language.
package message

import (
	"encoding/json"
	"fmt"
)

// Text is a sentence. It is an error, too, for those who only tell what is
// wrong with a value.
type Text struct {
	// ID names the sentence whatever it is about. It is stable: scripts
	// compare it.
	ID string
	// Args are what the sentence is about, in the order of the English one:
	// strings, and other sentences.
	Args    []any
	english string
}

// New makes the sentence called id. Its English format has no verbs but %s, %d
// and %v.
func New(id, format string, args ...any) Text {
	t := Text{ID: id, english: fmt.Sprintf(format, args...)}
	for _, a := range args {
		if _, ok := a.(Text); !ok {
			a = fmt.Sprint(a)
		}
		t.Args = append(t.Args, a)
	}
	return t
}

// Of is the sentence that an error is, or one without an ID that repeats it.
func Of(err error) Text {
	if t, ok := err.(Text); ok {
		return t
	}
	return Text{english: err.Error()}
}

// String returns the English sentence.
func (t Text) String() string { return t.english }

// Error implements error.
func (t Text) Error() string { return t.english }

// textJSON is how a sentence goes from process to process.
type textJSON struct {
	ID      string    `json:"id,omitempty"`
	English string    `json:"english"`
	Args    []argJSON `json:"args,omitempty"`
}

// argJSON is one of the two.
type argJSON struct {
	String string `json:"string,omitempty"`
	Text   *Text  `json:"text,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (t Text) MarshalJSON() ([]byte, error) {
	j := textJSON{ID: t.ID, English: t.english}
	for _, a := range t.Args {
		if inner, ok := a.(Text); ok {
			j.Args = append(j.Args, argJSON{Text: &inner})
		} else {
			j.Args = append(j.Args, argJSON{String: fmt.Sprint(a)})
		}
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(b []byte) error {
	var j textJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*t = Text{ID: j.ID, english: j.English}
	for _, a := range j.Args {
		if a.Text != nil {
			t.Args = append(t.Args, *a.Text)
		} else {
			t.Args = append(t.Args, a.String)
		}
	}
	return nil
}
