// Package httpapi is the HTTP API of CCM as an importable [http.Handler]:
// reports, alerts and datasets over JSON, API keys, idempotent sends, problem
// answers, OpenAPI 3.1 and a docs page that needs no network.
//
// Call [New] with an open [ccm.Client] and mount what it returns, at the root
// or under a prefix of your own:
//
//	api := httpapi.New(client, httpapi.Config{Keys: map[string]string{"panel": key}})
//	mux.Handle("/ccm/", http.StripPrefix("/ccm", api))
//	api.SetReady(true)
//
// Call [Handler.SetReady] once the process may take traffic, and again with
// false when it begins to shut down: GET /ready answers 503 otherwise, and
// nothing else depends on it. A service that reads its settings from the
// environment gets its [Config] from [ParseEnv]; [Settings] lists them.
// [Handler.OpenAPI] is the document that GET /openapi.json answers.
//
// The handler brings its own time-outs for reading a body and for the whole
// request, but not those of the connection: set ReadHeaderTimeout and
// IdleTimeout of the [http.Server], and leave its WriteTimeout zero or above
// Config.Timeout.
//
// # Answers
//
// An operation that failed (a report that could not be sent) answers with the
// same body as one that worked and a fitting status. A request that never
// became an operation, and any failure of a GET, answers
// application/problem+json (RFC 9457), in Spanish, with the error_code of
// package ccm where there is one. No answer shows an internal cause.
//
// # Compatibility
//
// Fields and endpoints are added, never renamed or dropped. Bodies are read as
// leniently as the Python service did: unknown fields are ignored, "14" and
// 45.0 are integers, "on" is a boolean, null is the default.
package httpapi
