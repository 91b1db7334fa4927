package ccm

import (
	"context"
	"errors"
	"fmt"

	"github.com/ccmwf/ccm/store"
)

// Code classifies an error, for programs. It is the "error_code" of the HTTP answers.
type Code string

// The codes. Where nothing else is said, nothing was sent.
const (
	CodeInternal       Code = "internal_error"  // a fault of this program
	CodeInvalidRequest Code = "invalid_request" // a value out of range; Message names the limits
	CodeInvalidBranch  Code = "invalid_branch"  // not one of Config.Branches

	// Data that break the rules.
	CodeMissingRows      Code = "dataset_missing_rows"       // no district where there must be some
	CodeMissingFields    Code = "missing_required_fields"    // not one whole row
	CodeDuplicateRecords Code = "duplicate_records"          // the same record twice
	CodeInvalidTotal     Code = "invalid_total_missionaries" // of a branch summary
	CodeInvalidKPI       Code = "invalid_kpi_value"
	CodeInvalidCount     Code = "invalid_missionaries_count" // of an arrival

	CodeDataset Code = "dataset_error" // no database, and nothing cached that may stand in
	CodeCache   Code = "cache_error"   // Redis was not told of an invalidation

	CodeTelegramDisabled    Code = "telegram_disabled"          // no token, or no chat
	CodeTelegramAPI         Code = "telegram_api_error"         // a definite no
	CodeTelegramHTTP        Code = "telegram_http_error"        // no connection, or it broke: perhaps uncertain
	CodeTelegramStatus      Code = "telegram_unexpected_status" // a 5xx, or a status without envelope: uncertain
	CodeTelegramEmpty       Code = "telegram_empty_body"        // a 200 without a decodable answer: uncertain
	CodeTelegramRateLimited Code = "telegram_rate_limited"      // it asks to wait longer than the request may
	CodeTelegramTimeout     Code = "telegram_timeout"           // no answer in time: perhaps uncertain

	CodeKeyReused  Code = "idempotency_key_reused"  // the same key with another request
	CodeKeyBusy    Code = "idempotency_key_in_use"  // the first request of the key is under way
	CodeInvalidKey Code = "invalid_idempotency_key" // longer than MaxKeyLength

	CodeJournal Code = "journal_error" // the journal is away, or cannot be written: a report is not sent without it

	CodeUnknownDelivery Code = "delivery_not_found"
	CodeDeliverySent    Code = "delivery_already_sent" // every part arrived: there is nothing to decide
	CodeDeliveryBusy    Code = "delivery_in_progress"  // it is being sent now
	CodeDeliveryPurged  Code = "delivery_purged"       // its texts are deleted: nothing is left to send
)

// Error is what every method of Client returns.
type Error struct {
	Code    Code
	Message string // Spanish, what to mend included; safe to show to anybody
	Err     error  // the cause, if there is one: a *telegram.Error, one of store's kinds…
}

// Error returns the message and its cause, for logs and operators. It holds no
// secret, but may name hosts: show Message to strangers.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return fmt.Sprintf("%s (%v)", e.Message, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of err: "" for nil, CodeInternal for a stranger.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if known, ok := errors.AsType[*Error](err); ok {
		return known.Code
	}
	return CodeInternal
}

// fail makes an Error that has no other cause.
func fail(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// datasetError says what kept a dataset from being read, and how to mend it.
func datasetError(err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	message := "La consulta a la base de datos falló; el registro dice por qué."
	switch {
	case errors.Is(err, context.Canceled):
		message = "La petición se canceló antes de que llegaran los datos."
	case errors.Is(err, store.ErrDenied):
		message = "La base de datos rechazó al usuario o le faltan permisos: revise DATABASE_URL y conceda SELECT sobre las vistas vwMisioneros y vwFechasCCMPorDistrito."
	case errors.Is(err, store.ErrSchema):
		message = "A la base de datos le falta una vista o una columna: «ccm-api doctor» dice cuál."
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		message = "La base de datos no responde, y no hay datos guardados que la suplan: revise que esté en marcha y que DATABASE_URL lleve a ella."
	}
	return &Error{CodeDataset, message, err}
}

var errNoStore = fail(CodeDataset, "No hay base de datos configurada: falta DATABASE_URL.")

// What a [Journal] answers.
var (
	ErrKeyReused       = fail(CodeKeyReused, "La clave de idempotencia ya se usó con otra petición: use una nueva.")
	ErrKeyBusy         = fail(CodeKeyBusy, "La primera petición con esta clave de idempotencia sigue en curso: espere su respuesta.")
	ErrUnknownDelivery = fail(CodeUnknownDelivery, "No hay ningún envío con ese identificador: «ccm-api entregas listar» o GET /deliveries los muestra.")
	ErrDeliverySent    = fail(CodeDeliverySent, "Todas las partes de ese envío llegaron: no hay nada que reenviar ni descartar.")
	ErrDeliveryBusy    = fail(CodeDeliveryBusy, "Ese envío está en curso: espere a que termine.")
	ErrDeliveryPurged  = fail(CodeDeliveryPurged, "Los textos de ese envío ya se borraron por antiguos: pida el reporte de nuevo.")
	// ErrClaimLost is of who may write no more: the claim ended, or its lease ran
	// out and another process has it.
	ErrClaimLost = fail(CodeDeliveryBusy, "Otro proceso se hizo cargo de este envío mientras este no respondía: lo que falta es asunto suyo.")
	ErrBadCursor = fail(CodeInvalidRequest, "El cursor de la lista no es de los que se dieron: empiece por la primera página.")
)
