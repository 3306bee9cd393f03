package main

import (
	"runtime/debug"
	"slices"
	"testing"
)

func TestBill(t *testing.T) {
	b := bill(&debug.BuildInfo{
		GoVersion: "go1.26.3",
		Main:      debug.Module{Path: "aws-switch-role", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "example.com/a", Version: "v1.2.3", Sum: "h1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
			{Path: "example.com/b", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/c", Version: "v2.0.0"}},
		},
	}, "0.9")
	if got := b.Metadata.Component; got.Name != "aws-switch-role" || got.Version != "0.9" {
		t.Errorf("it is of %+v", got)
	}
	var urls []string
	for _, c := range b.Components {
		urls = append(urls, c.PURL)
	}
	if want := []string{"pkg:golang/std@1.26.3", "pkg:golang/example.com/a@v1.2.3", "pkg:golang/example.com/c@v2.0.0"}; !slices.Equal(urls, want) {
		t.Errorf("made of %q, want %q", urls, want)
	}
	if got, want := b.Components[1].Hashes, (hash{"SHA-256", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"}); len(got) != 1 || got[0] != want {
		t.Errorf("hashes %v, want %v", got, want)
	}
}
