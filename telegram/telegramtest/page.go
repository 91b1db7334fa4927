package telegramtest

import (
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
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
	Messages []pageMessage
}

type pageMessage struct {
	ID     int64
	Clock  string
	Edited bool
	Silent bool
	Runs   []run
}

// run is a stretch of text under the same entities.
type run struct {
	Text                                                         string
	URL                                                          string
	Bold, Italic, Underline, Strike, Spoiler, Code, Block, Quote bool
}

var kinds = map[string]string{"private": "privado", "group": "grupo", "supergroup": "supergrupo", "channel": "canal"}

// servePage shows the chats. All it loads comes with it.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		(&failure{code: http.StatusNotFound, description: "Not Found"}).write(w)
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
		shown := pageChat{ID: c.ID, Title: c.Title, Kind: kinds[c.Type]}
		if shown.Title == "" {
			shown.Title = "@" + c.Username
		}
		shown.Initial = strings.ToUpper(string([]rune(shown.Title)[:1]))
		for _, m := range c.messages {
			shown.Messages = append(shown.Messages, pageMessage{
				ID: m.ID, Clock: m.Date.In(time.Local).Format("15:04"), Edited: m.Edited, Silent: m.Silent, Runs: runs(m.Text, m.Entities)})
		}
		chats = append(chats, shown)
	}
	return chats
}

// runs cuts the text wherever an entity begins or ends.
func runs(text string, entities []Entity) []run {
	units := utf16.Encode([]rune(text))
	cuts := []int{0, len(units)}
	for _, e := range entities {
		cuts = append(cuts, e.Offset, e.Offset+e.Length)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var out []run
	for i := 1; i < len(cuts); i++ {
		r := run{Text: string(utf16.Decode(units[cuts[i-1]:cuts[i]]))}
		for _, e := range entities {
			if e.Offset <= cuts[i-1] && cuts[i] <= e.Offset+e.Length {
				r.apply(e)
			}
		}
		out = append(out, r)
	}
	return out
}

func (r *run) apply(e Entity) {
	switch e.Type {
	case "bold":
		r.Bold = true
	case "italic":
		r.Italic = true
	case "underline":
		r.Underline = true
	case "strikethrough":
		r.Strike = true
	case "spoiler":
		r.Spoiler = true
	case "code":
		r.Code = true
	case "pre":
		r.Block = true
	case "blockquote", "expandable_blockquote":
		r.Quote = true
	case "text_link":
		r.URL = e.URL
	}
}

// Class is the run's CSS classes.
func (r run) Class() string {
	var names []string
	for name, on := range map[string]bool{"b": r.Bold, "i": r.Italic, "u": r.Underline, "s": r.Strike, "spoiler": r.Spoiler, "code": r.Code, "pre": r.Block, "quote": r.Quote} {
		if on {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
