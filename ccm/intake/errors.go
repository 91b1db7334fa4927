package intake

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/ccmwf/ccm/store"
)

// ErrBusy means that another load is under way, in this process or another. It is
// the kind of an [*Error]; later it may work.
var ErrBusy = errors.New("intake: another load is under way")

// ErrNone means that a folder has no workbook of the generation. It is the kind of
// an [*Error].
var ErrNone = errors.New("intake: no workbooks of the generation")

// Error says, in Spanish, why a load stopped and how to mend it. Its text shows
// nothing of what stands in cells or rows.
type Error struct {
	Code    string // as in [Issue]
	Message string
	Err     error // the kind: one of package store's, [ErrBusy], [ErrNone], or that of a [Source]

	clash bool // another writer was in the way
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Err }

var (
	denied   = regexp.MustCompile(`^([A-Z]+) command denied`)
	ofColumn = regexp.MustCompile(`for column '(\w+)'|[Cc]olumn '(\w+)'`)
)

// databaseError makes an [*Error] of one of the database. The server's own text
// may hold what stands in a row («Duplicate entry 'ana@…'»), so that it is kept
// only where it cannot.
func databaseError(err error) error {
	if err == nil {
		return nil
	}
	classified := store.Classify("intake", err)
	server, _ := errors.AsType[*mysql.MySQLError](err)
	stopped := &Error{Code: codeDatabase, Err: kindOf(classified)}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		stopped.Err = err
		stopped.Message = "la carga se interrumpió: el libro que estaba a medias no se cargó"
	case server == nil:
		stopped.Message = "no se llega a la base de datos, o se cortó la conexión: revise que esté en marcha y repita la carga"
	case server.Number == 1045 || server.Number == 1698:
		stopped.Message = "la base de datos no acepta al usuario o su contraseña: corríjalos en DATABASE_URL, o en DB_USER y DB_PASSWORD"
	case server.Number == 1044 || server.Number == 1049:
		stopped.Message = "la base de datos no existe con ese nombre, o el usuario no puede entrar en ella: corrija DATABASE_URL o DB_NAME, o conceda el permiso"
	case server.Number == 1146:
		stopped.Message = "la base de datos no tiene la tabla " + tableName + ": en una base vacía la crea «ccm-api migrate up»; en una adoptada hay que crearla"
	case server.Number == 1054:
		stopped.Message = "a la tabla " + tableName + " le falta la columna id o nombre_misionero, sin las que no se puede cargar"
	case server.Number == 1142 || server.Number == 1143:
		stopped.Message = missingRight(server.Message)
	case server.Number == 1062 || server.Number == 1213: // duplicate entry, deadlock
		stopped.Message, stopped.Err, stopped.clash = "otro programa escribió en la tabla a la vez: repita la carga", nil, true
	case errors.Is(stopped.Err, store.ErrReadOnly):
		stopped.Message = "la base de datos no admite escrituras, quizá es una réplica: ponga en DATABASE_URL la que las admite"
	case errors.Is(stopped.Err, store.ErrFull):
		stopped.Message = "el disco de la base de datos está lleno: haga sitio y repita la carga"
	case stopped.Err != nil:
		stopped.Message = fmt.Sprintf("la base de datos no dejó cargar: %s (error %d)", server.Message, server.Number)
	default:
		stopped.Message = fmt.Sprintf("la base de datos rechazó las filas (error %d%s): no se cargó nada de este libro", server.Number, columnIn(server.Message))
	}
	return stopped
}

// kindOf is the kind of a classified error, without the server's text.
func kindOf(err error) error {
	for _, kind := range []error{store.ErrUnavailable, store.ErrDenied, store.ErrSchema, store.ErrReadOnly, store.ErrFull} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return nil
}

// missingRight names the GRANT that is missing.
func missingRight(said string) string {
	right := "INSERT, UPDATE"
	if m := denied.FindStringSubmatch(said); m != nil {
		right = m[1]
	}
	return fmt.Sprintf("al usuario de DATABASE_URL le falta el permiso %s sobre la tabla: conceda «GRANT %s ON BASE.%s TO 'USUARIO'@'HOST';», con los nombres suyos",
		right, right, tableName)
}

func columnIn(said string) string {
	if m := ofColumn.FindStringSubmatch(said); m != nil {
		return ", columna " + strings.Join(m[1:], "")
	}
	return ""
}
