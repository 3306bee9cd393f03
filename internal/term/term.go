// Package term is the person at the terminal: prompts on the controlling terminal, and text made safe to print there.
package term
