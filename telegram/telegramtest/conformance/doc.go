// Package conformance proves telegramtest by strangers: its tests run the same
// scenarios through Bot API clients that other people wrote for the real server,
// each with its own way to write requests and to read answers and errors.
//
//	github.com/go-telegram/bot             multipart for everything, sentinel errors
//	github.com/mymmrac/telego              JSON, over fasthttp
//	github.com/OvyFlash/telegram-bot-api   forms; the fork of go-telegram-bot-api in use
//	gopkg.in/telebot.v4                    JSON, and errors known by their exact text
//
// It is a module of its own, so that who imports telegramtest gets none of them.
package conformance
