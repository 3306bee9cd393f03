package cred

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

const text = "wJalr-SECRET-text"

// holders are the ways in which a struct may carry a secret: redaction must
// not depend on the field being exported or on pointers in between.
func holders() []any {
	s := NewSecret(text)
	type hidden struct{ s Secret }
	type nested struct{ h *hidden }
	return []any{
		s, &s, []Secret{s}, map[string]Secret{"k": s}, [1]Secret{s},
		hidden{s}, &hidden{s}, nested{&hidden{s}}, []hidden{{s}}, map[string]hidden{"k": {s}},
		Credentials{AccessKeyID: "AKIA", SecretAccessKey: s, SessionToken: s},
		&Credentials{AccessKeyID: "AKIA", SecretAccessKey: s},
		struct{ c Credentials }{Credentials{SecretAccessKey: s}},
		fmt.Errorf("wrapped: %v", s),
	}
}

func TestSecretIsNeverRendered(t *testing.T) {
	n := 0
	check := func(how, out string) {
		t.Helper()
		n++
		if strings.Contains(out, "SECRET") {
			t.Errorf("%s shows the secret: %s", how, out)
		}
	}
	for i, h := range holders() {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%t", "%e"} {
			check(fmt.Sprintf("%d %s", i, verb), fmt.Sprintf(verb, h))
		}
		if b, err := json.Marshal(h); err == nil {
			check(fmt.Sprintf("%d json", i), string(b))
		}
		if b, err := xml.Marshal(h); err == nil {
			check(fmt.Sprintf("%d xml", i), string(b))
		}
		var buf bytes.Buffer
		slog.New(slog.NewTextHandler(&buf, nil)).Info("m", "h", h)
		slog.New(slog.NewJSONHandler(&buf, nil)).Info("m", "h", h)
		check(fmt.Sprintf("%d slog", i), buf.String())
	}
	if n < 150 {
		t.Fatalf("only %d renderings were checked", n)
	}
}

func TestSecretReveal(t *testing.T) {
	if got := NewSecret(text).Reveal(); got != text {
		t.Errorf("Reveal = %q", got)
	}
	var zero Secret
	if !zero.IsZero() || zero.Reveal() != "" || !NewSecret("").IsZero() {
		t.Error("the zero secret is not empty")
	}
	if !NewSecret("a").Equal(NewSecret("a")) || NewSecret("a").Equal(NewSecret("b")) || NewSecret("a").Equal(zero) {
		t.Error("Equal is wrong")
	}
	if fmt.Sprint(NewSecret("a")) != "[secret]" {
		t.Error("a secret does not print as [secret]")
	}
}

func TestGoodFor(t *testing.T) {
	now := time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)
	c := Credentials{AccessKeyID: "ASIA", SecretAccessKey: NewSecret("s"), Expires: now.Add(15 * time.Minute)}
	if !c.GoodFor(now, 15*time.Minute) {
		t.Error("exactly enough time left is not enough")
	}
	if c.GoodFor(now.Add(time.Second), 15*time.Minute) {
		t.Error("too little time left is enough")
	}
	if c.GoodFor(now.Add(-time.Hour), 0) == false {
		t.Error("an expiry in the future is refused")
	}
	c.Expires = time.Time{}
	if !c.GoodFor(now, 1000*time.Hour) {
		t.Error("credentials without expiry are refused")
	}
	if (Credentials{AccessKeyID: "ASIA"}).GoodFor(now, 0) || (Credentials{SecretAccessKey: NewSecret("s")}).GoodFor(now, 0) {
		t.Error("incomplete credentials are good")
	}
}
