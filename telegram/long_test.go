package telegram_test

import (
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram"
)

// long are lines of n pieces that a reader sees as hardly any character.
var long = map[string]func(n int) []telegram.Span{
	"marks on a letter":           func(n int) []telegram.Span { return plain("e" + strings.Repeat("\u0301", n)) },
	"marks, each in a style":      func(n int) []telegram.Span { return mixed("\u0301", n) },
	"a family without an end":     func(n int) []telegram.Span { return plain(strings.Repeat("👨\u200d", n)) },
	"joiners between two letters": func(n int) []telegram.Span { return plain("a" + strings.Repeat("\u200d", n) + "b") },
	"blanks between two letters":  func(n int) []telegram.Span { return plain("a" + strings.Repeat(" ", n) + "b") },
	"styled joiners before one":   func(n int) []telegram.Span { return append(mixed("\u200d", n), plain("b")...) },
}

func mixed(text string, n int) []telegram.Span {
	spans := make([]telegram.Span, n)
	for i := range spans {
		spans[i] = telegram.Span{Text: text, Bold: i%2 == 0}
	}
	return spans
}

func footer(spans []telegram.Span) telegram.Message { return telegram.Message{Footer: spans} }

// Where each part read all that is left, some of these took minutes.
func TestRenderReadsWhatLooksShortOnce(t *testing.T) {
	const n, hang = 400_000, 30 * time.Second
	for name, line := range long {
		t.Run(name, func(t *testing.T) {
			done := make(chan []telegram.Part, 1)
			go func() { done <- telegram.Render(footer(line(n))) }()
			select {
			case parts := <-done:
				is.New(t).True(len(parts) > 0)
			case <-time.After(hang):
				t.Fatal("it takes too long")
			}
		})
	}
}

func TestRenderOfWhatLooksShort(t *testing.T) {
	for name, line := range long {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{90, 91, 1365, 4095, 4096, 4097, 20_000} {
				shown := 0
				for _, p := range render(t, footer(line(n))) {
					shown += strings.Count(p.Plain, "\u0301") + strings.Count(p.Plain, "👨") + strings.Count(p.Plain, "b")
				}
				want := ""
				for _, s := range line(n) {
					want += s.Text
				}
				is.New(t).Equal(shown, strings.Count(want, "\u0301")+strings.Count(want, "👨")+strings.Count(want, "b")) // nothing is lost
			}
		})
	}
}

// A cluster that just fits goes whole to the part where it does.
func TestRenderKeepsALongClusterWhole(t *testing.T) {
	is := is.New(t)
	zalgo := "e" + strings.Repeat("\u0301", telegram.MaxText-1)
	parts := render(t, footer(plain("antes "+zalgo+"después")))
	is.Equal(len(parts), 3)
	is.Equal(parts[0].Plain, "antes")
	is.Equal(parts[1].Plain, zalgo)
	is.Equal(parts[2].Plain, "después")
	parts = render(t, footer(plain("antes "+zalgo+"\u0301")))
	is.Equal(len(parts), 3) // a mark more, and it has to be cut
	is.Equal(parts[1].Plain+parts[2].Plain, zalgo+"\u0301")
}

// BenchmarkRenderClusters reads a million pieces that are one cluster, beside as
// much of letters.
func BenchmarkRenderClusters(b *testing.B) {
	const n = 1_000_000
	cases := map[string][]telegram.Span{"letters": plain(strings.Repeat("é", n)), "letters, each in a style": mixed("é", n)}
	for name, line := range long {
		cases[name] = line(n)
	}
	for name, line := range cases {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				telegram.Render(footer(line))
			}
		})
	}
}
