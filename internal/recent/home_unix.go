//go:build unix && !darwin

package recent

import (
	"os"
	"path/filepath"
)

// Home is where programs keep such things unless XDG_STATE_HOME says
// otherwise (XDG Base Directory Specification).
func Home() (string, error) {
	h, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(h, ".local", "state"), nil
}
