package keyring

import (
	"context"
	"fmt"
	"time"
)

// order is what Auto goes through. What a person has set up to hold secrets
// comes before what only happens to be there.
var order = []Choice{SecretService, Kernel}

// unlockedFor is how long a passphrase is not asked for again.
const unlockedFor = 8 * time.Hour

func (o Options) openSystem(c Choice) (Keyring, error) {
	switch c {
	case SecretService:
		return newSecretService(o), nil
	case Kernel:
		if o.Kind != SessionKeys {
			return nil, fmt.Errorf("%w: it forgets at a reboot, and long-lived keys must outlive that", ErrUnavailable)
		}
		return kernel{kind: o.Kind}, nil
	}
	return nil, fmt.Errorf("%w on Linux", ErrUnavailable)
}

func (o Options) probe(ctx context.Context, k Keyring) error {
	switch k := k.(type) {
	case *secretService:
		return k.probe(ctx)
	case kernel:
		return k.probe()
	}
	return nil
}

// unlocked is where keys derived from a passphrase are kept for a while.
func unlocked() Keyring { return kernel{unlockedKeys, unlockedFor} }

// Envchain reads variables that envchain keeps in a namespace. Those that are
// not there are left out; [ErrNotFound] says that none is.
func Envchain(ctx context.Context, o Options, namespace string, variables ...string) (map[string][]byte, error) {
	s := newSecretService(o)
	defer s.Close()
	return s.envchain(ctx, namespace, variables)
}

// AWSVault returns the JSON object that aws-vault keeps for a profile: the
// fields AccessKeyID and SecretAccessKey, and others.
func AWSVault(ctx context.Context, o Options, profile string) ([]byte, error) {
	s := newSecretService(o)
	defer s.Close()
	return s.awsVault(ctx, profile)
}
