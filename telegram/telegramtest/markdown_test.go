package telegramtest_test

import (
	"fmt"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

type marked struct {
	text     string
	entities []telegramtest.Entity
}

func TestMarkdown(t *testing.T) {
	for raw, want := range map[string]marked{
		"*negrita* _cursiva_ `codigo`": {"negrita cursiva codigo", []telegramtest.Entity{e("bold", 0, 7), e("italic", 8, 7), e("code", 16, 6)}},
		`2\*3 \_x \a`:                  {`2*3 _x \a`, nil},
		"*a_b*":                        {"a_b", []telegramtest.Entity{e("bold", 0, 3)}}, // nothing nests
		"[ver](x.org/?a_b) [x.org]":    {"ver x.org", []telegramtest.Entity{{Type: "text_link", Length: 3, URL: "http://x.org/?a_b"}, {Type: "text_link", Offset: 4, Length: 5, URL: "http://x.org/"}}},
		"[ver](nada)":                  {"ver", nil},
		"[Ana](tg://user?id=5)":        {"Ana", []telegramtest.Entity{{Type: "text_mention", Length: 3, User: 5}}},
		"```go\nx := 1```":             {"x := 1", []telegramtest.Entity{{Type: "pre", Length: 6, Language: "go"}}},
		"```x```":                      {"x", []telegramtest.Entity{e("pre", 0, 1)}},
		"```\r\nx` y```":               {"x` y", []telegramtest.Entity{e("pre", 0, 4)}},
		"🎂 *🎂*":                        {"🎂 🎂", []telegramtest.Entity{e("bold", 3, 2)}},
		"x ** y":                       {"x  y", nil},
	} {
		check(t, "Markdown", raw, want)
	}
	is := is.New(t)
	answer := call(t, known(), "sendMessage", "chat_id", "5", "text", "é *a", "parse_mode", "markdown")
	is.Equal(answer.Description, "Bad Request: can't parse entities: Can't find end of the entity starting at byte offset 3")
}

func check(t *testing.T, mode, raw string, want marked) {
	t.Helper()
	s := known()
	answer := call(t, s, "sendMessage", "chat_id", "5", "text", raw, "parse_mode", mode)
	if !answer.OK {
		t.Errorf("%q: %s", raw, answer.Description)
		return
	}
	got := s.Last(private)
	if got.Text != want.text || fmt.Sprint(got.Entities) != fmt.Sprint(want.entities) {
		t.Errorf("%q:\n got %q %+v\nwant %q %+v", raw, got.Text, got.Entities, want.text, want.entities)
	}
}

func TestMarkdownV2(t *testing.T) {
	for raw, want := range map[string]marked{
		"*a* _b_ __c__ ~d~ ||e|| `f`": {"a b c d e f", []telegramtest.Entity{e("bold", 0, 1), e("italic", 2, 1), e("underline", 4, 1), e("strikethrough", 6, 1), e("spoiler", 8, 1), e("code", 10, 1)}},
		"*a _b_*":                     {"a b", []telegramtest.Entity{e("bold", 0, 2), e("bold", 2, 1), e("italic", 2, 1)}},
		`1\.5 \_ \\ \é`:               {`1.5 _ \ \é`, nil},
		"`a*b.`":                      {"a*b.", []telegramtest.Entity{e("code", 0, 4)}},
		"```py\nx.y```":               {"x.y", []telegramtest.Entity{{Type: "pre", Length: 3, Language: "py"}}},
		"[ver](http://x.org/\\))":     {"ver", []telegramtest.Entity{{Type: "text_link", Length: 3, URL: "http://x.org/)"}}},
		"![🎂](tg://emoji?id=536)":     {"🎂", []telegramtest.Entity{{Type: "custom_emoji", Length: 2, Emoji: "536"}}},
		"[x](nada)":                   {"x", nil},
		">a\n>b\nc":                   {"a\nb\nc", []telegramtest.Entity{e("blockquote", 0, 4)}},
		">a\n>b||":                    {"a\nb", []telegramtest.Entity{e("expandable_blockquote", 0, 3)}},
		">a||\nc":                     {"a\nc", []telegramtest.Entity{e("expandable_blockquote", 0, 2)}},
		">*a*\nc":                     {"a\nc", []telegramtest.Entity{e("blockquote", 0, 2), e("bold", 0, 1)}},
		"x [x\\.org]":                 {"x x.org", []telegramtest.Entity{{Type: "text_link", Offset: 2, Length: 5, URL: "http://x.org/"}}},
	} {
		check(t, "MarkdownV2", raw, want)
	}
	for raw, want := range map[string]string{
		"a.b":              `Character '.' is reserved and must be escaped with the preceding '\'`,
		"a|b":              `Character '|' is reserved and must be escaped with the preceding '\'`,
		"a!":               `Character '!' is reserved and must be escaped with the preceding '\'`,
		"a > b":            `Character '>' is reserved and must be escaped with the preceding '\'`,
		"x *a":             "Can't find end of Bold entity at byte offset 2",
		"x __a_":           "Can't find end of Italic entity at byte offset 5",
		"```go\nx":         "Can't find end of PreCode entity at byte offset 0",
		"[a](http://x.org": "Can't find end of a URL at byte offset 4",
		">*a\nb*":          "Can't find end of Bold entity at byte offset 1",
		"![a](x.org)":      "Invalid tg://emoji or tg://time URL specified",
		"![a](x.org":       "Can't find end of a URL at byte offset 5",
		"![a]":             "The entity must contain a tg://emoji or tg://time URL",
		">a *b":            "Can't find end of Bold entity at byte offset 3",
	} {
		answer := call(t, known(), "sendMessage", "chat_id", "5", "text", raw, "parse_mode", "MarkdownV2")
		if answer.Description != "Bad Request: can't parse entities: "+want {
			t.Errorf("%q: got %q, want %q", raw, answer.Description, want)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, seed := range []string{"*a* _b_ [c](x.org) ```go\nx```", ">a\n>||b||\n__c__ ~d~ \\. ![🎂](tg://emoji?id=1)", ">a||\r\nb"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	s := known()
	f.Fuzz(func(t *testing.T, raw string, second bool) {
		mode := map[bool]string{true: "MarkdownV2", false: "Markdown"}[second]
		s.Reset()
		if call(t, s, "sendMessage", "chat_id", "5", "text", raw, "parse_mode", mode).OK {
			m := s.Last(private)
			inside(t, m.Text, m.Entities)
		}
	})
}
