package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm/httpapi"
)

func TestBodiesAreReadLeniently(t *testing.T) {
	h := api(t, httpapi.Config{})
	// Without a database a request that was understood fails as dataset_error.
	understood := map[string]string{
		"all by default":              `{}`,
		"no body":                     ``,
		"blanks":                      " \n",
		"null body":                   `null`,
		"null values":                 `{"branch_id": null, "days_ahead": null, "force_refresh": null}`,
		"unknown fields":              `{"color": "azul", "nested": {"a": [1, 2]}}`,
		"integers as strings":         `{"branch_id": "14", "days_ahead": " 30 "}`,
		"integral floats":             `{"branch_id": 14.0, "days_ahead": "45.0"}`,
		"exponents":                   `{"days_ahead": 3e1}`,
		"booleans as words":           `{"force_refresh": "On"}`,
		"booleans as numbers":         `{"force_refresh": 0}`,
		"duplicate keys: last counts": `{"days_ahead": 0, "days_ahead": 7}`,
		"the first day":               `{"days_ahead": 1}`,
		"the last day":                `{"days_ahead": 180}`,
	}
	for name, body := range understood {
		t.Run("takes "+name, func(t *testing.T) {
			is := is.New(t)
			r := call(t, h, "POST", arrivals, body)
			is.Equal(r.Code, http.StatusServiceUnavailable)
			is.Equal(r.object()["error_code"], "dataset_error")
		})
	}

	refused := map[string]string{
		`{"days_ahead": 0}`:                "body.days_ahead",
		`{"days_ahead": 181}`:              "body.days_ahead",
		`{"days_ahead": 4.5}`:              "body.days_ahead",
		`{"days_ahead": "4.5"}`:            "body.days_ahead",
		`{"days_ahead": true}`:             "body.days_ahead",
		`{"days_ahead": 1e400}`:            "body.days_ahead",
		`{"days_ahead": "treinta"}`:        "body.days_ahead",
		`{"days_ahead": ""}`:               "body.days_ahead",
		`{"branch_id": 0}`:                 "body.branch_id",
		`{"branch_id": -3}`:                "body.branch_id",
		`{"branch_id": 99999999999999999}`: "body.branch_id",
		`{"branch_id": [14]}`:              "body.branch_id",
		`{"force_refresh": 2}`:             "body.force_refresh",
		`{"dry_run": "quizá"}`:             "body.dry_run",
		`{"dry_run": {}}`:                  "body.dry_run",
		`[1, 2]`:                           "body",
		`"hola"`:                           "body",
	}
	for body, where := range refused {
		t.Run("refuses "+body, func(t *testing.T) {
			is := is.New(t)
			r := call(t, h, "POST", arrivals, body)
			is.Equal(r.Code, http.StatusUnprocessableEntity)
			is.Equal(r.locations(), []string{where})
			is.Equal(r.problem()["error_code"], "invalid_request")
		})
	}

	t.Run("names every fault at once, and the bounds", func(t *testing.T) {
		is := is.New(t)
		r := call(t, h, "POST", arrivals+"?dry_run=true", `{"branch_id": "x", "days_ahead": 500, "force_refresh": "z", "dry_run": 7}`)
		is.Equal(r.Code, http.StatusUnprocessableEntity)
		is.Equal(r.locations(), []string{"query.dry_run", "body.branch_id", "body.days_ahead", "body.force_refresh", "body.dry_run"})
		is.True(strings.Contains(r.problem()["detail"].(string), "entre 1 y 180"))
	})

	t.Run("lets birthdays look a year ahead", func(t *testing.T) {
		is := is.New(t)
		is.Equal(call(t, h, "POST", birthday, `{"days_ahead": 365}`).Code, http.StatusServiceUnavailable)
		is.Equal(call(t, h, "POST", birthday, `{"days_ahead": 366}`).locations(), []string{"body.days_ahead"})
	})
}

func TestAlertsAreRead(t *testing.T) {
	h := api(t, httpapi.Config{})
	for _, level := range []string{`"info"`, `"warning"`, `"error"`, `"success"`, `"WARNING"`, `null`} {
		t.Run("takes the level "+level, func(t *testing.T) {
			is := is.New(t)
			r := call(t, h, "POST", alert, fmt.Sprintf(`{"title": "a", "body": "b", "level": %s, "dry_run": true}`, level))
			is.Equal(r.Code, http.StatusOK)
		})
	}

	t.Run("takes a branch of none", func(t *testing.T) {
		is := is.New(t)
		is.Equal(call(t, h, "POST", alert, `{"title": "a", "body": "b", "branch_id": 0, "dry_run": true}`).Code, http.StatusOK)
	})

	t.Run("wants a title and a body, and a level it knows", func(t *testing.T) {
		is := is.New(t)
		r := call(t, h, "POST", alert, `{"title": " ", "level": "urgente"}`)
		is.Equal(r.Code, http.StatusUnprocessableEntity)
		is.Equal(r.locations(), []string{"body.title", "body.body", "body.level"})
		is.True(strings.Contains(r.problem()["detail"].(string), "info, warning, error, success"))
		is.Equal(call(t, h, "POST", alert, `{"title": 5, "body": "b"}`).locations(), []string{"body.title"})
		is.Equal(call(t, h, "POST", alert, ``).locations(), []string{"body.title", "body.body"})
		is.Equal(call(t, h, "POST", alert, `{"title": "`+strings.Repeat("ñ", 201)+`", "body": "b"}`).locations(), []string{"body.title"})
	})
}

func TestBodiesThatAreNoRequest(t *testing.T) {
	h := api(t, httpapi.Config{})
	tests := map[string]struct {
		body    string
		headers []string
		status  int
	}{
		"broken JSON":              {`{"days_ahead": }`, nil, 400},
		"half a body":              {`{"days_ahead": 3`, nil, 400},
		"something behind":         {`{} {}`, nil, 400},
		"garbage behind":           {`{}]`, nil, 400},
		"bytes that are not UTF-8": {"{\"title\": \"\xff\"}", nil, 400},
		"a form":                   {`days_ahead=3`, []string{"Content-Type: ", "Content-Type: application/x-www-form-urlencoded"}, 415},
		"plain text":               {`{}`, []string{"Content-Type: ", "Content-Type: text/plain"}, 415},
		"a type that is none":      {`{}`, []string{"Content-Type: ", "Content-Type: ;;"}, 415},
		"compressed":               {`{}`, []string{"Content-Encoding: gzip"}, 415},
		"over 1 MiB":               {`{"x": "` + strings.Repeat("a", 1<<20) + `"}`, nil, 413},
		"deep nesting":             {strings.Repeat("[", 20000), nil, 400},
	}
	for name, tt := range tests {
		t.Run("refuses "+name, func(t *testing.T) {
			is := is.New(t)
			r := call(t, h, "POST", arrivals, tt.body, tt.headers...)
			r.problem()
			is.Equal(r.Code, tt.status)
		})
	}

	taken := map[string][]string{
		"a charset":       {"Content-Type: ", "Content-Type: application/json; charset=utf-8"},
		"no type":         {"Content-Type: "},
		"a +json type":    {"Content-Type: ", "Content-Type: application/vnd.ccm+json"},
		"upper case":      {"Content-Type: ", "Content-Type: Application/JSON"},
		"not compressing": {"Content-Encoding: identity"},
	}
	for name, headers := range taken {
		t.Run("takes "+name, func(t *testing.T) {
			is := is.New(t)
			is.Equal(call(t, h, "POST", alert, `{"title": "a", "body": "b", "dry_run": true}`, headers...).Code, http.StatusOK)
		})
	}

	t.Run("takes exactly 1 MiB", func(t *testing.T) {
		is := is.New(t)
		body := `{"title": "a", "body": "b", "dry_run": true, "x": "`
		body += strings.Repeat("x", 1<<20-len(body)-2) + `"}`
		is.Equal(len(body), 1<<20)
		is.Equal(call(t, h, "POST", alert, body).Code, http.StatusOK)
	})

	t.Run("takes an empty body whatever its type", func(t *testing.T) {
		is := is.New(t)
		r := call(t, h, "POST", arrivals, "", "Content-Type: application/x-www-form-urlencoded")
		is.Equal(r.object()["error_code"], "dataset_error")
	})
}

func TestQueriesAreRead(t *testing.T) {
	h := api(t, httpapi.Config{})
	understood := []string{
		"", "?branch_id=14&days_ahead=30&force_refresh=true", "?branch_id=&days_ahead=", "?days_ahead=0&days_ahead=9",
		"?days_ahead=45.0", "?force_refresh=on", "?branch_id=%2014%20",
	}
	for _, query := range understood {
		t.Run("takes "+query, func(t *testing.T) {
			is := is.New(t)
			r := call(t, h, "GET", "/datasets/upcoming_arrivals"+query, "")
			is.Equal(r.Code, http.StatusServiceUnavailable)
			is.Equal(r.problem()["error_code"], "dataset_error")
		})
	}

	t.Run("names every fault, unknown parameters too", func(t *testing.T) {
		is := is.New(t)
		r := call(t, h, "GET", "/datasets/upcoming_arrivals?days_ahead=181&branch_id=x&zeta=1&alfa=2", "")
		is.Equal(r.Code, http.StatusUnprocessableEntity)
		is.Equal(r.locations(), []string{"query.branch_id", "query.days_ahead", "query.alfa", "query.zeta"})
	})

	t.Run("knows four datasets, and the old name of one", func(t *testing.T) {
		is := is.New(t)
		for _, id := range []string{"upcoming_arrivals", "upcoming_birthdays", "branch_summary", "district_kpis", "district_kpi"} {
			is.Equal(call(t, h, "GET", "/datasets/"+id, "").problem()["error_code"], "dataset_error")
		}
		r := call(t, h, "GET", "/datasets/otro", "")
		is.Equal(r.Code, http.StatusNotFound)
		is.True(strings.Contains(r.problem()["detail"].(string), "branch_summary"))
	})
}
