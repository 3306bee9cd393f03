package keyring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// cheap makes tests fast: what is spent on a guess is not what they are about.
var cheap = cost{Time: 1, Memory: 8 << 10, Threads: 1}

// testFile returns a keyring in a file, and counts how often its passphrase is
// asked for.
func testFile(path, passphrase string, asked *int) *file {
	f := newFile(Options{Kind: AccessKeys, File: path, AskPassphrase: func(context.Context, bool) (string, error) {
		*asked++
		return passphrase, nil
	}})
	f.cost = cheap
	f.kept = none{}
	return f
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "er", "keyring")
	var processes, count sync.Mutex
	kept := &Memory{}
	suite(t, func() Keyring {
		f := newFile(Options{
			Kind: SessionKeys, File: path,
			AskPassphrase: func(context.Context, bool) (string, error) {
				count.Lock()
				defer count.Unlock()
				return "correct horse", nil
			},
			Lock: func(context.Context) (func(), error) { processes.Lock(); return processes.Unlock, nil },
		})
		f.cost = cheap
		f.kept = kept
		return &Opened{Passphrase, nil, f}
	})
	if names, _ := os.ReadDir(filepath.Dir(path)); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

func TestFileAsksForItsPassphraseOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	asked := 0
	f := testFile(path, "correct horse", &asked)
	kept := &Memory{}
	f.kept = kept

	if _, err := f.Get(t.Context(), "a"); !errors.Is(err, ErrNotFound) || asked != 0 {
		t.Errorf("without a file: %v, asked %d times", err, asked)
	}
	if err := f.Delete(t.Context(), "a"); !errors.Is(err, ErrNotFound) || asked != 0 {
		t.Errorf("without a file: %v, asked %d times", err, asked)
	}
	for range 2 {
		if err := f.Set(t.Context(), "a", []byte("SECRET")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Get(t.Context(), "a"); err != nil || asked != 1 {
		t.Errorf("Get: %v, asked %d times, want 1", err, asked)
	}

	again := testFile(path, "never asked for", &asked)
	again.kept = kept
	if got, err := again.Get(t.Context(), "a"); err != nil || string(got) != "SECRET" || asked != 1 {
		t.Errorf("in the next process: %q, %v, asked %d times, want 1", got, err, asked)
	}

	// A key kept for another file, or a wrong one, only costs the question.
	for name := range kept.secrets {
		kept.secrets[name] = "wrong"
	}
	if _, err := testFile(path, "correct horse", &asked).Get(t.Context(), "a"); err != nil || asked != 2 {
		t.Errorf("with a wrong kept key: %v, asked %d times, want 2", err, asked)
	}
}

func TestFileRefusesPassphrases(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	asked := 0
	for _, short := range []string{"", "seven77", "ééééééé"} {
		if err := testFile(path, short, &asked).Set(t.Context(), "a", []byte("SECRET")); !errors.Is(err, ErrShortPassphrase) {
			t.Errorf("a new passphrase of %d bytes: %v", len(short), err)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal("a file was made for a passphrase that was refused")
	}
	if err := testFile(path, "eight888", &asked).Set(t.Context(), "a", []byte("SECRET")); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"", "eight889", "eight888 ", "EIGHT888"} {
		f := testFile(path, wrong, &asked)
		if _, err := f.Get(t.Context(), "a"); !errors.Is(err, ErrPassphrase) {
			t.Errorf("Get under %q: %v, want ErrPassphrase", wrong, err)
		}
		if err := f.Set(t.Context(), "b", []byte("x")); !errors.Is(err, ErrPassphrase) {
			t.Errorf("Set under %q: %v, want ErrPassphrase", wrong, err)
		}
	}
	cancelled := errors.New("cancelled")
	f := testFile(path, "", &asked)
	f.ask = func(context.Context, bool) (string, error) { return "", cancelled }
	if _, err := f.Get(t.Context(), "a"); !errors.Is(err, cancelled) {
		t.Errorf("%v, want the error of who was asked", err)
	}
}

func TestFileShowsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	asked := 0
	f := testFile(path, "correct horse", &asked)
	if err := f.Set(t.Context(), "main-account", []byte("SECRET-SECRET")); err != nil {
		t.Fatal(err)
	}
	first, _ := os.ReadFile(path)
	if err := f.Set(t.Context(), "main-account", []byte("SECRET-SECRET")); err != nil {
		t.Fatal(err)
	}
	second, _ := os.ReadFile(path)
	for _, word := range []string{"SECRET", "main-account", "access-key", "correct"} {
		if bytes.Contains(first, []byte(word)) {
			t.Errorf("the file shows %q", word)
		}
	}
	if bytes.Equal(first[headerSize:], second[headerSize:]) {
		t.Error("the same secrets are sealed to the same bytes")
	}
}

// TestFileIsWholeOrNothing changes each byte of a file, and cuts it at each
// length.
func TestFileIsWholeOrNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	asked := 0
	f := testFile(path, "correct horse", &asked)
	if err := f.Set(t.Context(), "a", []byte("SECRET")); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The key is at hand, so that only the seal stands in the way.
	f.ask = func(context.Context, bool) (string, error) { return "", errors.New("asked") }
	if _, err := f.open(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	for i := range data {
		changed := bytes.Clone(data)
		changed[i] ^= 1
		if _, err := f.open(t.Context(), changed); err == nil {
			t.Errorf("opened with byte %d changed", i)
		}
		if _, err := f.open(t.Context(), data[:i]); err == nil {
			t.Errorf("opened when cut to %d bytes", i)
		}
	}
	if _, err := f.open(t.Context(), append(slices.Clone(data), 0)); err == nil {
		t.Error("opened with a byte appended")
	}
}

// TestFileBoundsItsCost has files ask for more work than anybody would choose.
// They must be refused before it is spent, and before anybody is asked.
func TestFileBoundsItsCost(t *testing.T) {
	for _, c := range []cost{
		{0, 64 << 10, 4},
		{17, 64 << 10, 4},
		{1 << 31, 64 << 10, 4},
		{3, 8<<10 - 1, 4},
		{3, 1<<20 + 1, 4},
		{3, 1<<32 - 1, 4},
		{3, 64 << 10, 0},
		{3, 64 << 10, 17},
	} {
		asked := 0
		f := testFile(filepath.Join(t.TempDir(), "keyring"), "correct horse", &asked)
		h := header{Magic: fileMagic, Version: fileVersion, Stretch: stretch{Cost: c}}
		_, err := f.open(t.Context(), append(h.bytes(), make([]byte, 64)...))
		if !errors.Is(err, ErrUnavailable) || asked != 0 {
			t.Errorf("cost %+v: %v, asked %d times", c, err, asked)
		}
	}
	if !recommended.reasonable() || !cheap.reasonable() {
		t.Error("our own files would be refused")
	}
}

func TestFileIsNoOtherThing(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	asked := 0
	if err := testFile(secret, "correct horse", &asked).Set(t.Context(), "a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	link, large, text := filepath.Join(dir, "link"), filepath.Join(dir, "large"), filepath.Join(dir, "text")
	if err := errors.Join(
		os.Symlink(secret, link),
		os.WriteFile(large, nil, 0o600), os.Truncate(large, 1<<40),
		os.WriteFile(text, []byte("not a keyring at all, but a text that is long enough to be taken for a header"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	asked = 0
	for _, path := range []string{dir, link, large, text} {
		_, err := testFile(path, "correct horse", &asked).Get(t.Context(), "a")
		if !errors.Is(err, ErrUnavailable) || asked != 0 {
			t.Errorf("%s: %v, asked %d times", path, err, asked)
		}
		if err := testFile(path, "correct horse", &asked).Set(t.Context(), "a", []byte("x")); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s was written to: %v", path, err)
		}
	}
}

func TestFileSweepsWhatIsStale(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keyring")
	for name, age := range map[string]time.Duration{
		"keyring.1.new": 2 * time.Hour, "keyring.2.new": time.Minute, "keyring.old": 2 * time.Hour, "other.1.new": 2 * time.Hour,
	} {
		when := time.Now().Add(-age)
		if err := errors.Join(os.WriteFile(filepath.Join(dir, name), nil, 0o600), os.Chtimes(filepath.Join(dir, name), when, when)); err != nil {
			t.Fatal(err)
		}
	}
	asked := 0
	if err := testFile(path, "correct horse", &asked).Set(t.Context(), "a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	left, _ := os.ReadDir(dir)
	if got, want := fmt.Sprint(left), "[- keyring - keyring.2.new - keyring.old - other.1.new]"; got != want {
		t.Errorf("left are %s, want %s", got, want)
	}
}

func TestFileWaitsWithItsContext(t *testing.T) {
	f := newFile(Options{Kind: AccessKeys, File: filepath.Join(t.TempDir(), "keyring")})
	f.turn <- struct{}{} // somebody is at the prompt
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := f.Get(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Get: %v", err)
	}
}
