package httpapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/httpapi"
)

var update = flag.Bool("update", false, "write testdata/openapi.json anew")

func document(t *testing.T, cfg httpapi.Config) map[string]any {
	t.Helper()
	is := is.New(t)
	raw, err := httpapi.New(open(t, ccm.Config{}), cfg).OpenAPI()
	is.NoErr(err)
	var doc map[string]any
	is.NoErr(json.Unmarshal(raw, &doc))
	return doc
}

// operations calls f with every operation of the document.
func operations(doc map[string]any, f func(name string, op map[string]any)) {
	for path, item := range doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			f(strings.ToUpper(method)+" "+path, op.(map[string]any))
		}
	}
}

func TestOpenAPI(t *testing.T) {
	cfg := httpapi.Config{Version: "1.2.3", Metrics: http.NotFoundHandler()}
	doc := document(t, cfg)

	t.Run("is the golden document", func(t *testing.T) {
		is := is.New(t)
		got, err := json.MarshalIndent(doc, "", "  ")
		is.NoErr(err)
		got = append(got, '\n')
		if *update {
			is.NoErr(os.WriteFile("testdata/openapi.json", got, 0o644))
		}
		want, err := os.ReadFile("testdata/openapi.json")
		is.NoErr(err)
		if !bytes.Equal(got, want) {
			t.Fatal("testdata/openapi.json is not what the code says; see the difference with go test ./ccm/httpapi -run OpenAPI -update && git diff")
		}
	})

	t.Run("is OpenAPI 3.1 with a relative server", func(t *testing.T) {
		is := is.New(t)
		is.Equal(doc["openapi"], "3.1.0")
		is.Equal(doc["info"].(map[string]any)["version"], "1.2.3")
		is.Equal(doc["servers"].([]any)[0].(map[string]any)["url"], ".")
	})

	t.Run("resolves every reference", func(t *testing.T) {
		eachRef(doc, func(ref string) {
			if resolve(doc, ref) == nil {
				t.Errorf("%s leads nowhere", ref)
			}
		})
	})

	t.Run("gives every operation its words, its examples and its errors", func(t *testing.T) {
		operations(doc, func(name string, op map[string]any) {
			for _, key := range []string{"summary", "operationId", "tags"} {
				if op[key] == nil {
					t.Errorf("%s has no %s", name, key)
				}
			}
			failures := 0
			for status, response := range op["responses"].(map[string]any) {
				if status >= "400" {
					failures++
				}
				checkContent(t, doc, name+" "+status, response.(map[string]any))
			}
			if failures == 0 {
				t.Errorf("%s says nothing of its errors", name)
			}
			if body, ok := op["requestBody"].(map[string]any); ok {
				checkContent(t, doc, name+" body", body)
			}
		})
	})

	t.Run("describes every field", func(t *testing.T) {
		for name, schema := range doc["components"].(map[string]any)["schemas"].(map[string]any) {
			for field, property := range schema.(map[string]any)["properties"].(map[string]any) {
				if property.(map[string]any)["description"] == nil {
					t.Errorf("%s.%s has no description", name, field)
				}
			}
		}
	})

	t.Run("asks a key of what needs one", func(t *testing.T) {
		is := is.New(t)
		needs := map[string]bool{}
		operations(doc, func(name string, op map[string]any) {
			needs[name] = op["security"] != nil && op["responses"].(map[string]any)["401"] != nil
		})
		is.Equal(needs, map[string]bool{
			"POST /telegram/proximos-ingresos": true, "POST /telegram/proximos-cumpleanos": true, "POST /telegram/alerta": true, "POST /extraccion_generacion": true,
			"GET /datasets/{dataset_id}": true, "GET /metrics": true,
			"GET /deliveries": true, "GET /deliveries/{delivery_id}": true,
			"POST /deliveries/{delivery_id}/resend": true, "POST /deliveries/{delivery_id}/discard": true,
			"GET /cache": true, "POST /cache/invalidate": true, "POST /cache/warm": true,
			"GET /": false, "GET /health": false, "GET /ready": false, "GET /docs": false, "GET /openapi.json": false,
		})
	})

	t.Run("shows an example of every error code", func(t *testing.T) {
		raw, _ := json.Marshal(doc)
		for _, code := range []ccm.Code{
			ccm.CodeInternal, ccm.CodeInvalidRequest, ccm.CodeInvalidBranch, ccm.CodeMissingRows, ccm.CodeMissingFields,
			ccm.CodeDuplicateRecords, ccm.CodeInvalidTotal, ccm.CodeInvalidKPI, ccm.CodeInvalidCount, ccm.CodeDataset, ccm.CodeCache,
			ccm.CodeTelegramDisabled, ccm.CodeTelegramAPI, ccm.CodeTelegramHTTP, ccm.CodeTelegramStatus, ccm.CodeTelegramEmpty,
			ccm.CodeTelegramRateLimited, ccm.CodeTelegramTimeout, ccm.CodeKeyReused, ccm.CodeKeyBusy, ccm.CodeInvalidKey,
			ccm.CodeJournal, ccm.CodeUnknownDelivery, ccm.CodeDeliverySent, ccm.CodeDeliveryBusy, ccm.CodeDeliveryPurged,
		} {
			if !bytes.Contains(raw, []byte(`"error_code":"`+string(code)+`"`)) {
				t.Errorf("no example of %s", code)
			}
		}
	})

	t.Run("leaves out what is not served", func(t *testing.T) {
		is := is.New(t)
		paths := document(t, httpapi.Config{NoDocs: true})["paths"].(map[string]any)
		is.Equal(paths["/docs"], nil)
		is.Equal(paths["/openapi.json"], nil)
		is.Equal(paths["/metrics"], nil)
		is.True(paths["/health"] != nil)
	})
}

func TestAnswersFitTheDocument(t *testing.T) {
	doc := document(t, httpapi.Config{})
	healthy, _ := withTelegram(t, httpapi.Config{})
	locked := api(t, httpapi.Config{Keys: map[string]string{"panel": someKey}})
	bare := api(t, httpapi.Config{})
	tests := []struct {
		h                          http.Handler
		method, path, target, body string
		status                     int
	}{
		{healthy, "post", alert, alert, someAlert, 200},
		{bare, "post", alert, alert, someAlert, 503},
		{bare, "post", alert, alert, `{`, 400},
		{bare, "post", alert, alert, `{}`, 422},
		{locked, "post", alert, alert, someAlert, 401},
		{bare, "post", arrivals, arrivals, `{}`, 503},
		{bare, "post", birthday, birthday, `{"days_ahead": 0}`, 422},
		{bare, "get", "/datasets/{dataset_id}", "/datasets/branch_summary", ``, 503},
		{bare, "get", "/datasets/{dataset_id}", "/datasets/otro", ``, 404},
		{bare, "get", "/datasets/{dataset_id}", "/datasets/branch_summary?x=1", ``, 422},
		{locked, "get", "/datasets/{dataset_id}", "/datasets/branch_summary", ``, 401},
		{healthy, "get", "/deliveries", "/deliveries?limit=1", ``, 200},
		{bare, "get", "/deliveries", "/deliveries?state=lost&x=1", ``, 422},
		{locked, "get", "/deliveries", "/deliveries", ``, 401},
		{bare, "get", "/deliveries/{delivery_id}", "/deliveries/x", ``, 404},
		{bare, "post", "/deliveries/{delivery_id}/discard", "/deliveries/x/discard", ``, 404},
		{healthy, "post", "/deliveries/{delivery_id}/resend", "/deliveries/x/resend", ``, 404},
		{bare, "post", "/deliveries/{delivery_id}/resend", "/deliveries/x/resend", ``, 503},
		{bare, "get", "/cache", "/cache", ``, 200},
		{bare, "post", "/cache/invalidate", "/cache/invalidate", `{"branch_id": 14}`, 200},
		{bare, "post", "/cache/invalidate", "/cache/invalidate", ``, 200},
		{bare, "post", "/cache/invalidate", "/cache/invalidate", `{"branch_id": 0}`, 422},
		{bare, "post", "/cache/warm", "/cache/warm", ``, 503},
		{bare, "get", "/health", "/health", ``, 200},
		{bare, "get", "/ready", "/ready", ``, 503},
		{bare, "get", "/", "/", ``, 200},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %s %s %d", tt.method, tt.target, tt.body, tt.status), func(t *testing.T) {
			is := is.New(t)
			r := call(t, tt.h, strings.ToUpper(tt.method), tt.target, tt.body)
			is.Equal(r.Code, tt.status)
			response := at(doc, "paths", tt.path, tt.method, "responses", fmt.Sprint(tt.status), "content", r.Header().Get("Content-Type"))
			is.True(response != nil) // the document knows this status and type
			is.Equal(misfit(doc, response["schema"].(map[string]any), r.object()), "")
		})
	}
}

// at is the object at the end of keys; nil where there is none.
func at(v map[string]any, keys ...string) map[string]any {
	for _, key := range keys {
		v, _ = v[key].(map[string]any)
	}
	return v
}

// checkContent wants of each media type a schema, and examples that have a
// value and fit it.
func checkContent(t *testing.T, doc map[string]any, where string, holder map[string]any) {
	t.Helper()
	content, _ := holder["content"].(map[string]any)
	if len(content) == 0 {
		t.Errorf("%s has no content", where)
	}
	for kind, media := range content {
		media := media.(map[string]any)
		if media["schema"] == nil {
			t.Errorf("%s %s has no schema", where, kind)
		}
		shown, _ := media["examples"].(map[string]any)
		if len(shown) == 0 {
			t.Errorf("%s %s has no example", where, kind)
		}
		for name, example := range shown {
			example := example.(map[string]any)
			if example["value"] == nil || example["summary"] == nil {
				t.Errorf("%s %s: the example %s is empty", where, kind, name)
			}
			if bad := misfit(doc, media["schema"].(map[string]any), example["value"]); bad != "" {
				t.Errorf("%s %s: the example %s breaks the schema: %s", where, kind, name, bad)
			}
		}
	}
}

func eachRef(v any, f func(string)) {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			f(ref)
		}
		for _, inner := range v {
			eachRef(inner, f)
		}
	case []any:
		for _, inner := range v {
			eachRef(inner, f)
		}
	}
}
