// Command aws-switch-role becomes any AWS IAM role from the terminal.
package main

import (
	"os"

	"aws-switch-role/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
