package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
)

// problem is an application/problem+json answer (RFC 9457,
// https://www.rfc-editor.org/rfc/rfc9457) and the error that causes it.
type problem struct {
	Title     string   `json:"title" doc:"Qué clase de problema es; igual para todos los del mismo status."`
	Status    int      `json:"status" doc:"El código HTTP de la respuesta."`
	Detail    string   `json:"detail" doc:"Qué pasó y cómo se remedia."`
	Code      ccm.Code `json:"error_code,omitempty" doc:"Para programas; falta donde el status lo dice todo."`
	MessageID string   `json:"message_id" doc:"Identificador de la petición, también en X-Request-ID y en los registros."`
	Errors    []fault  `json:"errors,omitempty" doc:"Cada valor no válido de la petición."`
}

// fault is one bad value of a request.
type fault struct {
	Location string `json:"location" doc:"Dónde está: body.days_ahead, query.branch_id."`
	Message  string `json:"message" doc:"Qué debe ser."`
}

// Error is for the log; the caller reads the JSON.
func (p *problem) Error() string { return p.Detail }

func newProblem(status int, detail string) *problem {
	return &problem{Title: titles[status], Status: status, Detail: detail}
}

// titles of the statuses that problems have.
var titles = map[int]string{
	http.StatusBadRequest:            "Petición mal formada",
	http.StatusUnauthorized:          "Falta la clave o no es válida",
	http.StatusForbidden:             "No permitido",
	http.StatusNotFound:              "No encontrado",
	http.StatusMethodNotAllowed:      "Método no admitido",
	http.StatusRequestTimeout:        "La petición tardó demasiado en llegar",
	http.StatusConflict:              "No se puede en su estado actual",
	http.StatusGone:                  "Ya no está",
	http.StatusRequestEntityTooLarge: "Cuerpo demasiado grande",
	http.StatusUnsupportedMediaType:  "Tipo de contenido no admitido",
	http.StatusUnprocessableEntity:   "Valores no válidos",
	http.StatusInternalServerError:   "Error interno",
	http.StatusBadGateway:            "Respuesta no válida de otro servicio",
	http.StatusServiceUnavailable:    "No disponible por ahora",
	http.StatusGatewayTimeout:        "Sin respuesta a tiempo",
}

// internalDetail is all that a caller learns of a fault of ours.
const internalDetail = "Algo falló en el servicio; el registro con este message_id dice qué."

var (
	errPanic  = newProblem(http.StatusInternalServerError, internalDetail).with(ccm.CodeInternal)
	errBadKey = newProblem(http.StatusBadRequest, "Idempotency-Key debe tener de 1 a 255 caracteres ASCII visibles, con comillas o sin ellas, y darse una sola vez.").
			with(ccm.CodeInvalidKey)
)

func (p *problem) with(code ccm.Code) *problem {
	p.Code = code
	return p
}

// newFaults is the 422 that names every bad value at once.
func newFaults(faults []fault) *problem {
	texts := make([]string, len(faults))
	for i, f := range faults {
		texts[i] = f.Location + " " + f.Message
	}
	p := newProblem(http.StatusUnprocessableEntity, "Hay que corregir: "+strings.Join(texts, "; ")+".")
	p.Errors = faults
	return p.with(ccm.CodeInvalidRequest)
}

// fail answers err as a problem.
func (h *Handler) fail(x *exchange, r *http.Request, err error) {
	p := h.problemOf(r.Context(), x, err)
	p.MessageID = x.id
	if p.Code != "" {
		x.note(slog.String("error_code", string(p.Code)))
	}
	setRetryAfter(x.Header(), err)
	_ = x.json(p.Status, problemType, &p) // strings and numbers: it encodes
}

// problemOf is the problem that tells a caller of err: its own, or one made of
// what package ccm says. The cause of a fault of ours goes into the log alone.
func (h *Handler) problemOf(ctx context.Context, x *exchange, err error) problem {
	var known *problem
	if errors.As(err, &known) {
		return *known
	}
	code := ccm.CodeOf(err)
	if code == ccm.CodeInternal {
		h.cfg.Logger.LogAttrs(ctx, slog.LevelError, "error interno",
			slog.String("etapa", "http"), slog.String("request_id", x.id), slog.String("message_id", x.id),
			slog.String("route", x.route), slog.String("error_code", string(code)), slog.String("reason", err.Error()))
	}
	return *newProblem(statusOf(ctx, code), messageOf(err)).with(code)
}

// messageOf is the Spanish text of err that is safe to show.
func messageOf(err error) string {
	var known *ccm.Error
	if errors.As(err, &known) && known.Message != "" {
		return known.Message
	}
	return internalDetail
}

// statuses is the one table between error codes and HTTP statuses.
var statuses = map[ccm.Code]int{
	ccm.CodeInvalidKey:          http.StatusBadRequest,
	ccm.CodeInvalidBranch:       http.StatusForbidden,
	ccm.CodeMissingRows:         http.StatusNotFound,
	ccm.CodeKeyBusy:             http.StatusConflict,
	ccm.CodeInvalidRequest:      http.StatusUnprocessableEntity,
	ccm.CodeKeyReused:           http.StatusUnprocessableEntity,
	ccm.CodeInternal:            http.StatusInternalServerError,
	ccm.CodeJournal:             http.StatusServiceUnavailable,
	ccm.CodeUnknownDelivery:     http.StatusNotFound,
	ccm.CodeDeliverySent:        http.StatusConflict,
	ccm.CodeDeliveryBusy:        http.StatusConflict,
	ccm.CodeDeliveryPurged:      http.StatusGone,
	ccm.CodeMissingFields:       http.StatusBadGateway,
	ccm.CodeDuplicateRecords:    http.StatusBadGateway,
	ccm.CodeInvalidTotal:        http.StatusBadGateway,
	ccm.CodeInvalidKPI:          http.StatusBadGateway,
	ccm.CodeInvalidCount:        http.StatusBadGateway,
	ccm.CodeTelegramAPI:         http.StatusBadGateway,
	ccm.CodeTelegramHTTP:        http.StatusBadGateway,
	ccm.CodeTelegramStatus:      http.StatusBadGateway,
	ccm.CodeTelegramEmpty:       http.StatusBadGateway,
	ccm.CodeDataset:             http.StatusServiceUnavailable,
	ccm.CodeCache:               http.StatusServiceUnavailable,
	ccm.CodeTelegramDisabled:    http.StatusServiceUnavailable,
	ccm.CodeTelegramRateLimited: http.StatusServiceUnavailable,
	ccm.CodeTelegramTimeout:     http.StatusGatewayTimeout,
}

// statusOf is the HTTP status of a code. Data that could not be had because
// the whole request ran out of time are a 504, not a 503.
func statusOf(ctx context.Context, code ccm.Code) int {
	late := errors.Is(ctx.Err(), context.DeadlineExceeded)
	if late && (code == ccm.CodeDataset || code == ccm.CodeInternal || code == ccm.CodeJournal) {
		return http.StatusGatewayTimeout
	}
	if status, ok := statuses[code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// refusesRequest reports whether code means that a request never became an
// operation: its answer is a problem, and CCM_LEGACY_STATUS does not touch it.
func refusesRequest(code ccm.Code) bool {
	switch code {
	case ccm.CodeInvalidRequest, ccm.CodeInvalidKey, ccm.CodeKeyReused, ccm.CodeKeyBusy:
		return true
	}
	return false
}

// setRetryAfter says when a rate-limited caller may come back, in whole seconds.
func setRetryAfter(header http.Header, err error) {
	if ccm.CodeOf(err) != ccm.CodeTelegramRateLimited {
		return
	}
	seconds := 1.0
	var limited *telegram.Error
	if errors.As(err, &limited) {
		seconds = max(seconds, math.Ceil(limited.RetryAfter.Seconds()))
	}
	header.Set("Retry-After", strconv.Itoa(int(seconds)))
}
