package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// TestReplicasShareTheGate looks for the places of the bot in Redis.
func TestReplicasShareTheGate(t *testing.T) {
	fake := telegramtest.NewServer(t)
	fake.AddChat(telegramtest.Chat{ID: scriptChat, Type: "supergroup", Title: "Rama 14"})
	free, err := net.Listen("tcp", "127.0.0.1:0")
	is.New(t).NoErr(err)
	port := portOf(free)
	free.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := func(redis *miniredis.Miniredis, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "ccm-api", args...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "API_HOST=127.0.0.1", "API_PORT=" + port,
			"CACHE_PROVIDER=redis", "REDIS_URL=redis://" + redis.Addr(),
			"TELEGRAM_API_URL=" + fake.URL, "TELEGRAM_BOT_TOKEN=" + fake.Token, "TELEGRAM_CHAT_ID=-1001234567890"}
		return cmd
	}
	const key = "ccm:{telegram:123456789}:group:write:-1001234567890"
	t.Run("in serve", func(t *testing.T) {
		is, redis := is.New(t), miniredis.RunT(t)
		serve := command(redis, "serve")
		is.NoErr(serve.Start())
		defer func() { is.NoErr(serve.Wait()) }()
		defer func() { is.NoErr(serve.Process.Signal(os.Interrupt)) }()
		alert := func() bool {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1:"+port+"/telegram/alerta", strings.NewReader(`{"title":"Disco","body":"Lleno"}`))
			is.NoErr(err)
			r.Header.Set("Content-Type", "application/json")
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				return false // it does not listen yet
			}
			defer answer.Body.Close()
			_, err = io.Copy(io.Discard, answer.Body)
			return err == nil && answer.StatusCode == http.StatusOK
		}
		for tick := time.NewTicker(20 * time.Millisecond); !alert(); <-tick.C {
			is.NoErr(ctx.Err())
		}
		is.True(slices.Contains(redis.Keys(), key))
	})
	t.Run("in send", func(t *testing.T) {
		is, redis := is.New(t), miniredis.RunT(t)
		is.NoErr(command(redis, "send", "alert", "--title", "Disco", "--body", "Lleno").Run())
		is.True(slices.Contains(redis.Keys(), key))
	})
}

func TestBotID(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	is.New(t).NoErr(os.WriteFile(file, []byte(" 123456789:AAsecreto\n"), 0o600))
	for name, tt := range map[string]struct {
		cfg  telegram.Config
		want string
	}{
		"of a token":              {telegram.Config{Token: " 123:AAx\n"}, "123"},
		"of a file":               {telegram.Config{TokenFile: file}, "123456789"},
		"none":                    {telegram.Config{}, ""},
		"of a file that is none":  {telegram.Config{TokenFile: file + "x"}, ""},
		"of what is no token":     {telegram.Config{Token: "AAsecreto"}, ""},
		"of a secret at its head": {telegram.Config{Token: "AAsecreto:123"}, ""},
	} {
		t.Run(name, func(t *testing.T) { is.New(t).Equal(botID(tt.cfg), tt.want) })
	}
}
