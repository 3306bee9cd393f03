package message

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestNew(t *testing.T) {
	m := New("too-long", "%s lasts %v, of %d", "it", time.Minute, 3)
	if m.ID != "too-long" || m.String() != "it lasts 1m0s, of 3" || !slices.Equal(m.Args, []any{"it", "1m0s", "3"}) {
		t.Errorf("%+v", m)
	}
	if whole := New("whole", "no: %s", m); whole.String() != "no: it lasts 1m0s, of 3" || whole.Args[0].(Text).ID != "too-long" {
		t.Errorf("%+v", whole)
	}
}

func TestOf(t *testing.T) {
	m := New("odd", "%s is odd", "it")
	if got := Of(m); got.ID != "odd" || got.Error() != "it is odd" {
		t.Errorf("%+v", got)
	}
	if got := Of(errors.New("else")); got.ID != "" || got.Error() != "else" {
		t.Errorf("%+v", got)
	}
}
