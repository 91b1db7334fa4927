package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/ccmwf/ccm/ccm"
)

// Header values that never change are shared: nothing writes into them.
var (
	noSniff      = []string{"nosniff"}
	noReferrer   = []string{"no-referrer"}
	noFrame      = []string{"DENY"}
	noStore      = []string{"no-store"}
	answerPolicy = []string{"default-src 'none'; frame-ancestors 'none'"}
)

// secure sets what every answer carries; the docs page loosens it for itself.
func secure(header http.Header) {
	header["X-Content-Type-Options"] = noSniff
	header["Referrer-Policy"] = noReferrer
	header["X-Frame-Options"] = noFrame
	header["Cache-Control"] = noStore
	header["Content-Security-Policy"] = answerPolicy
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := requestID(r.Header)
	x := &exchange{ResponseWriter: w, id: id, messageID: id, began: h.cfg.Now(), facts: make([]slog.Attr, 0, 12)}
	header := w.Header()
	secure(header)
	header["X-Request-Id"] = []string{x.id}

	ctx, cancel := context.WithTimeout(r.Context(), h.cfg.Timeout)
	defer cancel()
	ctx = ccm.WithTimings(ccm.WithMessageID(ctx, x.id), &x.timings)
	r = r.WithContext(ctx)
	defer h.log(x, r)
	defer h.recover(x, r)
	h.dispatch(x, r)
}

// dispatch hands the request to the mux. Paths that the mux would redirect are
// dealt with first: under a host's prefix its redirect would lead out of it.
func (h *Handler) dispatch(x *exchange, r *http.Request) {
	switch p := r.URL.EscapedPath(); {
	case p == "":
		r.URL = &url.URL{Path: "/", RawQuery: r.URL.RawQuery}
	case !canonical(p):
		h.fail(x, r, notFound(x, r))
		return
	}
	h.mux.ServeHTTP(x, r)
}

// canonical reports whether the mux takes p as it is.
func canonical(p string) bool {
	clean := path.Clean(p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return p[0] == '/' && clean == p
}

// recover turns a panic into a 500 that says nothing. The log gets the stack
// and the kind of the value, but not the value: it may hold anything.
func (h *Handler) recover(x *exchange, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	reason := fmt.Sprintf("%T", v)
	if fault, ok := v.(runtime.Error); ok {
		reason = fault.Error()
	}
	h.cfg.Logger.LogAttrs(r.Context(), slog.LevelError, "pánico al atender una petición",
		slog.String("etapa", "http"), slog.String("request_id", x.id), slog.String("message_id", x.id),
		slog.String("route", x.route), slog.String("reason", reason), slog.String("stack", string(debug.Stack())))
	if x.status == 0 {
		h.fail(x, r, errPanic)
	}
}

// log writes the one line of the request.
func (h *Handler) log(x *exchange, r *http.Request) {
	level := slog.LevelInfo
	if x.quiet {
		level = slog.LevelDebug
	}
	if !h.cfg.Logger.Enabled(r.Context(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, 20)
	attrs = append(attrs,
		slog.String("etapa", "http"),
		slog.String("request_id", x.id),
		slog.String("message_id", x.messageID),
		slog.String("method", r.Method),
		slog.String("route", x.route),
		slog.Int("status", x.status),
		slog.Float64("duration_ms", milliseconds(h.cfg.Now().Sub(x.began))),
		slog.Float64("db_ms", milliseconds(x.timings.DB)),
		slog.Float64("cache_ms", milliseconds(x.timings.Cache)),
		slog.Float64("telegram_ms", milliseconds(x.timings.Telegram)),
		slog.Float64("journal_ms", milliseconds(x.timings.Journal)))
	if x.client != "" {
		attrs = append(attrs, slog.String("client", x.client))
	}
	h.cfg.Logger.LogAttrs(r.Context(), level, "petición atendida", append(attrs, x.facts...)...)
}

// requestID keeps the caller's X-Request-ID if it is fit to be shown, else
// makes one.
func requestID(header http.Header) string {
	if id := header.Get("X-Request-Id"); validID(id) {
		return id
	}
	return rand.Text()
}

func validID(id string) bool {
	if len(id) == 0 || len(id) > 128 {
		return false
	}
	for _, c := range []byte(id) {
		if !isAlphanumeric(c) && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// milliseconds is d with microsecond precision.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
