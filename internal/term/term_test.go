package term

import (
	"os"
	"testing"
)

func TestIsTerminal(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if IsTerminal(f) {
		t.Error("the null device is a terminal")
	}
	f.Close()
	if IsTerminal(f) {
		t.Error("a closed file is a terminal")
	}
}
