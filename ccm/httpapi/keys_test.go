package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm/httpapi"
)

func TestKeys(t *testing.T) {
	const other = "fedcba9876543210"
	h := api(t, httpapi.Config{Keys: map[string]string{"panel": someKey, "cron": other, "rota": ""}})

	t.Run("lets in each of them by either header", func(t *testing.T) {
		for _, header := range []string{
			"Authorization: Bearer " + someKey, "authorization: bearer " + other, "X-API-Key: " + someKey, "x-api-key:  " + other + " ",
		} {
			t.Run(header, func(t *testing.T) {
				is := is.New(t)
				is.Equal(call(t, h, "GET", "/datasets/branch_summary", "", header).Code, http.StatusServiceUnavailable)
			})
		}
	})

	t.Run("takes X-API-Key where a proxy keeps Authorization for itself", func(t *testing.T) {
		is := is.New(t)
		r := call(t, h, "GET", "/datasets/branch_summary", "", "Authorization: Bearer del-proxy", "X-API-Key: "+someKey)
		is.Equal(r.Code, http.StatusServiceUnavailable)
	})

	t.Run("keeps out the rest, and says how to ask", func(t *testing.T) {
		for _, header := range []string{
			"Accept: */*", "Authorization: Bearer otra", "Authorization: Basic " + someKey, "Authorization: " + someKey,
			"Authorization: Bearer ", "X-API-Key:  ", "X-API-Key: " + someKey[:15], "X-API-Key: " + someKey + "x", "X-API-Key: panel",
		} {
			for _, target := range []string{"POST " + arrivals, "POST " + birthday, "POST " + alert, "GET /datasets/branch_summary", "GET /datasets/otro"} {
				t.Run(header+" "+target, func(t *testing.T) {
					is := is.New(t)
					method, path, _ := strings.Cut(target, " ")
					r := call(t, h, method, path, "", header)
					r.problem()
					is.Equal(r.Code, http.StatusUnauthorized)
					is.True(strings.HasPrefix(r.Header().Get("WWW-Authenticate"), `Bearer realm="ccm"`))
				})
			}
		}
	})

	t.Run("are not asked for what is open", func(t *testing.T) {
		is := is.New(t)
		for _, path := range []string{"/", "/health", "/docs", "/docs/init.js", "/docs/swagger-ui.css", "/openapi.json"} {
			is.Equal(call(t, h, "GET", path, "").Code, http.StatusOK)
		}
		is.Equal(call(t, h, "GET", "/ready", "").Code, http.StatusServiceUnavailable)
	})

	t.Run("that are empty let nobody in", func(t *testing.T) {
		is := is.New(t)
		h := api(t, httpapi.Config{Keys: map[string]string{"rota": ""}})
		is.Equal(call(t, h, "GET", "/datasets/branch_summary", "").Code, http.StatusUnauthorized)
		is.Equal(call(t, h, "GET", "/datasets/branch_summary", "", "Authorization: Bearer ").Code, http.StatusUnauthorized)
	})
}

func TestWithoutKeys(t *testing.T) {
	h := api(t, httpapi.Config{})
	const body = `{"title": "a", "body": "b", "dry_run": true}`

	t.Run("takes requests of programs and of its own page", func(t *testing.T) {
		is := is.New(t)
		is.Equal(call(t, h, "POST", alert, body).Code, http.StatusOK)
		is.Equal(call(t, h, "POST", alert, body, "Sec-Fetch-Site: same-origin", "Origin: http://example.com").Code, http.StatusOK)
	})

	t.Run("refuses what a foreign page makes a browser send", func(t *testing.T) {
		is := is.New(t)
		r := call(t, h, "POST", alert, body, "Sec-Fetch-Site: cross-site", "Origin: https://malo.example")
		r.problem()
		is.Equal(r.Code, http.StatusForbidden)
	})

	t.Run("leaves foreign pages to the key where there is one", func(t *testing.T) {
		is := is.New(t)
		h := api(t, httpapi.Config{Keys: map[string]string{"panel": someKey}})
		is.Equal(call(t, h, "POST", alert, body, "Sec-Fetch-Site: cross-site", "X-API-Key: "+someKey).Code, http.StatusOK)
	})
}
