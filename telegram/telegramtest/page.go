package telegramtest

import (
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"
)

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Parse(pageSource))

// pageChat and pageMessage are what the page shows.
type pageChat struct {
	ID       int64
	Title    string
	Initial  string
	Kind     string
	Notice   string // why the bot cannot write
	Messages []pageMessage
}

type pageMessage struct {
	Message
	Clock  string
	Size   string // of the file
	Answer string // how the message begins that this one answers
	Runs   []run
}

var kinds = map[string]string{"private": "privado", "group": "grupo", "supergroup": "supergrupo", "channel": "canal"}

// servePage shows the chats. All it loads comes with it.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		errNotFound.answer().write(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	// Every few seconds the page asks again; nothing of it is a script.
	h.Set("Refresh", "5")
	_ = page.Execute(w, s.snapshot())
}

func (s *Server) snapshot() []pageChat {
	s.mu.Lock()
	defer s.mu.Unlock()
	chats := make([]pageChat, 0, len(s.chats))
	for _, c := range s.chats {
		shown := pageChat{ID: c.ID, Title: c.Title, Kind: kinds[c.Type], Notice: c.notice()}
		if shown.Title == "" {
			shown.Title = "@" + c.Username
		}
		shown.Initial = strings.ToUpper(string([]rune(shown.Title)[:1]))
		for _, m := range c.messages {
			shown.Messages = append(shown.Messages, c.show(m))
		}
		chats = append(chats, shown)
	}
	return chats
}

func (c *chat) show(m Message) pageMessage {
	p := pageMessage{Message: m, Clock: m.Date.In(time.Local).Format("15:04"), Runs: runs(m.Text, m.Entities)}
	if m.File != nil {
		p.Size = size(m.File.Size)
	}
	if i := c.index(m.ReplyTo); i >= 0 {
		p.Answer = beginning(c.messages[i])
	}
	return p
}

func (c *chat) notice() string {
	switch {
	case c.Migrated != 0:
		return fmt.Sprintf("ahora es el supergrupo %d", c.Migrated)
	case c.Kicked:
		return "el bot fue expulsado"
	case c.Left:
		return "el bot no es miembro"
	case c.Blocked:
		return "bloqueó al bot"
	case c.Deactivated:
		return "cuenta eliminada"
	case c.NoRights:
		return "el bot no puede escribir"
	}
	return ""
}

// beginning is the first words of a message, or its file's name.
func beginning(m Message) string {
	text, _, _ := strings.Cut(m.Text, "\n")
	if text == "" && m.File != nil {
		text = m.File.Name
	}
	if short := []rune(text); len(short) > 60 {
		return string(short[:60]) + "…"
	}
	return text
}

func size(bytes int64) string {
	switch {
	case bytes < 1000:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(bytes)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1_000_000)
}
