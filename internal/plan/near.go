package plan

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// maxNear is how many suggestions a person wants to read.
const maxNear = 3

// Nearest returns the name that name was most probably meant to be: at most a
// quarter of its letters away, and "" when there is none or more than one.
func Nearest(name string, names iter.Seq[string]) string {
	best, at, limit := "", 0, len(name)/4
	for n := range names {
		d := distance(name, n, limit)
		switch {
		case d > limit:
		case best == "" || d < at:
			best, at = n, d
		case d == at && n != best:
			limit = d - 1 // two are as near: only a nearer one will do
			best = ""
		}
	}
	return best
}

// near returns the names most like name, the likest first: few edits away, or
// one the beginning of the other.
func near(name string, names iter.Seq[string]) []string {
	type scored struct {
		name string
		d    int
	}
	var best []scored
	limit := 1 + len(name)/4
	lower := strings.ToLower(name)
	for n := range names {
		if d := distance(lower, strings.ToLower(n), limit); d <= limit {
			best = append(best, scored{n, d})
		} else if len(name) >= 3 && (strings.HasPrefix(n, name) || len(n) >= 3 && strings.HasPrefix(name, n)) {
			best = append(best, scored{n, limit + 1})
		}
	}
	slices.SortStableFunc(best, func(a, b scored) int { return cmp.Compare(a.d, b.d) })
	var out []string
	for _, s := range best[:min(len(best), maxNear)] {
		out = append(out, s.name)
	}
	return out
}

// distance is the Damerau-Levenshtein distance (with adjacent swaps) between
// two names, or limit+1 when it is larger than limit.
func distance(a, b string, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least > limit {
			return limit + 1
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
