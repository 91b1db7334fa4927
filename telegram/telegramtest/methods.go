package telegramtest

import (
	"context"
	"net/http"
	"strings"
)

type method func(*Server, *request) (any, *failure)

// methods are what the fake knows of the Bot API, in lower case. getUpdates,
// which waits, is not among them.
func methods() map[string]method {
	return map[string]method{
		"getme":                  (*Server).getMe,
		"getchat":                (*Server).getChat,
		"getchatmember":          (*Server).getChatMember,
		"leavechat":              (*Server).leaveChat,
		"sendchataction":         (*Server).sendChatAction,
		"setmycommands":          accepted,
		"deletemycommands":       accepted,
		"sendmessage":            (*Server).sendMessage,
		"senddocument":           sendFile("document"),
		"sendphoto":              sendFile("photo"),
		"getfile":                (*Server).getFile,
		"editmessagetext":        (*Server).editMessageText,
		"editmessagecaption":     (*Server).editMessageCaption,
		"editmessagereplymarkup": (*Server).editMessageReplyMarkup,
		"deletemessage":          (*Server).deleteMessage,
		"deletemessages":         (*Server).deleteMessages,
		"answercallbackquery":    (*Server).answerCallbackQuery,
		"setwebhook":             (*Server).setWebhook,
		"deletewebhook":          (*Server).deleteWebhook,
		"getwebhookinfo":         (*Server).getWebhookInfo,
	}
}

func accepted(*Server, *request) (any, *failure) { return true, nil }

// run is the method itself. The lock is held, and released while getUpdates waits.
func (s *Server) run(ctx context.Context, r *request) answer {
	var result any
	failed := &failure{code: http.StatusNotFound, description: "Not Found: method not found"}
	name := strings.ToLower(r.method)
	if name == "getupdates" {
		result, failed = s.getUpdates(ctx, r)
	} else if do := s.methods[name]; do != nil {
		result, failed = do(s, r)
	}
	s.touch()
	if failed != nil {
		return failed.answer()
	}
	return success(result)
}
