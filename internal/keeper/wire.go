package keeper

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The protocol, one question to a connection:
//
//	keeper:  greeting, nonce
//	program: length, nonce, proof, request in JSON
//	keeper:  length, proof, kind, body
//
// A length is that of all that follows, four bytes, big-endian. A proof is the
// HMAC-SHA256 of the direction, both nonces and what is said, under the
// shell's key; without such a key it is that under the empty one, and proves
// nothing.

const (
	greeting  = "ASRK\x01"
	nonceSize = 32
	proofSize = sha256.Size

	// maxRequest and maxAnswer bound what is read. AWS's session tokens have
	// no stated limit; 64 KiB is far beyond those that it makes.
	maxRequest = 4 << 10
	maxAnswer  = 128 << 10
)

// Directions of a proof: what one side has said proves nothing for the other.
const (
	byProgram = "program"
	byKeeper  = "keeper"
)

var errMalformed = errors.New("malformed message")

type nonce [nonceSize]byte

func newNonce() (n nonce) {
	_, _ = rand.Read(n[:]) // it never fails
	return n
}

// proof is what the holder of key says of a message.
func proof(key []byte, direction string, keepers, programs nonce, message ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(direction))
	h.Write(keepers[:])
	h.Write(programs[:])
	for _, m := range message {
		h.Write(m)
	}
	return h.Sum(nil)
}

// question is a request as it arrived, with the proof of who asks.
type question struct {
	Request
	nonce nonce
	proof []byte
	text  []byte // that was proved
}

// proves reports whether the question is of a holder of key.
func (q question) proves(key []byte, keepers nonce) bool {
	return hmac.Equal(q.proof, proof(key, byProgram, keepers, q.nonce, q.text))
}

func writeGreeting(w io.Writer, n nonce) error {
	_, err := w.Write(append([]byte(greeting), n[:]...))
	return err
}

func readGreeting(r io.Reader) (n nonce, err error) {
	var b [len(greeting) + nonceSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return n, err
	}
	if string(b[:len(greeting)]) != greeting {
		return n, errMalformed
	}
	copy(n[:], b[len(greeting):])
	return n, nil
}

func writeRequest(w io.Writer, key []byte, keepers, programs nonce, r Request) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	b := append(programs[:], proof(key, byProgram, keepers, programs, text)...)
	b = append(b, text...)
	if len(b) > maxRequest {
		return fmt.Errorf("a request of %d bytes is too long", len(b))
	}
	return writeFrame(w, b)
}

func readRequest(r io.Reader) (q question, err error) {
	b, err := readFrame(r, maxRequest)
	if err != nil {
		return q, err
	}
	if len(b) < nonceSize+proofSize {
		return q, errMalformed
	}
	copy(q.nonce[:], b)
	q.proof, q.text = b[nonceSize:nonceSize+proofSize], b[nonceSize+proofSize:]
	if err := json.Unmarshal(q.text, &q.Request); err != nil {
		return q, errMalformed
	}
	switch q.Verb {
	case Get, Renew, Status:
		return q, nil
	}
	return q, errMalformed
}

// writeAnswer writes an answer and forgets it.
func writeAnswer(w io.Writer, key []byte, keepers, programs nonce, a Answer) error {
	kind := []byte{byte(a.Kind)}
	b := make([]byte, 0, proofSize+1+len(a.Body))
	b = append(b, proof(key, byKeeper, keepers, programs, kind, a.Body)...)
	b = append(b, kind...)
	b = append(b, a.Body...)
	clear(a.Body)
	defer clear(b)
	if len(b) > maxAnswer {
		return fmt.Errorf("an answer of %d bytes is too long", len(b))
	}
	return writeFrame(w, b)
}

func readAnswer(r io.Reader, key []byte, keepers, programs nonce) (Answer, error) {
	b, err := readFrame(r, maxAnswer)
	if err != nil {
		return Answer{}, err
	}
	if len(b) < proofSize+1 {
		return Answer{}, errMalformed
	}
	a := Answer{Kind: Kind(b[proofSize]), Body: b[proofSize+1:]}
	if !hmac.Equal(b[:proofSize], proof(key, byKeeper, keepers, programs, b[proofSize:])) {
		return Answer{}, ErrRefused
	}
	return a, nil
}

// writeFrame writes b behind its length, in one write.
func writeFrame(w io.Writer, b []byte) error {
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b)))
	frame = append(frame, b...)
	defer clear(frame)
	_, err := w.Write(frame)
	return err
}

// readFrame reads what is behind a length, which is at most so much.
func readFrame(r io.Reader, most int) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > uint32(most) {
		return nil, errMalformed
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}
