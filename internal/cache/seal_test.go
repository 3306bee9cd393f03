package cache

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/plan"
)

// TestForgery: whatever happens to a file, it holds the session that was
// saved or none.
func TestForgery(t *testing.T) {
	d := newDir(t)
	k, c := save(t, d, ops, 1)
	name := fileName(k)
	good := read(t, d, name)
	refuseBytes := func(what string, b []byte) {
		t.Helper()
		if e, err := parse(b, k); err == nil {
			if got, err := e.open(kek); err == nil {
				t.Errorf("%s: opened as %v", what, got)
			}
		}
	}
	refuse := func(what string, b []byte) {
		t.Helper()
		refuseBytes(what, b)
		write(t, d, name, b)
		mustMiss(t, d, k)
	}
	for i := range good {
		for bit := range 8 {
			bad := slices.Clone(good)
			bad[i] ^= 1 << bit
			refuseBytes(fmt.Sprintf("bit %d of byte %d flipped", bit, i), bad)
		}
		refuseBytes(fmt.Sprintf("cut after %d bytes", i), good[:i])
		refuseBytes(fmt.Sprintf("cut before byte %d", i+1), good[i+1:])
	}
	refuse("cut in the middle", good[:len(good)/2])
	for _, tail := range [][]byte{{0}, {'\n'}, good, make([]byte, maxEntry)} {
		refuse("trailing bytes", slices.Concat(good, tail))
	}

	other, otherCreds := save(t, d, ops+"Other", 2)
	otherFile := read(t, d, fileName(other))
	refuse("another session's file", otherFile)
	write(t, d, fileName(other), good)
	mustMiss(t, d, other)
	// Parts of two files do not make a third.
	e, err := parse(good, k)
	if err != nil {
		t.Fatal(err)
	}
	o, err := parse(otherFile, other)
	if err != nil {
		t.Fatal(err)
	}
	refuse("this head, that seal", slices.Concat(e.clear, o.sealed))
	refuse("that head, this seal", slices.Concat(o.clear, e.sealed))

	write(t, d, name, good)
	mustLoad(t, d, k, c)
	write(t, d, fileName(other), otherFile)
	mustLoad(t, d, other, otherCreds)
}

func TestOtherKeys(t *testing.T) {
	a := About{Made: start, Expires: start.Add(time.Hour)}
	b, err := seal(kek, a, creds(1, a.Expires))
	if err != nil {
		t.Fatal(err)
	}
	e, err := parse(b, plan.Key{})
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(kek)
	flipped[31] ^= 1
	for _, key := range [][]byte{nil, {}, make([]byte, KeySize), kek[:16], flipped, bytes.ToUpper(kek)} {
		if c, err := e.open(key); err == nil {
			t.Errorf("key %q opened %v", key, c)
		}
	}
	if _, err := e.open(kek); err != nil {
		t.Error(err)
	}
	for _, key := range [][]byte{nil, {}, make([]byte, KeySize), kek[:16]} {
		if _, err := seal(key, a, creds(1, a.Expires)); err == nil {
			t.Errorf("key %q sealed", key)
		}
	}
}

// Each write has a key of its own, or the nonce would be used twice.
func TestSealsDiffer(t *testing.T) {
	a := About{Made: start, Expires: start.Add(time.Hour)}
	var files [2]entry
	for i := range files {
		b, err := seal(kek, a, creds(1, a.Expires))
		if err != nil {
			t.Fatal(err)
		}
		if files[i], err = parse(b, a.Key); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Equal(files[0].salt, files[1].salt) || bytes.Equal(files[0].sealed, files[1].sealed) {
		t.Error("one content was sealed twice with one key")
	}
}

// A field added to the credentials or to About must not be lost.
func TestEveryFieldIsKept(t *testing.T) {
	var a About
	texts := map[*string]bool{}
	for _, p := range a.texts() {
		*p, texts[p] = "text", true
	}
	v := reflect.ValueOf(a)
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.String && v.Field(i).String() != "text" {
			t.Errorf("About.%s is not among the texts", v.Type().Field(i).Name)
		}
	}
	c := creds(1, start.Add(time.Hour))
	if c := reflect.ValueOf(c); c.NumField() != 5 {
		t.Errorf("credentials have %d fields, 5 are sealed", c.NumField())
	} else {
		for i := range c.NumField() {
			if c.Field(i).IsZero() {
				t.Errorf("the tests leave out %s", c.Type().Field(i).Name)
			}
		}
	}
	if len(texts)+3 != v.NumField() {
		t.Errorf("About has %d fields: a key, two times and %d texts are sealed", v.NumField(), len(texts))
	}
}

func TestSizeOfAnEntry(t *testing.T) {
	d := newDir(t)
	p := chain(ops)
	size := func(token int) error {
		c := creds(1, start.Add(time.Hour))
		c.SessionToken = cred.NewSecret(strings.Repeat("x", token))
		return d.Save(p, 2, c)
	}
	// The longest that fits is found, and it loads.
	fits := maxEntry - 1000
	for size(fits+1) == nil {
		fits++
	}
	if err := size(fits); err != nil {
		t.Fatal(err)
	}
	if n := len(read(t, d, fileName(p.Key(2)))); n != maxEntry {
		t.Errorf("the longest file has %d bytes", n)
	}
	if c, err := d.Load(p.Key(2)); err != nil || len(c.SessionToken.Reveal()) != fits {
		t.Error(err)
	}
	for _, n := range []int{maxEntry, 1 << 20} {
		if err := size(n); err != errTooLong {
			t.Errorf("a token of %d bytes: %v", n, err)
		}
	}
	if c, err := d.Load(p.Key(2)); err != nil || len(c.SessionToken.Reveal()) != fits {
		t.Errorf("what could not be kept destroyed what was: %v", err)
	}
}

// FuzzOpen: no bytes make the decoder fail but with an error, and what it
// accepts has that one encoding.
func FuzzOpen(f *testing.F) {
	a := describe(chain(ops), 2, start.Add(time.Hour), start)
	good, err := seal(kek, a, creds(1, a.Expires))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:headerSize])
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := parse(b, a.Key)
		if err != nil {
			return
		}
		// The head has one encoding, whatever is sealed behind it.
		again, err := sealWith(kek, e.salt, e.about, cred.Credentials{})
		if err == nil && !bytes.Equal(again[headerSize:len(e.clear)], e.clear[headerSize:]) {
			t.Fatalf("%q is encoded as %q", e.clear, again)
		}
		c, err := e.open(kek)
		if err != nil {
			return
		}
		if again, err = sealWith(kek, e.salt, e.about, c); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q is encoded as %q, %v", b, again, err)
		}
	})
}
