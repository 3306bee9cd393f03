// Package cli is the command line: it reads flags and environment, wires the
// other packages together, and turns errors into words and exit statuses.
package cli

// Main runs the command named by args, the arguments after the program's
// name, and returns the exit status.
func Main(args []string) int { return 2 }
