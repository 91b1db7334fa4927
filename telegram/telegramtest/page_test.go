package telegramtest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

func render(s *telegramtest.Server) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	return w
}

func TestPageShowsMessagesAsAPersonSeesThem(t *testing.T) {
	is := is.New(t)
	s := known()
	s.AddChat(telegramtest.Chat{ID: -30, Type: "supergroup", Title: "Fuera", Kicked: true})
	s.Receive(private, ana, "/informe")
	send(t, s, "5", `<b>Ana &lt;script&gt;</b> <a href="https://example.org">ver</a> <code>x</code> <tg-spoiler>y</tg-spoiler> <b><i>z</i></b>`)
	call(t, s, "sendMessage", "chat_id", "5", "text", "¿?", "reply_markup",
		`{"inline_keyboard":[[{"text":"Sí","callback_data":"si"},{"text":"Abrir","url":"https://example.org/a"}]]}`, "reply_parameters", `{"message_id":1}`)
	upload(t, s, "sendDocument", "document", "informe <1>.csv", []byte("a;b\n"), "chat_id", "-1003", "message_thread_id", "9", "protect_content", "true")
	html := render(s).Body.String()
	for _, want := range []string{
		`<span class="b">Ana &lt;script&gt;</span>`, `href="https://example.org/"`, `<span class="code">x</span>`, `<span class="spoiler">y</span>`,
		`<span class="b i">z</span>`, `<span title="si">Sí</span>`, `<a href="https://example.org/a" rel="noreferrer noopener">Abrir ↗</a>`,
		`# tema 9`, `<b>informe &lt;1&gt;.csv</b>`, `4 B · text/csv`, `class="own"`, `<p class="who">Ana</p>`, `<p class="answer">/informe</p>`,
		`<span class="at">/informe</span>`, `el bot fue expulsado`, `🔒`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s", want)
		}
	}
	is.True(!strings.Contains(html, "<script"))
	is.True(!strings.Contains(html, s.Token))
}

func TestPageEscapesAllThatComesFromOutside(t *testing.T) {
	is := is.New(t)
	s := telegramtest.New()
	const evil = `"><script>alert(1)</script>`
	s.AddChat(telegramtest.Chat{ID: 5, Type: "private", Title: evil})
	s.Receive(5, telegramtest.Person{ID: 5, Name: evil}, evil+" https://x.org/"+evil)
	call(t, s, "sendMessage", "chat_id", "5", "text", evil, "reply_markup",
		`{"inline_keyboard":[[{"text":"\"><script>","callback_data":"\"><script>"},{"text":"x","url":"tg://x?javascript:"}]]}`, "reply_parameters", `{"message_id":1}`)
	upload(t, s, "sendDocument", "document", `<script>`, []byte("x"), "chat_id", "5")
	page := render(s)
	is.True(!strings.Contains(page.Body.String(), "<script"))
	is.True(!strings.Contains(page.Body.String(), `href="tg:`)) // only what a browser can open
	is.True(strings.HasPrefix(page.Header().Get("Content-Security-Policy"), "default-src 'none';"))
	for _, outside := range []string{"<img", "<link", "@import", "src=", "url("} {
		is.True(!strings.Contains(page.Body.String(), outside))
	}
}

func TestPageOfAServerWithoutChats(t *testing.T) {
	is := is.New(t)
	is.True(strings.Contains(render(telegramtest.New()).Body.String(), "Este servidor no conoce ningún chat."))
	s := telegramtest.New()
	s.AddChat(telegramtest.Chat{ID: 1, Type: "private"}) // neither name nor username
	is.Equal(render(s).Code, http.StatusOK)
}
