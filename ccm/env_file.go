package ccm

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxSecretFile is far over any setting: who names a wrong file shall not have
// it read.
const maxSecretFile = 64 << 10

// readFile reads the file of a setting's NAME_FILE; "" with a fault if it cannot.
func (e *Env) readFile(name, path string) string {
	setting := name + "_FILE"
	shown := shownPath(path)
	data, err := readAtMost(path, maxSecretFile)
	value := strings.TrimSpace(string(data))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.fault(setting, "no existe el archivo%s: revise la ruta y que el secreto esté montado", shown)
	case errors.Is(err, fs.ErrPermission):
		e.fault(setting, "no hay permiso de leer el archivo%s: en el host, chown 65532 y chmod 400", shown)
	case errors.Is(err, errIsDirectory):
		e.fault(setting, "la ruta%s es un directorio: Docker lo crea cuando el archivo del host no existe", shown)
	case err != nil:
		e.fault(setting, "no se puede leer el archivo%s", shown)
	case len(data) > maxSecretFile:
		e.fault(setting, "el archivo%s es demasiado grande para ser un secreto", shown)
	case value == "":
		e.fault(setting, "el archivo%s está vacío", shown)
	default:
		return value
	}
	return ""
}

var errIsDirectory = errors.New("is a directory")

// readAtMost reads a file, and one byte more than most if it is longer.
func readAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errIsDirectory
	}
	return io.ReadAll(io.LimitReader(f, most+1))
}

// shownPath is a path as messages show it; nothing if it does not look like
// one, because somebody may have put the secret itself in its place.
func shownPath(path string) string {
	if !filepath.IsAbs(path) && !strings.HasPrefix(path, ".") {
		return ""
	}
	return " " + path
}
