package message

import (
	"encoding/json"
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

func TestJSON(t *testing.T) {
	for _, m := range []Text{
		{},
		New("odd", "%s is odd, and has %d of %s", "é\u202e it", 3, New("inner", "the %s", "other")),
		Of(errors.New("else")),
	} {
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var got Text
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(got)
		if err != nil || string(again) != string(b) || got.ID != m.ID || len(got.Args) != len(m.Args) {
			t.Errorf("%s became %s, %v", b, again, err)
		}
		if len(got.Args) == 3 && got.Args[2].(Text).ID != "inner" {
			t.Errorf("%+v", got)
		}
	}
	if err := new(Text).UnmarshalJSON([]byte(`{"id": 1}`)); err == nil {
		t.Error("a number is taken for an ID")
	}
}
