package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/httpapi"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// checks are the "checks" of a health answer by name.
func checks(r reply) map[string]map[string]any {
	all := map[string]map[string]any{}
	for name, state := range r.object()["checks"].(map[string]any) {
		all[name] = state.(map[string]any)
	}
	return all
}

func TestHealth(t *testing.T) {
	t.Run("is healthy when nothing is configured but memory", func(t *testing.T) {
		is := is.New(t)
		now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		h := api(t, httpapi.Config{Version: "1.2.3", Now: func() time.Time { return now }})
		now = now.Add(90 * time.Second)
		r := call(t, h, "GET", "/health", "")
		is.Equal(r.Code, http.StatusOK)
		is.Equal(names(t, r.Body.String()), []string{"status", "version", "service", "uptime_seconds", "checks"})
		is.Equal(r.object()["status"], "healthy")
		is.Equal(r.object()["version"], "1.2.3")
		is.Equal(r.object()["service"], "ccm-api")
		is.Equal(r.object()["uptime_seconds"], 90.0)
		is.Equal(checks(r)["database"]["status"], "off")
		is.Equal(checks(r)["cache"]["status"], "ok")
		is.Equal(checks(r)["telegram"]["status"], "off")
		is.Equal(checks(r)["journal"]["status"], "off")
		is.Equal(checks(r)["journal"]["detail"], "en memoria: solo este proceso")
	})

	t.Run("is degraded, still 200, when what is configured is away", func(t *testing.T) {
		is := is.New(t)
		c := open(t, ccm.Config{
			Store:    store.Config{URL: "mysql://usuario:secreto@127.0.0.1:1/ccm"},
			Cache:    cache.Config{URL: "redis://:secreto@127.0.0.1:1/0"},
			Telegram: telegram.Config{Token: "123456:AAsecretosecretosecretosecretosecreto", BaseURL: "http://127.0.0.1:1"},
			Chat:     telegram.Target{Chat: chatText},
			Journal:  awayJournal{},
		})
		r := call(t, httpapi.New(c, httpapi.Config{}), "GET", "/health", "")
		is.Equal(r.Code, http.StatusOK)
		is.Equal(r.object()["status"], "degraded")
		for name, state := range checks(r) {
			t.Log(name, state)
			is.Equal(state["status"], "down")
			is.True(state["detail"] != "")
		}
		is.True(!strings.Contains(r.Body.String(), "secreto"))
		is.True(!strings.Contains(r.Body.String(), "127.0.0.1"))
	})

	t.Run("asks Telegram once a minute, and sooner when it was away", func(t *testing.T) {
		is := is.New(t)
		fake := telegramtest.New()
		var asked, broken atomic.Int64
		counting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			if broken.Load() == 1 {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			fake.ServeHTTP(w, r)
		}))
		t.Cleanup(counting.Close)
		now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		h := httpapi.New(open(t, ccm.Config{
			Telegram: telegram.Config{Token: fake.Token, BaseURL: counting.URL},
			Chat:     telegram.Target{Chat: chatText},
		}), httpapi.Config{Now: func() time.Time { return now }})
		ask := func() any { return checks(call(t, h, "GET", "/health", ""))["telegram"]["status"] }

		is.Equal(ask(), "ok")
		is.Equal(ask(), "ok")
		now = now.Add(59 * time.Second)
		is.Equal(ask(), "ok")
		is.Equal(asked.Load(), int64(1))
		broken.Store(1)
		now = now.Add(2 * time.Second)
		is.Equal(ask(), "down")
		is.Equal(ask(), "down")
		is.Equal(asked.Load(), int64(2))
		broken.Store(0)
		now = now.Add(6 * time.Second)
		is.Equal(ask(), "ok")
		is.Equal(asked.Load(), int64(3))
	})

	t.Run("says that the bot's token was refused", func(t *testing.T) {
		is := is.New(t)
		fake := telegramtest.NewServer(t)
		h := httpapi.New(open(t, ccm.Config{
			Telegram: telegram.Config{Token: "999999:AAabcdefghijklmnopqrstuvwxyz01234567", BaseURL: fake.URL},
			Chat:     telegram.Target{Chat: chatText},
		}), httpapi.Config{})
		state := checks(call(t, h, "GET", "/health", ""))["telegram"]
		is.Equal(state["status"], "down")
		is.Equal(state["detail"], "rechazó el token del bot")
	})
}
