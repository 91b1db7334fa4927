package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/httpapi"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// awayJournal is one that cannot be reached.
type awayJournal struct{ ccm.Journal }

var errJournalAway = errors.New("dial tcp 10.0.0.7:3306: secreto")

func (awayJournal) Resume(context.Context, string, string) (ccm.Record, error) {
	return ccm.Record{}, errJournalAway
}

func (awayJournal) Begin(context.Context, ccm.Delivery) (ccm.Record, error) {
	return ccm.Record{}, errJournalAway
}

func (awayJournal) List(context.Context, ccm.Filter) (ccm.Page, error) {
	return ccm.Page{}, errJournalAway
}

func (awayJournal) Find(context.Context, string) (ccm.Record, error) {
	return ccm.Record{}, errJournalAway
}

func (awayJournal) Reopen(context.Context, string, string) (ccm.Record, error) {
	return ccm.Record{}, errJournalAway
}

func TestDeliveries(t *testing.T) {
	keys := map[string]string{"panel": someKey}
	auth := "X-API-Key: " + someKey
	// doubt leaves one delivery in doubt, and answers its id.
	doubt := func(t *testing.T, h http.Handler, fake *telegramtest.Server) string {
		fake.Script(telegramtest.Fault{Method: "sendMessage", Cut: true, Accept: true})
		r := call(t, h, "POST", alert, someAlert, auth, "Idempotency-Key: hoy")
		is.New(t).Equal(r.Code, http.StatusBadGateway)
		is.New(t).Equal(r.object()["receipts"].([]any)[0].(map[string]any)["state"], "uncertain")
		return r.object()["delivery_id"].(string)
	}

	t.Run("are listed without texts, and shown with them", func(t *testing.T) {
		is := is.New(t)
		h, fake := withTelegram(t, httpapi.Config{Keys: keys})
		id := doubt(t, h, fake)
		call(t, h, "POST", alert, someAlert, auth)
		page := call(t, h, "GET", "/deliveries?limit=1", "", auth)
		is.Equal(page.Code, http.StatusOK)
		first := page.object()["deliveries"].([]any)[0].(map[string]any)
		is.Equal(first["state"], "sent")
		is.Equal(first["parts_sent"], 1.0)
		is.True(!strings.Contains(page.Body.String(), "Respaldo"))
		next := page.object()["next_cursor"].(string)
		page = call(t, h, "GET", "/deliveries?limit=1&cursor="+next, "", auth)
		is.Equal(page.object()["deliveries"].([]any)[0].(map[string]any)["delivery_id"], id)
		is.Equal(page.object()["next_cursor"], nil)
		page = call(t, h, "GET", "/deliveries?state=uncertain&report=alert&chat="+chatText, "", auth)
		is.Equal(len(page.object()["deliveries"].([]any)), 1)
		page = call(t, h, "GET", "/deliveries?to=2020-01-01", "", auth)
		is.Equal(page.object()["deliveries"], []any{})

		shown := call(t, h, "GET", "/deliveries/"+id, "", auth).object()
		is.Equal(shown["state"], "uncertain")
		is.Equal(shown["key"], "/telegram/alerta panel hoy")
		is.Equal(shown["request"].(map[string]any)["title"], "Respaldo")
		part := shown["parts"].([]any)[0].(map[string]any)
		is.Equal(part["part"], 1.0)
		is.Equal(part["message_id"], nil)
		is.Equal(part["error_code"], "telegram_http_error")
		is.True(strings.Contains(part["text"].(string), "Tardó <40> minutos & algo."))
	})

	t.Run("are sent again once, by whoever decides", func(t *testing.T) {
		is := is.New(t)
		h, fake := withTelegram(t, httpapi.Config{Keys: keys})
		id := doubt(t, h, fake)
		r := call(t, h, "POST", "/deliveries/"+id+"/resend", "", auth)
		is.Equal(r.Code, http.StatusOK)
		is.Equal(r.object()["success"], true)
		is.Equal(r.object()["dataset_id"], "alert")
		is.Equal(r.object()["receipts"].([]any)[0].(map[string]any)["doubtful"], true)
		is.True(strings.HasPrefix(fake.Messages(chat)[1].Text, "(posible duplicado)\n"))
		again := call(t, h, "POST", "/deliveries/"+id+"/resend", "{}", auth)
		is.Equal(again.Code, http.StatusOK)
		is.Equal(again.Header().Get("Idempotent-Replayed"), "true")
		is.Equal(again.object()["receipts"], r.object()["receipts"])
		is.Equal(len(fake.Messages(chat)), 2)
		decisions := call(t, h, "GET", "/deliveries/"+id, "", auth).object()["decisions"].([]any)
		is.Equal(len(decisions), 1)
		is.Equal(decisions[0].(map[string]any)["who"], "panel")
		is.Equal(decisions[0].(map[string]any)["action"], "resend")
	})

	t.Run("that fail again say why", func(t *testing.T) {
		is := is.New(t)
		h, fake := withTelegram(t, httpapi.Config{})
		id := doubt(t, h, fake)
		fake.Script(telegramtest.Fault{Method: "sendMessage", Status: 403})
		r := call(t, h, "POST", "/deliveries/"+id+"/resend", "")
		is.Equal(r.Code, http.StatusBadGateway)
		is.Equal(r.object()["error_code"], "telegram_api_error")
		is.Equal(r.object()["delivery_id"], id)
	})

	t.Run("are discarded, and that again", func(t *testing.T) {
		is := is.New(t)
		h, fake := withTelegram(t, httpapi.Config{})
		id := doubt(t, h, fake)
		for range 2 {
			r := call(t, h, "POST", "/deliveries/"+id+"/discard", "")
			is.Equal(r.Code, http.StatusOK)
			is.Equal(r.object()["state"], "discarded")
			is.Equal(r.object()["decisions"].([]any)[0].(map[string]any)["who"], "anónimo")
		}
		replay := call(t, h, "POST", alert, someAlert, "Idempotency-Key: hoy")
		is.Equal(replay.Header().Get("Idempotent-Replayed"), "true")
		is.Equal(replay.object()["uncertain"], false)
		is.Equal(len(fake.Messages(chat)), 1)
	})

	t.Run("refuse what makes no sense", func(t *testing.T) {
		h, _ := withTelegram(t, httpapi.Config{Keys: keys})
		sent := call(t, h, "POST", alert, someAlert, auth).object()["delivery_id"].(string)
		for _, c := range []struct {
			method, target string
			status         int
			code           string
		}{
			{"POST", "/deliveries/" + sent + "/resend", 409, "delivery_already_sent"},
			{"POST", "/deliveries/" + sent + "/discard", 409, "delivery_already_sent"},
			{"GET", "/deliveries/nada", 404, "delivery_not_found"},
			{"POST", "/deliveries/nada/resend", 404, "delivery_not_found"},
			{"POST", "/deliveries/nada/discard", 404, "delivery_not_found"},
			{"GET", "/deliveries?cursor=%3F", 422, "invalid_request"},
			{"GET", "/deliveries/nada?x=1", 422, "invalid_request"},
			{"POST", "/deliveries/nada/resend?x=1", 422, "invalid_request"},
			{"GET", "/deliveries?from=2026-11-25&to=2026-11-24", 422, "invalid_request"},
			{"DELETE", "/deliveries/nada", 405, ""},
		} {
			t.Run(c.method+" "+c.target, func(t *testing.T) {
				is := is.New(t)
				r := call(t, h, c.method, c.target, "", auth)
				is.Equal(r.Code, c.status)
				is.Equal(fmt.Sprint(r.object()["error_code"]), fmt.Sprint(orNil(c.code)))
			})
		}
		t.Run("all at once", func(t *testing.T) {
			is := is.New(t)
			r := call(t, h, "GET", "/deliveries?state=lost&report=x&from=ayer&to=2026-13-01&limit=0&page=2", "", auth)
			is.Equal(r.Code, 422)
			is.Equal(len(r.object()["errors"].([]any)), 6)
		})
		t.Run("without a key", func(t *testing.T) {
			is := is.New(t)
			for _, target := range []string{"/deliveries", "/deliveries/x"} {
				is.Equal(call(t, h, "GET", target, "").Code, 401)
			}
			is.Equal(call(t, h, "POST", "/deliveries/x/resend", "").Code, 401)
		})
	})

	t.Run("a day is one of the centre's, and counts whole", func(t *testing.T) {
		is := is.New(t)
		h, fake := withTelegram(t, httpapi.Config{Keys: keys})
		doubt(t, h, fake)
		began := call(t, h, "GET", "/deliveries", "", auth).object()["deliveries"].([]any)[0].(map[string]any)["began_at"].(string)
		day := atCentre(t, began).Format("2006-01-02")
		is.Equal(len(call(t, h, "GET", "/deliveries?from="+day+"&to="+day, "", auth).object()["deliveries"].([]any)), 1)
		is.Equal(len(call(t, h, "GET", "/deliveries?to="+began, "", auth).object()["deliveries"].([]any)), 0)
		is.Equal(len(call(t, h, "GET", "/deliveries?from="+began, "", auth).object()["deliveries"].([]any)), 1)
	})
}

func TestAJournalThatIsAway(t *testing.T) {
	fake := telegramtest.NewServer(t)
	fake.AddChat(telegramtest.Chat{ID: chat, Type: "supergroup", Title: "Rama 14"})
	cfg := telegramConfig(fake)
	cfg.Journal = awayJournal{}
	h := httpapi.New(open(t, cfg), httpapi.Config{})
	t.Run("lets an alert out, which says so", func(t *testing.T) {
		is := is.New(t)
		r := call(t, h, "POST", alert, someAlert, "Idempotency-Key: k")
		is.Equal(r.Code, http.StatusOK)
		is.Equal(r.object()["unrecorded"], true)
		is.Equal(r.object()["delivery_id"], nil)
		is.Equal(len(fake.Messages(chat)), 1)
	})
	t.Run("stops the rest with a 503 that says what to do", func(t *testing.T) {
		is := is.New(t)
		for _, target := range []string{"/deliveries", "/deliveries/x"} {
			r := call(t, h, "GET", target, "")
			is.Equal(r.Code, http.StatusServiceUnavailable)
			is.Equal(r.object()["error_code"], "journal_error")
			is.True(strings.Contains(r.object()["detail"].(string), "ccm-api doctor"))
			is.True(!strings.Contains(r.Body.String(), "secreto"))
		}
		r := call(t, h, "POST", "/deliveries/x/resend", "")
		is.Equal(r.Code, http.StatusServiceUnavailable)
		r = call(t, h, "POST", arrivals, "{}", "Idempotency-Key: k")
		is.Equal(r.Code, http.StatusServiceUnavailable)
		is.Equal(r.object()["error_code"], "journal_error")
	})
}

// atCentre is an instant as the centre's clock shows it.
func atCentre(t *testing.T, text string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation(ccm.DefaultZone)
	is.New(t).NoErr(err)
	at, err := time.Parse(time.RFC3339, text)
	is.New(t).NoErr(err)
	return at.In(zone)
}

func orNil(code string) any {
	if code == "" {
		return nil
	}
	return code
}
