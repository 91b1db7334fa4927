package ccm

import (
	"context"
	"errors"

	"github.com/ccmwf/ccm/store"
)

// stopped is what the error of a send says beside.
const stopped = " El envío se detuvo: sin el diario un reporte podría salir dos veces."

// journalFault says what is wrong with the journal, and how to mend it.
func journalFault(err error) *Error {
	message := "El diario de envíos falló; el registro dice por qué («ccm-api doctor» lo examina)."
	switch {
	case errors.Is(err, store.ErrReadOnly):
		message = "El diario de envíos está en solo lectura: ponga en CCM_JOURNAL_URL el servidor principal, o quítele read_only."
	case errors.Is(err, store.ErrFull):
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
