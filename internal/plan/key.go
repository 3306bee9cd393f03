package plan

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"reflect"
)

// Key identifies the credentials that come out of a hop: equal keys mean that
// everything that shaped them is equal.
type Key [sha256.Size]byte

// String returns the key in hexadecimal.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// Key is the digest over hops 0 to i, their types and every field not tagged
// `key:"-"`. A field added to a hop is in the key by construction: nothing
// here names one.
func (p Plan) Key(i int) Key {
	h := sha256.New()
	for _, hop := range p.Hops[:i+1] {
		v := reflect.ValueOf(hop)
		writeText(h, v.Type().Name())
		writeValue(h, v)
	}
	return Key(h.Sum(nil))
}

// writeText writes s behind its length, so that no two sequences of values
// have one encoding.
func writeText(h hash.Hash, s string) {
	writeInt(h, int64(len(s)))
	h.Write([]byte(s))
}

func writeInt(h hash.Hash, n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}

func writeValue(h hash.Hash, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		writeText(h, v.String())
	case reflect.Bool:
		n := int64(0)
		if v.Bool() {
			n = 1
		}
		writeInt(h, n)
	case reflect.Int, reflect.Int64:
		writeInt(h, v.Int())
	case reflect.Slice:
		writeInt(h, int64(v.Len()))
		for i := range v.Len() {
			writeValue(h, v.Index(i))
		}
	case reflect.Struct:
		t := v.Type()
		for i := range t.NumField() {
			if t.Field(i).Tag.Get("key") != "-" {
				writeText(h, t.Field(i).Name)
				writeValue(h, v.Field(i))
			}
		}
	default:
		panic(fmt.Sprintf("plan: a hop has a field of kind %s, which Key does not know", v.Kind()))
	}
}
