// Command man writes the man pages and the shells' completions, all made from
// the commands' own help, into the directory that it is given.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: man DIRECTORY")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write makes DIR/man1, DIR/bash, DIR/zsh and DIR/fish.
func write(dir string) error {
	root := cli.Commands()
	pages := filepath.Join(dir, "man1")
	if err := os.MkdirAll(pages, 0o755); err != nil {
		return err
	}
	// The date of a page is that of the sources, so that the same sources make
	// the same page (reproducible-builds.org, SOURCE_DATE_EPOCH).
	date := time.Unix(0, 0)
	if epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		date = time.Unix(epoch, 0)
	}
	date = date.UTC()
	if err := writePages(root, date, pages); err != nil {
		return err
	}
	for _, c := range []struct {
		file string
		gen  func(io.Writer) error
	}{
		{"bash/aws-switch-role", func(w io.Writer) error { return root.GenBashCompletionV2(w, true) }},
		{"zsh/_aws-switch-role", func(w io.Writer) error { return root.GenZshCompletion(w) }},
		{"fish/aws-switch-role.fish", func(w io.Writer) error { return root.GenFishCompletion(w, true) }},
	} {
		if err := completion(filepath.Join(dir, c.file), c.gen); err != nil {
			return err
		}
	}
	return nil
}

// writePages writes the page of a command and those of the commands under it.
func writePages(c *cobra.Command, date time.Time, dir string) error {
	if err := os.WriteFile(filepath.Join(dir, fileName(c)+".1"), page(c, date), 0o644); err != nil {
		return err
	}
	for _, sub := range described(c) {
		if err := writePages(sub, date, dir); err != nil {
			return err
		}
	}
	return nil
}

func completion(path string, gen func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := gen(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
