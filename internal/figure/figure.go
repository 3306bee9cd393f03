// Package figure says how much the tests do that show what the program
// withstands: some at every commit, more before a release. It names the
// properties that they show, and notes what was found of each. No program of
// ours has it linked.
package figure

import (
	"fmt"
	"os"
	"strings"
)

// Release reports whether the tests are to do what is asked before a release:
// HARDENING=release says so.
func Release() bool { return os.Getenv("HARDENING") == "release" }

// Of is a figure: how many of something a test does.
func Of(commit, release int) int {
	if Release() {
		return release
	}
	return commit
}

// Note keeps what a test has found of a property, for the table in
// doc/security.md, in the file that HARDENING_NOTES names. Without one it does
// nothing. Several notes of a property stand in its row one after another.
func Note(property, format string, args ...any) error {
	path := os.Getenv("HARDENING_NOTES")
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s\t%s\n", property, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " "))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// Property is something that the program is to withstand.
type Property struct {
	Name string // what Note is given
	// Show is what must hold, for the table.
	Show string
	// Package and Test are what shows it: a package of ours, and the tests as
	// go test -run has them. Fuzzed properties have Fuzz instead, the targets
	// in the package.
	Package, Test string
	Fuzz          []string
	// Bench are jobs of make bench that show it: what they take beside a
	// program that does nothing is told, and never fails anything.
	Bench   []string
	Minutes int // after which a release's run of it is given up
}

// Properties are all there are, in the order of the table.
var Properties = []Property{
	{Name: "leaks", Show: "no secret outside of where it belongs: files, environments, arguments, streams, terminal, sockets, log, core", Package: ".", Test: "^(TestPlantedLeaks|TestScriptsTalk)$", Minutes: 60},
	{Name: "kill -9 at any time", Show: "nothing unreadable, nothing lost, nothing in plain text", Package: ".", Test: "^TestKilledAtAnyTime$", Minutes: 180},
	{Name: "kill -9 at each write of the cache", Show: "a reader always finds a whole session", Package: "./internal/cache", Test: "^TestKilledWriters$", Minutes: 60},
	{Name: "fault points", Show: "SIGKILL, and eight errors, at each system call of every command that writes", Package: ".", Test: "^TestFaultPoints$", Minutes: 240},
	{Name: "herd", Show: "200 processes, nothing in the cache: one question, one call for each session, no failure", Package: ".", Test: "^TestHerd$", Minutes: 120},
	{Name: "one device", Show: "20 profiles at once behind one MFA device: as many codes sent as were typed, none refused", Package: ".", Test: "^TestOneDevice$", Minutes: 30},
	{Name: "fuzz: config", Show: "parser of AWS files", Package: "./internal/awsconfig", Fuzz: []string{"FuzzProfile"}},
	{Name: "fuzz: cache", Show: "decoder of sealed sessions", Package: "./internal/cache", Fuzz: []string{"FuzzOpen"}},
	{Name: "fuzz: STS", Show: "XML of STS", Package: "./internal/hop", Fuzz: []string{"FuzzSTSAnswer"}},
	{Name: "fuzz: socket", Show: "protocol of the keeper, both ends", Package: "./internal/keeper", Fuzz: []string{"FuzzReadRequest", "FuzzReadAnswer"}},
	{Name: "fuzz: HTTP", Show: "requests to serve", Package: "./internal/deliver", Fuzz: []string{"FuzzEndpoint"}},
	{Name: "fuzz: helper", Show: "JSON of a credential_process", Package: "./internal/hop", Fuzz: []string{"FuzzProcessCredentials"}},
	{Name: "fuzz: sanitiser", Show: "what makes text safe for a terminal", Package: "./internal/term", Fuzz: []string{"FuzzClean"}},
	{Name: "forgery", Show: "50 sealed sessions: every bit flipped, every length cut, other keys, swapped names", Package: "./internal/cache", Test: "^(TestForgery|TestForgeries|TestOtherKeys)$", Minutes: 60},
	{Name: "descendants", Show: "child, grandchild, daemon, setsid, tmux served; sibling, other user, reused pid, root without the key refused", Package: ".", Test: "^TestDescendants$", Minutes: 120},
	{Name: "hostile HTTP", Show: "rebinding, cross-site, forgery by a server, smuggling, slow ones", Package: "./internal/deliver", Test: "^TestEndpointRefuses$", Minutes: 10},
	{Name: "rebinding in a browser", Show: "Chromium, with a name that leads to 127.0.0.1", Package: ".", Test: "^TestEndToEnd$/^serve$/^browser$", Minutes: 10},
	{Name: "terminal", Show: "bash, zsh, dash x ^C, ^\\, ^Z and fg, ^D, HUP, suspend x question, command, shell: stty as before", Package: ".", Test: "^TestTerminalMatrix$", Minutes: 60},
	{Name: "exit statuses", Show: "0 to 255 and 15 signals, each way to switch", Package: ".", Test: "^TestExitStatuses$", Minutes: 20},
	{Name: "STS faults", Show: "14 faults x 3 commands: right status, a code sent once", Package: ".", Test: "^TestSTSFaults$", Minutes: 20},
	{Name: "strays", Show: "processes, zombies, sockets, directories, D-Bus daemons after the end-to-end tests", Package: ".", Test: "^(TestEndToEnd|TestSecretless|TestScripts)$", Minutes: 60},
	{Name: "cores", Show: "copies of a served secret in a core of the keeper that root takes", Package: ".", Test: "^TestCores$", Minutes: 60},
	{Name: "hot path", Show: "a session at hand, given on by `credential-process`: its time beside that of a Go program that does nothing", Bench: []string{"credential-process, 10 profiles, warm", "credential-process, Secret Service, warm"}},
	{Name: "supply chain", Show: "modules that the program links, the same bytes from two directories", Package: ".", Test: "^TestSupplyChain$", Minutes: 20},
}

// Cell is a text as it stands in a cell of the table.
func Cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }
