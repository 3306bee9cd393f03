//go:build !linux

package memory

// Hidden says that [Hide] does what it says on this system.
const Hidden = false

// Hide does nothing on this system.
func Hide() error { return nil }
