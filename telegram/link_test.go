package telegram_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
	"github.com/matryer/is"
)

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
