package telegram_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ccmwf/ccm/telegram"
)

// BenchmarkSend compares a Send with a bare POST of the same bytes to the same
// server, decoded as loosely as can be.
func BenchmarkSend(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"ok":true,"result":{"message_id":481,"date":1795442700,"chat":{"id":-1001234567890,"type":"supergroup"}}}`)
	}))
	defer server.Close()
	message := part(strings.Repeat("Elder Ejemplo cumple 20 & sonríe\n", 100))

	b.Run("bare POST", func(b *testing.B) {
		b.ReportAllocs()
		client := &http.Client{Transport: &http.Transport{}}
		for b.Loop() {
			raw, err := json.Marshal(map[string]string{"chat_id": group, "text": message.HTML, "parse_mode": "HTML"})
			if err != nil {
				b.Fatal(err)
			}
			resp, err := client.Post(server.URL+"/bot"+token+"/sendMessage", "application/json", bytes.NewReader(raw))
			if err != nil {
				b.Fatal(err)
			}
			var answer struct{ OK bool }
			if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || !answer.OK {
				b.Fatal(err, answer)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
	b.Run("Send", func(b *testing.B) {
		b.ReportAllocs()
		bot := mustBot(b, telegram.Config{Token: token, BaseURL: server.URL})
		for b.Loop() {
			if _, err := bot.Send(b.Context(), target, message); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkUpload compares a Call with a 10 MB document with a bare POST of the
// same bytes to the same server.
func BenchmarkUpload(b *testing.B) {
	const size = 10 << 20
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"ok":true,"result":true}`)
	}))
	defer server.Close()
	b.Run("bare POST", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(size)
		client := &http.Client{Transport: &http.Transport{}}
		for b.Loop() {
			resp, err := client.Post(server.URL, "application/octet-stream", io.LimitReader(new(endless), size))
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
	b.Run("Call", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(size)
		bot := mustBot(b, telegram.Config{Token: token, BaseURL: server.URL})
		for b.Loop() {
			document := telegram.File{Name: "a", Reader: io.LimitReader(new(endless), size)}
			if err := bot.Call(b.Context(), "sendDocument", map[string]any{"chat_id": group, "document": document}, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
