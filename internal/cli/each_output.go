package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/term"
)

// Bounds of what is kept of a command's output, in bytes.
const (
	maxLine     = 64 << 10 // a longer line is handed on in parts
	maxCaptured = 1 << 20  // of each of stdout and stderr, for JSON
)

// eachOutput is all that is printed of many runs: what the commands print, how
// each ended, and what is going on meanwhile.
type eachOutput struct {
	app    *app
	flags  *eachFlags
	runs   []*eachRun
	before int // runs that were done earlier
	stderr io.Writer
	board  *term.Board // nil where there is no terminal
	// stdoutShown says that stdout is a terminal, too.
	stdoutShown bool
	dir         *os.Root // of --out, or nil
	stop        func()   // ends the changing of the board

	mu      sync.Mutex // one line at a time; guards what follows
	err     error      // of writing
	start   time.Time
	begun   []time.Time // zero for those that have not
	ends    []*eachEnd
	outputs []runOutput
	merged  int  // runs whose output is printed, of --merge
	printed bool // an element of --merge's array is
}

// runOutput is where the output of a run's command goes.
type runOutput struct{ stdout, stderr io.Writer }

func (a *app) newEachOutput(e *eachFlags, runs []*eachRun, before int) (*eachOutput, error) {
	o := &eachOutput{
		app: a, flags: e, runs: runs, before: before, stderr: a.stderr,
		begun: make([]time.Time, len(runs)), ends: make([]*eachEnd, len(runs)), outputs: make([]runOutput, len(runs)),
		stop: func() {},
	}
	// What a command says is not ours to make safe: it would write to the
	// terminal itself, if there were no other.
	if w, ok := a.stderr.(term.Writer); ok {
		o.stderr = w.To
	}
	if e.out != "" && !e.dryRun {
		if err := os.MkdirAll(e.out, 0o700); err != nil {
			return nil, err
		}
		dir, err := os.OpenRoot(e.out)
		if err != nil {
			return nil, err
		}
		o.dir = dir
	}
	return o, nil
}

// begin shows on a terminal what goes on from now on.
func (o *eachOutput) begin() {
	o.start = time.Now()
	if o.board = term.NewBoard(os.Stderr, o.app.getenv("TERM")); o.board == nil {
		return
	}
	o.stdoutShown = term.IsTerminal(os.Stdout)
	ticker := time.NewTicker(boardEvery)
	ended, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		for {
			o.board.Show(o.status()...)
			select {
			case <-ticker.C:
			case <-ended:
				o.board.Show()
				return
			}
		}
	}()
	o.stop = sync.OnceFunc(func() {
		ticker.Stop()
		close(ended)
		<-gone
	})
}

// boardEvery is how often the board changes.
const boardEvery = 200 * time.Millisecond

// aside takes the board away for a question.
func (o *eachOutput) aside() (done func()) {
	if o.board == nil {
		return func() {}
	}
	return o.board.Hide()
}

func (o *eachOutput) close() {
	o.stop()
	if o.dir != nil {
		_ = o.dir.Close()
	}
}

// failure is what went wrong with writing, if anything did.
func (o *eachOutput) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// line writes whole lines where the board does not stand in their way.
func (o *eachOutput) line(to io.Writer, text []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.write(to, text)
}

// write is line for who holds the lock.
func (o *eachOutput) write(to io.Writer, text []byte) {
	write := func() {
		if _, err := to.Write(text); err != nil && o.err == nil {
			o.err = err
		}
	}
	if o.board == nil || to == o.app.stdout && !o.stdoutShown {
		write()
		return
	}
	o.board.Above(write)
}

// say tells a person.
func (o *eachOutput) say(format string, args ...any) {
	o.write(o.app.stderr, fmt.Appendf(nil, format+"\n", args...))
}

// started returns where the output of a run goes that begins now.
func (o *eachOutput) started(i int) (stdout, stderr io.Writer, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begun[i] = time.Now()
	prefix := term.Clean(o.runs[i].label) + " | "
	out := runOutput{&prefixed{o: o, to: o.app.stdout, prefix: prefix}, &prefixed{o: o, to: o.stderr, prefix: prefix}}
	switch {
	case o.dir != nil:
		if out, err = o.files(i); err != nil {
			return nil, nil, err
		}
	case o.flags.asJSON:
		out.stdout, out.stderr = &captured{}, &captured{}
	case o.flags.merge:
		out.stdout = &captured{}
	}
	o.outputs[i] = out
	return out.stdout, out.stderr, nil
}

// file is the name of a file for a run: that of its label, without what a file
// system would take for more than a name.
func (o *eachOutput) file(i int, kind string) string {
	name := strings.ReplaceAll(url.PathEscape(o.runs[i].label), ":", "%3A")
	if strings.HasPrefix(name, ".") {
		name = "%2E" + name[1:]
	}
	return name + "." + kind
}

// eachRecord is a run in JSON.
type eachRecord struct {
	Profile   string          `json:"profile"`
	Account   string          `json:"account"`
	Role      string          `json:"role,omitempty"`
	Region    string          `json:"region,omitempty"`
	Exit      *int            `json:"exit,omitempty"`
	Stdout    *string         `json:"stdout,omitempty"`
	Stderr    *string         `json:"stderr,omitempty"`
	Truncated bool            `json:"truncated,omitempty"`
	Millis    *int64          `json:"ms,omitempty"`
	Error     string          `json:"error,omitempty"`
	Output    json.RawMessage `json:"output,omitempty"`
}

func (o *eachOutput) record(r *eachRun) eachRecord {
	rec := eachRecord{Profile: r.profile, Region: r.plan.Region}
	if r.err != nil {
		rec.Error = o.app.explanation(r.err).What
		return rec
	}
	rec.Account, rec.Role = accounted(r.plan), r.plan.RoleARN()
	return rec
}

func (o *eachOutput) encode(rec eachRecord) error {
	b, err := encoded(rec)
	if err != nil {
		return err
	}
	o.line(o.app.stdout, append(b, '\n'))
	return o.failure()
}

// encoded is JSON in which <, > and & are themselves.
func encoded(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

var (
	errNoJSON  = errors.New("it printed no JSON for --merge")
	errTooMuch = errors.New("it printed more than 1 MiB, which is too much for --merge: --out takes any amount")
)

// ended prints how a run ended and what is left of its output. With --merge,
// what is no JSON is a failure.
func (o *eachOutput) ended(i int, end eachEnd) eachEnd {
	o.mu.Lock()
	defer o.mu.Unlock()
	r, out := o.runs[i], o.outputs[i]
	if o.flags.merge && end.succeeded() {
		if stdout, ok := out.stdout.(*captured); !ok {
			end.err = errNoJSON
		} else if stdout.cut {
			end.err = errTooMuch
		} else if text := bytes.TrimSpace(stdout.Bytes()); len(text) > 0 && !json.Valid(text) {
			end.err = errNoJSON
		}
	}
	o.ends[i] = &end
	for _, w := range []io.Writer{out.stdout, out.stderr} {
		if w, ok := w.(interface{ end() }); ok {
			w.end()
		}
	}
	o.closeFiles(i)
	if o.flags.asJSON {
		o.printRecord(r, out, end)
	}
	if o.flags.merge {
		o.mergeOn()
	} else {
		o.outputs[i] = runOutput{}
	}
	if o.board == nil || !end.succeeded() {
		o.say("%s: %s, %s", term.Clean(r.label), o.reason(end), roughly(end.took))
	}
	return end
}

func (o *eachOutput) printRecord(r *eachRun, out runOutput, end eachEnd) {
	rec := o.record(r)
	millis := end.took.Milliseconds()
	rec.Exit, rec.Millis = &end.exit, &millis
	if end.err != nil {
		rec.Error = o.app.explanation(end.err).What
	}
	if stdout, ok := out.stdout.(*captured); ok {
		stderr := out.stderr.(*captured)
		text, said := stdout.String(), stderr.String()
		rec.Stdout, rec.Stderr, rec.Truncated = &text, &said, stdout.cut || stderr.cut
	}
	b, err := encoded(rec)
	if err != nil {
		o.err = or(o.err, err)
		return
	}
	o.write(o.app.stdout, append(b, '\n'))
}

// mergeOn prints, in the order of the runs, what has been waited for.
func (o *eachOutput) mergeOn() {
	for ; o.merged < len(o.runs) && o.ends[o.merged] != nil; o.merged++ {
		o.mergeOne(o.merged)
	}
}

// mergeOne prints an element of the array. A run that failed has none.
func (o *eachOutput) mergeOne(i int) {
	out := o.outputs[i].stdout
	o.outputs[i] = runOutput{}
	if o.ends[i] == nil || !o.ends[i].succeeded() {
		return
	}
	rec := o.record(o.runs[i])
	if rec.Output = bytes.TrimSpace(out.(*captured).Bytes()); len(rec.Output) == 0 {
		rec.Output = []byte("null")
	}
	b, err := encoded(rec)
	if err != nil {
		o.err = or(o.err, err)
		return
	}
	o.write(o.app.stdout, append([]byte(o.separator()), b...))
}

// separator stands before an element of the array.
func (o *eachOutput) separator() string {
	if o.printed {
		return ",\n"
	}
	o.printed = true
	return "[\n"
}

// reason says in a few words how a run ended.
func (o *eachOutput) reason(end eachEnd) string {
	switch _, interrupted := errors.AsType[term.Interrupted](end.err); {
	case interrupted:
		return "interrupted"
	case end.err != nil:
		return o.app.explanation(end.err).What
	case end.exit != 0:
		return fmt.Sprintf("exit status %d", end.exit)
	}
	return "ok"
}

// roughly is a length of time as people say it.
func roughly(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// status are the lines of the board.
func (o *eachOutput) status() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var running []int
	done, failed, slowest := 0, 0, -1
	for i, end := range o.ends {
		switch {
		case end == nil && !o.begun[i].IsZero():
			running = append(running, i)
		case end != nil:
			done++
			if !end.succeeded() {
				failed++
			}
			if slowest < 0 || end.took > o.ends[slowest].took {
				slowest = i
			}
		}
	}
	elapsed := time.Since(o.start)
	line := fmt.Sprintf("%d of %d done, %d failed, %d running, %s", done, len(o.runs), failed, len(running), roughly(elapsed.Truncate(time.Second)))
	if done > 0 && done < len(o.runs) {
		left := time.Duration(float64(elapsed) / float64(done) * float64(len(o.runs)-done))
		line += ", about " + left.Round(time.Second).String() + " left"
	}
	if slowest >= 0 {
		line += "; slowest " + o.runs[slowest].label + " " + roughly(o.ends[slowest].took)
	}
	slices.SortFunc(running, func(a, b int) int { return o.begun[a].Compare(o.begun[b]) })
	var now []string
	for _, i := range running {
		now = append(now, o.runs[i].label+" "+time.Since(o.begun[i]).Truncate(time.Second).String())
	}
	return []string{line, "  " + strings.Join(now, ", ")}
}

// summary says at the end what was done. It reports whether all was, and well.
func (o *eachOutput) summary(begun []bool) (ok bool) {
	o.stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.flags.merge {
		for i := o.merged; i < len(o.runs); i++ {
			o.mergeOne(i)
		}
		end := "\n]\n"
		if !o.printed {
			end = "[]\n"
		}
		o.write(o.app.stdout, []byte(end))
	}
	var succeeded, failed, interrupted, missed int
	slowest := -1
	for i, end := range o.ends {
		switch {
		case !begun[i] || end == nil:
			missed++
			continue
		case end.succeeded():
			succeeded++
		case o.reason(*end) == "interrupted":
			interrupted++
		default:
			failed++
		}
		if slowest < 0 || end.took > o.ends[slowest].took {
			slowest = i
		}
	}
	text := fmt.Sprintf("%s in %s: %d succeeded, %d failed", counted(len(o.runs), "run"), roughly(time.Since(o.start)), succeeded, failed)
	for _, more := range []struct {
		n    int
		what string
	}{{interrupted, "interrupted"}, {missed, "not reached"}, {o.before, "done before"}} {
		if more.n > 0 {
			text += fmt.Sprintf(", %d %s", more.n, more.what)
		}
	}
	if slowest >= 0 && len(o.runs) > 1 {
		text += "; the slowest was " + term.Clean(o.runs[slowest].label) + ", " + roughly(o.ends[slowest].took)
	}
	o.say("%s", text)
	ok = succeeded == len(o.runs)
	if !ok {
		o.tellFailures()
		o.say("hint: the same command line with --resume runs what is not done")
	}
	return ok
}

// How many failures the summary tells, and of how many profiles each.
const (
	maxReasons = 8
	maxLabels  = 8
)

// tellFailures says which runs failed, those together that failed alike.
func (o *eachOutput) tellFailures() {
	var reasons []string
	labels := map[string][]string{}
	for i, end := range o.ends {
		if end == nil || end.succeeded() {
			continue
		}
		why := o.alike(*end)
		if labels[why] == nil {
			reasons = append(reasons, why)
		}
		labels[why] = append(labels[why], term.Clean(o.runs[i].label))
	}
	slices.SortStableFunc(reasons, func(a, b string) int { return len(labels[b]) - len(labels[a]) })
	for i, why := range reasons {
		if i == maxReasons {
			o.say("  and %s of other kinds: --json tells all", counted(len(reasons)-i, "failure"))
			return
		}
		names := labels[why]
		more := ""
		if n := len(names) - maxLabels; n > 0 {
			names, more = names[:maxLabels], fmt.Sprintf(" and %d more", n)
		}
		o.say("  %s: %s%s", why, strings.Join(names, ", "), more)
	}
}

// alike is reason without the profile where one thing helps all that failed so.
func (o *eachOutput) alike(end eachEnd) string {
	if s, ok := errors.AsType[*hop.SignInError](end.err); ok {
		x := o.app.explainSignIn(s)
		return x.What + " (" + x.Next + ")"
	}
	return o.reason(end)
}

// prefixed writes whole lines, each behind the name of its run.
type prefixed struct {
	o      *eachOutput
	to     io.Writer
	prefix string
	part   []byte // of a line that has no end yet
}

// Write implements io.Writer.
func (w *prefixed) Write(p []byte) (int, error) {
	var lines []byte
	for rest := p; len(rest) > 0; {
		n := min(len(rest), maxLine-len(w.part))
		line, _, whole := bytes.Cut(rest[:n], []byte("\n"))
		w.part = append(w.part, line...)
		rest = rest[len(line):]
		if whole {
			rest = rest[1:]
		}
		if whole || len(w.part) == maxLine {
			lines = fmt.Appendf(lines, "%s%s\n", w.prefix, w.part)
			w.part = w.part[:0]
		}
	}
	if len(lines) > 0 {
		w.o.line(w.to, lines)
	}
	return len(p), nil
}

// end writes the last line, should it lack its end. The caller holds the lock.
func (w *prefixed) end() {
	if len(w.part) > 0 {
		w.o.write(w.to, fmt.Appendf(nil, "%s%s\n", w.prefix, w.part))
	}
}

// captured keeps what is written, up to a bound.
type captured struct {
	bytes.Buffer
	cut bool
}

// Write implements io.Writer.
func (w *captured) Write(p []byte) (int, error) {
	room := maxCaptured - w.Len()
	if len(p) > room {
		w.cut = true
		w.Buffer.Write(p[:room])
		return len(p), nil
	}
	return w.Buffer.Write(p)
}

// files makes the two files of a run, in place of an earlier one's.
func (o *eachOutput) files(i int) (runOutput, error) {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	stdout, err := o.dir.OpenFile(o.file(i, "out"), flags, 0o600)
	if err != nil {
		return runOutput{}, err
	}
	stderr, err := o.dir.OpenFile(o.file(i, "err"), flags, 0o600)
	if err != nil {
		return runOutput{}, errors.Join(err, stdout.Close())
	}
	return runOutput{stdout, stderr}, nil
}

// closeFiles closes the files of a run, and leaves none of what it did not say
// on stderr.
func (o *eachOutput) closeFiles(i int) {
	stderr, ok := o.outputs[i].stderr.(*os.File)
	if !ok || o.dir == nil {
		return
	}
	info, err := stderr.Stat()
	err = errors.Join(err, stderr.Close(), o.outputs[i].stdout.(*os.File).Close())
	if err == nil && info.Size() == 0 {
		err = o.dir.Remove(o.file(i, "err"))
	}
	o.err = or(o.err, err)
}
