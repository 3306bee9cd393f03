// Package plan decides what must be done to become a profile. It turns the
// user's AWS files and the options of one run into a chain of hops, or into
// an error that names file, line and cause.
//
// It is pure: it opens no file, reads no variable and no clock, and sends
// nothing. What it needs to know about the world arrives in [Options].
package plan
