// Package memory keeps what a process holds in memory to itself.
package memory
