package keyring

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// kernel is the user keyring of the Linux kernel (keyrings(7), user-keyring(7)):
// memory that is never swapped and dies with the last process of the user, and
// so with a reboot. It is for secrets that can be made again.
type kernel struct {
	kind Kind
	ttl  time.Duration // a secret's life after it was set; zero is for good
}

// kernelPerm gives the possessor all rights, and any process of the user the
// right to view, read, search for and link the key. The kernel's default gives
// those to possessors alone, and a process whose session does not link the user
// keyring, as with systemd without pam_keyinit or in cron, possesses nothing
// in it (systemd issue 5522).
const kernelPerm = 0x3f1b0000

// userKey is the key type for arbitrary data (user-keyring(7)).
const userKey = "user"

// kernelMark comes before a secret: who else puts keys into the user keyring
// does not write it.
const kernelMark = 1

func (k kernel) description(name string) string {
	return application + ":" + string(k.kind) + ":" + name
}

// Get implements [Keyring].
func (k kernel) Get(_ context.Context, name string) ([]byte, error) {
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, userKey, k.description(name), 0)
	if err != nil {
		return nil, explainKernel("search", err)
	}
	secret := make([]byte, 64)
	for {
		n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, secret, 0)
		switch {
		case err != nil:
			return nil, explainKernel("read", err)
		case n > len(secret):
			secret = make([]byte, n)
		case n == 0 || secret[0] != kernelMark:
			return nil, fmt.Errorf("%w: the key in the kernel is not one of ours", ErrUnavailable)
		default:
			return secret[1:n], nil
		}
	}
}

// Set implements [Keyring].
func (k kernel) Set(_ context.Context, name string, secret []byte) error {
	id, done, err := possess(k.description(name), append([]byte{kernelMark}, secret...))
	if err != nil {
		return err
	}
	defer done()
	if err := unix.KeyctlSetperm(id, kernelPerm); err != nil {
		return explainKernel("setperm", err)
	}
	if k.ttl > 0 {
		seconds := int((k.ttl + time.Second - 1) / time.Second)
		if _, err := unix.KeyctlInt(unix.KEYCTL_SET_TIMEOUT, id, seconds, 0, 0); err != nil {
			return explainKernel("set_timeout", err)
		}
	}
	// The link takes the place of that to an older key of the same name.
	if _, err := unix.KeyctlInt(unix.KEYCTL_LINK, id, unix.KEY_SPEC_USER_KEYRING, 0, 0); err != nil {
		return explainKernel("link", err)
	}
	return nil
}

// possess makes a key in the calling thread's own keyring, since only its
// possessor may change a key's permissions, and keys in the user keyring are
// often nobody's. Until done the goroutine keeps its thread: credentials, and
// the keyrings in them, belong to threads.
func possess(description string, payload []byte) (id int, done func(), err error) {
	runtime.LockOSThread()
	id, err = unix.AddKey(userKey, description, payload, unix.KEY_SPEC_THREAD_KEYRING)
	if err != nil {
		runtime.UnlockOSThread()
		return 0, nil, explainKernel("add_key", err)
	}
	return id, func() {
		_, _ = unix.KeyctlInt(unix.KEYCTL_UNLINK, id, unix.KEY_SPEC_THREAD_KEYRING, 0, 0)
		runtime.UnlockOSThread()
	}, nil
}

// Delete implements [Keyring].
func (k kernel) Delete(_ context.Context, name string) error {
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, userKey, k.description(name), 0)
	if err != nil {
		return explainKernel("search", err)
	}
	if _, err := unix.KeyctlInt(unix.KEYCTL_INVALIDATE, id, 0, 0, 0); err != nil {
		return explainKernel("invalidate", err)
	}
	return nil
}

// probe returns nil when keys can be made, found and read. Containers forbid
// it, and each user has a quota.
func (k kernel) probe() error {
	if _, err := k.Get(context.Background(), sessionKeyName); !errors.Is(err, ErrNotFound) {
		return err
	}
	_, done, err := possess(k.description("probe"), []byte{kernelMark})
	if err != nil {
		return err
	}
	done()
	return nil
}

func explainKernel(call string, err error) error {
	switch err {
	case unix.ENOKEY, unix.EKEYEXPIRED, unix.EKEYREVOKED:
		return ErrNotFound
	case unix.EINVAL:
		if call == "add_key" { // the payload of a user key ends at 32,767 bytes
			return fmt.Errorf("%w: the kernel refuses it", ErrSize)
		}
	}
	return fmt.Errorf("%w: keyctl %s: %w", ErrUnavailable, call, err)
}
