package emulator

import (
	"testing"
	"time"
)

// The vectors of RFC 6238 appendix B for SHA-1, last six of eight digits.
func TestTOTPVectors(t *testing.T) {
	for unix, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := totp([]byte("12345678901234567890"), counter(time.Unix(unix, 0))); got != want {
			t.Errorf("at %d the code is %s, want %s", unix, got, want)
		}
	}
}
