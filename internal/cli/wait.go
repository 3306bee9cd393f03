package cli

import (
	"fmt"
	"sync"
	"time"

	"aws-switch-role/internal/message"
	"aws-switch-role/internal/term"
)

// unexplained is how long a person waits without being told for what.
const unexplained = 500 * time.Millisecond

// waits tell a person what a slow run waits for: a line for each thing, once,
// and never while a question is on the terminal.
type waits struct {
	mu    sync.Mutex // guards what follows
	tell  func(line string)
	said  map[string]bool
	asked int // questions so far
}

// begin has line said unless done is called soon. Nothing is said after done
// has returned.
func (w *waits) begin(line string) (done func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	over, asked := false, w.asked
	t := time.AfterFunc(unexplained, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if over || w.asked != asked || w.said[line] || w.tell == nil {
			return
		}
		if w.said == nil {
			w.said = map[string]bool{}
		}
		w.said[line] = true
		w.tell(line)
	})
	return func() {
		t.Stop()
		w.mu.Lock()
		defer w.mu.Unlock()
		over = true
	}
}

// question makes way for one: what is waited for now is the person, and it
// stands on the terminal.
func (w *waits) question() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
}

// silence ends the telling, for a command that shows by itself how far it is.
func (w *waits) silence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell = nil
}

// tellWait says on stderr what is waited for, if a person reads it and is not
// about to answer somebody else: a credential_process, or the gpg behind pass,
// may ask for a secret by itself.
func (a *app) tellWait(line string) {
	if !a.onTerminal() {
		return
	}
	if t, err := term.Open(); err == nil {
		defer t.Close()
		if t.Hidden() {
			return
		}
	}
	fmt.Fprintln(a.stderr, line)
}

// waiting returns what has a person told of a wait that is not over soon; nil
// where nothing is to be said.
func (a *app) waiting(f *switchFlags) func(message.Text) (done func()) {
	if f.quiet {
		return nil
	}
	return func(t message.Text) (done func()) { return a.waits.begin(a.sentence(t)) }
}

// waitingForKeyring is waiting for the keyring, which may have somebody unlock
// it in a window.
func (a *app) waitingForKeyring(f *switchFlags) (done func()) {
	if waiting := a.waiting(f); waiting != nil {
		return waiting(message.New("waiting-for-keyring", "waiting for the keyring"))
	}
	return func() {}
}
