package keyring

import (
	"context"
	"errors"
	"fmt"

	zalando "github.com/zalando/go-keyring"
)

// order is what Auto goes through.
var order = []Choice{Keychain}

func (o Options) openSystem(c Choice) (Keyring, error) {
	if c == Keychain {
		return newKeychain(o), nil
	}
	return nil, fmt.Errorf("%w on macOS", ErrUnavailable)
}

// Envchain reads variables that envchain keeps in a namespace: items of the
// service envchain-NAMESPACE whose accounts are the variables. Those that are
// not there are left out; [ErrNotFound] says that none is.
func Envchain(ctx context.Context, o Options, namespace string, variables ...string) (map[string][]byte, error) {
	k := newKeychain(o)
	values := map[string][]byte{}
	for _, v := range variables {
		value, err := k.bounded(ctx, func() (string, error) { return zalando.Get("envchain-"+namespace, v) })
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		values[v] = value
	}
	if len(values) == 0 {
		return nil, ErrNotFound
	}
	return values, nil
}

// AWSVault returns the JSON object that aws-vault keeps for a profile. On macOS
// that is in a keychain of aws-vault's own, which cannot be read.
func AWSVault(context.Context, Options, string) ([]byte, error) {
	return nil, fmt.Errorf("%w: aws-vault's keychain is its own", ErrUnavailable)
}
