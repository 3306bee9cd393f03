package keyring

import (
	"context"
	"fmt"
	"time"
)

// order is what Auto goes through.
var order = []Choice{Kernel}

// unlockedFor is how long a passphrase is not asked for again.
const unlockedFor = 8 * time.Hour

func (o Options) openSystem(c Choice) (Keyring, error) {
	if c == Kernel {
		if o.Kind != SessionKeys {
			return nil, fmt.Errorf("%w: it forgets at a reboot, and long-lived keys must outlive that", ErrUnavailable)
		}
		return kernel{kind: o.Kind}, nil
	}
	return nil, fmt.Errorf("%w on Linux", ErrUnavailable)
}

func (o Options) probe(_ context.Context, k Keyring) error {
	if k, ok := k.(kernel); ok {
		return k.probe()
	}
	return nil
}

// unlocked is where keys derived from a passphrase are kept for a while.
func unlocked() Keyring { return kernel{unlockedKeys, unlockedFor} }
