package telegramtest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of a message: https://core.telegram.org/bots/api#sendmessage and the
// server's source (MAX_MESSAGE_LENGTH; requests cut at 1 << 15 bytes of text).
const (
	maxRawText  = 32768 // bytes before parsing
	maxMessage  = 4096  // code points after parsing
	maxEntities = 100   // more are dropped silently
)

func (s *Server) sendMessage(params map[string]string) (any, *failure) {
	c, failed := s.writable(params)
	if failed != nil {
		return nil, failed
	}
	m, failed := s.compose(params)
	if failed != nil {
		return nil, failed
	}
	if failed := s.limit(c); failed != nil {
		return nil, failed
	}
	c.lastID++
	m.ID, m.Chat, m.Date = c.lastID, c.ID, s.Now()
	if c.Topics != nil {
		m.Thread, _ = strconv.Atoi(params["message_thread_id"])
	}
	c.messages = append(c.messages, m)
	return m.object(c), nil
}

// writable is the chat a message may go to.
func (s *Server) writable(params map[string]string) (*chat, *failure) {
	c, failed := s.reach(params["chat_id"])
	if failed != nil {
		return nil, failed
	}
	if c.NoRights {
		return nil, badRequest("not enough rights to send text messages to the chat")
	}
	if thread := params["message_thread_id"]; thread != "" && c.Topics != nil {
		// General has no thread of its own: naming it is an error too.
		n, err := strconv.Atoi(thread)
		if err != nil || !slices.Contains(c.Topics, n) {
			return nil, badRequest("message thread not found")
		}
	}
	return c, nil
}

// compose makes the message of the arguments: text, parse_mode and switches.
func (s *Server) compose(params map[string]string) (Message, *failure) {
	raw := params["text"]
	switch {
	case raw == "":
		return Message{}, badRequest("message text is empty")
	case len(raw) > maxRawText:
		return Message{}, badRequest("text is too long")
	}
	m := Message{
		Text:      raw,
		Silent:    params["disable_notification"] == "true",
		Protected: params["protect_content"] == "true",
	}
	switch strings.ToLower(params["parse_mode"]) {
	case "":
	case "html":
		text, entities, err := ParseHTML(raw)
		if err != nil {
			return m, badRequest("can't parse entities: %v", err)
		}
		m.HTML, m.Text, m.Entities = raw, text, entities
	case "markdown", "markdownv2":
		return m, badRequest("the fake knows parse_mode HTML only")
	default:
		return m, badRequest("unsupported parse_mode")
	}
	m.Text, m.Entities = tidy(m.Text, m.Entities)
	if m.Text == "" {
		return m, badRequest("text must be non-empty")
	}
	if s.count(m.Text) > maxMessage {
		return m, badRequest("message is too long")
	}
	return m, nil
}

func (s *Server) count(text string) int {
	if !s.Strict {
		return utf8.RuneCountInString(text)
	}
	return utf16Count(text)
}

func utf16Count(text string) int {
	n := 0
	for _, r := range text {
		n += utf16Len(r)
	}
	return n
}

func (s *Server) editMessageText(params map[string]string) (any, *failure) {
	c, failed := s.writable(params)
	if failed != nil {
		return nil, failed
	}
	i := c.index(params["message_id"])
	if i < 0 {
		return nil, badRequest("message to edit not found")
	}
	m, failed := s.compose(params)
	if failed != nil {
		return nil, failed
	}
	old := &c.messages[i]
	if m.Text == old.Text && slices.Equal(m.Entities, old.Entities) {
		return nil, badRequest("message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message")
	}
	old.Text, old.HTML, old.Entities, old.Edited = m.Text, m.HTML, m.Entities, true
	return old.object(c), nil
}

func (s *Server) deleteMessage(params map[string]string) (any, *failure) {
	c, failed := s.writable(params)
	if failed != nil {
		return nil, failed
	}
	i := c.index(params["message_id"])
	if i < 0 {
		return nil, badRequest("message to delete not found")
	}
	c.messages = slices.Delete(c.messages, i, i+1)
	return true, nil
}

// index is where the message of that id is, -1 if nowhere.
func (c *chat) index(id string) int {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return -1
	}
	return slices.IndexFunc(c.messages, func(m Message) bool { return m.ID == n })
}

// object is the Message of the Bot API.
func (m Message) object(c *chat) map[string]any {
	o := map[string]any{
		"message_id": m.ID, "date": m.Date.Unix(), "chat": c.object(), "text": m.Text,
		"from": map[string]any{"id": 123456789, "is_bot": true, "first_name": "CCM (prueba)", "username": "ccm_prueba_bot"},
	}
	if len(m.Entities) > 0 {
		o["entities"] = m.Entities
	}
	if m.Thread != 0 {
		o["message_thread_id"], o["is_topic_message"] = m.Thread, true
	}
	if m.Protected {
		o["has_protected_content"] = true
	}
	if m.Edited {
		o["edit_date"] = m.Date.Unix()
	}
	return o
}

// limits are token buckets of the usual sizes.
type limits struct {
	all    bucket
	byChat map[int64]*chatLimits
}

type chatLimits struct{ second, minute bucket }

// bucket holds up to burst tokens and gets one each interval.
type bucket struct {
	burst    float64
	interval time.Duration
	tokens   float64
	at       time.Time
}

func newBucket(burst int, interval time.Duration, now time.Time) bucket {
	return bucket{burst: float64(burst), interval: interval, tokens: float64(burst), at: now}
}

// wait fills the bucket up to now and says how long the next token takes; 0: one is there.
func (b *bucket) wait(now time.Time) time.Duration {
	b.tokens = min(b.burst, b.tokens+float64(now.Sub(b.at))/float64(b.interval))
	b.at = now
	if b.tokens >= 1 {
		return 0
	}
	return time.Duration((1 - b.tokens) * float64(b.interval))
}

// LimitRates switches the rate limits on: about 1 message a second in a chat
// (short bursts pass), 20 a minute in a group, 30 a second over all chats.
// https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
func (s *Server) LimitRates() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = &limits{all: newBucket(30, time.Second/30, s.Now()), byChat: map[int64]*chatLimits{}}
}

// limit takes a token of each bucket a chat's message needs, or answers 429.
func (s *Server) limit(c *chat) *failure {
	if s.limits == nil {
		return nil
	}
	now := s.Now()
	own := s.limits.byChat[c.ID]
	if own == nil {
		own = &chatLimits{second: newBucket(3, time.Second, now), minute: newBucket(20, 3*time.Second, now)}
		s.limits.byChat[c.ID] = own
	}
	buckets := []*bucket{&s.limits.all, &own.second}
	if c.ID < 0 {
		buckets = append(buckets, &own.minute)
	}
	var longest time.Duration
	for _, b := range buckets {
		longest = max(longest, b.wait(now))
	}
	if longest > 0 {
		seconds := int((longest + time.Second - 1) / time.Second)
		e := &failure{code: http.StatusTooManyRequests, retryAfter: seconds}
		e.description = e.usual()
		return e
	}
	for _, b := range buckets {
		b.tokens--
	}
	return nil
}
