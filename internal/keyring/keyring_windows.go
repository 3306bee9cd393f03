package keyring

import (
	"context"
	"fmt"
)

// order is what Auto goes through.
var order = []Choice{WinCred}

func (o Options) openSystem(c Choice) (Keyring, error) {
	if c == WinCred {
		return newKeychain(o), nil
	}
	return nil, fmt.Errorf("%w on Windows", ErrUnavailable)
}

// Envchain reads variables that envchain keeps in a namespace. There is no
// envchain for Windows.
func Envchain(context.Context, Options, string, ...string) (map[string][]byte, error) {
	return nil, fmt.Errorf("%w: there is no envchain for Windows", ErrUnavailable)
}

// AWSVault returns the JSON object that aws-vault keeps for a profile. On
// Windows it is not read.
func AWSVault(context.Context, Options, string) ([]byte, error) {
	return nil, fmt.Errorf("%w: aws-vault's credentials are not read on Windows", ErrUnavailable)
}
