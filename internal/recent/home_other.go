//go:build !unix || darwin

package recent

import "os"

// Home is where programs keep such things: the system knows no place for
// state apart from the rest.
func Home() (string, error) { return os.UserConfigDir() }
