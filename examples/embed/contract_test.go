package main

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/httpapi"
)

// The HTTP contract where it needs data: httpapi's own tests have no database.

const someKey = "una-clave-de-prueba"

// host is the service on the embedded database.
func host(tb testing.TB) http.Handler {
	tb.Helper()
	return newService(open(tb), onePanel)
}

// api is CCM's part of it alone.
func api(tb testing.TB) http.Handler {
	tb.Helper()
	return httpapi.New(open(tb), onePanel)
}

var onePanel = httpapi.Config{Keys: map[string]string{"panel": someKey}}

func open(tb testing.TB) *ccm.Client {
	tb.Helper()
	client, closeAll, err := openClient(tb.Context(), nothing)
	is.New(tb).NoErr(err)
	tb.Cleanup(closeAll)
	return client
}

func ask(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("X-API-Key", someKey)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func object(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var v map[string]any
	is.New(t).NoErr(json.Unmarshal(w.Body.Bytes(), &v))
	return v
}

// keys are the keys of a JSON object, in their order.
func keys(t *testing.T, raw json.RawMessage) []string {
	t.Helper()
	is := is.New(t)
	dec := json.NewDecoder(bytes.NewReader(raw))
	_, err := dec.Token()
	is.NoErr(err)
	var all []string
	for dec.More() {
		key, err := dec.Token()
		is.NoErr(err)
		all = append(all, key.(string))
		var value json.RawMessage
		is.NoErr(dec.Decode(&value))
	}
	return all
}

func TestDatasets(t *testing.T) {
	h := host(t)
	records := map[string][]string{
		"upcoming_arrivals": {"district", "rdistrict", "branch_id", "arrival_date", "departure_date", "missionaries_count", "duration_weeks", "status"},
		"upcoming_birthdays": {"missionary_id", "branch_id", "district", "treatment", "missionary_name", "birthday", "age_turning", "status",
			"email_missionary", "email_personal", "three_weeks_program"},
		"branch_summary": {"branch_id", "district", "first_generation_date", "first_ccm_arrival", "last_ccm_departure", "total_missionaries",
			"total_companionships", "elders_count", "sisters_count"},
		"district_kpis": {"branch_id", "district", "metric", "value", "unit", "generated_for_week"},
	}
	metadata := []string{"dataset_id", "generated_at", "record_count", "records_skipped", "branch_id", "duration_ms", "cache_hit", "cache", "parameters", "message_id"}
	for id, fields := range records {
		t.Run(id+" has the contract's fields", func(t *testing.T) {
			is := is.New(t)
			w := ask(h, http.MethodGet, "/ccm/datasets/"+id+"?branch_id=14", "")
			is.Equal(w.Code, http.StatusOK)
			var data struct {
				Metadata json.RawMessage
				Records  []json.RawMessage
			}
			is.NoErr(json.Unmarshal(w.Body.Bytes(), &data))
			is.Equal(keys(t, data.Metadata), metadata)
			is.True(len(data.Records) > 0)
			is.Equal(keys(t, data.Records[0]), fields)
		})
	}

	t.Run("an old id answers the new one", func(t *testing.T) {
		is := is.New(t)
		meta := object(t, ask(h, http.MethodGet, "/ccm/datasets/district_kpi?branch_id=14", ""))["metadata"].(map[string]any)
		is.Equal(meta["dataset_id"], "district_kpis")
	})

	t.Run("query values reach the dataset, however they are written", func(t *testing.T) {
		is := is.New(t)
		data := object(t, ask(h, http.MethodGet, "/ccm/datasets/upcoming_arrivals?branch_id=%2014&days_ahead=45.0&force_refresh=on", ""))
		meta := data["metadata"].(map[string]any)
		is.Equal(meta["branch_id"], 14.0)
		parameters := meta["parameters"].(map[string]any)
		is.Equal(parameters["days_ahead"], 45.0)
		is.Equal(parameters["force_refresh"], true)
	})

	t.Run("a second answer comes from memory", func(t *testing.T) {
		is := is.New(t)
		path := "/ccm/datasets/upcoming_birthdays?branch_id=14&days_ahead=33"
		is.Equal(object(t, ask(h, http.MethodGet, path, ""))["metadata"].(map[string]any)["cache_hit"], false)
		meta := object(t, ask(h, http.MethodGet, path, ""))["metadata"].(map[string]any)
		is.Equal(meta["cache_hit"], true)
		is.Equal(meta["cache"].(map[string]any)["source"], "memory")
	})

	t.Run("a branch without districts is a 404 of its own kind", func(t *testing.T) {
		is := is.New(t)
		w := ask(h, http.MethodGet, "/ccm/datasets/branch_summary?branch_id=9999", "")
		is.Equal(w.Code, http.StatusNotFound)
		is.Equal(w.Header().Get("Content-Type"), "application/problem+json")
		is.Equal(object(t, w)["error_code"], "dataset_missing_rows")
	})

	t.Run("no arrivals are an empty list, not null", func(t *testing.T) {
		is := is.New(t)
		w := ask(h, http.MethodGet, "/ccm/datasets/upcoming_arrivals?branch_id=9999", "")
		is.Equal(w.Code, http.StatusOK)
		is.Equal(object(t, w)["records"], []any{})
	})
}

func TestReports(t *testing.T) {
	h := host(t)
	for path, dataset := range map[string]string{"proximos-ingresos": "upcoming_arrivals", "proximos-cumpleanos": "upcoming_birthdays"} {
		t.Run(path+" is prepared without Telegram", func(t *testing.T) {
			is := is.New(t)
			w := ask(h, http.MethodPost, "/ccm/telegram/"+path, `{"branch_id": "14", "dry_run": "on"}`)
			is.Equal(w.Code, http.StatusOK)
			a := object(t, w)
			is.Equal(a["success"], true)
			is.Equal(a["dataset_id"], dataset)
			is.True(a["dataset_records"].(float64) > 0)
			is.True(a["dataset_duration_ms"].(float64) > 0)
			is.Equal(a["parts_sent"], 0.0)
			is.Equal(int(a["parts_total"].(float64)), len(a["parts"].([]any)))
			is.True(strings.Contains(a["parts"].([]any)[0].(string), "<b>"))
			is.True(a["cache"].(map[string]any)["source"] != "")
		})

		t.Run(path+" cannot be sent without Telegram", func(t *testing.T) {
			is := is.New(t)
			w := ask(h, http.MethodPost, "/ccm/telegram/"+path, `{"branch_id": 14}`)
			is.Equal(w.Code, http.StatusServiceUnavailable)
			a := object(t, w)
			is.Equal(a["error_code"], "telegram_disabled")
			is.Equal(a["records_sent"], 0.0)
			is.True(a["dataset_records"].(float64) > 0)
		})
	}
}

// BenchmarkWarmDryRun compares the dry run of a cached report with a bare
// handler that writes the same bytes, headers among them: the last figure is its
// requests a second in parts of the bare one's.
func BenchmarkWarmDryRun(b *testing.B) {
	const path, body = "/telegram/proximos-ingresos", `{"branch_id": 14, "days_ahead": 60, "dry_run": true}`
	h := api(b)
	first := ask(h, http.MethodPost, path, body)
	is.New(b).Equal(first.Code, http.StatusOK)
	same := bytes.Clone(first.Body.Bytes())
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		maps.Copy(w.Header(), first.Header())
		_, _ = w.Write(same)
	})
	var baseline float64
	b.Run("bare", func(b *testing.B) { baseline = perRequest(b, bare, path, body) })
	b.Run("ccm", func(b *testing.B) { b.ReportMetric(baseline/perRequest(b, h, path, body), "×bare") })
}

// perRequest measures requests over TCP, in nanoseconds each.
func perRequest(b *testing.B, h http.Handler, path, body string) float64 {
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
			request, _ := http.NewRequest(http.MethodPost, server.URL+path, strings.NewReader(body))
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
