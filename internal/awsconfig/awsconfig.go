// Package awsconfig says what the user's AWS files say, and where: profiles
// and sections whose every value carries its file and line. It knows nothing
// of what a key means.
package awsconfig

import "strconv"

// Origin is a place in a file. Line counts from 1; 0 is the file as a whole.
type Origin struct {
	File string
	Line int
}

// String returns "file:line".
func (o Origin) String() string {
	if o.Line == 0 {
		return o.File
	}
	return o.File + ":" + strconv.Itoa(o.Line)
}

// Value is the text of a key. It may be a secret: it prints as its origin.
type Value struct {
	Text string
	Origin
}

// Profile is a section of the AWS files.
type Profile struct {
	Name string
	// Keys are the section's keys in lower case. A key nested under another
	// (as in a services section) is named "outer.inner".
	Keys map[string]Value
	Origin
}

// SyntaxError is a line that cannot be read. It never carries the line's
// text, which may be a secret.
type SyntaxError struct {
	Origin
	Msg string
}

// Error implements error.
func (e *SyntaxError) Error() string { return e.Origin.String() + ": " + e.Msg }
