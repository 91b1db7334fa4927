package ccm_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// The zero Config renders, and sends nothing.
func ExampleOpen() {
	c, err := ccm.Open(ccm.Config{Now: func() time.Time { return time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC) }})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	r, err := c.SendAlert(context.Background(), ccm.Alert{Title: "Respaldo", Body: "Terminó bien.", Level: ccm.Success}, ccm.SendOptions{DryRun: true})
	fmt.Println(r.Parts[0].Part.Plain)
	fmt.Println(err)
	// Output:
	// ✅ Respaldo
	//
	// Éxito
	//
	// Terminó bien.
	//
	// Martes 24 de noviembre de 2026, 12:00
	// <nil>
}

// All faults of the settings come at once, and none shows a value.
func ExampleParseEnv() {
	env := map[string]string{"RAMA_ACTUAL": "catorce", "TELEGRAM_BOT_TOKEN": "secreto", "TELEGRAM_CHAT_ID": "@canal"}
	_, err := ccm.ParseEnv(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	fmt.Println(err)
	// Output:
	// RAMA_ACTUAL: debe ser un número entero de 0 a 2147483647
	// TELEGRAM_BOT_TOKEN: no tiene la forma de un token (cifras, dos puntos y 20 o más letras, cifras, - o _): cópielo otra vez de @BotFather
}

// The same request with the same key is sent once.
func ExampleClient_SendAlert() {
	fake := telegramtest.New()
	fake.AddChat(telegramtest.Chat{ID: 7, Type: "private", Title: "Guardia"})
	server := httptest.NewServer(fake)
	defer server.Close()
	c, err := ccm.Open(ccm.Config{
		Telegram: telegram.Config{Token: fake.Token, BaseURL: server.URL},
		Chat:     telegram.Target{Chat: "7"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	alert := ccm.Alert{Title: "Disco", Body: "Queda el 5 %", Level: ccm.Warning}
	for range 2 {
		r, err := c.SendAlert(context.Background(), alert, ccm.SendOptions{Key: "disco-2026-11-24"})
		fmt.Println(r.Parts[0].State, r.Parts[0].Sent.ID, r.Replayed, ccm.CodeOf(err) == "")
	}
	// Output:
	// sent 1 false true
	// sent 1 true true
}

// Without a database a dataset is an error that says what to mend.
func ExampleCodeOf() {
	c, err := ccm.Open(ccm.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	_, err = c.Arrivals(context.Background(), ccm.Query{Branch: 14})
	fmt.Println(ccm.CodeOf(err), "·", err)
	// Output: dataset_error · No hay base de datos configurada: falta DATABASE_URL.
}
