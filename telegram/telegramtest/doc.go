// Package telegramtest is a fake Telegram Bot API server, for tests and demos
// of programs that talk to Telegram. It works with any client that can be told
// another base URL, in any language.
//
//  1. Call [NewServer] in a test, and add the chats it shall know with
//     [Server.AddChat]. [New] makes a server without a test: it is an http.Handler,
//     under any prefix.
//  2. Give Server.URL and Server.Token to the client.
//  3. Look at what arrived with [Server.Last], [Server.Messages] or
//     [Server.Wait]; for what leaves no message, with [Server.WaitCalls].
//  4. Write to the bot as a person does with [Server.Receive], press a button of
//     its message with [Server.Press]. The bot gets an update, by getUpdates or at
//     its webhook. [Server.Inject] queues an update of any other kind.
//  5. Make calls fail with [Server.Script], and switch Telegram's rate limits on
//     with [Server.LimitRates].
//
// In short:
//
//	fake := telegramtest.NewServer(t)
//	fake.AddChat(telegramtest.Chat{ID: -1001, Type: "supergroup", Title: "Equipo"})
//	bot, err := telegram.New(telegram.Config{Token: fake.Token, BaseURL: fake.URL})
//	…
//	fake.Last(-1001).Text
//
// The page at / shows the chats as a person would see them.
//
// No test needs to sleep: Server.Now and Server.After are the clock, and all
// waits are channels, so that a server of New runs in a bubble of
// testing/synctest.
//
// # What is faithful
//
// The fake follows the Bot API server's own source (tdlib/telegram-bot-api 10.0,
// tdlib/td) and not only its documentation. Foreign clients prove it: see the
// module in the folder conformance.
//
//   - The envelope, the routing, arguments as query, form, JSON or multipart, and
//     the texts of errors, in the order in which the server checks.
//   - HTML, Markdown and MarkdownV2 with the server's grammars, error texts and
//     byte offsets; entities in UTF-16 units; links as the server rewrites them. A
//     message's text is tidied and its entities are joined, cut and dropped as the
//     server does it, before lengths are checked.
//   - Chats of all types, and how each refuses: blocked, deactivated, kicked, left,
//     without rights, upgraded to a supergroup (which can still be read and edited).
//   - Topics, replies, protect_content, disable_notification, link previews off,
//     inline keyboards, edits, deletions.
//   - Documents and photos, streamed, by upload or file_id; downloads up to 20 MB.
//   - getUpdates with its one poller, and webhooks with secret token, repeats with
//     growing pauses, Retry-After, and a method called in the answer.
//
// # What is not
//
//   - Methods: getMe, getChat, getChatMember, leaveChat, sendChatAction,
//     setMyCommands, deleteMyCommands (these two only answer true), sendMessage,
//     sendDocument, sendPhoto, getFile, editMessageText, editMessageCaption,
//     editMessageReplyMarkup, deleteMessage, deleteMessages, answerCallbackQuery,
//     getUpdates, setWebhook, deleteWebhook, getWebhookInfo. All others are 404.
//   - Addresses, mentions, commands and hashtags are found in what persons write,
//     by simpler rules, and not in what the bot writes.
//   - tg-time in MarkdownV2; the names of custom emoji; quotes in replies.
//   - The rates are token buckets of about Telegram's size, for new messages only.
//     Telegram does not say how its own work.
//   - A bot sees all messages of a group; it is never an administrator. No update
//     tells that a chat changed, or that a message was edited.
//   - A webhook may be any http or https address, has one delivery at a time for
//     all chats, and its last pauses are a minute, not a random one to two. It is
//     never closed for answering 410.
//   - getUpdates does not slow down who calls it too often.
//   - A photo has one size, its own. The fake loads no file by URL.
package telegramtest
