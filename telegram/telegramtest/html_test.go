package telegramtest_test

import (
	"encoding/json"
	"slices"
	"testing"
	"unicode/utf16"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

func TestHTMLErrorsHaveTheServersText(t *testing.T) {
	for html, want := range map[string]string{
		"<b":                                   "Unclosed start tag at byte offset 0",
		"x<b ":                                 `Empty attribute name in the tag "b" at byte offset 1`,
		"é<br>":                                `Unsupported start tag "br" at byte offset 2`,
		"<b =x>":                               `Empty attribute name in the tag "b" at byte offset 0`,
		`<b "x">`:                              `Empty attribute name in the tag "b" at byte offset 0`,
		"<b/>":                                 `Unsupported start tag "b/" at byte offset 0`,
		"<b />":                                `Empty attribute name in the tag "b" at byte offset 0`,
		"<a href":                              `Unclosed start tag "a" at byte offset 0`,
		"<a href=":                             `Unclosed start tag "a" at byte offset 0`,
		`<a href="x`:                           "Unclosed start tag at byte offset 0",
		"<a href=http://x.org>x</a>":           "Unexpected end of name token at byte offset 8",
		"a</b>":                                "Unexpected end tag at byte offset 1",
		"<b>x</b":                              "Unclosed end tag at byte offset 4",
		"<b>x</i>":                             `Unmatched end tag at byte offset 4, expected "</b>", found "</i>"`,
		"<b><i>x</i>":                          `Can't find end tag corresponding to start tag "b"`,
		"<span>x</span>":                       `Tag "span" must have class "tg-spoiler" at byte offset 0`,
		"<span class='other'>x</span>":         `Tag "span" must have class "tg-spoiler" at byte offset 0`,
		"O'Brien <3 Ana>":                      `Unsupported start tag "3" at byte offset 8`,
		"<tg-emoji emoji-id='x'>🎂</tg-emoji>":  "Invalid custom emoji identifier specified",
		"<tg-time unix=1 format=x>h</tg-time>": "Invalid date format used",
		"&#xd83c;":                             "Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units",
		"\xff":                                 "Text must be encoded in UTF-8",
	} {
		_, _, err := telegramtest.ParseHTML(html)
		if err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", html, err, want)
		}
	}
}

func TestHTMLGivesTextAndEntitiesInUTF16Units(t *testing.T) {
	is := is.New(t)
	text, entities, err := telegramtest.ParseHTML(`🎂 <b>Ana <i>&lt;Ñ&#39;&quot;</i></b> &nbsp; <a href="https://x.org/?a=1&amp;b=2">ver</a><pre><code class="language-go">x</code></pre>`)
	is.NoErr(err)
	is.Equal(text, `🎂 Ana <Ñ'" &nbsp; verx`) // &nbsp; is not known, and stays
	is.Equal(entities, []telegramtest.Entity{
		{Type: "bold", Offset: 3, Length: 8},
		{Type: "italic", Offset: 7, Length: 4},
		{Type: "text_link", Offset: 19, Length: 3, URL: "https://x.org/?a=1&b=2"},
		{Type: "pre", Offset: 22, Length: 1, Language: "go"},
	})
}

func TestHTMLTagsAndWhatEachMakes(t *testing.T) {
	for html, want := range map[string]telegramtest.Entity{
		"<B>x</b>":                                 {Type: "bold"},
		"<strong>x</strong>":                       {Type: "bold"},
		"<em class=y>x</em>":                       {Type: "italic"},
		"<ins>x</ins>":                             {Type: "underline"},
		"<strike>x</>":                             {Type: "strikethrough"}, // the end tag's name may be missing
		"<del>x</del >":                            {Type: "strikethrough"},
		"<tg-spoiler>x</tg-spoiler>":               {Type: "spoiler"},
		"<span class=tg-spoiler>x</span>":          {Type: "spoiler"},
		"<tg-emoji emoji-id=\"5368\">x</tg-emoji>": {Type: "custom_emoji", Emoji: "5368"},
		"<tg-time unix=\"1647531900\" format=wDT>x</tg-time>":   {Type: "date_time", Time: 1647531900, Format: "wdt"},
		"<code class=\"language-go\">x</code>":                  {Type: "code"},
		"<pre>x</pre>":                                          {Type: "pre"},
		"<pre><code class='language-go'>x</code></pre>":         {Type: "pre", Language: "go"},
		"<code class='language-go'><pre>x</pre></code>":         {Type: "pre", Language: "go"},
		"<blockquote>x</blockquote>":                            {Type: "blockquote"},
		"<blockquote expandable>x</blockquote>":                 {Type: "expandable_blockquote"},
		"<a href='tg://user?id=5'>x</a>":                        {Type: "text_mention", User: 5},
		"<a href='HTTPS://Example.ORG:0443/a b'>x</a>":          {Type: "text_link", URL: "https://example.org:443/a%20b"},
		"<a href='x.org'>x</a>":                                 {Type: "text_link", URL: "http://x.org/"},
		"<a href='tg:resolve?domain=ana'>x</a>":                 {Type: "text_link", URL: "tg://resolve?domain=ana"},
		"<a href='http://[::1]:80'>x</a>":                       {Type: "text_link", URL: "http://[::1]:80/"},
		"<a href='javascript:alert(1)'>x</a>":                   {},
		"<a href='ftp://x.org'>x</a>":                           {},
		"<a>x</a><b></b>":                                       {}, // the text is the address, and has no dot
		"<a href='http://localhost:80/'>x</a>":                  {},
		"<tg-time unix=0>x</tg-time>":                           {},
		"<a href='https://x.org:99999/'>x</a>":                  {},
		"<a href='https://x{}.org'>x</a>":                       {},
		"<a href='https://%zz.org'>x</a>":                       {},
		"<a href='https://[x.org]'>x</a>":                       {},
		"<a href='https://x.org:+80/'>x</a>":                    {},
		"<a href='http://[fe80::1%25eth0]/'>x</a>":              {},
		"<a href='tg:http://a'>x</a>":                           {},
		"<a href='mailto:ana@x.org'>x</a>":                      {Type: "text_link", URL: "http://mailto:ana@x.org/"}, // as the server makes it
		"<a href='tg://a:1'>x</a>":                              {},
		"<a href='ton://a%20b'>x</a>":                           {},
		"<a href='tg://user?id=0'>x</a>":                        {Type: "text_link", URL: "tg://user?id=0"},
		"<a href='https://ana:clave@x.org?a#b'>x</a>":           {Type: "text_link", URL: "https://ana:clave@x.org/?a#b"},
		"<tg-time unix=\"1647531900\" format=\"r\">x</tg-time>": {Type: "date_time", Time: 1647531900, Format: "r"},
	} {
		text, entities, err := telegramtest.ParseHTML(html)
		var got telegramtest.Entity
		if len(entities) > 0 {
			got, entities = entities[0], entities[1:]
			got.Length = 0
		}
		if err != nil || text != "x" || got != want || len(entities) > 0 {
			t.Errorf("%s:\n got %q %+v %+v %v\nwant %+v", html, text, got, entities, err, want)
		}
	}
}

func TestHTMLDecodesFourNamesAndNumbers(t *testing.T) {
	is := is.New(t)
	text, _, err := telegramtest.ParseHTML("&lt;&gt;&amp;&quot;&lt&#65;&#x42;&#0;&#12345678;&#;&ltx;&LT;&apos;&X")
	is.NoErr(err)
	is.Equal(text, `<>&"<AB&#0;&#12345678;&#;&ltx;&LT;&apos;&X`)
}

func FuzzParseHTML(f *testing.F) {
	for _, seed := range []string{"<b>a</b>", "&lt;&#128513;", `<a href="x">y`, "<pre><code class=language-go>x</code></pre>",
		"🎂<i>\r\n</i>", "<blockquote expandable><b>\u200e\u200fx</b></blockquote>", "<a href='http://[::1]:80/'> <s>x </s></a> "} {
		f.Add(seed)
	}
	s := known()
	f.Fuzz(func(t *testing.T, html string) {
		text, entities, err := telegramtest.ParseHTML(html)
		if err != nil {
			return
		}
		inside(t, text, entities)
		s.Reset()
		_, answer := send(t, s, "5", html)
		if !answer.OK {
			return
		}
		first := s.Last(private)
		inside(t, first.Text, first.Entities)
		if len(first.Entities) > 100 {
			t.Fatalf("%d entities", len(first.Entities))
		}
		// Sent again as it came back, it is the same message.
		var raw struct {
			Text     string          `json:"text"`
			Entities json.RawMessage `json:"entities"`
		}
		if err := json.Unmarshal(answer.Result, &raw); err != nil {
			t.Fatal(err)
		}
		call(t, s, "sendMessage", "chat_id", "5", "text", raw.Text, "entities", string(raw.Entities))
		again := s.Last(private)
		if again.Text != first.Text || !slices.Equal(again.Entities, first.Entities) {
			t.Fatalf("%q %+v\nagain %q %+v", first.Text, first.Entities, again.Text, again.Entities)
		}
	})
}

func inside(t *testing.T, text string, entities []telegramtest.Entity) {
	t.Helper()
	units := len(utf16.Encode([]rune(text)))
	for _, e := range entities {
		if e.Offset < 0 || e.Length <= 0 || e.Offset+e.Length > units {
			t.Fatalf("entity %+v outside a text of %d units", e, units)
		}
	}
}
