// Package telegramtest is a fake Telegram Bot API server, for tests and demos
// of programs that send messages.
//
// Call [NewServer] in a test, add the chats it shall know with
// [Server.AddChat], and give Server.URL and Server.Token to the client:
//
//	fake := telegramtest.NewServer(t)
//	fake.AddChat(telegramtest.Chat{ID: -1001, Type: "supergroup", Title: "Equipo"})
//	bot, err := telegram.New(telegram.Config{Token: fake.Token, BaseURL: fake.URL})
//
// Then look at what arrived with [Server.Messages] or [Server.Wait], and make
// calls fail with [Server.Script]. [New] makes a server without a test; it is an
// http.Handler, under any prefix. Its page at / shows the chats as a person
// would see them.
//
// The fake follows the Bot API server's own source (tdlib/telegram-bot-api,
// tdlib/td): the envelope, the routing, the HTML parser with its error texts
// and byte offsets, entities in UTF-16 units, the limits. Its rate limits are
// off until [Server.LimitRates].
package telegramtest
