package awsconfig

import (
	"bytes"
	"testing"
)

func TestBlock(t *testing.T) {
	b := NewBlock("ours")
	const begin, end = "# >>> ours >>>\n", "# <<< ours <<<\n"
	for name, tc := range map[string]struct{ text, inside, want string }{
		"into nothing":          {"", "x\n", begin + "x\n" + end},
		"at the end":            {"[a]\n", "x\n", "[a]\n" + begin + "x\n" + end},
		"no last newline":       {"[a]", "x\n", "[a]\n" + begin + "x\n" + end},
		"in its place":          {"[a]\n" + begin + "old\nolder\n" + end + "[b]\r\n", "x\n", "[a]\n" + begin + "x\n" + end + "[b]\r\n"},
		"the same":              {"[a]\n" + begin + "x\n" + end, "x\n", "[a]\n" + begin + "x\n" + end},
		"taken out":             {"[a]\n" + begin + "x\n" + end + "[b]", "", "[a]\n[b]"},
		"nothing to take out":   {"[a]", "", "[a]"},
		"beside another's":      {"# >>> theirs >>>\ny\n# <<< theirs <<<\n", "x\n", "# >>> theirs >>>\ny\n# <<< theirs <<<\n" + begin + "x\n" + end},
		"by a Windows editor":   {"# >>> ours >>>\r\nold\r\n# <<< ours <<<\r\n[b]\r\n", "x\n", begin + "x\n" + end + "[b]\r\n"},
		"at an end without \\n": {begin + "old\n# <<< ours <<<", "x\n", begin + "x\n" + end},
	} {
		got, err := b.Put([]byte(tc.text), []byte(tc.inside))
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, tc.want)
			continue
		}
		if inside, err := b.Text(got); string(inside) != tc.inside || err != nil {
			t.Errorf("%s: it holds %q, %v", name, inside, err)
		}
	}
	for name, text := range map[string]string{
		"no end":              begin + "x\n",
		"no beginning":        "x\n" + end,
		"two":                 begin + end + begin + end,
		"the wrong way round": end + begin,
		"one in the other":    begin + begin + end + end,
	} {
		if got, err := b.Put([]byte(text), []byte("x\n")); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func FuzzBlock(f *testing.F) {
	b := NewBlock("ours")
	f.Add([]byte("[a]\n# >>> ours >>>\nold\n# <<< ours <<<\n[b]"), []byte("x\n"))
	f.Add([]byte("[a]\r\n"), []byte("[x]\n"))
	f.Fuzz(func(t *testing.T, text, inside []byte) {
		if _, err := b.Text(inside); err != nil || bytes.Contains(inside, []byte("ours")) || len(inside) > 0 && !bytes.HasSuffix(inside, []byte("\n")) {
			return
		}
		before := bytes.Clone(text)
		once, err := b.Put(text, inside)
		if !bytes.Equal(text, before) {
			t.Fatal("the text was written to")
		}
		if err != nil {
			return
		}
		if got, err := b.Text(once); !bytes.Equal(got, inside) || err != nil {
			t.Fatalf("it holds %q, %v", got, err)
		}
		if twice, err := b.Put(once, inside); !bytes.Equal(once, twice) || err != nil {
			t.Fatalf("%q and again %q, %v", once, twice, err)
		}
	})
}
