package deliver

import (
	"errors"
	"slices"
	"testing"
)

func TestBrowserCommand(t *testing.T) {
	v := Visit{URL: "http://127.0.0.1:1/x?a=1&b=2", Profile: "my prod", Account: "222222222222"}
	for line, want := range map[string][]string{
		"firefox":                                 {"firefox", v.URL},
		"firefox --new-window %u":                 {"firefox", "--new-window", v.URL},
		"chrome --app=%u":                         {"chrome", "--app=" + v.URL},
		"chrome --user=%p-%a %u":                  {"chrome", "--user=my prod-222222222222", v.URL},
		"chrome --user=%p":                        {"chrome", "--user=my prod", v.URL},
		"w3m %s":                                  {"w3m", v.URL},
		"x 100%% %x %u %":                         {"x", "100%", "%x", v.URL, "%"},
		"'/opt/my browser' \"a b\" ''":            {"/opt/my browser", "a b", "", v.URL},
		`C:\Browser\b.exe C:\%p %u`:               {`C:\Browser\b.exe`, `C:\my prod`, v.URL},
		"firefox -- ext+container:name=%p&url=%u": {"firefox", "--", "ext+container:name=my%20prod&url=http%3A%2F%2F127.0.0.1%3A1%2Fx%3Fa%3D1%26b%3D2"},
		"%p": {"%p", v.URL}, // the program is none of the values
	} {
		words, err := splitWords(line)
		if got := Browser(words).argv(v); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", line, got, err, want)
		}
	}
	if _, err := splitWords("firefox 'x"); err == nil {
		t.Error("a quote without an end")
	}
}

// TestFindBrowserTells what was looked for.
func TestFindBrowserTells(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, tc := range []struct {
		command string
		env     []string
		tried   []string
	}{
		{"none-such %u", []string{"BROWSER=other"}, []string{"none-such"}},
		{"", []string{"BROWSER=none-such"}, []string{"none-such"}},
		{"", nil, tried(systemBrowsers)},
		{"  ", []string{"BROWSER="}, tried(systemBrowsers)},
	} {
		_, err := FindBrowser(tc.command, tc.env)
		if e, ok := errors.AsType[*NoBrowserError](err); !ok || !slices.Equal(e.Tried, tc.tried) {
			t.Errorf("%q in %v: %v", tc.command, tc.env, err)
		}
	}
	if _, err := FindBrowser("'", nil); err == nil {
		t.Error("a quote without an end")
	}
}

func tried(browsers []Browser) (names []string) {
	for _, b := range browsers {
		names = append(names, b[0])
	}
	return names
}
