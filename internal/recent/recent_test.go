package recent

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// mutex is the lock of the tests' processes, which are goroutines.
func mutex(mu *sync.Mutex) func() (func(), error) {
	return func() (func(), error) {
		mu.Lock()
		return mu.Unlock, nil
	}
}

func unlocked() (func(), error) { return func() {}, nil }

func add(t *testing.T, f File, name string, at time.Time) {
	t.Helper()
	if err := f.Add(Used{name, at}, unlocked); err != nil {
		t.Fatal(err)
	}
}

func names(list []Used) (names []string) {
	for _, u := range list {
		names = append(names, u.Profile)
	}
	return names
}

func TestLastFirst(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "aws-switch-role")
	f := In(dir)
	if list := f.List(); list != nil {
		t.Errorf("before anything was used: %v", list)
	}
	for i, name := range []string{"one", "two words", "arn:aws:iam::222222222222:role/Ops", "one"} {
		add(t, f, name, noon.Add(time.Duration(i)*time.Hour))
	}
	want := []Used{{"one", noon.Add(3 * time.Hour)}, {"arn:aws:iam::222222222222:role/Ops", noon.Add(2 * time.Hour)}, {"two words", noon.Add(time.Hour)}}
	if got := f.List(); !slices.Equal(got, want) {
		t.Errorf("List is %v, want %v", got, want)
	}
	for path, want := range map[string]os.FileMode{f.path: 0o600, dir: 0o700} {
		if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s has mode %v (%v), want %v", path, fi.Mode().Perm(), err, want)
		}
	}
}

func TestFreshIsNotWritten(t *testing.T) {
	f := In(t.TempDir())
	add(t, f, "one", noon)
	add(t, f, "one", noon.Add(fresh-time.Second))
	if text, err := f.read(); err != nil || strings.Count(text, "one") != 1 {
		t.Errorf("the file is %q (%v)", text, err)
	}
	add(t, f, "one", noon.Add(fresh))
	add(t, f, "one", noon)
	add(t, f, "two", noon)
	if text, err := f.read(); err != nil || strings.Count(text, "one") != 3 || strings.Count(text, "two") != 1 {
		t.Errorf("the file is %q (%v)", text, err)
	}
}

func TestReadsWhatItCan(t *testing.T) {
	f := In(t.TempDir())
	line := func(name string) string { return "2026-11-24T12:00:00Z " + name + "\n" }
	for text, want := range map[string][]string{
		"":                             nil,
		"\x00\xff":                     nil,
		"nonsense\n":                   nil,
		"\n\n":                         nil,
		line(""):                       nil,
		line("a") + line("a"):          {"a"},
		line("a") + "yesterday b\n":    {"a"},
		line("a") + "2026-11-24T12:00": {"a"},
		line("a") + line("\x1b[31mred") + line("\xff"):                    {"a"},
		line("a") + line(strings.Repeat("x", maxName+1)):                  {"a"},
		line("a") + strings.TrimSuffix(line("b"), "\n"):                   {"b", "a"},
		strings.Repeat(line("b"), maxFile/len(line("b"))+100) + line("a"): {"a", "b"},
	} {
		if err := os.WriteFile(f.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := names(f.List()); !slices.Equal(got, want) {
			t.Errorf("%.60q is read as %q, want %q", text, got, want)
		}
		add(t, f, "new", noon.Add(time.Hour))
		if got, want := names(f.List()), append([]string{"new"}, want...); !slices.Equal(got, want) {
			t.Errorf("after %.60q there is %q, want %q", text, got, want)
		}
	}
}

// TestOddFile has what is no file in its place: it is neither read nor
// written, and nothing waits for it.
func TestOddFile(t *testing.T) {
	for what, put := range map[string]func(path string) error{
		"a directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"a link":      func(path string) error { return os.Symlink("/dev/zero", path) },
	} {
		f := In(t.TempDir())
		if err := put(f.path); err != nil {
			t.Fatal(err)
		}
		if list := f.List(); list != nil {
			t.Errorf("%s is read as %v", what, list)
		}
		if err := f.Add(Used{"a", noon}, unlocked); err == nil {
			t.Errorf("%s is written to", what)
		}
	}
	if list := (File{}).List(); list != nil || (File{}).Add(Used{"a", noon}, unlocked) != nil {
		t.Error("nowhere is not nothing")
	}
}

// TestBounded has profiles used by many processes at once.
func TestBounded(t *testing.T) {
	f := In(t.TempDir())
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			if err := f.Add(Used{fmt.Sprintf("profile %d", i%(2*most)), noon}, mutex(&mu)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(f.List()); n != most {
		t.Errorf("%d profiles are remembered, want %d", n, most)
	}
	if fi, err := os.Stat(f.path); err != nil || fi.Size() > 2*grown {
		t.Errorf("the file has %d bytes (%v)", fi.Size(), err)
	}
	if left, err := os.ReadDir(filepath.Dir(f.path)); err != nil || len(left) != 1 {
		t.Errorf("beside the file there is %v (%v)", left, err)
	}
}

func TestLongNames(t *testing.T) {
	f := In(t.TempDir())
	for i := range 30 {
		add(t, f, strings.Repeat(string(rune('a'+i%26)), maxName-i), noon.Add(time.Duration(i)*time.Hour))
		if list := f.List(); len(list) == 0 || len(list[0].Profile) != maxName-i || len(list) < min(i, 4) {
			t.Fatalf("after %d there are %d", i+1, len(list))
		}
	}
	if fi, err := os.Stat(f.path); err != nil || fi.Size() > grown+maxName+100 {
		t.Errorf("the file has %d bytes (%v)", fi.Size(), err)
	}
}

// BenchmarkAdd is what a switch to another profile pays.
func BenchmarkAdd(b *testing.B) {
	f := In(b.TempDir())
	for i := 0; b.Loop(); i++ {
		if err := f.Add(Used{fmt.Sprintf("profile %d", i%most), noon.Add(time.Duration(i) * time.Hour)}, unlocked); err != nil {
			b.Fatal(err)
		}
	}
}
