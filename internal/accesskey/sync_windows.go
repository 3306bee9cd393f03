package accesskey

// syncDir has nothing to do: Windows has no such call, and NTFS keeps a
// journal of renames.
func syncDir(string) error { return nil }
