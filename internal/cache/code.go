package cache

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"

	"aws-switch-role/internal/plan"
)

// LockDevice waits until nobody else is being asked for a code of an MFA
// device: of however many processes, one asks. Its lock is like that of
// [Dir.Lock], and is taken after those of sessions.
func (d *Dir) LockDevice(ctx context.Context, serial string) (unlock func(), err error) {
	return d.Lock(ctx, plan.Key(sha256.Sum256([]byte("device "+serial))))
}

// codeMemory is how long a spent code is remembered. A code is good for 30
// seconds (RFC 6238), and servers take the one before and after as well.
const codeMemory = 90 * time.Second

// A spentCode is 56 bytes in the file of its device: when, a salt, and the
// code's HMAC under that salt. It keeps the code from being read, not from
// being guessed, and need not: AWS takes it no more.
const (
	saltAt        = 8
	hashAt        = saltAt + 16
	spentCodeSize = hashAt + sha256.Size
	maxSpentCodes = 64 // of one device
)

// Spend notes that a code of an MFA device is about to be sent to AWS, which
// takes a code once. first is false when any process spent it within the last
// 90 seconds. On an error nothing is known and nothing noted.
func (d *Dir) Spend(ctx context.Context, serial, code string) (first bool, err error) {
	device := sha256.Sum256([]byte("codes " + serial))
	f, err := d.lockFile(ctx, hex.EncodeToString(device[:])+".codes")
	if err != nil {
		return false, err
	}
	defer f.Close()
	b, err := readAtMost(f, maxSpentCodes*spentCodeSize)
	if err != nil && !errors.Is(err, errTooBig) {
		return false, err
	}
	now := d.now()
	var live []byte
	// A writer that died may have left a part of a record at the end.
	for ; len(b) >= spentCodeSize; b = b[spentCodeSize:] {
		spent := b[:spentCodeSize]
		if age := now.Sub(unixTime(spent)).Abs(); age >= codeMemory {
			continue
		}
		if hmac.Equal(spent[hashAt:], hashCode(spent[saltAt:hashAt], serial, code)) {
			return false, nil
		}
		live = append(live, spent...)
	}
	var salt [hashAt - saltAt]byte
	rand.Read(salt[:]) // never fails
	live = binary.BigEndian.AppendUint64(live, uint64(now.Unix()))
	live = append(live, salt[:]...)
	live = append(live, hashCode(salt[:], serial, code)...)
	if _, err := f.WriteAt(live, 0); err != nil {
		return false, err
	}
	return true, f.Truncate(int64(len(live)))
}

func hashCode(salt []byte, serial, code string) []byte {
	h := hmac.New(sha256.New, salt)
	h.Write([]byte(serial + " " + code))
	return h.Sum(nil)
}
