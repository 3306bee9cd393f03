package term

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// found returns the first fields of the rows that a query finds, best first.
func found(rows [][]string, query string) []string {
	var names []string
	for _, i := range newSearch(rows).best(query) {
		names = append(names, rows[i][0])
	}
	return names
}

func TestSearch(t *testing.T) {
	rows := [][]string{
		{"reproduced", "111111111111", "Ops"},
		{"acme-prod", "222222222222", "Admin"},
		{"prod", "333333333333", "Ops"},
		{"acme-staging", "444444444444", "Deploy"},
		{"p-r-o-d", "555555555555", "ReadOnly"},
		{"Zürich", "666666666666", "Prodigy"},
		{"東京本番", "777777777777", "Ops"},
	}
	for _, tt := range []struct {
		query string
		want  string
	}{
		{"", "reproduced acme-prod prod acme-staging p-r-o-d Zürich 東京本番"},
		{"prod", "prod acme-prod p-r-o-d Zürich reproduced"}, // the whole, a word, its beginnings, another field, the middle of one
		{"PROD", "prod acme-prod p-r-o-d Zürich reproduced"},
		{"acst", "acme-staging"},
		{"ops", "reproduced prod 東京本番"},
		{"ops prod", "prod reproduced"},
		{"prod ops", "prod reproduced"},
		{"4444", "acme-staging"},
		{"ürI", "Zürich"},
		{"ZÜRICH", "Zürich"},
		{"京番", "東京本番"},
		{"dorp", ""},
		{"  ", "reproduced acme-prod prod acme-staging p-r-o-d Zürich 東京本番"},
		{"prodprod", ""},
	} {
		if got := strings.Join(found(rows, tt.query), " "); got != tt.want {
			t.Errorf("%q finds %q, want %q", tt.query, got, tt.want)
		}
	}
}

// A search that goes on from what it found before finds what a new one does.
func TestSearchIncremental(t *testing.T) {
	rows := manyRows(300)
	s := newSearch(rows)
	random := rand.New(rand.NewPCG(1, 2))
	query := ""
	for range 300 {
		switch {
		case query != "" && random.IntN(3) == 0:
			query = query[:random.IntN(len(query))]
		default:
			query += string("abcdeprod0123- "[random.IntN(15)])
		}
		if got, want := s.best(query), newSearch(rows).best(query); !slices.Equal(got, want) {
			t.Fatalf("%q finds %v, and %v from scratch", query, got, want)
		}
	}
}

func TestMatched(t *testing.T) {
	fields := []string{"acme-prod", "pröds"}
	for query, want := range map[string]string{
		"":     "acme-prod|pröds",
		"ap":   "[a]cme-[p]rod|pröds",
		"prod": "acme-[prod]|pröds",
		"ö s":  "acme-prod|pr[ö]d[s]",
	} {
		var got []string
		for i, runes := range matched(queryWords(query), fields) {
			line := ""
			for j, part := range parts(fields[i], runes) {
				if j%2 == 1 {
					part = "[" + part + "]"
				}
				line += part
			}
			got = append(got, line)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q matches %s, want %s", query, strings.Join(got, "|"), want)
		}
	}
}

func manyRows(n int) [][]string {
	rows := make([][]string, n)
	for i := range rows {
		stage := []string{"prod", "staging", "dev", "sandbox"}[i%4]
		rows[i] = []string{fmt.Sprintf("team-%03d-%s-%d", i%997, stage, i), "", fmt.Sprintf("%012d", 100000000000+i), "Administrator", "eu-central-1", "main-account"}
	}
	return rows
}

// BenchmarkPick is what lies between a key and the screen, when it is typed to
// a list and when it is taken back; the cost for a row must not grow with the
// list.
func BenchmarkPick(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := newPicker(List{Prompt: "> ", Titles: make([]string, 6), Rows: manyRows(n)})
			p.resize(80, 24)
			keys := 0
			for b.Loop() {
				for _, k := range []string{"p", "r", "o", "d", " ", "7", "7", "\x7f", "\x15"} {
					if _, err := p.typed([]byte(k)); err != nil {
						b.Fatal(err)
					}
					p.paint()
					keys++
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(keys)/float64(n), "ns/key/row")
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(keys), "ms/key")
		})
	}
}
