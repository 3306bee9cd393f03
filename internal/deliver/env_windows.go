package deliver

import "strings"

// foldName returns the form in which names of variables are compared: Windows
// takes Path and PATH for one variable.
func foldName(name string) string { return strings.ToUpper(name) }
