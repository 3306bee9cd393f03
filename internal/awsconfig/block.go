package awsconfig

import (
	"bytes"
	"fmt"
	"slices"
)

// Block is a part of the config file that a program keeps by itself: whole
// sections between two lines of comment that say so.
type Block struct{ begin, end string }

// NewBlock returns the block of a name, which is one line.
func NewBlock(name string) Block {
	return Block{"# >>> " + name + " >>>", "# <<< " + name + " <<<"}
}

// find returns where the block's first line begins and its last one ends, and
// where what it holds begins and ends; all are -1 when it is not there. Half a
// block, or two, is an error: nobody can tell whose the lines are.
func (b Block) find(text []byte) (start, from, to, end int, err error) {
	start, end = -1, -1
	n := 0
	for line := range bytes.Lines(text) {
		switch string(bytes.TrimRight(line, " \t\r\n")) {
		case b.begin:
			if start >= 0 {
				return -1, -1, -1, -1, fmt.Errorf("the line %q is there twice", b.begin)
			}
			start, from = n, n+len(line)
		case b.end:
			if start < 0 || end >= 0 {
				return -1, -1, -1, -1, fmt.Errorf("the line %q has no beginning", b.end)
			}
			to, end = n, n+len(line)
		}
		n += len(line)
	}
	if start >= 0 && end < 0 {
		return -1, -1, -1, -1, fmt.Errorf("the line %q has no end %q", b.begin, b.end)
	}
	if start < 0 {
		return -1, -1, -1, -1, nil
	}
	return start, from, to, end, nil
}

// Text returns what the block holds; nothing when it is not there.
func (b Block) Text(text []byte) ([]byte, error) {
	start, from, to, _, err := b.find(text)
	if start < 0 {
		return nil, err
	}
	return text[from:to], nil
}

// Put returns text with the block holding inside, which ends in a newline: in
// its place, else at the end. A block that is to hold nothing is taken out. No
// other byte changes, but for a missing newline at the end.
func (b Block) Put(text, inside []byte) ([]byte, error) {
	start, _, _, end, err := b.find(text)
	if err != nil {
		return nil, err
	}
	var whole []byte
	if len(inside) > 0 {
		whole = slices.Concat([]byte(b.begin+"\n"), inside, []byte(b.end+"\n"))
	}
	if start >= 0 {
		return slices.Concat(text[:start], whole, text[end:]), nil
	}
	if len(whole) > 0 && len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		text = append(slices.Clip(text), '\n')
	}
	return slices.Concat(text, whole), nil
}

// InBlock returns what a block of the config file holds.
func (c *Config) InBlock(b Block) ([]byte, error) { return b.Text(c.config.data) }

// Without returns the files as they would be without a block of the config
// file.
func (c *Config) Without(b Block) (*Config, error) {
	rest, err := b.Put(c.config.data, nil)
	if err != nil {
		return nil, err
	}
	return &Config{file{path: c.config.path, data: rest}, file{path: c.credentials.path, data: c.credentials.data}}, nil
}

// PutBlock makes a block of the config file hold inside instead of old. The
// error is [ErrChanged] when it holds anything else by now.
func (c *Config) PutBlock(b Block, old, inside []byte) error {
	return Rewrite(c.config.path, func(text []byte) ([]byte, error) {
		now, err := b.Text(text)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(now, old) {
			return nil, ErrChanged
		}
		return b.Put(text, inside)
	})
}
