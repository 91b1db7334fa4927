package httpapi_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm/httpapi"
)

// BenchmarkDryRun compares a dry run of an alert with a bare handler that
// writes the same bytes. examples/embed does it with a report and its data.
func BenchmarkDryRun(b *testing.B) {
	const body = `{"title": "Respaldo atrasado", "body": "Terminó 40 minutos tarde.", "level": "warning", "dry_run": true}`
	is := is.New(b)
	h := api(b, httpapi.Config{Keys: map[string]string{"panel": someKey}})
	first := call(b, h, "POST", alert, body, "X-API-Key: "+someKey)
	is.Equal(first.Code, http.StatusOK)
	same := bytes.Clone(first.Body.Bytes())
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		maps.Copy(w.Header(), first.Header())
		_, _ = w.Write(same)
	})

	var baseline float64
	b.Run("bare", func(b *testing.B) { baseline = perRequest(b, bare, body) })
	b.Run("ccm", func(b *testing.B) { b.ReportMetric(baseline/perRequest(b, h, body), "×bare") })
}

// perRequest measures requests over TCP, in nanoseconds each.
func perRequest(b *testing.B, h http.Handler, body string) float64 {
	b.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			request, _ := http.NewRequest(http.MethodPost, server.URL+alert, strings.NewReader(body))
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("X-API-Key", someKey)
			response, err := client.Do(request)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			if response.StatusCode != http.StatusOK {
				b.Error(response.Status)
				return
			}
		}
	})
	return float64(b.Elapsed().Nanoseconds()) / float64(b.N)
}
