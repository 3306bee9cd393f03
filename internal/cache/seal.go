package cache

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/plan"
)

// An entry is one session in one file, numbers in network order:
//
//	 0   4  "ASR1"
//	 4   1  version of the format, 1
//	 5   1  derivation of the key-encryption key, 0: used as given
//	 6   2  length of the clear part
//	 8   4  length of the sealed part
//	12  32  salt, fresh for each write
//	44   …  clear part: About as two times and texts
//	 …   …  sealed part: the credentials as texts under AES-256-GCM, and its tag
//
// A time is eight bytes of Unix seconds, a text its bytes behind a length of
// two. Nothing may follow, so that a content has one encoding and no byte of a
// file is without meaning.
//
// The key of the seal is HKDF-SHA256 (RFC 5869) of the key-encryption key and
// the salt. It seals one message in its life, hence a nonce of zeros.
// Everything before the sealed part is authenticated with it, and so is the
// session's plan.Key: an entry under another's name does not open.
const (
	magic      = "ASR1"
	version    = 1
	saltSize   = 32
	headerSize = 12 + saltSize
	tagSize    = 16
	maxEntry   = 64 << 10 // the size of a file

	derivation = "aws-switch-role/cache/v1"
)

// KeySize is the length in bytes of the key-encryption key.
const KeySize = 32

var (
	errKey     = fmt.Errorf("the key of the cache is not %d random bytes", KeySize)
	errTooLong = errors.New("the session is too long for the cache")
	errMangled = errors.New("it is not in the format of this version")
	errSealed  = errors.New("it does not open: sealed with another key, under another name, or changed")
)

// nonce is that of the only message of a key.
var nonce [12]byte

// checkKey refuses what can only be the mistake of a keyring.
func checkKey(kek []byte) error {
	if len(kek) != KeySize || !slices.ContainsFunc(kek, func(b byte) bool { return b != 0 }) {
		return errKey
	}
	return nil
}

// entry is a parsed but unopened file.
type entry struct {
	about  About
	salt   []byte
	clear  []byte // all that comes before the sealed part
	sealed []byte
}

// seal makes the file of a session.
func seal(kek []byte, a About, c cred.Credentials) ([]byte, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	return sealWith(kek, salt, a, c)
}

func sealWith(kek, salt []byte, a About, c cred.Credentials) ([]byte, error) {
	var clearTexts []string
	for _, t := range a.texts() {
		clearTexts = append(clearTexts, *t)
	}
	secrets := []string{c.AccessKeyID, c.SecretAccessKey.Reveal(), c.SessionToken.Reveal(), c.AccountID}

	clearSize, secretSize := 2*8+textsSize(clearTexts), textsSize(secrets)
	size := headerSize + clearSize + secretSize + tagSize
	if size > maxEntry {
		return nil, errTooLong
	}
	b := make([]byte, 0, size)
	b = append(b, magic...)
	b = append(b, version, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(clearSize))
	b = binary.BigEndian.AppendUint32(b, uint32(secretSize+tagSize))
	b = append(b, salt...)
	b = binary.BigEndian.AppendUint64(b, uint64(a.Made.Unix()))
	b = binary.BigEndian.AppendUint64(b, uint64(a.Expires.Unix()))
	b = appendTexts(b, clearTexts)

	plain := appendTexts(make([]byte, 0, secretSize), secrets)
	defer clear(plain)
	aead, err := newAEAD(kek, salt, derivation)
	if err != nil {
		return nil, err
	}
	return aead.Seal(b, nonce[:], plain, slices.Concat(b, a.Key[:])), nil
}

// parse takes the file kept under k apart, as far as that goes without a key.
func parse(b []byte, k plan.Key) (entry, error) {
	if len(b) < headerSize || len(b) > maxEntry || string(b[:4]) != magic || b[4] != version || b[5] != 0 {
		return entry{}, errMangled
	}
	clearSize, sealedSize := int(binary.BigEndian.Uint16(b[6:])), int(binary.BigEndian.Uint32(b[8:]))
	split := headerSize + clearSize
	if clearSize < 2*8 || split+sealedSize != len(b) {
		return entry{}, errMangled
	}
	e := entry{about: About{Key: k}, salt: b[12:headerSize], clear: b[:split], sealed: b[split:]}
	e.about.Made = unixTime(b[headerSize:])
	e.about.Expires = unixTime(b[headerSize+8:])
	if !cutTexts(b[headerSize+2*8:split], e.about.texts()) {
		return entry{}, errMangled
	}
	return e, nil
}

func unixTime(b []byte) time.Time { return time.Unix(int64(binary.BigEndian.Uint64(b)), 0).UTC() }

// open returns the session, if kek sealed it under this name and nothing has
// changed since.
func (e entry) open(kek []byte) (cred.Credentials, error) {
	aead, err := newAEAD(kek, e.salt, derivation)
	if err != nil {
		return cred.Credentials{}, err
	}
	plain, err := aead.Open(nil, nonce[:], e.sealed, slices.Concat(e.clear, e.about.Key[:]))
	if err != nil {
		return cred.Credentials{}, errSealed
	}
	defer clear(plain)
	var secret, token string
	c := cred.Credentials{Expires: e.about.Expires}
	if !cutTexts(plain, []*string{&c.AccessKeyID, &secret, &token, &c.AccountID}) {
		return cred.Credentials{}, errMangled
	}
	c.SecretAccessKey, c.SessionToken = cred.NewSecret(secret), cred.NewSecret(token)
	return c, nil
}

// newAEAD returns the cipher of one entry, whose key is derived for a purpose.
func newAEAD(kek, salt []byte, purpose string) (cipher.AEAD, error) {
	if err := checkKey(kek); err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, kek, salt, purpose, 32)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func textsSize(texts []string) int {
	n := 0
	for _, t := range texts {
		n += 2 + len(t)
	}
	return n
}

// appendTexts appends texts that are no longer than an entry.
func appendTexts(b []byte, texts []string) []byte {
	for _, t := range texts {
		b = binary.BigEndian.AppendUint16(b, uint16(len(t)))
		b = append(b, t...)
	}
	return b
}

// cutTexts sets texts from b; false says that b does not hold exactly those.
func cutTexts(b []byte, texts []*string) bool {
	for _, t := range texts {
		if len(b) < 2 {
			return false
		}
		n := 2 + int(binary.BigEndian.Uint16(b))
		if len(b) < n {
			return false
		}
		*t, b = string(b[2:n]), b[n:]
	}
	return len(b) == 0
}
