package keeper

// allocate returns memory that is not swapped.
func allocate(size int) memory { return locked(size) }
