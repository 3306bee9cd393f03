package keyring

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
)

// dhAlgorithm is the Secret Service API's way to encrypt secrets on the bus.
// The group is small by today's measure. It keeps secrets out of captures of
// the bus and out of reports made of them; against those who may talk to the
// service itself nothing on the bus would help.
const dhAlgorithm = "dh-ietf1024-sha256-aes128-cbc-pkcs7"

const (
	groupSize = 128 // bytes of the second Oakley group, RFC 2409, section 6.2
	blockSize = aes.BlockSize
)

// oakley2 returns the prime of the second Oakley group.
func oakley2() *big.Int {
	p, _ := new(big.Int).SetString("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD1"+
		"29024E088A67CC74020BBEA63B139B22514A08798E3404DD"+
		"EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245"+
		"E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"+
		"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381"+
		"FFFFFFFFFFFFFFFF", 16)
	return p
}

// agreement is our half of a Diffie-Hellman key agreement.
type agreement struct{ prime, private *big.Int }

func newAgreement() agreement {
	// In a group of a safe prime an exponent of 256 bits is as good as one of
	// 1,024, and four times as fast.
	var private [32]byte
	_, _ = rand.Read(private[:]) // never fails
	return agreement{oakley2(), new(big.Int).SetBytes(private[:])}
}

func (a agreement) public() []byte {
	return new(big.Int).Exp(big.NewInt(2), a.private, a.prime).FillBytes(make([]byte, groupSize))
}

// cipher agrees on a key with the owner of the other half.
func (a agreement) cipher(theirs []byte) (sessionCipher, error) {
	public := new(big.Int).SetBytes(theirs)
	one := big.NewInt(1)
	if public.Cmp(one) <= 0 || public.Cmp(new(big.Int).Sub(a.prime, one)) >= 0 {
		return sessionCipher{}, fmt.Errorf("%w: the service's half of the key is weak", ErrUnavailable)
	}
	shared := new(big.Int).Exp(public, a.private, a.prime).FillBytes(make([]byte, groupSize))
	key, err := hkdf.Key(sha256.New, shared, nil, "", blockSize)
	if err != nil {
		return sessionCipher{}, err
	}
	block, err := aes.NewCipher(key)
	return sessionCipher{block}, err
}

// sessionCipher is how secrets travel in a session: in AES-128-CBC with the
// padding of PKCS #7, or as they are when there is no block cipher.
type sessionCipher struct{ block cipher.Block }

func (c sessionCipher) seal(secret []byte) (parameters, value []byte) {
	if c.block == nil {
		return []byte{}, secret
	}
	iv := make([]byte, blockSize)
	_, _ = rand.Read(iv) // never fails
	pad := blockSize - len(secret)%blockSize
	value = append(bytes.Clone(secret), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(c.block, iv).CryptBlocks(value, value)
	return iv, value
}

func (c sessionCipher) open(parameters, value []byte) ([]byte, error) {
	if c.block == nil {
		return value, nil
	}
	garbled := fmt.Errorf("%w: the secret came garbled", ErrUnavailable)
	if len(parameters) != blockSize || len(value) == 0 || len(value)%blockSize != 0 {
		return nil, garbled
	}
	secret := make([]byte, len(value))
	cipher.NewCBCDecrypter(c.block, parameters).CryptBlocks(secret, value)
	pad := int(secret[len(secret)-1])
	if pad == 0 || pad > blockSize || !bytes.HasSuffix(secret, bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, garbled
	}
	return secret[:len(secret)-pad], nil
}
