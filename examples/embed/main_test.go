package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm/httpapi"
)

func nothing(string) (string, bool) { return "", false }

// writer calls itself with what is written.
type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

func TestRun(t *testing.T) {
	t.Run("prints a dataset of the embedded database and ends", func(t *testing.T) {
		is := is.New(t)
		var out strings.Builder
		is.NoErr(run(t.Context(), []string{"-once"}, nothing, &out))
		var data struct {
			Metadata struct {
				Dataset string `json:"dataset_id"`
			} `json:"metadata"`
			Records []json.RawMessage `json:"records"`
		}
		is.NoErr(json.Unmarshal([]byte(out.String()), &data))
		is.Equal(data.Metadata.Dataset, "branch_summary")
		is.True(len(data.Records) > 0)
	})

	t.Run("ends when it is told to", func(t *testing.T) {
		is := is.New(t)
		ctx, cancel := context.WithCancel(t.Context())
		out := writer(func(text []byte) { // it serves: that is the moment
			is.True(strings.Contains(string(text), "/ccm/docs"))
			cancel()
		})
		is.NoErr(run(ctx, []string{"-addr", "127.0.0.1:0"}, nothing, out))
	})

	t.Run("names a setting that is wrong", func(t *testing.T) {
		is := is.New(t)
		err := run(t.Context(), nil, func(name string) (string, bool) { return "quizá", name == "TELEGRAM_ENABLED" }, &strings.Builder{})
		is.True(err != nil)
		is.True(strings.Contains(err.Error(), "TELEGRAM_ENABLED"))
	})
}

func TestService(t *testing.T) {
	client, closeAll, err := openClient(t.Context(), nothing)
	is.New(t).NoErr(err)
	t.Cleanup(closeAll)
	host := newService(client, httpapi.Config{Keys: map[string]string{"panel": "una-clave-de-prueba"}})

	get := func(path, key string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if key != "" {
			r.Header.Set("X-API-Key", key)
		}
		w := httptest.NewRecorder()
		host.ServeHTTP(w, r)
		return w
	}

	t.Run("keeps its own pages", func(t *testing.T) {
		is := is.New(t)
		w := get("/", "")
		is.Equal(w.Code, http.StatusOK)
		is.True(strings.Contains(w.Body.String(), "/ccm/docs"))
	})

	t.Run("runs the API inside its own middleware", func(t *testing.T) {
		is := is.New(t)
		w := get("/ccm/health", "")
		is.Equal(w.Code, http.StatusOK)
		is.Equal(w.Header().Get("X-Powered-By-Host"), "embed")
	})

	t.Run("asks a key for the data", func(t *testing.T) {
		is := is.New(t)
		is.Equal(get("/ccm/datasets/upcoming_arrivals", "").Code, http.StatusUnauthorized)
		is.Equal(get("/ccm/datasets/upcoming_arrivals", "una-clave-de-prueba").Code, http.StatusOK)
	})
}
