// Package message holds sentences for people that packages below the command
// line make: in English, and with what it takes to say them in another language.
package message

import "fmt"

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
