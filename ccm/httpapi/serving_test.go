package httpapi_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/httpapi"
)

func TestMethodsAndPaths(t *testing.T) {
	h := api(t, httpapi.Config{})

	t.Run("says which methods a path has", func(t *testing.T) {
		for path, allow := range map[string]string{
			arrivals: "POST", birthday: "POST", alert: "POST",
			"/datasets/branch_summary": "GET, HEAD", "/health": "GET, HEAD", "/ready": "GET, HEAD", "/": "GET, HEAD",
			"/docs": "GET, HEAD", "/docs/init.js": "GET, HEAD", "/openapi.json": "GET, HEAD",
		} {
			t.Run(path, func(t *testing.T) {
				is := is.New(t)
				r := call(t, h, "PUT", path, "")
				r.problem()
				is.Equal(r.Code, http.StatusMethodNotAllowed)
				is.Equal(r.Header().Get("Allow"), allow)
			})
		}
	})

	t.Run("answers unknown and odd paths with a 404 that leads nowhere", func(t *testing.T) {
		for _, path := range []string{"/nada", "/telegram", "/telegram/", "/health/", "//health", "/docs/../health", "/./health", "/metrics", "/docs/secreto"} {
			t.Run(path, func(t *testing.T) {
				is := is.New(t)
				r := call(t, h, "GET", path, "")
				r.problem()
				is.Equal(r.Code, http.StatusNotFound)
				is.Equal(r.Header().Get("Location"), "")
			})
		}
	})

	t.Run("answers HEAD without a body", func(t *testing.T) {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		for _, path := range []string{"/", "/health", "/openapi.json", "/docs", "/docs/swagger-ui.css", "/datasets/branch_summary"} {
			t.Run(path, func(t *testing.T) {
				is := is.New(t)
				head, err := http.Head(server.URL + path)
				is.NoErr(err)
				body, err := io.ReadAll(head.Body)
				is.NoErr(err)
				is.NoErr(head.Body.Close())
				is.Equal(len(body), 0)
				get, err := http.Get(server.URL + path)
				is.NoErr(err)
				is.NoErr(get.Body.Close())
				is.Equal(head.StatusCode, get.StatusCode)
				is.Equal(head.Header.Get("Content-Type"), get.Header.Get("Content-Type"))
			})
		}
	})
}

func TestMounting(t *testing.T) {
	h := api(t, httpapi.Config{})
	mux := http.NewServeMux()
	mux.Handle("/ccm/", http.StripPrefix("/ccm", h))
	mux.Handle("/ccm", http.StripPrefix("/ccm", h))

	t.Run("works under a host's prefix", func(t *testing.T) {
		is := is.New(t)
		for _, path := range []string{"/ccm/", "/ccm", "/ccm/health", "/ccm/docs", "/ccm/docs/swagger-ui.css", "/ccm/docs/swagger-ui-bundle.js", "/ccm/docs/init.js", "/ccm/openapi.json"} {
			is.Equal(call(t, mux, "GET", path, "").Code, http.StatusOK)
		}
		is.Equal(call(t, mux, "POST", "/ccm"+arrivals, "{}").Code, http.StatusServiceUnavailable)
	})

	t.Run("has only relative addresses in its pages", func(t *testing.T) {
		is := is.New(t)
		page := call(t, mux, "GET", "/ccm/docs", "").Body.String()
		is.True(!strings.Contains(page, `="/`))
		is.True(!strings.Contains(page, "//"))
		is.Equal(call(t, mux, "GET", "/ccm/docs/", "").Header().Get("Location"), "../docs")
		is.Equal(call(t, mux, "GET", "/ccm/", "").object()["docs"], "docs")
	})
}

func TestRequestID(t *testing.T) {
	h := api(t, httpapi.Config{})
	get := func(id string) string {
		return call(t, h, "GET", "/ready", "", "X-Request-ID: "+id).problem()["message_id"].(string)
	}

	t.Run("keeps a fit one", func(t *testing.T) {
		is := is.New(t)
		for _, id := range []string{"a", "Abc-1.2_3", strings.Repeat("x", 128)} {
			is.Equal(get(id), id)
		}
	})

	t.Run("makes one where it is missing or unfit", func(t *testing.T) {
		is := is.New(t)
		seen := map[string]bool{}
		for _, id := range []string{"", "con espacio", "ñ", "a/b", "a\tb", strings.Repeat("x", 129)} {
			made := get(id)
			is.True(made != id)
			is.True(len(made) >= 16)
			is.True(!seen[made])
			seen[made] = true
		}
	})
}

func TestSecurityHeaders(t *testing.T) {
	h := api(t, httpapi.Config{})
	for _, path := range []string{"/", "/health", "/nada", "/docs", "/openapi.json", "/docs/init.js"} {
		t.Run(path, func(t *testing.T) {
			is := is.New(t)
			header := call(t, h, "GET", path, "").Header()
			is.Equal(header.Get("X-Content-Type-Options"), "nosniff")
			is.Equal(header.Get("Referrer-Policy"), "no-referrer")
			is.Equal(header.Get("X-Frame-Options"), "DENY")
			is.Equal(header.Get("Cache-Control"), "no-store")
			policy := header.Get("Content-Security-Policy")
			is.True(strings.Contains(policy, "default-src 'none'"))
			is.True(strings.Contains(policy, "frame-ancestors 'none'"))
			is.True(!strings.Contains(policy, "script-src 'unsafe"))
		})
	}
}

func TestPanic(t *testing.T) {
	const secret = "clave-que-nadie-debe-ver"
	var lines journal
	h := api(t, httpapi.Config{
		Logger:  lines.logger(slog.LevelDebug),
		Metrics: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("fallo con " + secret) }),
	})
	r := call(t, h, "GET", "/metrics", "", "X-Request-ID: abc")

	t.Run("answers a 500 that tells nothing", func(t *testing.T) {
		is := is.New(t)
		is.Equal(r.Code, http.StatusInternalServerError)
		is.Equal(r.problem()["error_code"], "internal_error")
		is.True(!strings.Contains(r.Body.String(), secret))
	})

	t.Run("leaves the stack in the log, without the value", func(t *testing.T) {
		is := is.New(t)
		found := lines.lines(t, "pánico al atender una petición")
		is.Equal(len(found), 1)
		is.Equal(found[0]["level"], "ERROR")
		is.Equal(found[0]["request_id"], "abc")
		is.Equal(found[0]["route"], "/metrics")
		is.True(strings.Contains(found[0]["stack"].(string), "TestPanic"))
		is.True(!strings.Contains(lines.String(), secret))
		is.Equal(lines.lines(t, "petición atendida")[0]["status"], 500.0)
	})

	t.Run("shows what the runtime says of a fault of the program", func(t *testing.T) {
		is := is.New(t)
		var empty []int
		h := api(t, httpapi.Config{
			Logger:  lines.logger(slog.LevelDebug),
			Metrics: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { _ = empty[3] }),
		})
		call(t, h, "GET", "/metrics", "")
		is.True(strings.Contains(lines.String(), "index out of range [3]"))
	})

	t.Run("passes on a handler's wish to abort", func(t *testing.T) {
		is := is.New(t)
		h := api(t, httpapi.Config{Metrics: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })})
		defer func() { is.Equal(recover(), http.ErrAbortHandler) }()
		call(t, h, "GET", "/metrics", "")
	})

	t.Run("does not write into an answer under way", func(t *testing.T) {
		is := is.New(t)
		h := api(t, httpapi.Config{Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "media")
			panic("tarde")
		})})
		r := call(t, h, "GET", "/metrics", "")
		is.Equal(r.Code, http.StatusOK)
		is.Equal(r.Body.String(), "media")
	})
}

func TestTimeouts(t *testing.T) {
	t.Run("bounds the whole request", func(t *testing.T) {
		is := is.New(t)
		var left time.Duration
		h := api(t, httpapi.Config{Timeout: 7 * time.Second, Metrics: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			deadline, _ := r.Context().Deadline()
			left = time.Until(deadline)
		})})
		call(t, h, "GET", "/metrics", "")
		is.True(left > 0)
		is.True(left <= 7*time.Second)
	})

	t.Run("bounds how long a body may take", func(t *testing.T) {
		is := is.New(t)
		h := api(t, httpapi.Config{})
		hasty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(impatient{w}, r)
		}))
		t.Cleanup(hasty.Close)
		conn, err := net.Dial("tcp", hasty.Listener.Addr().String())
		is.NoErr(err)
		t.Cleanup(func() { conn.Close() })
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{", arrivals)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		is.NoErr(err)
		is.Equal(response.StatusCode, http.StatusRequestTimeout)
		is.NoErr(response.Body.Close())
	})

	t.Run("says when a body ends too early", func(t *testing.T) {
		is := is.New(t)
		server := httptest.NewServer(api(t, httpapi.Config{}))
		t.Cleanup(server.Close)
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		is.NoErr(err)
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{", arrivals)
		is.NoErr(conn.(*net.TCPConn).CloseWrite())
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		is.NoErr(err)
		is.Equal(response.StatusCode, http.StatusBadRequest)
		is.NoErr(response.Body.Close())
		is.NoErr(conn.Close())
	})
}

// impatient is a connection on which any deadline to read has just passed.
type impatient struct{ http.ResponseWriter }

func (w impatient) SetReadDeadline(t time.Time) error {
	if !t.IsZero() {
		t = time.Unix(1, 0)
	}
	return http.NewResponseController(w.ResponseWriter).SetReadDeadline(t)
}

func (w impatient) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestDocsSwitchedOff(t *testing.T) {
	h := api(t, httpapi.Config{NoDocs: true})
	for _, path := range []string{"/docs", "/docs/swagger-ui.css", "/openapi.json"} {
		t.Run(path+" is not there", func(t *testing.T) {
			is := is.New(t)
			r := call(t, h, "GET", path, "")
			r.problem()
			is.Equal(r.Code, http.StatusNotFound)
		})
	}
	t.Run("the index does not lead there", func(t *testing.T) {
		is := is.New(t)
		is.Equal(call(t, h, "GET", "/", "").object()["docs"], nil)
	})
}

func TestLog(t *testing.T) {
	t.Run("is one INFO line a request with where its time went", func(t *testing.T) {
		is := is.New(t)
		var lines journal
		h := httpapi.New(open(t, ccm.Config{}), httpapi.Config{
			Logger: lines.logger(slog.LevelInfo), Keys: map[string]string{"panel": someKey}})
		call(t, h, "POST", alert, `{"title": "Título secreto", "body": "b", "branch_id": 14, "dry_run": true}`, "X-API-Key: "+someKey, "X-Request-ID: r-1")
		found := lines.lines(t, "petición atendida")
		is.Equal(len(found), 1)
		line := found[0]
		for _, key := range []string{"duration_ms", "db_ms", "cache_ms", "telegram_ms"} {
			_, ok := line[key].(float64)
			is.True(ok)
		}
		is.Equal(line["level"], "INFO")
		is.Equal(line["etapa"], "http")
		is.Equal(line["request_id"], "r-1")
		is.Equal(line["message_id"], "r-1")
		is.Equal(line["method"], "POST")
		is.Equal(line["route"], alert)
		is.Equal(line["status"], 200.0)
		is.Equal(line["client"], "panel")
		is.Equal(line["dataset_id"], "alert")
		is.Equal(line["records_sent"], 0.0)
		is.True(!strings.Contains(lines.String(), "secreto"))
		is.True(!strings.Contains(lines.String(), someKey))
	})

	t.Run("has the error code, and no unknown path", func(t *testing.T) {
		is := is.New(t)
		var lines journal
		h := httpapi.New(open(t, ccm.Config{}), httpapi.Config{Logger: lines.logger(slog.LevelInfo)})
		call(t, h, "POST", arrivals, `{"branch_id": 14}`)
		call(t, h, "GET", "/bot123:token", "")
		found := lines.lines(t, "petición atendida")
		is.Equal(len(found), 2)
		is.Equal(found[0]["error_code"], "dataset_error")
		is.Equal(found[1]["route"], "")
		is.True(!strings.Contains(lines.String(), "123:token"))
	})

	t.Run("keeps probes at DEBUG", func(t *testing.T) {
		is := is.New(t)
		var lines journal
		h := httpapi.New(open(t, ccm.Config{}), httpapi.Config{Logger: lines.logger(slog.LevelDebug)})
		call(t, h, "GET", "/health", "")
		call(t, h, "GET", "/ready", "")
		found := lines.lines(t, "petición atendida")
		is.Equal(len(found), 2)
		is.Equal(found[0]["level"], "DEBUG")
		is.Equal(found[1]["level"], "DEBUG")
	})

	t.Run("warns of an API without keys", func(t *testing.T) {
		is := is.New(t)
		var lines journal
		httpapi.New(open(t, ccm.Config{}), httpapi.Config{Logger: lines.logger(slog.LevelInfo)})
		is.True(strings.Contains(lines.String(), `"WARN"`))
	})
}

func TestReady(t *testing.T) {
	is := is.New(t)
	h := api(t, httpapi.Config{})
	is.Equal(call(t, h, "GET", "/ready", "").Code, http.StatusServiceUnavailable)
	h.SetReady(true)
	is.Equal(call(t, h, "GET", "/ready", "").object()["status"], "ready")
	h.SetReady(false)
	is.Equal(call(t, h, "GET", "/ready", "").Code, http.StatusServiceUnavailable)
}

func TestMetrics(t *testing.T) {
	is := is.New(t)
	h := api(t, httpapi.Config{
		Keys:    map[string]string{"prometheus": someKey},
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "up 1\n") }),
	})
	is.Equal(call(t, h, "GET", "/metrics", "").Code, http.StatusUnauthorized)
	is.Equal(call(t, h, "GET", "/metrics", "", "X-API-Key: "+someKey).Body.String(), "up 1\n")
}
