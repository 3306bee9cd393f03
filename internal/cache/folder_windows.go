package cache

import "io/fs"

const openFlags = 0

// private leaves the matter to the access control list that a file inherits:
// the directories of a profile are closed to other users.
func private(fs.FileInfo) error { return nil }
