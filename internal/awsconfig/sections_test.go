package awsconfig

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSections reads what a search does not: every section and line, in order.
func TestSections(t *testing.T) {
	type line struct {
		Raw, Key            string
		Continues, Readable bool
	}
	type section struct {
		Header, Profile string
		Lines           []line
	}
	c := &Config{
		config:      file{path: "config", data: []byte("stray = 1\n# c\n[profile \"a b\"] ; behind\r\nKEY : v\r\n\r\n  more\n; c\nempty =\n  in = 1\n  out\nnone\n[default]\n[profile x y]\n[b]\nk = \xff")},
		credentials: file{path: "credentials", data: []byte("[a b]\nk = v\n")},
	}
	want := []section{
		{`[profile "a b"]`, "a b", []line{
			{"KEY : v\r\n", "key", false, true},
			{"\r\n", "", false, true},
			{"  more\n", "", true, true},
			{"empty =\n", "empty", false, true},
			{"  in = 1\n", "in", true, true},
			{"  out\n", "", true, false},
			{"none\n", "", false, false},
		}},
		{"[default]", "default", nil},
		{"[profile x y]", "", nil},
		{"[b]", "", []line{{"k = \xff", "k", false, false}}},
		{"[a b]", "a b", []line{{"k = v\n", "k", false, true}}},
	}
	var got []section
	collect := func(s *RawSection) {
		now := section{Header: string(s.Header), Profile: s.Profile}
		for _, l := range s.Lines {
			now.Lines = append(now.Lines, line{string(l.Raw), string(l.Key), l.Continues, l.Readable()})
		}
		got = append(got, now)
	}
	for s := range c.ConfigSections() {
		collect(s)
	}
	for s := range c.CredentialsSections() {
		collect(s)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
