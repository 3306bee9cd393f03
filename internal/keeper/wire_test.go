package keeper

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"testing"
)

var key = []byte("a key of thirty-two bytes, indeed")

func TestProtocol(t *testing.T) {
	for _, tc := range []struct {
		name              string
		keepers, programs []byte // keys
		answer            Answer
		admitted          bool
		want              error
		shown             string
	}{
		{name: "of the shell", keepers: key, programs: key, answer: Answer{Done, []byte("a secret")}, admitted: true, shown: "a secret"},
		{name: "by descent", answer: Answer{Failed, []byte("why")}, admitted: true, shown: "why"},
		{name: "of another shell", keepers: key, programs: []byte("another"), want: ErrRefused},
		{name: "of none", keepers: key, want: ErrRefused},
		{name: "to one that knows no key", programs: key, want: ErrRefused},
	} {
		t.Run(tc.name, func(t *testing.T) {
			program, keeper := net.Pipe()
			defer program.Close()
			asked := Request{Verb: Get, Profile: "ops", Code: "123456"}
			done := make(chan error, 1)
			go func() {
				defer keeper.Close()
				mine := newNonce()
				err := writeGreeting(keeper, mine)
				q, rerr := readRequest(keeper)
				if err = errors.Join(err, rerr); err != nil {
					done <- err
					return
				}
				if got := q.proves(tc.keepers, mine); got != tc.admitted {
					t.Errorf("proves = %v, want %v", got, tc.admitted)
				}
				if q.Request != asked {
					t.Errorf("asked %+v", q.Request)
				}
				a := Answer{Kind: refused}
				if tc.admitted {
					a = tc.answer
				}
				done <- writeAnswer(keeper, tc.keepers, mine, q.nonce, a)
			}()
			a, err := converse(program, tc.programs, asked)
			if !errors.Is(err, tc.want) || string(a.Body) != tc.shown || err == nil && a.Kind != tc.answer.Kind {
				t.Errorf("answer %d %q, error %v", a.Kind, a.Body, err)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			if i := bytes.IndexFunc(tc.answer.Body, func(r rune) bool { return r != 0 }); i >= 0 {
				t.Errorf("the keeper still holds %q", tc.answer.Body)
			}
		})
	}
}

func TestLongRequest(t *testing.T) {
	var b bytes.Buffer
	err := writeRequest(&b, key, newNonce(), newNonce(), Request{Verb: Get, Profile: strings.Repeat("x", maxRequest)})
	if err == nil || b.Len() > 0 {
		t.Errorf("%d bytes were written, error %v", b.Len(), err)
	}
}

// A request that is read is one that its sender has proved, whole.
func FuzzReadRequest(f *testing.F) {
	keepers, programs := nonce{1}, nonce{2}
	var b bytes.Buffer
	if err := writeRequest(&b, key, keepers, programs, Request{Verb: Get, Profile: "ops"}); err != nil {
		f.Fatal(err)
	}
	whole := b.Bytes()
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0, 0, 0, 1, 0})
	f.Fuzz(func(t *testing.T, text []byte) {
		q, err := readRequest(bytes.NewReader(text))
		if err != nil {
			return
		}
		if len(q.text) > maxRequest {
			t.Errorf("a request of %d bytes", len(q.text))
		}
		if q.proves(key, keepers) != bytes.HasPrefix(text, whole) {
			t.Errorf("%q proves what it should not, or not what it should", text)
		}
	})
}

// An answer that is read is one that the keeper has given.
func FuzzReadAnswer(f *testing.F) {
	keepers, programs := nonce{1}, nonce{2}
	var b bytes.Buffer
	if err := writeAnswer(&b, key, keepers, programs, Answer{Done, []byte("a secret")}); err != nil {
		f.Fatal(err)
	}
	whole := b.Bytes()
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := readAnswer(bytes.NewReader(text), key, keepers, programs)
		if (err == nil) != bytes.HasPrefix(text, whole) {
			t.Errorf("answer %q, error %v", a.Body, err)
		}
	})
}
