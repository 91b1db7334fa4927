package delivery

import (
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/store"
)

// Error is a failure of the journal's database.
type Error struct {
	Kind error  // one of package store; nil: none of them
	Hint string // what to do, in Spanish
	Err  error  // the cause
}

// Error says what to do, and the cause. It may name hosts and users, never a
// password.
func (e *Error) Error() string { return fmt.Sprintf("%s (%v)", e.Hint, e.Err) }

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Kind == nil {
		return []error{e.Err}
	}
	return []error{e.Kind, e.Err}
}

// Numbers of the server.
// https://dev.mysql.com/doc/mysql-errors/9.7/en/server-error-reference.html
const (
	duplicateKey = 1062
	deadlock     = 1213
)

var hints = map[error]string{
	store.ErrUnavailable: "no se llega a la base de datos del diario: revise que esté en marcha y que CCM_JOURNAL_URL lleve a ella",
	store.ErrDenied:      "al usuario del diario le faltan permisos: conceda SELECT, INSERT, UPDATE y DELETE sobre el esquema de CCM_JOURNAL_URL, o corrija el usuario y la contraseña",
	store.ErrSchema:      "al diario le faltan sus tablas: ejecute «ccm-api migrate up»",
	store.ErrReadOnly:    "la base de datos del diario está en modo de solo lectura: ponga en CCM_JOURNAL_URL el servidor primario, o quite read_only",
	store.ErrFull:        "la base de datos del diario no tiene espacio: libere disco o amplíe la tabla",
	nil:                  "el diario de envíos falló",
}

// classify makes an [Error] of a failure; nil stays nil, and what the contract
// names stays as it is.
func classify(op string, err error) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*ccm.Error](err); ok {
		return known
	}
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	kind := kindOf(err)
	return &Error{Kind: kind, Hint: hints[kind], Err: fmt.Errorf("%s: %w", op, err)}
}

func kindOf(err error) error {
	classified := store.Classify("", err)
	for _, kind := range []error{store.ErrUnavailable, store.ErrDenied, store.ErrSchema, store.ErrReadOnly, store.ErrFull} {
		if errors.Is(classified, kind) {
			return kind
		}
	}
	return nil
}

// number is the server's number of an error; 0 if it is not the server's.
func number(err error) uint16 {
	if server, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return server.Number
	}
	return 0
}
