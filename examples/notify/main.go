// Command notify sends one message with package telegram alone: no database,
// no cache, no service.
//
//	TELEGRAM_BOT_TOKEN=… TELEGRAM_CHAT_ID=-100… go run ./examples/notify "Terminó el respaldo"
//
// Without a token it talks to a fake Telegram in this process, and prints what
// arrived there.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "notify:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	cfg := telegram.Config{Token: getenv("TELEGRAM_BOT_TOKEN"), BaseURL: getenv("TELEGRAM_API_URL")}
	to := telegram.Target{Chat: getenv("TELEGRAM_CHAT_ID")}
	if cfg.Token == "" {
		fake := telegramtest.New()
		fake.AddChat(telegramtest.Chat{ID: 7, Type: "private", Title: "Prueba"})
		stop := listen(fake, &cfg)
		defer stop()
		to.Chat = "7"
		defer func() {
			for _, m := range fake.Messages(7) {
				fmt.Fprintf(out, "llegó al chat de prueba:\n%s\n", m.Text)
			}
		}()
	}
	bot, err := telegram.New(cfg)
	if err != nil {
		return err
	}
	text := strings.Join(args, " ")
	if text == "" {
		text = "Terminó el respaldo de <ccm> & todo está bien"
	}
	parts := telegram.Render(telegram.Message{
		Heading: []telegram.Span{{Text: "✅ "}, {Text: "Aviso", Bold: true}},
		Groups:  []telegram.Group{{Lines: [][]telegram.Span{{{Text: text}}}}},
	})
	sent, err := bot.Deliver(ctx, to, parts, nil)
	for _, s := range sent {
		fmt.Fprintf(out, "mensaje %d entregado al chat %s\n", s.ID, s.Chat)
	}
	return err
}
