package awsconfig

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

// LoadStarting is [Load] for whoever asks only for the profiles whose names
// start with prefix: of other sections it keeps few. The files pass through a
// small window then, since memory that a process touches for the first time is
// what costs most of reading 10,000 profiles. The lines of an origin are not
// those of the file.
func LoadStarting(configFile, credentialsFile, prefix string) (*Config, error) {
	if prefix == "" {
		return Load(configFile, credentialsFile)
	}
	config, err := readStarting(configFile, prefix)
	if err != nil {
		return nil, err
	}
	credentials, err := readStarting(credentialsFile, prefix)
	if err != nil {
		return nil, err
	}
	return &Config{file{path: configFile, data: config}, file{path: credentialsFile, data: credentials}}, nil
}

// readStarting returns those sections of a file in whose headers a name may
// start with prefix.
func readStarting(path, prefix string) ([]byte, error) {
	f, _, err := open(path)
	if f == nil || err != nil {
		return nil, err
	}
	defer f.Close()
	r := &io.LimitedReader{R: f, N: maxFile + 1}
	kept, err := starting(r, prefix)
	if err == nil && r.N == 0 {
		err = tooLarge(path)
	}
	return kept, err
}

// window is how much of a file is looked at at a time, in bytes; more where a
// section is longer.
const window = 64 << 10

func starting(r io.Reader, prefix string) (kept []byte, err error) {
	text := make([]byte, 0, window)
	for first, more := true, true; more; {
		text = slices.Grow(text, window-len(text)%window)
		n, err := r.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		if more = err == nil; !more && !errors.Is(err, io.EOF) {
			return nil, err
		}
		whole := len(text)
		if more {
			whole = lastHeader(text)
		}
		piece := text[:whole]
		if first && whole > 0 {
			piece, first = bytes.TrimPrefix(piece, []byte(byteOrderMark)), false
		}
		kept = appendStarting(kept, piece, prefix)
		text = text[:copy(text, text[whole:])]
	}
	return kept, nil
}

// lastHeader returns the offset of the last header in text that is whole and
// not indented: it cannot continue a setting, so what stands above it can be
// read without it. It is 0 where there is none.
func lastHeader(text []byte) int {
	for end := len(text); ; {
		end = bytes.LastIndex(text[:end], []byte("\n[")) + 1
		if end == 0 {
			return 0
		}
		line := text[end:lineEnd(text, end)]
		if _, ok := headerText(line); ok && end+len(line) < len(text) {
			return end
		}
	}
}

// appendStarting appends the sections of a text that are wanted, their headers
// without the blanks before them, which might make them continue a setting.
func appendStarting(kept, text []byte, prefix string) []byte {
	name, quotes := []byte(prefix), quoted(text) // as in few files
	likely := func(line []byte) bool {
		if !bytes.Contains(line, name) && !(quotes && quoted(line)) {
			return false
		}
		_, ok := headerText(line)
		return ok
	}
	for s := (scanner{data: text}); s.find(likely); {
		start, end := s.start+bytes.IndexByte(text[s.start:], '['), len(text)
		for s.scan() {
			if s.kind == header {
				end = s.start
				s.back()
				break
			}
		}
		kept = append(kept, text[start:end]...)
		kept = append(kept, '\n')
	}
	return kept
}
