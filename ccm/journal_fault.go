package ccm

import (
	"context"
	"errors"
	"slices"

	"github.com/go-sql-driver/mysql"

	"github.com/ccmwf/ccm/store"
)

// Error numbers of a server that may be read and not written.
// https://dev.mysql.com/doc/mysql-errors/9.7/en/server-error-reference.html
var (
	readOnlyCodes = []uint16{1036, 1290, 1792, 1836, 3989}
	fullCodes     = []uint16{1021, 1114, 1026, 3675}
)

// stopped is what the error of a send says beside.
const stopped = " El envío se detuvo: sin el diario un reporte podría salir dos veces."

// journalFault says what is wrong with the journal, and how to mend it.
func journalFault(err error) *Error {
	message := "El diario de envíos falló; el registro dice por qué («ccm-api doctor» lo examina)."
	server, _ := errors.AsType[*mysql.MySQLError](err)
	numbered := func(codes []uint16) bool { return server != nil && slices.Contains(codes, server.Number) }
	switch {
	case numbered(readOnlyCodes):
		message = "El diario de envíos está en solo lectura: ponga en CCM_JOURNAL_URL el servidor principal, o quítele read_only."
	case numbered(fullCodes):
		message = "El diario de envíos no tiene espacio: libere disco en su servidor; CCM_JOURNAL_RETENTION_DAYS dice cuánto se guarda."
	case errors.Is(err, store.ErrSchema):
		message = "Al diario de envíos le falta su base de datos o sus tablas: «ccm-api migrate up» crea las tablas de CCM_JOURNAL_URL."
	case errors.Is(err, store.ErrDenied):
		message = "El diario de envíos rechaza al usuario de CCM_JOURNAL_URL o le falta un permiso: concédale SELECT, INSERT, UPDATE y DELETE sobre su base de datos."
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		message = "El diario de envíos no responde: revise que su servidor esté en marcha y que CCM_JOURNAL_URL lleve a él."
	}
	return &Error{CodeJournal, message, err}
}
