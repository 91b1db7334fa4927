package store

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"
)

// Kinds of failure, for errors.Is. An error that is none of them is a fault of
// the query or of this package.
var (
	// ErrUnavailable: the database was not reached, did not answer in time, or
	// is too busy or going down. Later it may work.
	ErrUnavailable = errors.New("store: database unavailable")
	// ErrDenied: the user may not log in, or may not read what is asked.
	ErrDenied = errors.New("store: access denied")
	// ErrSchema: the database, a view or a column does not exist, or a view is
	// broken. [Store.Check] says which.
	ErrSchema = errors.New("store: schema does not fit")
	// ErrReadOnly: the server takes no writes, as a replica does not.
	ErrReadOnly = errors.New("store: the database is read-only")
	// ErrFull: the disk, or the space of a table, is full.
	ErrFull = errors.New("store: the database is full")
)

// Error numbers of the servers, by kind.
// https://dev.mysql.com/doc/mysql-errors/9.7/en/server-error-reference.html
// https://mariadb.com/kb/en/mariadb-error-code-reference/
var (
	unavailableCodes = []uint16{
		1040, 1203, 1226, // too many connections: server, user, hourly
		1037, 1038, 1041, 1135, // out of memory or threads
		1053, 1077, 1079, 1080, 1129, 3168, // shutting down, host blocked, not available
		1152, 1158, 1159, 1160, 1161, 1184, 1927, 4031, // connection cut or killed
		1205, 1213, 1317, 1969, 3024, // waited or ran too long, or was interrupted
	}
	deniedCodes = []uint16{
		1044, 1045, 1698, 1130, 1251, 1862, 1820, 3118, 3159, 4151, // login
		1142, 1143, 1227, 1370, // object
	}
	schemaCodes   = []uint16{1049, 1051, 1054, 1146, 1347, 1356, 1449}
	readOnlyCodes = []uint16{1036, 1290, 1792, 1836, 1874, 3989}
	fullCodes     = []uint16{1021, 1026, 1114, 3675}
	engineCode    = uint16(1030) // with the number of the system in its text

	// lostCodes say that the server ends the connection.
	lostCodes = []uint16{1053, 1079, 1080, 1927, 4031}
)

// failure is an error of the database with its kind.
type failure struct {
	kind  error
	op    string
	cause error
}

func (f *failure) Error() string   { return fmt.Sprintf("%v (%s): %v", f.kind, f.op, f.cause) }
func (f *failure) Unwrap() []error { return []error{f.kind, f.cause} }

// Classify wraps an error of a database with its kind, for who runs SQL of their
// own on a [Connector]; op names what was done. Nil stays nil, and an error of no
// kind is wrapped without one.
func Classify(op string, err error) error {
	if err == nil {
		return nil
	}
	if kind := kindOf(err); kind != nil {
		return &failure{kind, op, err}
	}
	return fmt.Errorf("store: %s: %w", op, err)
}

func kindOf(err error) error {
	if server, ok := errors.AsType[*mysql.MySQLError](err); ok {
		switch n := server.Number; {
		case slices.Contains(unavailableCodes, n):
			return ErrUnavailable
		case slices.Contains(deniedCodes, n):
			return ErrDenied
		case slices.Contains(schemaCodes, n):
			return ErrSchema
		case slices.Contains(readOnlyCodes, n):
			return ErrReadOnly
		case slices.Contains(fullCodes, n), n == engineCode && strings.Contains(server.Message, "error 28 "): // ENOSPC
			return ErrFull
		}
		return nil
	}
	switch {
	case errors.Is(err, context.Canceled):
		return nil // the caller went away: no news of the database
	case lost(err), isNetwork(err), errors.Is(err, context.DeadlineExceeded):
		return ErrUnavailable
	case errors.Is(err, mysql.ErrCleartextPassword), errors.Is(err, mysql.ErrNativePassword),
		errors.Is(err, mysql.ErrOldPassword), errors.Is(err, mysql.ErrUnknownPlugin):
		return ErrDenied
	}
	return nil
}

func isNetwork(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	return plain || errors.Is(err, mysql.ErrNoTLS) || errors.Is(err, mysql.ErrMalformPkt) || errors.Is(err, mysql.ErrOldProtocol)
}

// lost reports whether a connection that had been made is gone.
func lost(err error) bool {
	if server, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return slices.Contains(lostCodes, server.Number)
	}
	for _, e := range []error{mysql.ErrInvalidConn, driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
