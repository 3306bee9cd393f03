package term

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// search finds the rows of a list that match a query, best first, fast enough
// to follow the typing: a query that goes on narrows what its beginning found.
//
// Each word of the query must match one of a row's fields, in which its
// letters stand in that order, in any case.
type search struct {
	rows  [][]string // the fields in lower case
	found []finding  // for the queries of which each is the beginning of the next
}

// finding is what a query found.
type finding struct {
	query string
	hits  []int // rows, in the list's order
	best  []int // the same, best first
}

func newSearch(rows [][]string) *search {
	s := &search{rows: make([][]string, len(rows))}
	all := make([]int, len(rows))
	for i, fields := range rows {
		all[i] = i
		s.rows[i] = make([]string, len(fields))
		for j, f := range fields {
			s.rows[i][j] = strings.ToLower(f)
		}
	}
	s.found = []finding{{hits: all, best: all}}
	return s
}

// best returns the rows that match a query, the best first; those that match
// as well as each other are in the list's order.
func (s *search) best(query string) []int {
	words := queryWords(query)
	query = strings.Join(words, " ")
	for !strings.HasPrefix(query, s.found[len(s.found)-1].query) {
		s.found = s.found[:len(s.found)-1]
	}
	last := s.found[len(s.found)-1]
	if last.query == query {
		return last.best
	}
	f := finding{query: query}
	var order []uint64 // points below the highest possible, then the row
	for _, row := range last.hits {
		if points, ok := rate(words, s.rows[row]); ok {
			f.hits = append(f.hits, row)
			order = append(order, uint64(maxPoints-points)<<32|uint64(row))
		}
	}
	slices.Sort(order)
	f.best = make([]int, len(order))
	for i, o := range order {
		f.best[i] = int(o & (1<<32 - 1))
	}
	s.found = append(s.found, f)
	return f.best
}

// queryWords are the words of a query as they are searched for.
func queryWords(query string) []string { return strings.Fields(strings.ToLower(query)) }

// What a match is worth.
const (
	pointsLetter   = 16
	pointsTogether = 12 // for a letter that stands next to the one before
	pointsStart    = 12 // for a letter at the start of a word
	pointsWhole    = 8  // for a word that is the whole field
	pointsFirst    = 6  // for the first field
	maxGap         = 12 // the most points that letters in between cost

	maxPoints = 1 << 20
)

// rate says how well words match a row: the sum of what each is worth in the
// field in which it is worth most. ok is false when one is in no field.
func rate(words, fields []string) (sum int, ok bool) {
	for _, w := range words {
		best := 0
		for i, f := range fields {
			best = max(best, points(w, f, i, nil))
		}
		if best == 0 {
			return 0, false
		}
		sum += best
	}
	return min(sum, maxPoints), true
}

// points is what a word is worth in field i of a row.
func points(word, field string, i int, at *[]int) int {
	p := align(word, field, at)
	if p > 0 && i == 0 {
		p += pointsFirst
	}
	return p
}

// align finds the letters of a word in a field and returns what the match is
// worth, 0 for none. The offsets of the letters are added to at, if that is
// not nil.
func align(word, field string, at *[]int) int {
	if start := occurrence(word, field); start >= 0 {
		return value(word, field, start, at)
	}
	end := 0
	for _, r := range word {
		i := strings.IndexRune(field[end:], r)
		if i < 0 {
			return 0
		}
		end += i + utf8.RuneLen(r)
	}
	// That is where the first match ends; it begins where the last one does
	// that ends there.
	start := end
	for rest := word; rest != ""; {
		r, size := utf8.DecodeLastRuneInString(rest)
		rest = rest[:len(rest)-size]
		start = strings.LastIndex(field[:start], string(r))
	}
	return value(word, field, start, at)
}

// occurrence returns where word as a whole stands in field: at the start of a
// word of the field if there is such a place, else the first; -1 for nowhere.
func occurrence(word, field string) int {
	first := strings.Index(field, word)
	for i := first; i >= 0; {
		if starts(field, i) {
			return i
		}
		next := strings.Index(field[i+1:], word)
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return first
}

// value is what it is worth that the letters of word are in field from start.
func value(word, field string, start int, at *[]int) int {
	points, gap, end := 0, 0, start
	for i, r := range word {
		place := end + strings.IndexRune(field[end:], r)
		points += pointsLetter
		switch {
		case starts(field, place):
			points += pointsStart
		case i > 0 && place == end:
			points += pointsTogether
		}
		gap += place - end
		end = place + utf8.RuneLen(r)
		if at != nil {
			*at = append(*at, place)
		}
	}
	if word == field {
		points += pointsWhole
	}
	return points - min(gap, maxGap)
}

// starts reports whether a word starts at field[i].
func starts(field string, i int) bool {
	if i == 0 {
		return true
	}
	c := field[i-1]
	return c < utf8.RuneSelf && (c < '0' || c > '9') && (c < 'a' || c > 'z')
}

// matched returns, for every field of a row, which of its runes the words of a
// query match: each word in the field in which it is worth most.
func matched(words, fields []string) []map[int]bool {
	runes := make([]map[int]bool, len(fields))
	for _, w := range words {
		best, in := 0, 0
		var offsets []int
		for i, f := range fields {
			var at []int
			if p := points(w, f, i, &at); p > best {
				best, in, offsets = p, i, at
			}
		}
		for _, o := range offsets {
			if runes[in] == nil {
				runes[in] = map[int]bool{}
			}
			runes[in][utf8.RuneCountInString(fields[in][:o])] = true
		}
	}
	return runes
}
