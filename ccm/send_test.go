package ccm_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// alert is a short one; long one takes three parts.
var (
	alert = ccm.Alert{Title: "Disco", Body: "Queda el 5 %", Level: ccm.Warning, Branch: 14}
	long  = ccm.Alert{Title: "Larga", Body: strings.TrimSuffix(strings.Repeat("una línea de texto\n", 500), "\n")}
)

func TestReportsReachTheChat(t *testing.T) {
	is := is.New(t)
	fake, cfg := bot(t)
	db := &database{
		arrivals:  []ccm.Arrival{arrival(t, "A", "2026-11-25", 8)},
		birthdays: []ccm.Birthday{birthday(t, 1, "2026-11-24"), {ID: 2}},
	}
	c := client(t, cfg, db)
	r, err := c.SendArrivals(t.Context(), ccm.Query{Days: 30}, ccm.SendOptions{})
	is.NoErr(err)
	is.Equal(len(r.Parts), 1)
	is.Equal(r.Parts[0].State, ccm.Delivered)
	is.Equal(r.Parts[0].Sent.ID, int64(1))
	is.True(r.ID != "")
	is.Equal(r.Meta.RecordCount, 1)
	r, err = c.SendBirthdays(t.Context(), ccm.Query{}, ccm.SendOptions{To: telegram.Target{Chat: "-1001234567890", Silent: true}})
	is.NoErr(err)
	is.Equal(r.Meta.RecordsSkipped, 1)
	r, err = c.SendAlert(t.Context(), alert, ccm.SendOptions{})
	is.NoErr(err)
	is.Equal(r.Meta.Dataset, "alert")
	is.Equal(*r.Meta.Branch, 14)
	is.True(r.Meta.Cache == nil)
	messages := fake.Messages(chat)
	is.Equal(len(messages), 3)
	for i, words := range [][]string{{"Distrito 14A: 8 misioneros, 3 semanas", "mañana"}, {"Elder Persona Secreta (14A) cumple 20 años", "1 registro incompleto"}, {"Disco", "Advertencia", "Queda el 5 %"}} {
		for _, word := range words {
			is.True(strings.Contains(messages[i].Text, word))
		}
	}
	is.True(messages[1].Silent)
}

func TestAReceiptTellsOfEachPart(t *testing.T) {
	is := is.New(t)
	fake, cfg := bot(t)
	const moved = -1009
	fake.AddChat(telegramtest.Chat{ID: moved, Type: "supergroup", Title: "Rama 14"})
	fake.Script(telegramtest.Fault{Method: "sendMessage", After: 1, MigrateTo: moved})
	r, err := client(t, cfg, nil).SendAlert(t.Context(), long, ccm.SendOptions{})
	is.NoErr(err)
	messages := append(fake.Messages(chat), fake.Messages(moved)...)
	is.Equal(len(r.Parts), 3)
	for i, part := range r.Parts {
		is.Equal(part.Sent.ID, messages[i].ID)
		is.Equal(part.Sent.Chat, fmt.Sprint(messages[i].Chat))
		is.Equal(part.Sent.Attempts, []int{1, 2, 1}[i])
		is.Equal(part.Sent.At.Unix(), messages[i].Date.Unix())
	}
}

func TestDryRunSendsNothing(t *testing.T) {
	is := is.New(t)
	fake, cfg := bot(t)
	for name, cfg := range map[string]ccm.Config{"with a bot": cfg, "without one": {}} {
		c := client(t, cfg, &database{})
		for range 2 { // the key is ignored too
			r, err := c.SendArrivals(t.Context(), ccm.Query{}, ccm.SendOptions{DryRun: true, Key: name})
			is.NoErr(err)
			is.Equal(r.Parts[0].State, ccm.Pending)
			is.True(strings.Contains(r.Parts[0].Part.HTML, "Nadie ingresa"))
			is.True(!r.Replayed)
		}
	}
	is.Equal(len(fake.Calls()), 0)
}

func TestNothingIsSentWhereItCannotBe(t *testing.T) {
	fake, cfg := bot(t)
	chatless := cfg
	chatless.Chat = telegram.Target{}
	for name, c := range map[string]struct {
		cfg  ccm.Config
		db   *database
		a    ccm.Alert // zero: a report
		o    ccm.SendOptions
		code ccm.Code
		says string
	}{
		"no bot":             {ccm.Config{}, &database{}, alert, ccm.SendOptions{}, ccm.CodeTelegramDisabled, "TELEGRAM_BOT_TOKEN"},
		"no chat":            {chatless, &database{}, alert, ccm.SendOptions{}, ccm.CodeTelegramDisabled, "TELEGRAM_CHAT_ID"},
		"a chat of no form":  {cfg, &database{}, alert, ccm.SendOptions{To: telegram.Target{Chat: "Rama 14"}}, ccm.CodeInvalidRequest, "@canal"},
		"a chat unknown":     {cfg, &database{}, alert, ccm.SendOptions{To: telegram.Target{Chat: "-100777"}}, ccm.CodeTelegramAPI, "TELEGRAM_CHAT_ID"},
		"no database":        {cfg, &database{err: errAway}, ccm.Alert{}, ccm.SendOptions{}, ccm.CodeDataset, "base de datos"},
		"a key too long":     {cfg, &database{}, alert, ccm.SendOptions{Key: strings.Repeat("k", 513)}, ccm.CodeInvalidKey, "512"},
		"an alert of nought": {cfg, &database{}, ccm.Alert{Level: "fatal", Branch: -1}, ccm.SendOptions{}, ccm.CodeInvalidRequest, "falta el título; falta el texto; el nivel debe ser info, warning, error o success; la rama"},
		"a title of a book":  {cfg, &database{}, ccm.Alert{Title: strings.Repeat("ñ", 201), Body: "x"}, ccm.SendOptions{}, ccm.CodeInvalidRequest, "el título pasa de 200"},
		"a body of a book":   {cfg, &database{}, ccm.Alert{Title: "x", Body: strings.Repeat("ñ", 20_001)}, ccm.SendOptions{}, ccm.CodeInvalidRequest, "el texto pasa de 20000"},
	} {
		t.Run(name, func(t *testing.T) {
			client := client(t, c.cfg, c.db)
			err := error(nil)
			if c.a == (ccm.Alert{}) {
				_, err = client.SendArrivals(t.Context(), ccm.Query{}, c.o)
			} else {
				_, err = client.SendAlert(t.Context(), c.a, c.o)
			}
			wants(t, err, c.code, c.says)
			is.New(t).Equal(len(fake.Messages(chat)), 0)
		})
	}
}

func TestOutcomesOfTelegram(t *testing.T) {
	for name, c := range map[string]struct {
		fault     telegramtest.Fault
		code      ccm.Code
		state     ccm.State
		uncertain bool
		says      string
	}{
		"a refusal":             {telegramtest.Fault{Status: 400, Description: "Bad Request: chat not found"}, ccm.CodeTelegramAPI, ccm.Refused, false, "chat not found"},
		"a wrong token":         {telegramtest.Fault{Status: 401}, ccm.CodeTelegramAPI, ccm.Refused, false, "TELEGRAM_BOT_TOKEN"},
		"a bot that was kicked": {telegramtest.Fault{Status: 403}, ccm.CodeTelegramAPI, ccm.Refused, false, "siga en él"},
		"no such bot":           {telegramtest.Fault{Status: 404}, ccm.CodeTelegramAPI, ccm.Refused, false, "TELEGRAM_BOT_TOKEN"},
		"a long wait":           {telegramtest.Fault{Status: 429, RetryAfter: 300}, ccm.CodeTelegramRateLimited, ccm.Pending, false, "300 s"},
		"a 502":                 {telegramtest.Fault{Status: 502}, ccm.CodeTelegramStatus, ccm.Uncertain, true, "estado 502"},
		"a proxy's page":        {telegramtest.Fault{Status: 503, Body: "<html>proxy</html>"}, ccm.CodeTelegramStatus, ccm.Uncertain, true, "pudo haber llegado"},
		"half an answer":        {telegramtest.Fault{Body: `{"ok":true,"resu`}, ccm.CodeTelegramEmpty, ccm.Uncertain, true, "no se pudo leer"},
		"a broken connection":   {telegramtest.Fault{Cut: true}, ccm.CodeTelegramHTTP, ccm.Uncertain, true, "Se perdió la conexión"},
		"a time-out":            {telegramtest.Fault{Hang: true}, ccm.CodeTelegramTimeout, ccm.Uncertain, true, "no respondió a tiempo"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			fake, cfg := bot(t)
			cfg.Telegram.Timeout = 200 * time.Millisecond
			c.fault.Method = "sendMessage"
			fake.Script(c.fault)
			r, err := client(t, cfg, nil).SendAlert(t.Context(), alert, ccm.SendOptions{})
			wants(t, err, c.code, c.says)
			is.Equal(r.Parts[0].State, c.state)
			sent, ok := errors.AsType[*telegram.Error](err)
			is.True(ok)
			is.Equal(sent.Outcome == telegram.Uncertain, c.uncertain)
			is.Equal(len(fake.Calls()), 1) // none of them is repeated
			is.True(!strings.Contains(fmt.Sprintf("%v %+v %+v", err, err, r), fake.Token))
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		_, cfg := bot(t)
		cfg.Telegram.BaseURL = "http://127.0.0.1:1"
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		r, err := client(t, cfg, nil).SendAlert(ctx, alert, ccm.SendOptions{})
		wants(t, err, ccm.CodeTelegramHTTP, "el mensaje no salió")
		is.New(t).Equal(r.Parts[0].State, ccm.Pending)
	})
}

func TestAPartThatIsRefusedStopsTheRest(t *testing.T) {
	is := is.New(t)
	fake, cfg := bot(t)
	fake.Script(telegramtest.Fault{Method: "sendMessage", After: 1, Status: 403})
	r, err := client(t, cfg, nil).SendAlert(t.Context(), long, ccm.SendOptions{})
	wants(t, err, ccm.CodeTelegramAPI, "Se entregaron 1 de 3 partes")
	is.Equal([]ccm.State{r.Parts[0].State, r.Parts[1].State, r.Parts[2].State}, []ccm.State{ccm.Delivered, ccm.Refused, ccm.Pending})
}

func TestACallerThatLeaves(t *testing.T) {
	t.Run("before the first part stops everything", func(t *testing.T) {
		is := is.New(t)
		fake, cfg := bot(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := client(t, cfg, nil).SendAlert(ctx, long, ccm.SendOptions{})
		is.True(err != nil)
		is.Equal(len(fake.Messages(chat)), 0)
	})
	t.Run("after it stops nothing", func(t *testing.T) {
		is := is.New(t)
		fake, cfg := bot(t)
		ctx, cancel := context.WithCancel(t.Context())
		cfg.Telegram.Gate = &gateAt{n: 2, leave: cancel} // the caller leaves before the second part
		r, err := client(t, cfg, nil).SendAlert(ctx, long, ccm.SendOptions{})
		is.NoErr(err)
		is.Equal(len(r.Parts), 3)
		is.Equal(len(fake.Messages(chat)), 3)
	})
}

// gateAt calls leave before the n-th write.
type gateAt struct {
	open
	n, writes int
	leave     func()
}

func (g *gateAt) Wait(ctx context.Context, _ string) error {
	if g.writes++; g.writes == g.n {
		g.leave()
	}
	return ctx.Err()
}

func TestLogNamesWhatHappenedAndNobody(t *testing.T) {
	is := is.New(t)
	fake, cfg := bot(t)
	var log lines
	cfg.Logger = log.logger()
	db := &database{birthdays: []ccm.Birthday{birthday(t, 1, "2026-11-24")}}
	c := client(t, cfg, db)
	ctx := ccm.WithMessageID(t.Context(), "la-petición")
	_, err := c.SendBirthdays(ctx, ccm.Query{}, ccm.SendOptions{})
	is.NoErr(err)
	fake.Script(telegramtest.Fault{Method: "sendMessage", Cut: true})
	_, err = c.SendAlert(ctx, ccm.Alert{Title: "Título oculto", Body: "Cuerpo oculto"}, ccm.SendOptions{})
	is.True(err != nil)
	got := log.String()
	for _, want := range []string{
		`"etapa":"base_de_datos"`, `"etapa":"cache"`, `"etapa":"telegram"`, `"message_id":"la-petición"`, `"branch_id":14`,
		`"dataset_id":"upcoming_birthdays"`, `"cache_hit":false`, `"telegram_chat_id":"-1001234567890"`, `"records_sent":1`,
		`"records_processed":1`, `"records_skipped":0`, `"duration_ms":`, `"error_code":"telegram_http_error"`, "sin confirmar",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the log has no %s", want)
		}
	}
	for _, secret := range []string{"Persona", "Secreta", "secreta@", "oculto", fake.Token} {
		if strings.Contains(got, secret) {
			t.Errorf("the log shows %q", secret)
		}
	}
}

func TestTimingsAddUp(t *testing.T) {
	is := is.New(t)
	_, cfg := bot(t)
	var times ccm.Timings
	_, err := client(t, cfg, &database{}).SendArrivals(ccm.WithTimings(t.Context(), &times), ccm.Query{}, ccm.SendOptions{})
	is.NoErr(err)
	is.True(times.DB > 0 && times.Telegram > 0)
}

// TestTokenFileThatWentBadSaysSo changes the file of a client that is open.
func TestTokenFileThatWentBadSaysSo(t *testing.T) {
	for name, content := range map[string]string{"nonsense": "s3creto", "half a token": "123456789:s3creto"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // the attempts are apart
				is := is.New(t)
				path := filepath.Join(t.TempDir(), "token")
				is.NoErr(os.WriteFile(path, []byte(token), 0o600))
				var log strings.Builder
				c, err := ccm.Open(ccm.Config{
					Telegram: telegram.Config{TokenFile: path}, Chat: telegram.Target{Chat: "1"},
					Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
				})
				is.NoErr(err)
				is.NoErr(os.WriteFile(path, []byte(content), 0o600))
				_, err = c.SendAlert(t.Context(), alert, ccm.SendOptions{})
				is.True(err != nil)
				is.True(strings.Contains(err.Error(), "El archivo de TELEGRAM_BOT_TOKEN_FILE no se puede leer, está vacío o no tiene la forma de un token, y el mensaje no salió"))
				is.True(!strings.Contains(err.Error()+log.String(), "s3creto"))
				is.NoErr(c.Close())
			})
		})
	}
}
