package telegramtest

import (
	"strconv"
	"strings"
)

// Person is somebody who writes to the bot.
type Person struct {
	ID       int64
	Name     string
	Username string // without @
}

// object is the User of the Bot API.
func (p Person) object() map[string]any {
	o := map[string]any{"id": p.ID, "is_bot": false, "first_name": p.Name}
	if p.Username != "" {
		o["username"] = p.Username
	}
	return o
}

// bot is the bot's own User; its id is in the token.
func (s *Server) bot() map[string]any {
	return map[string]any{"id": s.botID(), "is_bot": true, "first_name": "CCM (prueba)", "username": "ccm_prueba_bot"}
}

func (s *Server) botID() int64 {
	id, _, _ := strings.Cut(s.Token, ":")
	n, _ := strconv.ParseInt(id, 10, 64)
	return n
}

func (s *Server) getMe(*request) (any, *failure) {
	me := s.bot()
	me["can_join_groups"], me["can_read_all_group_messages"] = true, true
	for _, not := range []string{"supports_inline_queries", "can_connect_to_business", "has_main_web_app", "has_topics_enabled"} {
		me[not] = false
	}
	return me, nil
}

func (s *Server) getChat(r *request) (any, *failure) {
	c, failed := s.access(r.arg("chat_id"), toRead)
	if failed != nil {
		return nil, failed
	}
	full := c.object()
	full["accent_color_id"], full["max_reaction_count"] = 0, 11
	return full, nil
}

func (s *Server) getChatMember(r *request) (any, *failure) {
	user, err := strconv.ParseInt(r.arg("user_id"), 10, 64)
	if err != nil || user <= 0 {
		return nil, badRequest("invalid user_id specified")
	}
	c, failed := s.access(r.arg("chat_id"), toRead)
	if failed != nil {
		return nil, failed
	}
	if user == s.botID() {
		return map[string]any{"user": s.bot(), "status": c.status(), "until_date": 0}, nil
	}
	p, known := s.people[user]
	if !known {
		return nil, badRequest("user not found")
	}
	return map[string]any{"user": p.object(), "status": "member"}, nil
}

// status is the bot's own in a chat.
func (c *chat) status() string {
	switch {
	case c.Kicked:
		return "kicked"
	case c.Left:
		return "left"
	}
	return "member"
}

func (s *Server) leaveChat(r *request) (any, *failure) {
	c, failed := s.access(r.arg("chat_id"), toRead)
	if failed != nil {
		return nil, failed
	}
	if c.Type == "private" {
		return nil, badRequest("chat member status can't be changed in private chats")
	}
	c.Left = true
	return true, nil
}

// actions are what a bot may be seen to do.
const actions = " cancel typing record_video upload_video record_audio record_voice upload_audio upload_voice upload_photo" +
	" upload_document choose_sticker pick_up_location find_location record_video_note upload_video_note "

func (s *Server) sendChatAction(r *request) (any, *failure) {
	action := strings.ToLower(r.arg("action"))
	if action == "" || !strings.Contains(actions, " "+action+" ") {
		return nil, badRequest("wrong parameter action in request")
	}
	if _, failed := s.access(r.arg("chat_id"), toWrite); failed != nil {
		return nil, failed
	}
	return true, nil
}
