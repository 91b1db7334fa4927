package xlsx

import (
	"archive/zip"
	"compress/flate"
	"errors"
	"fmt"
	"io"
)

// Error says why a file cannot be read, and how to mend it.
type Error struct {
	Message string // Spanish; shows nothing of what stands in the cells
	Err     error  // the cause, where there is one
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func fail(format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}

// explain makes an Error of what went wrong below: most of it means damage.
func explain(err error) error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	if errors.Is(err, zip.ErrAlgorithm) {
		return &Error{"el libro está comprimido de una forma que no se lee: guárdelo otra vez como .xlsx", err}
	}
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	for _, damage := range []error{zip.ErrFormat, zip.ErrChecksum, io.ErrUnexpectedEOF, io.EOF} {
		corrupt = corrupt || errors.Is(err, damage)
	}
	if corrupt {
		return &Error{"el libro está dañado o incompleto: ábralo en Excel o LibreOffice, guárdelo otra vez como .xlsx y repita", err}
	}
	return &Error{"no se puede leer el archivo: revise que exista y sus permisos", err}
}
