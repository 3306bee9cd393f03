package awsconfig

import (
	"bytes"
	"iter"
)

// title is what a section is looked up by: its kind and name, or without a
// kind the whole text of its header.
type title struct{ kind, name string }

// wanted returns a test for a header with this title.
func (t title) wanted() func(line []byte) bool {
	if t.kind == "" {
		return literal(t.name)
	}
	return titled(t.kind, t.name)
}

// place is where a header stands: the offset of its line, and the line's
// number.
type place struct{ start, num int }

// Index reads all headers of the two files once. Without it, each look-up
// searches the files, which is the quickest for the few of one switch; with
// it, each costs the reading of its section alone, however many there are. It
// must not run while another goroutine uses c.
func (c *Config) Index() {
	c.config.makeIndex(profileKind, sessionKind, servicesKind)
	c.credentials.makeIndex()
}

// makeIndex notes where the sections are, by the text of their headers and by
// the kinds that they may be of.
func (f *file) makeIndex(kinds ...string) {
	if f.index != nil {
		return
	}
	f.index = map[title][]place{}
	buf := make([]byte, 0, maxName)
	isHeader := func(line []byte) bool { _, ok := headerText(line); return ok }
	for s := (scanner{data: f.data}); s.find(isHeader); {
		at := place{s.start, s.num}
		text, _ := headerText(s.text)
		literal := title{name: string(text)}
		f.index[literal] = append(f.index[literal], at)
		for _, kind := range kinds {
			if !bytes.HasPrefix(text, []byte(kind)) {
				continue
			}
			if word, ok := secondWord(text, buf); ok {
				t := title{kind, string(word)}
				f.index[t] = append(f.index[t], at)
			}
		}
	}
}

// sections yields a scanner behind each header with this title. What the
// caller reads with it, the search does not read again.
func (f *file) sections(t title) iter.Seq[*scanner] {
	return func(yield func(*scanner) bool) {
		if f.index != nil {
			for _, at := range f.index[t] {
				s := scanner{data: f.data, next: at.start, num: at.num - 1}
				if !s.scan() || !yield(&s) {
					return
				}
			}
			return
		}
		wanted := t.wanted()
		for s := (scanner{data: f.data}); s.find(wanted); {
			if !yield(&s) {
				return
			}
		}
	}
}
