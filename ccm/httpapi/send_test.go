package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/httpapi"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

const someAlert = `{"title": "Respaldo", "body": "Tardó <40> minutos & algo.", "level": "warning", "branch_id": 14}`

// order is the contract's: the Python service's fields first.
var order = []string{
	"success", "telegram_message_id", "records_sent", "status_code", "duration_ms", "dataset_id", "dataset_records",
	"dataset_duration_ms", "message_id", "error_code", "error_description", "raw_response",
	"parts_sent", "parts_total", "records_skipped", "parts", "uncertain", "cache",
	"delivery_id", "receipts", "unrecorded",
}

// names are the keys of a JSON object as they come.
func names(t *testing.T, body string) []string {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(body))
	var all []string
	for depth := 0; ; {
		token, err := dec.Token()
		if err != nil {
			return all
		}
		switch v := token.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
		case string:
			if depth == 1 {
				all = append(all, v)
				var skip json.RawMessage
				is.New(t).NoErr(dec.Decode(&skip))
			}
		}
	}
}

func TestAnswer(t *testing.T) {
	h, fake := withTelegram(t, httpapi.Config{})

	t.Run("tells of a delivery", func(t *testing.T) {
		is := is.New(t)
		r := call(t, h, "POST", alert, someAlert, "X-Request-ID: r-7")
		is.Equal(r.Code, http.StatusOK)
		is.Equal(names(t, r.Body.String()), order)
		a := r.object()
		sent := fake.Messages(chat)
		is.Equal(len(sent), 1)
		is.Equal(a["success"], true)
		is.Equal(a["telegram_message_id"], float64(sent[0].ID))
		is.Equal(a["records_sent"], 1.0)
		is.Equal(a["status_code"], 200.0)
		is.True(a["duration_ms"].(float64) > 0)
		is.Equal(a["dataset_id"], "alert")
		is.Equal(a["dataset_records"], 0.0)
		is.Equal(a["dataset_duration_ms"], 0.0)
		is.Equal(a["message_id"], "r-7")
		is.Equal(r.Header().Get("X-Request-ID"), "r-7")
		is.Equal(a["error_code"], nil)
		is.Equal(a["error_description"], nil)
		is.True(a["raw_response"] != nil)
		is.Equal(a["parts_sent"], 1.0)
		is.Equal(a["parts_total"], 1.0)
		is.Equal(a["records_skipped"], 0.0)
		is.Equal(a["parts"], []any{})
		is.Equal(a["uncertain"], false)
		is.Equal(a["cache"], nil)
		is.True(strings.Contains(sent[0].Text, "<40> minutos & algo."))
	})

	t.Run("tells of a dry run, which sends nothing", func(t *testing.T) {
		is := is.New(t)
		before := len(fake.Messages(chat))
		r := call(t, h, "POST", alert, strings.Replace(someAlert, "{", `{"dry_run": "yes", `, 1))
		is.Equal(r.Code, http.StatusOK)
		is.Equal(names(t, r.Body.String()), order)
		a := r.object()
		is.Equal(a["success"], true)
		is.Equal(a["telegram_message_id"], nil)
		is.Equal(a["status_code"], 0.0)
		is.Equal(a["records_sent"], 0.0)
		is.Equal(a["parts_sent"], 0.0)
		is.Equal(a["parts_total"], 1.0)
		is.Equal(a["raw_response"], nil)
		is.True(strings.Contains(a["parts"].([]any)[0].(string), "&lt;40&gt; minutos &amp; algo."))
		is.Equal(len(fake.Messages(chat)), before)
	})

	t.Run("tells of a message in parts", func(t *testing.T) {
		is := is.New(t)
		body, _ := json.Marshal(map[string]any{"title": "Largo", "body": strings.Repeat("una línea cualquiera\n", 500)})
		a := call(t, h, "POST", alert, string(body)).object()
		is.Equal(a["success"], true)
		is.True(a["parts_total"].(float64) > 1)
		is.Equal(a["parts_sent"], a["parts_total"])
		is.Equal(a["records_sent"], a["parts_total"])
	})
}

func TestDryRunWithTelegramOff(t *testing.T) {
	is := is.New(t)
	h := api(t, httpapi.Config{})
	r := call(t, h, "POST", alert, strings.Replace(someAlert, "{", `{"dry_run": true, `, 1))
	is.Equal(r.Code, http.StatusOK)
	is.Equal(r.object()["success"], true)
}

func TestFailures(t *testing.T) {
	refuse := func(status int, text string) telegramtest.Fault {
		return telegramtest.Fault{Method: "sendMessage", Times: 9, Status: status, Description: text}
	}
	proxy := func(status int, body string) telegramtest.Fault {
		return telegramtest.Fault{Method: "sendMessage", Times: 9, Status: status, Body: body}
	}
	tests := map[string]struct {
		fault      telegramtest.Fault
		status     int
		code       string
		statusCode float64
		uncertain  bool
	}{
		"a wrong request":        {refuse(400, "Bad Request: chat not found"), 502, "telegram_api_error", 400, false},
		"a wrong token":          {refuse(401, "Unauthorized"), 502, "telegram_api_error", 401, false},
		"a kick":                 {refuse(403, "Forbidden: bot was kicked from the supergroup chat"), 502, "telegram_api_error", 403, false},
		"a fault of Telegram":    {refuse(500, "Internal Server Error"), 502, "telegram_unexpected_status", 500, true},
		"a proxy in between":     {proxy(502, "<html>Bad Gateway</html>"), 502, "telegram_unexpected_status", 502, true},
		"no JSON at all":         {proxy(200, "hola"), 502, "telegram_empty_body", 200, true},
		"a cut connection":       {telegramtest.Fault{Method: "sendMessage", Times: 9, Cut: true}, 502, "telegram_http_error", 0, true},
		"a wait of an hour":      {telegramtest.Fault{Method: "sendMessage", Times: 9, Status: 429, RetryAfter: 3600}, 503, "telegram_rate_limited", 429, false},
		"no answer until we end": {telegramtest.Fault{Method: "sendMessage", Times: 9, Hang: true}, 504, "telegram_timeout", 0, true},
	}
	for name, tt := range tests {
		t.Run(name+" is "+tt.code, func(t *testing.T) {
			is := is.New(t)
			h, fake := withTelegramTimeout(t, httpapi.Config{}, 200*time.Millisecond)
			fake.Script(tt.fault)
			r := call(t, h, "POST", alert, someAlert)
			is.Equal(r.Header().Get("Content-Type"), "application/json")
			is.Equal(names(t, r.Body.String()), order)
			a := r.object()
			is.Equal(a["error_code"], tt.code)
			is.Equal(r.Code, tt.status)
			is.Equal(a["success"], false)
			is.Equal(a["status_code"], tt.statusCode)
			is.Equal(a["uncertain"], tt.uncertain)
			is.Equal(a["records_sent"], 0.0)
			is.Equal(a["telegram_message_id"], nil)
			is.True(a["error_description"] != "")
			is.True(!strings.Contains(r.Body.String(), fake.Token))
			if tt.code == "telegram_rate_limited" {
				is.Equal(r.Header().Get("Retry-After"), "3600")
			}
		})
	}

	t.Run("Telegram off is telegram_disabled", func(t *testing.T) {
		is := is.New(t)
		r := call(t, api(t, httpapi.Config{}), "POST", alert, someAlert)
		is.Equal(r.Code, http.StatusServiceUnavailable)
		is.Equal(r.object()["error_code"], "telegram_disabled")
	})

	t.Run("Telegram's refusal is shown as it was", func(t *testing.T) {
		is := is.New(t)
		h, fake := withTelegram(t, httpapi.Config{})
		fake.Script(refuse(400, "Bad Request: chat not found"))
		raw := call(t, h, "POST", alert, someAlert).object()["raw_response"]
		is.Equal(raw, map[string]any{"ok": false, "error_code": 400.0, "description": "Bad Request: chat not found"})
	})

	t.Run("nobody at Telegram's address is telegram_http_error, certain", func(t *testing.T) {
		is := is.New(t)
		c := open(t, ccm.Config{
			Telegram: telegram.Config{Token: "123456:AAabcdefghijklmnopqrstuvwxyz0123456", BaseURL: "http://127.0.0.1:1"},
			Chat:     telegram.Target{Chat: chatText},
		})
		r := call(t, httpapi.New(c, httpapi.Config{Timeout: 300 * time.Millisecond}), "POST", alert, someAlert)
		a := r.object()
		is.Equal(a["error_code"], "telegram_http_error")
		is.Equal(r.Code, http.StatusBadGateway)
		is.Equal(a["uncertain"], false)
	})

	t.Run("a branch that is not authorised is a 403 with the usual body", func(t *testing.T) {
		is := is.New(t)
		h := httpapi.New(open(t, ccm.Config{Branches: []int{14}}), httpapi.Config{})
		r := call(t, h, "POST", arrivals, `{"branch_id": 9}`)
		is.Equal(r.Code, http.StatusForbidden)
		is.Equal(names(t, r.Body.String()), order)
		is.Equal(r.object()["error_code"], "invalid_branch")
		is.Equal(r.object()["dataset_id"], "upcoming_arrivals")
		read := call(t, h, "GET", "/datasets/upcoming_arrivals?branch_id=9", "")
		is.Equal(read.Code, http.StatusForbidden)
		is.Equal(read.problem()["error_code"], "invalid_branch")
	})
}

// untimed is an answer without what each request measures for itself.
func untimed(r reply) map[string]any {
	a := r.object()
	delete(a, "duration_ms")
	return a
}

// withTelegramTimeout is withTelegram with a patience of its own for one call.
func withTelegramTimeout(t *testing.T, cfg httpapi.Config, patience time.Duration) (*httpapi.Handler, *telegramtest.Server) {
	t.Helper()
	fake := telegramtest.NewServer(t)
	fake.AddChat(telegramtest.Chat{ID: chat, Type: "supergroup", Title: "Rama 14"})
	return httpapi.New(open(t, ccm.Config{
		Telegram: telegram.Config{Token: fake.Token, BaseURL: fake.URL, Timeout: patience},
		Chat:     telegram.Target{Chat: chatText},
	}), cfg), fake
}

// withSlowTelegram is withTelegram whose answers wait for release; arrived says
// when the first message came.
func withSlowTelegram(t *testing.T) (h *httpapi.Handler, arrived <-chan struct{}, release chan<- struct{}) {
	t.Helper()
	fake := telegramtest.New()
	fake.AddChat(telegramtest.Chat{ID: chat, Type: "supergroup", Title: "Rama 14"})
	here, gate := make(chan struct{}, 1), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case here <- struct{}{}:
		default:
		}
		<-gate
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(slow.Close)
	return httpapi.New(open(t, ccm.Config{
		Telegram: telegram.Config{Token: fake.Token, BaseURL: slow.URL},
		Chat:     telegram.Target{Chat: chatText},
	}), httpapi.Config{}), here, gate
}

func TestLegacyStatus(t *testing.T) {
	h := api(t, httpapi.Config{Legacy: true})

	t.Run("is 200 where an operation failed", func(t *testing.T) {
		is := is.New(t)
		for path, code := range map[string]string{alert: "telegram_disabled", arrivals: "dataset_error", birthday: "dataset_error"} {
			r := call(t, h, "POST", path, someAlert)
			is.Equal(r.Code, http.StatusOK)
			is.Equal(r.object()["success"], false)
			is.Equal(r.object()["error_code"], code)
		}
	})

	t.Run("changes nothing else", func(t *testing.T) {
		is := is.New(t)
		is.Equal(call(t, h, "POST", alert, `{`).Code, http.StatusBadRequest)
		is.Equal(call(t, h, "POST", alert, `{}`).Code, http.StatusUnprocessableEntity)
		is.Equal(call(t, h, "GET", "/datasets/branch_summary", "").Code, http.StatusServiceUnavailable)
	})
}

func TestIdempotency(t *testing.T) {
	const key = "Idempotency-Key: "
	keys := map[string]string{"panel": someKey, "cron": "fedcba9876543210"}
	panel, cron := "X-API-Key: "+someKey, "X-API-Key: fedcba9876543210"

	t.Run("gives the first answer again and sends nothing", func(t *testing.T) {
		is := is.New(t)
		h, fake := withTelegram(t, httpapi.Config{Keys: keys})
		first := call(t, h, "POST", alert, someAlert, panel, key+"lunes-1", "X-Request-ID: primera")
		is.Equal(first.Code, http.StatusOK)
		is.Equal(first.Header().Get("Idempotent-Replayed"), "")
		again := call(t, h, "POST", alert, someAlert, panel, key+`"lunes-1"`, "X-Request-ID: segunda")
		is.Equal(again.Code, http.StatusOK)
		is.Equal(again.Header().Get("Idempotent-Replayed"), "true")
		is.Equal(again.Header().Get("X-Request-ID"), "segunda")
		is.Equal(untimed(again), untimed(first))
		is.Equal(len(fake.Messages(chat)), 1)
	})

	t.Run("compares bodies once they are decoded", func(t *testing.T) {
		is := is.New(t)
		h, fake := withTelegram(t, httpapi.Config{})
		is.Equal(call(t, h, "POST", alert, `{"title": "a", "body": "b", "branch_id": 14}`, key+"k").Code, http.StatusOK)
		same := call(t, h, "POST", alert, `{"branch_id": "14.0", "body": "\u0062", "title": "a", "level": "info", "otro": 1}`, key+"k")
		is.Equal(same.Header().Get("Idempotent-Replayed"), "true")
		other := call(t, h, "POST", alert, `{"title": "a", "body": "b", "branch_id": 15}`, key+"k")
		is.Equal(other.Code, http.StatusUnprocessableEntity)
		is.Equal(other.problem()["error_code"], "idempotency_key_reused")
		is.Equal(len(fake.Messages(chat)), 1)
	})

	t.Run("keeps a key to its owner", func(t *testing.T) {
		is := is.New(t)
		h, fake := withTelegram(t, httpapi.Config{Keys: keys})
		is.Equal(call(t, h, "POST", alert, someAlert, panel, key+"k").Code, http.StatusOK)
		is.Equal(call(t, h, "POST", alert, someAlert, cron, key+"k").Header().Get("Idempotent-Replayed"), "")
		is.Equal(len(fake.Messages(chat)), 2)
	})

	t.Run("answers 409 while the first is under way", func(t *testing.T) {
		is := is.New(t)
		h, arrived, release := withSlowTelegram(t)
		first := make(chan int)
		go func() { first <- call(t, h, "POST", alert, someAlert, key+"k").Code }()
		<-arrived
		busy := call(t, h, "POST", alert, someAlert, key+"k")
		is.Equal(busy.Code, http.StatusConflict)
		is.Equal(busy.problem()["error_code"], "idempotency_key_in_use")
		close(release)
		is.Equal(<-first, http.StatusOK)
		is.Equal(call(t, h, "POST", alert, someAlert, key+"k").Header().Get("Idempotent-Replayed"), "true")
	})

	t.Run("frees the key after a definite refusal", func(t *testing.T) {
		is := is.New(t)
		h, fake := withTelegram(t, httpapi.Config{})
		fake.Script(telegramtest.Fault{Method: "sendMessage", Status: 400, Description: "Bad Request: chat not found"})
		is.Equal(call(t, h, "POST", alert, someAlert, key+"k").Code, http.StatusBadGateway)
		again := call(t, h, "POST", alert, someAlert, key+"k")
		is.Equal(again.Code, http.StatusOK)
		is.Equal(again.Header().Get("Idempotent-Replayed"), "")
		is.Equal(len(fake.Messages(chat)), 1)
	})

	t.Run("replays what is uncertain, with its status", func(t *testing.T) {
		is := is.New(t)
		h, fake := withTelegram(t, httpapi.Config{})
		fake.Script(telegramtest.Fault{Method: "sendMessage", Cut: true, Accept: true})
		first := call(t, h, "POST", alert, someAlert, key+"k")
		is.Equal(first.Code, http.StatusBadGateway)
		is.Equal(first.object()["uncertain"], true)
		again := call(t, h, "POST", alert, someAlert, key+"k")
		is.Equal(again.Header().Get("Idempotent-Replayed"), "true")
		is.Equal(again.Code, first.Code)
		is.Equal(untimed(again), untimed(first))
		is.Equal(len(fake.Messages(chat)), 1)
	})

	t.Run("has no part in a dry run", func(t *testing.T) {
		is := is.New(t)
		h, fake := withTelegram(t, httpapi.Config{})
		dry := strings.Replace(someAlert, "{", `{"dry_run": true, `, 1)
		is.Equal(call(t, h, "POST", alert, dry, key+"k").Header().Get("Idempotent-Replayed"), "")
		is.Equal(call(t, h, "POST", alert, dry, key+"k").Header().Get("Idempotent-Replayed"), "")
		is.Equal(call(t, h, "POST", alert, someAlert, key+"k").Header().Get("Idempotent-Replayed"), "")
		is.Equal(len(fake.Messages(chat)), 1)
	})

	t.Run("refuses keys that are none", func(t *testing.T) {
		h := api(t, httpapi.Config{})
		for name, headers := range map[string][]string{
			"empty": {key + " "}, "quoted nothing": {key + `""`}, "too long": {key + strings.Repeat("k", 256)},
			"not ASCII": {key + "ñ"}, "a control character": {key + "a\tb"}, "two of them": {key + "a", key + "b"},
		} {
			t.Run(name, func(t *testing.T) {
				is := is.New(t)
				r := call(t, h, "POST", alert, someAlert, headers...)
				is.Equal(r.Code, http.StatusBadRequest)
				is.Equal(r.problem()["error_code"], "invalid_idempotency_key")
			})
		}
	})

	t.Run("takes the longest key", func(t *testing.T) {
		is := is.New(t)
		h, _ := withTelegram(t, httpapi.Config{Keys: keys})
		r := call(t, h, "POST", alert, someAlert, panel, key+strings.Repeat("~", 255))
		is.Equal(r.Code, http.StatusOK)
	})
}
