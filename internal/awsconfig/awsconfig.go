// Package awsconfig says what the user's AWS files say, and where: profiles
// and sections whose every value carries its file and line. It knows nothing
// of what a key means.
//
// # The dialect
//
// The files mean what they mean to botocore, and so to the AWS CLI: Python's
// configparser divides them into lines, headers, settings and continuation
// lines, and shlex.split the headers of the config file into words. Values are
// literal: quotes, "%(x)s" and a "\" at the end stay, and a value goes on in
// the lines indented under it. A setting without a value that has such lines
// is a group of nested ones.
//
// Where botocore would refuse a file or find nothing in it, the AWS SDKs are
// the example, since their users have such files: sections that are named
// twice are merged, of a key that is there twice the last counts, blanks
// around a header's text are dropped, [profile default] replaces [default],
// nested keys have no case, a byte order mark is skipped, and what cannot be
// read does harm in its own section alone.
//
// In three things botocore is not followed although it has an answer. A "#" or
// ";" after a blank ends the value of a setting, as in the SDKs, though not
// that of a nested setting or a continuation line, where the Go SDK and
// botocore keep it. A [DEFAULT] section is inherited by none: in botocore it
// is by accident of configparser. And a line like "[x = y" is an error and no
// key, because it is a header that lacks its end.
package awsconfig

import (
	"strconv"

	"aws-switch-role/internal/message"
)

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
	// Replaced are values of the config file in whose place the credentials
	// file has put another. Some keys belong together, and then matter still.
	Replaced map[string]Value
	Origin
}

// FileError says that a path leads to no file that can be read.
type FileError struct {
	Path string
	Msg  message.Text
}

// Error implements error.
func (e *FileError) Error() string { return e.Msg.String() }

// SyntaxError is a line that cannot be read. It never carries the line's
// text, which may be a secret.
type SyntaxError struct {
	Origin
	Problem Problem
}

// Error implements error.
func (e *SyntaxError) Error() string { return e.Origin.String() + ": " + e.Problem.Text().String() }
