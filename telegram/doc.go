// Package telegram sends messages through Telegram's Bot API so that they can be
// trusted: never cut inside of a name, never doubled by a retry, and without the
// bot's token in any error. It needs no other package of this module.
//
//  1. Describe a text as a [Message]: a heading, groups of lines, a footer, all
//     of [Span] values. It is data; nothing in it is markup.
//  2. [Render] it into parts, each a valid message within Telegram's limits. A
//     [Part] can be looked at, printed or stored before anything is sent.
//  3. Make a [Bot] with [New], once, from a [Config] with a token.
//  4. [Bot.Deliver] the parts to a [Target]. It keeps to Telegram's rates,
//     repeats what surely did not arrive, and follows a group that moves.
//
// In short:
//
//	m := telegram.Message{Heading: []telegram.Span{{Text: "Hola", Bold: true}}}
//	bot, err := telegram.New(telegram.Config{TokenFile: "/run/secrets/telegram"})
//	…
//	sent, err := bot.Deliver(ctx, telegram.Target{Chat: "-1001234567890"}, telegram.Render(m), nil)
//
// [Bot.Send] makes one attempt with one part, for programs that decide for
// themselves what follows. [Bot.Call] calls any other method, or the same one
// with arguments that a Target has not, such as an inline keyboard; a document
// or a photo goes through it as a [File], streamed.
//
// # When it fails
//
// Telegram does not notice that a message was sent twice: there is no key that
// would make a repeat safe. So the one question about a failure is whether the
// message may be in the chat. Each [Error], which errors.As finds, answers it with
// an [Outcome]:
//
//	outcome      what happened                                    in the chat?  Deliver
//	Refused      Telegram said no (4xx)                           no            stops
//	RateLimited  Telegram, or the Gate, said not now (429)        no            waits up to 15 s, else stops
//	NotSent      the request was never written                    no            repeats, then stops
//	Uncertain    it was written, and no answer says what became   maybe         goes on with the next part
//	             of it: a time-out, a cut, any 5xx, a proxy's page
//
// Deliver promises that each part is in the chat at most once by its own doing.
// It does not promise exactly once, which Telegram does not allow: what is
// Uncertain is for a person who looks at the chat. A [Mark] lets a journal know
// what was sent even after a crash.
//
// # More than one process
//
// About one message a second may go to a chat, 20 a minute to a group, and 30 a
// second out of a bot altogether. Deliver keeps to that through a [Gate], which is
// in memory and serves one process. Replicas of a bot share one in Redis: see
// [github.com/ccmwf/ccm/telegram/redisgate].
//
// [Bot.Call] and [Bot.Send] do not wait. A program that calls sendDocument and the
// like at length makes its gate with [NewGate], gives it to Config.Gate, and has it
// Wait before each call.
//
// # Arguments
//
// A wrong argument is [ErrInvalid] for errors.Is; its text names the field, and no
// request was made. A time-out is context.DeadlineExceeded, whoever set it.
//
// # Tests
//
// The package [github.com/ccmwf/ccm/telegram/telegramtest] is a server to test
// against. In a bubble of testing/synctest, with a transport in memory, waits take
// no time.
package telegram
