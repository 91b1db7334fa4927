package telegramtest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

func e(kind string, offset, length int) telegramtest.Entity {
	return telegramtest.Entity{Type: kind, Offset: offset, Length: length}
}

func TestEntitiesOfAMessageAreCutAndJoinedAsByTheServer(t *testing.T) {
	link := telegramtest.Entity{Type: "text_link", Offset: 2, Length: 1, URL: "http://x.org/"}
	for name, c := range map[string]struct {
		html string
		want []telegramtest.Entity
	}{
		"a style is cut where another begins":  {"<b>ab<i>cd</i>ef</b>", []telegramtest.Entity{e("bold", 0, 2), e("bold", 2, 4), e("italic", 2, 2)}},
		"and where a link begins and ends":     {`<b>ab<a href="x.org">c</a>d</b>`, []telegramtest.Entity{e("bold", 0, 2), link, e("bold", 2, 1), e("bold", 3, 1)}},
		"the same style side by side is one":   {"<b>ab</b><b>cd</b>", []telegramtest.Entity{e("bold", 0, 4)}},
		"the same style twice is one":          {"<b><strong>ab</strong>c</b>", []telegramtest.Entity{e("bold", 0, 3)}},
		"nothing is bold inside of code":       {"<b>ab<code>c</code>d</b>", []telegramtest.Entity{e("bold", 0, 2), e("code", 2, 1), e("bold", 3, 1)}},
		"quotes do not nest":                   {"<blockquote>a<blockquote>b</blockquote></blockquote>", []telegramtest.Entity{e("blockquote", 0, 2)}},
		"code in a link is not kept":           {`<a href="x.org">a<code>b</code></a>`, []telegramtest.Entity{{Type: "text_link", Length: 2, URL: "http://x.org/"}}},
		"a link around a quote is not kept":    {`<a href="x.org">a<blockquote>b</blockquote></a>`, []telegramtest.Entity{e("blockquote", 1, 1)}},
		"a link inside of a quote is":          {`<blockquote>ab<a href="x.org">c</a></blockquote>`, []telegramtest.Entity{e("blockquote", 0, 3), link}},
		"an unknown person is not mentioned":   {`<a href="tg://user?id=99">x</a>`, nil},
		"a host without a dot is no link":      {`<a href="http://localhost:80/">x</a>`, nil},
		"a style of blanks at the end is gone": {"ab<b> \n</b>", nil},
		"one at the beginning keeps its blank": {"  <i> ab</i>", []telegramtest.Entity{e("italic", 0, 3)}},
	} {
		t.Run(name, func(t *testing.T) {
			s := known()
			_, answer := send(t, s, "5", c.html)
			got := answer.message(t).Entities
			is.New(t).Equal(fmt.Sprint(got), fmt.Sprint(c.want))
		})
	}
}

func TestTextsAreTidiedBeforeTheyAreCounted(t *testing.T) {
	for raw, want := range map[string]string{
		"a\tb\x00c\x1fd\x7f":            "a b c d\x7f",
		" \n a\r\nb\r \n":               "a\nb",
		"a\u2028b\u202ec\u030ad":        "abcd",
		"\u200e\u200f\u200ea":           "\u200c\u200c\u200ea",
		"\u00a0a\u3000":                 "\u00a0a\u3000", // only blanks and line breaks are trimmed
		"\u00a0\u200b\u2800\ufeff":      "",
		strings.Repeat(" ", 5000) + "a": "a",
	} {
		s := known()
		got := call(t, s, "sendMessage", "chat_id", "5", "text", raw)
		if want == "" {
			is.New(t).Equal(got.Description, "Bad Request: text must be non-empty")
			continue
		}
		if text := got.message(t).Text; text != want {
			t.Errorf("%q: got %q, want %q", raw, text, want)
		}
	}
}

func TestMoreThanAHundredEntitiesAreDroppedInTheServersOrder(t *testing.T) {
	is := is.New(t)
	s := known()
	var html strings.Builder
	for range 60 {
		html.WriteString(`<b>b</b> <i>i</i> <a href="x.org">a</a> `)
	}
	_, answer := send(t, s, "5", html.String())
	count := map[string]int{}
	entities := answer.message(t).Entities
	for _, e := range entities {
		count[e.Type]++
	}
	is.Equal(count, map[string]int{"text_link": 60, "bold": 20, "italic": 20}) // links first, then what comes first
	is.Equal(entities[0].Type, "bold")
}

func TestAClientMaySendItsOwnEntities(t *testing.T) {
	s := known()
	entities := `[{"type":"bold","offset":0,"length":2},{"type":"url","offset":0,"length":9},{"type":"text_mention","offset":3,"length":1,"user":{"id":5}},
		{"type":"text_link","offset":5,"length":1,"url":"x.org"}]`
	answer := call(t, s, "sendMessage", "chat_id", "5", "text", "🎂 a b", "entities", entities)
	is := is.New(t)
	is.Equal(s.Last(private).Entities, []telegramtest.Entity{e("bold", 0, 2),
		{Type: "text_mention", Offset: 3, Length: 1, User: private}, {Type: "text_link", Offset: 5, Length: 1, URL: "http://x.org/"}})
	var raw struct {
		Entities []struct {
			User struct {
				First string `json:"first_name"`
			}
		}
	}
	is.NoErr(json.Unmarshal(answer.Result, &raw))
	is.Equal(raw.Entities[1].User.First, "Ana")
	for given, want := range map[string]string{
		`[{"type":"bold","offset":0,"length":99}]`:               "Bad Request: entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 99",
		`[{"type":"fett","offset":0,"length":1}]`:                "Bad Request: can't parse MessageEntity: Unsupported type specified",
		`[{"type":"text_link","offset":0,"length":1,"url":"x"}]`: "Bad Request: entity URL 'x' is invalid: Wrong HTTP URL",
	} {
		is.Equal(call(t, s, "sendMessage", "chat_id", "5", "text", "ab", "entities", given).Description, want)
	}
}
