//go:build unix

package term

import "os"

// moveCursor reports whether the terminal f can be told to move its cursor, as
// all of today's can.
func moveCursor(*os.File) bool { return true }
