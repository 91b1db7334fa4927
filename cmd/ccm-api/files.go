package main

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/ccmwf/ccm/ccm"
)

// readableByOthers is the bit of a file's mode that lets everybody read it.
const readableByOthers fs.FileMode = 0o004

// ownFile lets the container read a file, and nobody else.
const ownFile = "en el host, chown 65532 y chmod 400"

// ownEnv is the cure of a .env, which Compose must read as the operator, and the
// container as its user.
const ownEnv = "mueva el secreto a un archivo y nómbrelo con NOMBRE_FILE (en Docker, a la carpeta de secretos), o chmod 600 si el servicio corre sin contenedor"

// envFileName is how findings name the .env in use, whatever its path.
const envFileName = ".env"

// secretFile is a file that holds a secret, and the setting that names it.
type secretFile struct{ setting, path string }

// secretFiles are the files that hold secrets: those of NAME_FILE, the .env in
// use, Google's.
func (a *app) secretFiles(cfg ccm.Config) []secretFile {
	env := ccm.NewEnv(a.lookup) // its faults are told elsewhere
	var files []secretFile
	for _, setting := range allSettings() {
		if name := setting.Name + "_FILE"; setting.Secret {
			files = append(files, secretFile{name, env.String(name, "")})
		}
	}
	return append(files, secretFile{envFileName, a.secretEnv},
		secretFile{"GOOGLE_APPLICATION_CREDENTIALS", cfg.Google.File}, secretFile{"GOOGLE_TOKEN_PATH", cfg.Google.TokenFile})
}

// secretFiles examines who may read them. One that is not there is a fault that
// is told elsewhere.
func (e *examination) secretFiles(files []secretFile) {
	for _, f := range files {
		if f.path == "" {
			continue
		}
		info, err := os.Stat(f.path)
		if err != nil || !info.Mode().IsRegular() || info.Mode()&readableByOthers == 0 {
			continue
		}
		cure := ownFile + " sobre ese archivo"
		if f.setting == envFileName {
			cure = ownEnv
		}
		e.add(finding{Name: f.setting, Status: warned,
			Detail: fmt.Sprintf("otros usuarios del host pueden leer un secreto: %s tiene el modo %04o", f.path, info.Mode().Perm()),
			Fix:    []string{cure}})
	}
}

// warnOfFiles tells the log of secrets that others can read. In development it
// does not: the files of a checkout are everybody's.
func (a *app) warnOfFiles(cfg serviceConfig, log *slog.Logger) {
	if cfg.api.Development {
		return
	}
	var e examination
	e.secretFiles(a.secretFiles(cfg.library))
	for _, f := range e.findings {
		log.Warn("otros usuarios del host pueden leer un secreto", keyStage, stageStart, "revisar", f.Name, "detalle", f.Detail, "arreglo", f.Fix[0])
	}
}
