package telegram_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
	"github.com/matryer/is"
)

// checkParts holds what is true of all parts of all messages.
func checkParts(tb testing.TB, parts []telegram.Part) {
	tb.Helper()
	is := is.NewRelaxed(tb)
	for i, p := range parts {
		text, entities, err := telegramtest.ParseHTML(p.HTML)
		if err != nil {
			tb.Fatalf("part %d is not valid: %v\n%q", i, err, p.HTML)
		}
		is.Equal(text, p.Plain)                               // what is shown
		is.Equal(len(entities), p.Entities)                   // how many styles
		is.Equal(len(utf16.Encode([]rune(p.Plain))), p.UTF16) // how long
		is.True(p.UTF16 <= telegram.MaxText)                  // text within the limit
		is.True(p.Entities <= telegram.MaxEntities)           // entities within the limit
		is.True(len(p.HTML) <= telegram.MaxMarkup)            // markup within the limit
		is.Equal(p.Plain, strings.TrimSpace(p.Plain))         // Telegram would trim it
		is.True(p.Plain != "")
	}
}

func plain(text string) []telegram.Span { return []telegram.Span{{Text: text}} }
func bold(text string) []telegram.Span  { return []telegram.Span{{Text: text, Bold: true}} }

func lines(n int, text string) [][]telegram.Span {
	all := make([][]telegram.Span, n)
	for i := range all {
		all[i] = plain(fmt.Sprintf(text, i+1))
	}
	return all
}

func render(tb testing.TB, m telegram.Message) []telegram.Part {
	tb.Helper()
	parts := telegram.Render(m)
	checkParts(tb, parts)
	return parts
}

func html(parts []telegram.Part) []string {
	var all []string
	for _, p := range parts {
		all = append(all, p.HTML)
	}
	return all
}

func TestRenderLayout(t *testing.T) {
	for name, tt := range map[string]struct {
		message telegram.Message
		want    string
	}{
		"heading, groups and footer stand apart": {
			telegram.Message{
				Heading: bold("Ingresos"),
				Groups: []telegram.Group{
					{Title: bold("Lunes"), Lines: [][]telegram.Span{plain("A"), plain("B")}},
					{Lines: [][]telegram.Span{plain("C")}},
				},
				Footer: []telegram.Span{{Text: "Rama 14", Italic: true}},
			},
			"<b>Ingresos</b>\n\n<b>Lunes</b>\nA\nB\n\nC\n\n<i>Rama 14</i>",
		},
		"a heading may stand alone": {telegram.Message{Heading: plain("Hola")}, "Hola"},
		"a footer may stand alone":  {telegram.Message{Footer: plain("Adiós")}, "Adiós"},
		"an empty line inside of a group is kept, at its ends it is not": {
			telegram.Message{Groups: []telegram.Group{{Lines: [][]telegram.Span{{}, plain("a"), nil, plain("b"), plain("  ")}}}},
			"a\n\nb",
		},
		"empty groups leave no trace": {
			telegram.Message{Heading: plain("h"), Groups: []telegram.Group{{}, {Lines: [][]telegram.Span{plain("a")}}, {Title: plain(" ")}}},
			"h\n\na",
		},
		"an indent is kept but at the top": {
			telegram.Message{Groups: []telegram.Group{{Lines: [][]telegram.Span{plain("  a"), plain("  b")}}}},
			"a\n  b",
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			is.Equal(html(render(t, tt.message)), []string{tt.want})
		})
	}
}

func TestRenderSpans(t *testing.T) {
	for name, tt := range map[string]struct {
		spans []telegram.Span
		want  string
	}{
		"nothing in a text is markup": {
			plain(`<b>O'Brien & "Ñúñez"</b> &lt;`),
			"&lt;b&gt;O'Brien &amp; &quot;Ñúñez&quot;&lt;/b&gt; &amp;lt;",
		},
		"bold and italic go together": {[]telegram.Span{{Text: "x", Bold: true, Italic: true}}, "<b><i>x</i></b>"},
		"code excludes the others":    {[]telegram.Span{{Text: "x", Code: true, Bold: true}}, "<code>x</code>"},
		"a link wins over code":       {[]telegram.Span{{Text: "x", Code: true, Bold: true, URL: "https://ccm.org"}}, `<a href="https://ccm.org"><b>x</b></a>`},
		"a link is escaped":           {[]telegram.Span{{Text: "x", URL: `https://ccm.org/?a=1&b="<>`}}, `<a href="https://ccm.org/?a=1&amp;b=&quot;&lt;&gt;">x</a>`},
		"equal neighbours are merged": {
			[]telegram.Span{{Text: "a", Bold: true}, {Text: " ", Bold: true}, {Text: "", Italic: true}, {Text: "b", Bold: true}, {Text: "c"}},
			"<b>a b</b>c",
		},
		"a blank has no style of its own": {
			[]telegram.Span{{Text: "a", Bold: true}, {Text: " ", Italic: true}, {Text: "b", Bold: true}},
			"<b>a</b> <b>b</b>",
		},
		"control characters are spaces":      {plain("a\tb\nc\x00d\u0085e"), "a b c d e"},
		"a carriage return is left out":      {plain("a\r\nb\rc"), "a bc"},
		"the direction cannot be turned":     {plain("a\u202eb\u2028c"), "abc"},
		"what is not UTF-8 is shown as such": {plain("a\xffb"), "a\ufffdb"},
		"blanks at the end are left out":     {[]telegram.Span{{Text: "a "}, {Text: "b  ", Bold: true}, {Text: " "}}, "a <b>b</b>"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			is.Equal(html(render(t, telegram.Message{Heading: tt.spans})), []string{tt.want})
		})
	}
}

func TestRenderNothingToSee(t *testing.T) {
	for name, m := range map[string]telegram.Message{
		"zero":                 {},
		"blanks":               {Heading: plain(" \n\t"), Groups: []telegram.Group{{Lines: [][]telegram.Span{plain("\u00a0")}}}},
		"characters of no ink": {Heading: plain("\u200b\u2060\ufeff"), Footer: plain("\u2800")},
		"a long blank":         {Footer: plain(strings.Repeat("\u200b", 10000))},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			is.Equal(len(telegram.Render(m)), 0)
		})
	}
}

func TestRenderCuts(t *testing.T) {
	t.Run("between groups where it can, with the heading on each part", func(t *testing.T) {
		is := is.New(t)
		parts := render(t, telegram.Message{
			Heading: bold("Ingresos"),
			Groups:  []telegram.Group{{Lines: lines(200, "línea %4d")}, {Lines: lines(250, "línea %4d")}, {Title: plain("fin")}},
			Footer:  plain("pie"),
		})
		is.Equal(len(parts), 2)
		is.True(strings.HasPrefix(parts[0].HTML, "<b>Ingresos</b> (1/2)\n\nlínea    1\n"))
		is.True(strings.HasSuffix(parts[0].HTML, "línea  200"))
		is.True(strings.HasPrefix(parts[1].HTML, "<b>Ingresos</b> (2/2)\n\nlínea    1\n"))
		is.True(strings.HasSuffix(parts[1].HTML, "línea  250\n\nfin\n\npie"))
		is.True(!strings.Contains(parts[0].Plain, "pie")) // the footer comes once
	})
	t.Run("between lines of a group that is too long, repeating its title", func(t *testing.T) {
		is := is.New(t)
		parts := render(t, telegram.Message{
			Heading: bold("Cumpleaños"),
			Groups:  []telegram.Group{{Title: bold("Enero"), Lines: lines(600, "línea %4d")}},
		})
		is.Equal(len(parts), 2)
		is.True(strings.HasPrefix(parts[1].HTML, "<b>Cumpleaños</b> (2/2)\n\n<b>Enero</b>\nlínea "))
		is.Equal(strings.Count(parts[0].Plain+"\n"+parts[1].Plain, "línea"), 600)
	})
	t.Run("a group that is too long begins where the one before it ends", func(t *testing.T) {
		is := is.New(t)
		parts := render(t, telegram.Message{Groups: []telegram.Group{{Lines: lines(3, "a%d")}, {Title: bold("Enero"), Lines: lines(500, "línea %4d")}}})
		is.Equal(len(parts), 2)
		is.True(strings.HasPrefix(parts[0].Plain, "a1\na2\na3\n\nEnero\nlínea    1\n"))
	})
	t.Run("a title is not left alone at the end of a part", func(t *testing.T) {
		is := is.New(t)
		parts := render(t, telegram.Message{Groups: []telegram.Group{
			{Lines: [][]telegram.Span{plain(strings.Repeat("x", telegram.MaxText-15))}},
			{Title: bold("Enero"), Lines: lines(500, "línea %4d")},
		}})
		is.Equal(len(parts), 3)
		is.True(strings.HasPrefix(parts[1].Plain, "Enero\nlínea    1\n"))
	})
	t.Run("an indent is left out at the top of the next part", func(t *testing.T) {
		is := is.New(t)
		parts := render(t, telegram.Message{Groups: []telegram.Group{{Lines: [][]telegram.Span{
			plain(strings.Repeat("x", 4000)), plain("  " + strings.Repeat("y", 4000)), plain("  " + strings.Repeat("z", 5000)),
		}}}})
		is.Equal(len(parts), 4)
		is.True(strings.HasPrefix(parts[1].Plain, "yyy"))
		is.True(strings.HasPrefix(parts[2].Plain, "zzz"))
	})
	t.Run("between words of a line that is too long", func(t *testing.T) {
		is := is.New(t)
		text := strings.Repeat("palabra ", 1500)
		parts := render(t, telegram.Message{Groups: []telegram.Group{{Lines: [][]telegram.Span{bold(text)}}}})
		is.Equal(len(parts), 3)
		for _, p := range parts {
			is.True(strings.HasPrefix(p.Plain, "palabra ") && strings.HasSuffix(p.Plain, " palabra"))
			is.True(strings.HasPrefix(p.HTML, "<b>") && strings.HasSuffix(p.HTML, "</b>"))
		}
		is.Equal(wordsOf(parts), strings.Fields(text))
	})
	t.Run("after a word that just fits", func(t *testing.T) {
		is := is.New(t)
		first := strings.Repeat("x", telegram.MaxText)
		parts := render(t, telegram.Message{Footer: plain(first + " y")})
		is.Equal(wordsOf(parts), []string{first, "y"})
	})
	t.Run("between clusters of a word that is too long", func(t *testing.T) {
		for _, cluster := range []string{"🎂", "👨‍👩‍👧‍👦", "🇲🇽", "e\u0301\u0323", "ñ", "👍🏽", "한"} {
			is := is.New(t)
			parts := render(t, telegram.Message{Footer: plain(strings.Repeat(cluster, 4097))})
			is.True(len(parts) > 1)
			for _, p := range parts {
				is.Equal(strings.Trim(p.Plain, cluster), "") // whole clusters only
				is.Equal(len(p.Plain)%len(cluster), 0)
			}
		}
	})
	t.Run("between code points of a cluster that is too long", func(t *testing.T) {
		is := is.New(t)
		parts := render(t, telegram.Message{Footer: plain("e" + strings.Repeat("\u0301", 9000))})
		is.Equal(len(parts), 3)
	})
	t.Run("a cluster over two spans stays whole", func(t *testing.T) {
		is := is.New(t)
		text := strings.Repeat("x", telegram.MaxText-1)
		parts := render(t, telegram.Message{Footer: []telegram.Span{{Text: text + "e", Bold: true}, {Text: "\u0301", Italic: true}, {Text: "y"}}})
		is.Equal(len(parts), 2)
		is.Equal(parts[1].HTML, "<b>e</b><i>\u0301</i>y")
	})
	t.Run("before there are too many entities", func(t *testing.T) {
		is := is.New(t)
		var spans []telegram.Span
		for range 101 {
			spans = append(spans, telegram.Span{Text: "negrita", Bold: true}, telegram.Span{Text: " "})
		}
		parts := render(t, telegram.Message{Footer: spans})
		is.Equal(len(parts), 2)
		is.Equal(parts[0].Entities, telegram.MaxEntities)
		is.Equal(parts[1].Entities, 101-telegram.MaxEntities)
	})
	t.Run("before there is too much markup", func(t *testing.T) {
		is := is.New(t)
		link := telegram.Span{Text: "x", URL: "https://a.b/" + strings.Repeat("&", 2000)}
		parts := render(t, telegram.Message{Footer: []telegram.Span{link, {Text: " "}, link, {Text: " "}, link, {Text: " "}, link}})
		is.Equal(len(parts), 2)
	})
}

func TestRenderHeadingTooLongToRepeat(t *testing.T) {
	is := is.New(t)
	parts := render(t, telegram.Message{
		Heading: plain(strings.Repeat("encabezado ", 400)),
		Groups:  []telegram.Group{{Lines: lines(10, "línea %d")}},
	})
	is.Equal(len(parts), 2)
	is.Equal(strings.Count(parts[0].Plain+parts[1].Plain, "encabezado"), 400)
	is.True(!strings.Contains(parts[1].Plain, "(2/2)"))
}

func wordsOf(parts []telegram.Part) []string {
	var all []string
	for _, p := range parts {
		all = append(all, strings.Fields(p.Plain)...)
	}
	return all
}

func BenchmarkRender(b *testing.B) {
	birthdays := telegram.Message{Heading: bold("🎂 Próximos cumpleaños · rama 14"), Footer: plain("Datos de las 07:00")}
	for month := range 4 {
		g := telegram.Group{Title: bold(fmt.Sprintf("Mes %d", month+1))}
		for i := range 50 {
			g.Lines = append(g.Lines, []telegram.Span{
				{Text: fmt.Sprintf("%2d · ", i%28+1)}, {Text: "Hermana Ejemplo Muñoz", Bold: true}, {Text: " cumple 20 & sonríe"}})
		}
		birthdays.Groups = append(birthdays.Groups, g)
	}
	for _, bb := range []struct {
		name    string
		message telegram.Message
	}{
		{"200 birthdays", birthdays},
		{"1000 lines", telegram.Message{Heading: bold("h"), Groups: []telegram.Group{{Lines: lines(1000, "línea %d de una lista & más")}}}},
		{"10000 lines", telegram.Message{Heading: bold("h"), Groups: []telegram.Group{{Lines: lines(10000, "línea %d de una lista & más")}}}},
		{"one line of 10000 words", telegram.Message{Footer: plain(strings.Repeat("palabra ", 10000))}},
		{"one line of 100000 words", telegram.Message{Footer: plain(strings.Repeat("palabra ", 100000))}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				telegram.Render(bb.message)
			}
		})
	}
}
