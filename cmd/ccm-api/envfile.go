package main

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"syscall"

	"github.com/joho/godotenv"
)

// readEnvFile puts the settings of a .env file behind those of the environment.
// One that was not asked for by name may be missing.
func (a *app) readEnvFile(path string, named bool) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil
	}
	if err != nil {
		return unreadable(path, err)
	}
	values, err := godotenv.Unmarshal(literalDollars(strings.TrimPrefix(string(data), "\ufeff")))
	if err != nil { // its text quotes the file, which may hold secrets
		return misused("el archivo de ajustes %s no se entiende: cada línea debe ser NOMBRE=valor; un valor con comillas o espacios va entre comillas simples", path)
	}
	if holdsSecret(values) {
		a.secretEnv = path
	}
	a.file, a.filePath = values, path
	a.lookup = layered(a.lookup, values)
	return nil
}

// unreadable says why a file of settings cannot be read, and how to mend it.
func unreadable(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return misused("no existe el archivo de ajustes %s", path)
	case errors.Is(err, fs.ErrPermission):
		return misused("no hay permiso de leer el archivo de ajustes %s: si es de un contenedor, en el host, chmod 644, y sus secretos en archivos (NOMBRE_FILE)", path)
	case errors.Is(err, syscall.EISDIR):
		return misused("el archivo de ajustes %s es un directorio: Docker lo crea cuando el archivo del host no existe; bórrelo, cree el archivo y arranque otra vez", path)
	}
	return misused("no se puede leer el archivo de ajustes %s: revise el archivo y su montaje", path)
}

// holdsSecret reports whether a file of settings has a secret in it.
func holdsSecret(values map[string]string) bool {
	secret := map[string]bool{}
	for _, s := range allSettings() {
		secret[s.Name] = s.Secret
	}
	for name, value := range values {
		if secret[strings.ToUpper(name)] && strings.TrimSpace(value) != "" {
			return true
		}
	}
	return false
}

// layered looks names up in the environment, then in the file. A NAME that the
// environment has, or its NAME_FILE, hides both of the file.
func layered(env func(string) (string, bool), file map[string]string) func(string) (string, bool) {
	behind := make(map[string]string, len(file))
	for name, value := range file {
		name = strings.ToUpper(name)
		base := strings.TrimSuffix(name, "_FILE")
		if !hasValue(env, base) && !hasValue(env, base+"_FILE") && blank(behind[name]) {
			behind[name] = value
		}
	}
	return func(name string) (string, bool) {
		if value, ok := env(name); ok && strings.TrimSpace(value) != "" {
			return value, true
		}
		value, ok := behind[strings.ToUpper(name)]
		return value, ok
	}
}

func hasValue(lookup func(string) (string, bool), name string) bool {
	value, _ := lookup(name)
	return strings.TrimSpace(value) != ""
}

// single matches a line whose value is in single quotes, where a $ is one anyhow.
var single = regexp.MustCompile(`^\s*(export\s+)?\w+\s*[=:]\s*'`)

// literalDollars keeps each $ that does not begin ${NAME}: godotenv would take
// $WORD inside of a password for a variable, and python-dotenv never did.
func literalDollars(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		quoted := single.MatchString(line)
		for i, c := range []byte(line) {
			if c == '$' && !quoted && !strings.HasPrefix(line[i:], "${") && !strings.HasSuffix(line[:i], `\`) {
				out.WriteByte('\\')
			}
			out.WriteByte(c)
		}
	}
	return out.String()
}
