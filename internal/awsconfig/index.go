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
	c.config.makeIndex("", profileKind, sessionKind, servicesKind)
	c.credentials.makeIndex("")
}

// Starting returns what the files say of the profiles whose names start with
// prefix, and of nothing else. It has read all headers once, as for an index.
func (c *Config) Starting(prefix string) *Config {
	few := &Config{file{path: c.config.path, data: c.config.data}, file{path: c.credentials.path, data: c.credentials.data}}
	few.config.makeIndex(prefix, profileKind)
	few.credentials.makeIndex(prefix)
	return few
}

// makeIndex notes where the sections are whose names start with prefix, by the
// text of their headers and by the kinds that they may be of.
func (f *file) makeIndex(prefix string, kinds ...string) {
	if f.index != nil {
		return
	}
	f.index = map[title][]place{}
	buf := make([]byte, 0, maxName)
	likely := func(line []byte) bool {
		_, ok := headerText(line)
		return ok && (bytes.Contains(line, []byte(prefix)) || quoted(line))
	}
	for s := (scanner{data: f.data}); s.find(likely); {
		at, kept := place{s.start, s.num}, false
		keep := func(kind string, name []byte) {
			if bytes.HasPrefix(name, []byte(prefix)) {
				t := title{kind, string(name)}
				f.index[t] = append(f.index[t], at)
				kept = true
			}
		}
		text, _ := headerText(s.text)
		keep("", text)
		for _, kind := range kinds {
			if !bytes.HasPrefix(text, []byte(kind)) {
				continue
			}
			if word, ok := secondWord(text, buf); ok {
				keep(kind, word)
			}
		}
		if kept {
			f.headers = append(f.headers, at)
		}
	}
}

// found yields a scanner behind each header that is wanted. What the caller
// reads with it, the search does not read again.
func (f *file) found(wanted func(line []byte) bool) iter.Seq[*scanner] {
	return func(yield func(*scanner) bool) {
		if f.index == nil {
			for s := (scanner{data: f.data}); s.find(wanted) && yield(&s); {
				// the next one
			}
			return
		}
		for _, at := range f.headers {
			if s := f.at(at); wanted(s.text) && !yield(s) {
				return
			}
		}
	}
}

// sections is [file.found] for the headers with this title.
func (f *file) sections(t title) iter.Seq[*scanner] {
	if f.index == nil {
		return f.found(t.wanted())
	}
	return func(yield func(*scanner) bool) {
		for _, at := range f.index[t] {
			if !yield(f.at(at)) {
				return
			}
		}
	}
}

// at returns a scanner behind the header at a place.
func (f *file) at(p place) *scanner {
	s := &scanner{data: f.data, next: p.start, num: p.num - 1}
	s.scan()
	return s
}
