package telegramtest_test

import (
	"testing"

	"github.com/matryer/is"
)

// The server takes a thread below 0, or that is no number, for none.
// tdlib/telegram-bot-api, Client.cpp, get_forum_topic_id
func TestAThreadThatCannotBeIsNone(t *testing.T) {
	for _, thread := range []string{"-3", "0", "x", ""} {
		is := is.New(t)
		s := known()
		is.True(call(t, s, "sendMessage", "chat_id", "-1003", "message_thread_id", thread, "text", "x").OK)
		is.Equal(s.Last(forum).Thread, 0)
	}
}
