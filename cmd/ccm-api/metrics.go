package main

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/ccm"
)

// metrics are what GET /metrics shows.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(client *ccm.Client) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ccm_http_requests_total", Help: "Peticiones atendidas.",
		}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ccm_http_request_duration_seconds", Help: "Duración de las peticiones.",
			Buckets: []float64{.001, .005, .025, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"route"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "ccm_build_info", Help: "La versión en marcha.", ConstLabels: prometheus.Labels{"version": version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.seconds, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registerCache(client.Cache())
	m.registerSends(client)
	return m
}

// registerSends shows what was sent, and how the journal answers.
func (m *metrics) registerSends(client *ccm.Client) {
	counter := func(name, help string, labels prometheus.Labels, read func(ccm.Stats) float64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels},
			func() float64 { return read(client.Stats()) }))
	}
	for _, state := range []ccm.State{ccm.Delivered, ccm.Refused, ccm.Uncertain, ccm.Pending} {
		counter("ccm_deliveries_total", "Envíos terminados, por su estado.", prometheus.Labels{"state": string(state)},
			func(s ccm.Stats) float64 { return float64(s.Deliveries[state]) })
	}
	counter("ccm_parts_uncertain_total", "Partes sin confirmar: una persona decide.", nil, func(s ccm.Stats) float64 { return float64(s.UncertainParts) })
	counter("ccm_deliveries_recovered_total", "Envíos interrumpidos que este proceso retomó.", nil, func(s ccm.Stats) float64 { return float64(s.Recovered) })
	counter("ccm_alerts_unrecorded_total", "Alertas que salieron sin diario.", nil, func(s ccm.Stats) float64 { return float64(s.Unrecorded) })
	counter("ccm_journal_calls_total", "Consultas al diario.", nil, func(s ccm.Stats) float64 { return float64(s.JournalCalls) })
	counter("ccm_journal_errors_total", "Consultas que el diario no contestó.", nil, func(s ccm.Stats) float64 { return float64(s.JournalErrors) })
	counter("ccm_journal_seconds_total", "Lo que duraron las consultas al diario.", nil, func(s ccm.Stats) float64 { return s.JournalTime.Seconds() })
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ccm_journal_up", Help: "1 si el diario contestó a la última consulta.",
	}, func() float64 {
		if client.Stats().JournalDown {
			return 0
		}
		return 1
	}))
}

// registerCache shows the counters of the cache.
func (m *metrics) registerCache(backend *cache.Backend) {
	for _, c := range []struct {
		name, help string
		read       func(cache.Stats) int64
	}{
		{"ccm_cache_memory_hits_total", "Datos servidos de la memoria.", func(s cache.Stats) int64 { return s.MemoryHits }},
		{"ccm_cache_redis_hits_total", "Datos servidos de Redis.", func(s cache.Stats) int64 { return s.RedisHits }},
		{"ccm_cache_misses_total", "Datos que no estaban en la caché.", func(s cache.Stats) int64 { return s.Misses }},
		{"ccm_cache_loads_total", "Cargas desde la base de datos.", func(s cache.Stats) int64 { return s.Loads }},
		{"ccm_cache_load_errors_total", "Cargas que fallaron.", func(s cache.Stats) int64 { return s.LoadErrors }},
		{"ccm_cache_stale_total", "Datos anteriores que suplieron a la base de datos.", func(s cache.Stats) int64 { return s.StaleServed }},
		{"ccm_cache_refreshes_total", "Cargas antes de que los datos caducaran.", func(s cache.Stats) int64 { return s.Refreshes }},
		{"ccm_cache_evictions_total", "Datos que no cupieron en la memoria.", func(s cache.Stats) int64 { return s.Evictions }},
		{"ccm_cache_redis_errors_total", "Consultas a Redis que fallaron.", func(s cache.Stats) int64 { return s.RedisErrors }},
		{"ccm_cache_unreadable_total", "Entradas de Redis que no se pudieron leer.", func(s cache.Stats) int64 { return s.Unreadable }},
	} {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: c.name, Help: c.help},
			func() float64 { return float64(c.read(backend.Stats())) }))
	}
	for _, g := range []struct {
		name, help string
		read       func(cache.Stats) int64
	}{
		{"ccm_cache_memory_bytes", "Lo que ocupan los datos en memoria.", func(s cache.Stats) int64 { return s.Bytes }},
		{"ccm_cache_memory_entries", "Las entradas en memoria.", func(s cache.Stats) int64 { return s.Entries }},
		{"ccm_cache_pending_invalidations", "Invalidaciones que Redis aún no sabe.", func(s cache.Stats) int64 { return s.Pending }},
	} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: g.name, Help: g.help},
			func() float64 { return float64(g.read(backend.Stats())) }))
	}
	for _, state := range []cache.Breaker{cache.BreakerNone, cache.BreakerClosed, cache.BreakerOpen, cache.BreakerHalfOpen} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "ccm_cache_redis", Help: "1 en el estado de Redis: none, no hay; closed, se usa; open, falla; half-open, se le está probando.",
			ConstLabels: prometheus.Labels{"state": state.String()},
		}, func() float64 {
			if backend.Stats().Breaker == state {
				return 1
			}
			return 0
		}))
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// measure counts and times what next answers.
func (m *metrics) measure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		route := routeOf(r.URL.Path)
		m.requests.WithLabelValues(route, methodOf(r.Method), strconv.Itoa(seen.status)).Inc()
		m.seconds.WithLabelValues(route).Observe(time.Since(began).Seconds())
	})
}

// routeOf is one of a few labels, whatever a client asks for.
func routeOf(path string) string {
	switch path {
	case "/telegram/proximos-ingresos", "/telegram/proximos-cumpleanos", "/telegram/alerta",
		"/extraccion_generacion", "/cache", "/cache/invalidate", "/cache/warm", "/deliveries",
		"/health", "/ready", "/metrics", "/docs", "/openapi.json", "/":
		return path
	}
	if rest, found := strings.CutPrefix(path, "/deliveries/"); found {
		_, action, _ := strings.Cut(rest, "/")
		switch action {
		case "":
			return "/deliveries/{delivery_id}"
		case "resend", "discard":
			return "/deliveries/{delivery_id}/" + action
		}
	}
	if strings.HasPrefix(path, "/datasets/") {
		return "/datasets/{dataset_id}"
	}
	return "other"
}

func methodOf(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return method
	}
	return "other"
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
