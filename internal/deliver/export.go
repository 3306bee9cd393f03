package deliver

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"aws-switch-role/internal/cred"
)

// Format is a language that [Export] writes.
type Format string

// The formats: code for a POSIX shell (sh, bash, zsh), fish and PowerShell, a
// JSON object, and the NAME=value lines that docker and the dotenv libraries
// read.
const (
	FormatEnv        Format = "env"
	FormatFish       Format = "fish"
	FormatPowerShell Format = "powershell"
	FormatJSON       Format = "json"
	FormatDotenv     Format = "dotenv"
)

// Formats returns all formats, in the order in which help should name them.
func Formats() []Format {
	return []Format{FormatEnv, FormatFish, FormatPowerShell, FormatJSON, FormatDotenv}
}

// Export writes, in one write, what turns the environment base into the one
// that [Env] would return. The shells' formats also unset what base has and the
// child must not; the others have no way to say so. Dotenv lines go where the
// AWS files may be others or none, as into a container: most AWS tools fail for
// an AWS_PROFILE that is in no file, so it has none.
//
// It writes nothing and fails when a value cannot be written faithfully: with
// control characters or invalid UTF-8 in it, or, for dotenv, with a mix of
// quotes that the readers of such files take differently. The error names the
// variable and never shows its value.
func Export(w io.Writer, format Format, base []string, c cred.Credentials, as As) error {
	vars := variables(base, c, as)
	if format == FormatDotenv {
		vars = slices.DeleteFunc(vars, func(v variable) bool { return slices.Contains(ofThisMachine, v.name) })
	}
	return export(w, format, base, vars)
}

// ofThisMachine are the variables that make sense beside the user's own files
// alone.
var ofThisMachine = []string{"AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"}

// renewed are the variables that a session of the same role as before has anew.
var renewed = []string{
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SESSION_EXPIRATION", "AWS_SWITCH_ROLE_KEY_ID",
}

// ExportRenewed writes what puts c in the place of the credentials that the
// child with the environment base has, and changes nothing else of it. The
// format is one of the shells'.
func ExportRenewed(w io.Writer, format Format, base []string, c cred.Credentials) error {
	vars := slices.DeleteFunc(variables(nil, c, As{}), func(v variable) bool { return !slices.Contains(renewed, v.name) })
	base = slices.DeleteFunc(slices.Clone(base), func(entry string) bool {
		return entry == "" || !slices.Contains(renewed, foldName(entryName(entry)))
	})
	return export(w, format, base, vars)
}

// export is [Export] of any variables.
func export(w io.Writer, format Format, base []string, vars []variable) error {
	for _, v := range vars {
		if !utf8.ValidString(v.value) || strings.ContainsFunc(v.value, unicode.IsControl) {
			return fmt.Errorf("%s has a value that cannot be exported: control characters or invalid UTF-8", v.name)
		}
	}
	switch format {
	case FormatEnv:
		return writeShell(w, "unset %s\n", "export %s='%s'\n", stale(base, vars), vars,
			strings.NewReplacer(`'`, `'\''`))
	case FormatFish:
		return writeShell(w, "set -e %s\n", "set -gx %s '%s'\n", stale(base, vars), vars,
			strings.NewReplacer(`\`, `\\`, `'`, `\'`))
	case FormatPowerShell:
		// To PowerShell the typographic single quotes are quotes too: see
		// "about_Quoting_Rules" and its CodeGeneration class.
		return writeShell(w, "Remove-Item Env:%s -ErrorAction Ignore\n", "$Env:%s = '%s'\n", stale(base, vars), vars,
			strings.NewReplacer(`'`, `''`, "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛"))
	case FormatJSON:
		object := make(map[string]string, len(vars))
		for _, v := range vars {
			object[v.name] = v.value
		}
		return writeJSON(w, object)
	case FormatDotenv:
		return writeDotenv(w, vars)
	}
	return fmt.Errorf("unknown export format %q", string(format))
}

// stale returns the variables of base that do not pass and that vars does not
// set anew.
func stale(base []string, vars []variable) []string {
	return slices.DeleteFunc(dropped(base), func(name string) bool {
		_, inBase := lookup(base, name)
		return !inBase || slices.ContainsFunc(vars, func(v variable) bool { return v.name == name })
	})
}

// writeShell writes a statement per variable, in the spelling of one shell:
// quote escapes a value for the single quotes in setFormat.
func writeShell(w io.Writer, unsetFormat, setFormat string, unset []string, set []variable, quote *strings.Replacer) error {
	var b bytes.Buffer
	for _, name := range unset {
		fmt.Fprintf(&b, unsetFormat, name)
	}
	for _, v := range set {
		fmt.Fprintf(&b, setFormat, v.name, quote.Replace(v.value))
	}
	_, err := b.WriteTo(w)
	return err
}

// writeDotenv writes a line per variable.
func writeDotenv(w io.Writer, vars []variable) error {
	var b bytes.Buffer
	for _, v := range vars {
		quoted, ok := dotenvQuote(v.value)
		if !ok {
			return fmt.Errorf("%s has a value that the readers of dotenv files take differently: choose another format", v.name)
		}
		fmt.Fprintf(&b, "%s=%s\n", v.name, quoted)
	}
	_, err := b.WriteTo(w)
	return err
}

// dotenvQuote spells a value so that all readers agree on it, and reports
// whether there is such a spelling. `docker run --env-file` takes quotes
// literally, so a value that needs none, as all that AWS makes up, gets none.
// Escapes and `$` are out: the readers differ in which they know, and in which
// quotes; python-dotenv decodes the one and expands the other in any.
func dotenvQuote(value string) (string, bool) {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_./:+=,@%", r)
	}
	switch {
	case !strings.ContainsFunc(value, func(r rune) bool { return !plain(r) }):
		return value, true
	case !strings.ContainsAny(value, "'\\$"):
		return "'" + value + "'", true
	case !strings.ContainsAny(value, "\"\\$`"):
		return `"` + value + `"`, true
	}
	return "", false
}
