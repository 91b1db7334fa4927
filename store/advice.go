package store

import (
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"
)

// advice is an error for an operator: what is wrong and how to mend it, in
// Spanish.
type advice struct {
	text  string
	cause error
}

func (a *advice) Error() string { return a.text }
func (a *advice) Unwrap() error { return a.cause }

// hints say what to mend, by the server's error number.
var hints = map[uint16]string{
	1044: "el usuario no tiene permiso sobre esa base de datos: conceda SELECT sobre sus vistas, o corrija el nombre de la base",
	1045: "el servidor no acepta al usuario o su contraseña: corríjalos en DATABASE_URL o en DB_USER y DB_PASSWORD",
	1698: "el servidor no acepta al usuario con contraseña: use otro usuario u otra forma de autenticación",
	1130: "el servidor no admite conexiones desde esta máquina: cree el usuario para este host",
	3159: "el servidor exige TLS: quite ssl_disabled de DATABASE_URL",
	1142: "al usuario le falta permiso de lectura: conceda SELECT sobre las vistas vwMisioneros y vwFechasCCMPorDistrito",
	1143: "al usuario le falta permiso de lectura sobre una columna: conceda SELECT sobre la vista entera",
	1049: "no existe una base de datos con ese nombre en el servidor: corríjalo en DATABASE_URL o en DB_NAME",
	1040: "el servidor no admite más conexiones: espere, o suba max_connections",
	1203: "el usuario tiene demasiadas conexiones abiertas: espere, o suba max_user_connections",
	1129: "el servidor bloqueó a esta máquina tras varios intentos fallidos: ejecute FLUSH HOSTS en él",
}

// advise turns an error of the database into one for an operator.
func advise(err error) error {
	if err == nil {
		return nil
	}
	cause := Classify("check", err)
	return &advice{fmt.Sprintf("%s (%v)", hintFor(err, cause), err), cause}
}

func hintFor(err, cause error) string {
	if hint, ok := hints[code(err)]; ok {
		return hint
	}
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case unverified:
		return "no se pudo verificar el certificado del servidor: revise ssl_ca, o ponga ssl_check_hostname=false si el certificado no lleva el nombre del host"
	case errors.Is(err, mysql.ErrNoTLS):
		return "el servidor no ofrece TLS y DATABASE_URL lo exige: actívelo en el servidor o quite los parámetros ssl_"
	case errors.Is(cause, ErrUnavailable):
		return "no se llega a la base de datos: revise que el servidor esté en marcha, el host, el puerto y la red"
	case errors.Is(cause, ErrSchema):
		return "a la base de datos le falta algo que las consultas necesitan"
	}
	return "la base de datos contestó con un error"
}

// code is the server's number of an error; 0 if it is not the server's.
func code(err error) uint16 {
	if server, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return server.Number
	}
	return 0
}
