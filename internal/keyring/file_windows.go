package keyring

// syncDir does nothing: Windows cannot flush a directory, and its file systems
// keep a journal of renames.
func syncDir(string) error { return nil }
