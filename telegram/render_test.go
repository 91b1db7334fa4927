package telegram_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode"
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

func TestRenderLinks(t *testing.T) {
	for _, url := range []string{
		"https://ccm.org", "HTTP://ccm.org:8080/a?b#c", "https://ana:clave@ccm.org/@a", "http://127.0.0.1:80/", "http://[::1]:8080/",
		"https://ñandú.org/ñ", "https://a.b/" + strings.Repeat("a", 2036), "tg://user?id=1", "tg:resolve?domain=ana", "TG://settings",
	} {
		is := is.New(t)
		is.Equal(html(render(t, linked("x", url))), []string{`<a href="` + url + `">x</a>`})
	}
	for name, tt := range map[string]struct{ text, url, want string }{
		"a host without a dot":          {"Panel", "http://localhost:8080/", "Panel (http://localhost:8080/)"},
		"no host":                       {"x", "https:///a", "x (https:///a)"},
		"no scheme":                     {"x", "/etc/passwd", "x (/etc/passwd)"},
		"a script":                      {"x", "javascript:alert(1)", "x (javascript:alert(1))"},
		"a blank":                       {"x", "https://a.b/c\nd", "x (https://a.b/c d)"},
		"a port that cannot be":         {"x", "https://a.b:65536", "x (https://a.b:65536)"},
		"an empty port":                 {"x", "https://a.b:/", "x (https://a.b:/)"},
		"too long":                      {"x", "https://a.b/" + strings.Repeat("a", 2037), "x (https://a.b/" + strings.Repeat("a", 2037) + ")"},
		"a mail address":                {"Ana", "mailto:ana@ccm.org?subject=Hola", "Ana (ana@ccm.org)"},
		"an address that is shown":      {"ana@ccm.org", "mailto:ana@ccm.org", "ana@ccm.org"},
		"an address in a text":          {"en http://localhost", "http://localhost", "en http://localhost"},
		"an address that cannot be":     {"x", "tg://user:1", "x (tg://user:1)"},
		"an address that shows nothing": {"x", " ", "x"},
	} {
		t.Run(name+" stays to be read", func(t *testing.T) {
			is := is.New(t)
			is.Equal(html(render(t, linked(tt.text, tt.url))), []string{tt.want})
		})
	}
	t.Run("a text of blanks is no label", func(t *testing.T) {
		is := is.New(t)
		is.Equal(len(render(t, linked(" ", "http://localhost"))), 0)
		is.Equal(len(render(t, linked("", "http://localhost"))), 0)
	})
	t.Run("the address has the style of the text", func(t *testing.T) {
		is := is.New(t)
		m := telegram.Message{Heading: []telegram.Span{{Text: "a", URL: "http://a", Bold: true}, {Text: "b", URL: "http://b", Code: true}}}
		is.Equal(html(render(t, m)), []string{"<b>a (http://a)</b><code>b (http://b)</code>"})
	})
}

func linked(text, url string) telegram.Message {
	return telegram.Message{Heading: []telegram.Span{{Text: text, URL: url}}}
}

// FuzzLink has the fake keep each link as it was given.
func FuzzLink(f *testing.F) {
	for _, seed := range []string{"https://ccm.org", "http://localhost", "tg://user?id=1", "tg:user?id=1", "mailto:a@b.org", "http://[::1%25a]", "https://a@b@c.org",
		"https://a.b:", "http://a.b:080/%zz", "https://%C3%B1.org", "https:a.b", "https://a{.b", "TG:HTTP://a.b", "http://."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p := render(t, linked("x", raw))[0]
		_, entities, err := telegramtest.ParseHTML(p.HTML)
		if err != nil || len(entities) == 0 || entities[0].Type == "text_mention" {
			return
		}
		if got, given := address(t, entities[0].URL), address(t, raw); got != given {
			t.Fatalf("%q is kept as %q", given, got)
		}
	})
}

// address is a URL as two spellings of it are alike.
func address(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if u.Opaque != "" {
		u.Host, u.Opaque = u.Opaque, ""
	}
	u.Host = strings.ToLower(u.Host)
	if port := u.Port(); port != "" {
		u.Host = strings.TrimSuffix(u.Host, port) + strings.TrimLeft(port, "0")
	}
	u.RawPath, u.Path = "", "/"+strings.TrimPrefix(u.Path, "/")
	return u.String()
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

// FuzzRender makes a message of any text and checks that nothing is lost, added
// or out of order.
func FuzzRender(f *testing.F) {
	f.Add("Ingresos", "Lunes 1", "A & <b>\nB", "pie", uint16(3), byte(0))
	f.Add("🎂", "", strings.Repeat("👨‍👩‍👧‍👦", 40), "", uint16(200), byte(1))
	f.Add("", "título", strings.Repeat("x", 300), "\u200b", uint16(300), byte(2))
	f.Add("h", "e", "\u0301\u202e \r\n \xff", "f", uint16(2000), byte(3))
	f.Fuzz(func(t *testing.T, heading, title, text, footer string, n uint16, mode byte) {
		times := min(int(n), 500, 20_000/(1+len(text)+len(title))) // several parts, and many messages a second
		m := fuzzMessage(heading, title, text, footer, times, mode)
		parts := telegram.Render(m)
		checkParts(t, parts)
		checkOrder(t, m, parts)
	})
}

// fuzzMessage spreads text n times over lines, spans and groups. Only titles
// begin with a triangle, so that a repeated one is told from text.
func fuzzMessage(heading, title, text, footer string, n int, mode byte) telegram.Message {
	text, footer = strings.ReplaceAll(text, "▶", ""), strings.ReplaceAll(footer, "▶", "")
	if title != "" {
		title = "▶" + title
	}
	m := telegram.Message{Heading: plain(heading), Footer: plain(footer)}
	g := telegram.Group{Title: bold(title)}
	var l []telegram.Span
	for i := range n {
		s := telegram.Span{Text: text, Bold: i%2 == 0, Italic: i%3 == 0, Code: i%7 == 0}
		if i%11 == 0 {
			s.URL = "https://ccm.org/?" + strings.Repeat("&", i%500)
		}
		l = append(l, s)
		if mode&1 == 0 || i%97 == 0 { // short lines, or long ones
			g.Lines, l = append(g.Lines, l), nil
		}
		if mode&2 == 0 && i%13 == 0 { // many groups, or one
			m.Groups, g = append(m.Groups, g), telegram.Group{Title: plain(title)}
		}
	}
	g.Lines = append(g.Lines, l)
	m.Groups = append(m.Groups, g)
	return m
}

// checkOrder walks through the message and its parts side by side: below its
// heading each part goes on where the one before it ended, word by word, or says
// the title of the group it is in and then goes on. Blanks count as one, wherever
// they are but at a cut, where there are none.
func checkOrder(t *testing.T, m telegram.Message, parts []telegram.Part) {
	t.Helper()
	head, title := words(textOf(m.Heading)), ""
	if len(m.Groups) > 0 {
		title = words(textOf(m.Groups[0].Title))
	}
	whole := []string{head}
	for _, g := range m.Groups {
		whole = append(whole, words(textOf(g.Title)))
		for _, l := range g.Lines {
			whole = append(whole, words(textOf(l)))
		}
	}
	rest := words(strings.Join(append(whole, words(textOf(m.Footer))), " "))
	for i, p := range parts {
		body := words(p.Plain)
		if marked := fmt.Sprintf("%s (%d/%d)", head, i+1, len(parts)); head != "" && len(parts) > 1 && strings.HasPrefix(body, marked) {
			body = strings.TrimSpace(strings.TrimPrefix(body, marked))
			if i == 0 {
				body = strings.TrimSpace(head + " " + body)
			}
		}
		if !strings.HasPrefix(rest, body) {
			body = strings.TrimSpace(strings.TrimPrefix(body, title))
		}
		var ok bool
		if rest, ok = strings.CutPrefix(rest, body); !ok {
			t.Fatalf("part %d of %d does not go on where the one before it ended:\n%.200q\nwanted\n%.200q", i+1, len(parts), body, rest)
		}
		rest = strings.TrimSpace(rest)
	}
	if rest != "" {
		t.Fatalf("the parts end before the message does: %.200q is missing", rest)
	}
}

func textOf(spans []telegram.Span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(strings.ToValidUTF8(s.Text, "\ufffd"))
	}
	return b.String()
}

// words is what can be seen of a text, with one blank for any.
func words(text string) string {
	seen := strings.Map(func(r rune) rune {
		switch {
		case r == '\r', r == '\u2800', r == '\ufffc', unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			return -1
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(seen), " ")
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
