package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestPictures reads README's pictures, which go run ./doc/pictures draws: they
// are XML, show what they are about, and nothing that differs from run to run or
// is secret.
func TestPictures(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	changing := regexp.MustCompile(`127\.0\.0\.1|/tmp/|SECRET|AKIA|ASIA`)
	for name, shows := range map[string][]string{
		"picker":     {"profile:", "6/7", "tempsession", "ap-northeast-1", "enter: take it"},
		"prompt":     {"$ aws-switch-role tempsession", "Enter MFA code for", "(tempsession 59m)", "inventory.csv", "$ exit"},
		"secretless": {"$ aws-switch-role --secretless tempsession", "$ env | grep -c ACCESS_KEY\n0\n", "inventory.csv"},
	} {
		file := "doc/pictures/" + name + ".svg"
		svg, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text, err := textOf(svg)
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		for _, want := range shows {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not show %q:\n%s", file, want, text)
			}
		}
		if found := changing.FindString(text); found != "" {
			t.Errorf("%s shows %s", file, found)
		}
		if !bytes.Contains(readme, []byte("]("+file+")")) {
			t.Errorf("README.md does not show %s", file)
		}
	}
}

// textOf is the text in a picture, one line for each element.
func textOf(svg []byte) (string, error) {
	var text strings.Builder
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return text.String(), nil
		case err != nil:
			return text.String(), err
		}
		if s, ok := token.(xml.CharData); ok {
			text.Write(s)
		}
	}
}
