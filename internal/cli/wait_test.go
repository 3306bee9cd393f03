package cli

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestWaits(t *testing.T) {
	const soon, late = unexplained - time.Millisecond, unexplained + time.Millisecond
	tests := []struct {
		name string
		run  func(w *waits)
		want []string
	}{
		{"soon over", func(w *waits) {
			done := w.begin("x")
			time.Sleep(soon)
			done()
			time.Sleep(late)
		}, nil},
		{"slow", func(w *waits) {
			done := w.begin("x")
			time.Sleep(late)
			done()
		}, []string{"x"}},
		{"each thing once", func(w *waits) {
			for _, line := range []string{"x", "y", "x"} {
				done := w.begin(line)
				time.Sleep(late)
				done()
			}
		}, []string{"x", "y"}},
		{"a question in between", func(w *waits) {
			defer w.begin("keyring")()
			time.Sleep(soon)
			w.question()
			time.Sleep(late)
			defer w.begin("x")()
			time.Sleep(late)
		}, []string{"x"}},
		{"silenced", func(w *waits) {
			defer w.begin("x")()
			w.silence()
			time.Sleep(late)
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said []string
				w := &waits{tell: func(line string) { said = append(said, line) }}
				tt.run(w)
				synctest.Wait()
				if !slices.Equal(said, tt.want) {
					t.Errorf("said %q, want %q", said, tt.want)
				}
			})
		})
	}
}

func TestWaitingForKeyring(t *testing.T) {
	tests := []struct {
		lang  string
		quiet bool
		want  []string
	}{
		{"C.UTF-8", false, []string{"waiting for the keyring"}},
		{"ja_JP.UTF-8", false, []string{"キーリングを待っている"}},
		{"C.UTF-8", true, nil},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			a := newApp([]string{"LANG=" + tt.lang}, nil, nil, nil)
			var said []string
			a.waits.tell = func(line string) { said = append(said, line) }
			done := a.waitingForKeyring(&switchFlags{quiet: tt.quiet})
			time.Sleep(2 * unexplained)
			done()
			if !slices.Equal(said, tt.want) {
				t.Errorf("%s, quiet %t: said %q, want %q", tt.lang, tt.quiet, said, tt.want)
			}
		})
	}
}
