package term

import (
	"os"

	"golang.org/x/sys/windows"
)

// moveCursor has the console obey the sequences that move the cursor, and
// reports whether it does.
func moveCursor(f *os.File) bool {
	console := windows.Handle(f.Fd())
	var mode uint32
	if err := windows.GetConsoleMode(console, &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
