package cache

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/figure"
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

// TestForgeries tries every byte with a flipped bit, and every length, of fifty
// sealed sessions, each under the name of the next, and mutants of several
// changes. Before a release it is every bit.
func TestForgeries(t *testing.T) {
	const files = 50
	sealed, keys := make([][]byte, files), make([]plan.Key, files)
	for i := range files {
		p := chain(fmt.Sprint(ops, i))
		c := creds(i, start.Add(time.Hour))
		c.SessionToken = cred.NewSecret(c.SessionToken.Reveal() + strings.Repeat("t", i*9)) // of any length
		var err error
		if sealed[i], err = seal(kek, describe(p, 2, c.Expires, start), c); err != nil {
			t.Fatal(err)
		}
		keys[i] = p.Key(2)
	}
	var tried, accepted atomic.Int64
	opens := func(b []byte, k plan.Key, key []byte) bool {
		tried.Add(1)
		e, err := parse(b, k)
		if err == nil {
			_, err = e.open(key)
		}
		return err == nil
	}
	refuse := func(what string, i int, b []byte, k plan.Key, key []byte) {
		if opens(b, k, key) {
			accepted.Add(1)
			t.Errorf("file %d, %s: accepted", i, what)
		}
	}
	other := slices.Clone(kek)
	other[0] ^= 1
	var all sync.WaitGroup
	lanes := make(chan bool, runtime.NumCPU())
	for i, good := range sealed {
		lanes <- true
		all.Go(func() {
			defer func() { <-lanes }()
			if !opens(good, keys[i], kek) {
				t.Errorf("file %d does not open", i)
			}
			bad := slices.Clone(good)
			for at := range bad {
				for bit := range figure.Of(1, 8) {
					bad[at] ^= 1 << ((at + bit) % 8)
					refuse("a bit flipped", i, bad, keys[i], kek)
					bad[at] ^= 1 << ((at + bit) % 8)
				}
				refuse("cut short", i, good[:at], keys[i], kek)
			}
			refuse("under another's name", i, good, keys[(i+1)%files], kek)
			for what, key := range map[string][]byte{"the key of zeros": make([]byte, KeySize), "no key": nil, "another key": other} {
				refuse(what, i, good, keys[i], key)
			}
			random := rand.New(rand.NewPCG(uint64(i), 1)) // the same ones each time
			for range figure.Of(1_000, 10_000_000/files) {
				mutant := mutate(random, good, sealed[random.IntN(files)])
				if !bytes.Equal(mutant, good) {
					refuse(fmt.Sprintf("mutant %x", mutant), i, mutant, keys[i], kek)
				}
			}
		})
	}
	all.Wait()
	note(t, "forgery", "%d forgeries of %d files: %d accepted", tried.Load()-files, files, accepted.Load())
}

// mutate changes a file in a few places: bytes set, taken out, put in, or of
// another file.
func mutate(random *rand.Rand, file, other []byte) []byte {
	b := slices.Clone(file)
	for range 1 + random.IntN(4) {
		at := random.IntN(len(b))
		to := min(at+random.IntN(32), len(b))
		switch random.IntN(4) {
		case 0:
			b[at] = byte(random.Uint32())
		case 1:
			if to-at < len(b) {
				b = slices.Delete(b, at, to)
			}
		case 2:
			b = slices.Insert(b, at, b[at:to]...)
		case 3:
			copy(b[at:to], other[min(at, len(other)):])
		}
	}
	return b
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
