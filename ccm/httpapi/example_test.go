package httpapi_test

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/httpapi"
)

// A host program mounts the API under a prefix of its own. Here there is
// neither database nor Telegram: a dry run of an alert needs none.
func Example() {
	client, err := ccm.Open(ccm.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	api := httpapi.New(client, httpapi.Config{Keys: map[string]string{"panel": "una-clave-de-muestra"}})
	api.SetReady(true)
	mux := http.NewServeMux()
	mux.Handle("/ccm/", http.StripPrefix("/ccm", api))

	request := httptest.NewRequest("POST", "/ccm/telegram/alerta",
		strings.NewReader(`{"title": "Respaldo atrasado", "body": "Terminó tarde.", "dry_run": true}`))
	request.Header.Set("Authorization", "Bearer una-clave-de-muestra")
	response := httptest.NewRecorder()
	mux.ServeHTTP(response, request)

	var answer struct {
		Success bool     `json:"success"`
		Dataset string   `json:"dataset_id"`
		Parts   []string `json:"parts"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.Code, answer.Success, answer.Dataset, len(answer.Parts))
	// Output: 200 true alert 1
}

func ExampleParseEnv() {
	settings := map[string]string{"APP_ENV": "production", "CCM_API_KEYS": "panel=0123456789abcdef"}
	cfg, err := httpapi.ParseEnv(func(name string) (string, bool) { v, ok := settings[name]; return v, ok })
	fmt.Println(len(cfg.Keys), cfg.Timeout, err)
	// Output: 1 1m0s <nil>
}
