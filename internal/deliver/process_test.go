package deliver

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"aws-switch-role/internal/cred"
)

func TestProcess(t *testing.T) {
	c, _ := session()
	tests := []struct {
		name string
		c    cred.Credentials
		want string
	}{
		{"session", c, `{"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"a/SECRET+key=","SessionToken":"IQoJb3JpZ2lu//SECRET+token==","Expiration":"2026-01-02T15:04:05Z","AccountId":"222222222222"}`},
		{"key", cred.Credentials{AccessKeyID: "AKIA", SecretAccessKey: cred.NewSecret(`<&>"`)}, `{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"<&>\""}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var w countingWriter
			if err := Process(&w, tt.c); err != nil {
				t.Fatal(err)
			}
			if got := w.String(); got != tt.want+"\n" {
				t.Errorf("got  %swant %s", got, tt.want)
			}
			if w.writes != 1 {
				t.Errorf("%d writes: a reader must not see half of it", w.writes)
			}
			if !json.Valid(w.Bytes()) {
				t.Error("not JSON")
			}
		})
	}
}

// countingWriter counts the calls of Write.
type countingWriter struct {
	bytes.Buffer
	writes int
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.writes++
	return w.Buffer.Write(p)
}

// shortWriter takes all but the last byte and says that all is well.
type shortWriter struct{}

func (shortWriter) Write(p []byte) (int, error) { return len(p) - 1, nil }

func TestProcessReportsAShortWrite(t *testing.T) {
	c, _ := session()
	if err := Process(shortWriter{}, c); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v", err)
	}
}
