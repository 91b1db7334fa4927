package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/DeRuina/timberjack"
)

// stageLog is the "etapa" of what befalls the log itself.
const stageLog = "registros"

// How often the file is thought of.
const (
	fileRetry  = 10 * time.Second // a line that fails may cost timberjack two renames and a compression
	fileLook   = time.Minute      // whether it was deleted: writing to it does not fail then
	fileRemind = time.Hour        // that it still fails
)

// rotatingFile is what is needed of timberjack.
type rotatingFile interface {
	io.WriteCloser
	Rotate() error
}

// tee writes each line to stdout, and to the file of LOG_FILE_PATH while that
// takes them: a full disk costs lines of the file, and none of stdout.
type tee struct {
	stdout io.Writer
	file   rotatingFile
	path   string
	say    *slog.Logger // what befalls the file
	now    func() time.Time

	mu      sync.Mutex
	failing bool
	lacks   int // lines that the file does not have, and nobody was told of
	why     string
	told    bool // that it fails
	torn    bool // the file ends in half a line
	retryAt time.Time
	lookAt  time.Time
	saidAt  time.Time
}

// logWriter is where the lines of a service go: stdout always, and the file of
// LOG_FILE_PATH, which changes at midnight UTC and by size; another process's
// file stays that one's. end closes the file.
func logWriter(cfg processConfig, stdout io.Writer) (w io.Writer, end func(), err error) {
	if cfg.logFile == "" {
		return stdout, func() {}, nil
	}
	claim, err := claimLog(cfg.logFile)
	if err != nil {
		newLogger(stdout, cfg.level, nil).Warn("los registros van solo a la salida: otros procesos tienen todos los archivos", keyStage, stageLog,
			"revisar", envLogFile, "archivos", mostLogFiles)
		return stdout, func() {}, nil
	}
	first := cfg.logFile
	cfg.logFile = claim.path
	file := &timberjack.Logger{
		Filename:    cfg.logFile,
		MaxSize:     max(1, cfg.logSize/mebibyte),
		MaxAge:      30, // days
		MaxBackups:  cfg.logKept,
		Compression: "gzip",
		RotateAt:    []string{"00:00"},
		FileMode:    0o640,
	}
	// Creates it: better to know now. That a disk is full is no fault of the settings.
	if _, err := file.Write(nil); err != nil && !isErrno(err, syscall.ENOSPC) {
		claim.free()
		return nil, nil, settingsError{fmt.Errorf("%s: no se puede escribir en %s (%s): el directorio debe existir y ser del usuario del proceso (en el host, chown 65532), o de un volumen",
			envLogFile, filepath.Dir(cfg.logFile), fileReason(err))}
	}
	t := newTee(stdout, file, cfg, time.Now)
	if cfg.logFile != first {
		t.say.Info("los registros van a otro archivo: otro proceso escribe en el primero", keyStage, stageLog, "revisar", envLogFile, "archivo", cfg.logFile)
	}
	return t, func() { t.end(); claim.free() }, nil
}

func newTee(stdout io.Writer, file rotatingFile, cfg processConfig, now func() time.Time) *tee {
	t := &tee{stdout: stdout, file: file, path: cfg.logFile, now: now}
	t.say = newLogger(notices{t}, cfg.level, nil)
	return t
}

// Write writes one line. Its error is stdout's.
func (t *tee) Write(line []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.stdout.Write(line)
	now := t.now()
	if t.failing && now.Before(t.retryAt) {
		t.lacks++
		return n, err
	}
	t.look(now)
	if failure := t.append(line); failure != nil {
		t.failed(failure, now)
	} else if t.failing {
		t.mended()
	}
	return n, err
}

// append writes to the file. Of a disk that fills up it may take half a line;
// what comes next shall begin on one of its own.
func (t *tee) append(line []byte) error {
	if t.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := t.file.Write(line)
	if n > 0 {
		t.torn = line[n-1] != '\n'
	}
	return err
}

// look finds out whether somebody deleted or moved the file away, and makes it
// anew.
func (t *tee) look(now time.Time) {
	if now.Before(t.lookAt) {
		return
	}
	t.lookAt = now.Add(fileLook)
	if _, err := os.Stat(t.path); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err := t.file.Rotate(); err != nil {
		return // so will the line
	}
	t.torn = false
	t.say.Warn("el archivo de registros no estaba, y se creó otro: alguien lo borró o lo movió", keyStage, stageLog, "revisar", envLogFile)
}

func (t *tee) failed(err error, now time.Time) {
	wait := fileLook // one that comes and goes is no news each time
	if t.told {
		wait = fileRemind
	}
	t.failing, t.why, t.retryAt = true, fileReason(err), now.Add(fileRetry)
	t.lacks++
	if now.Before(t.saidAt.Add(wait)) {
		return
	}
	t.told, t.saidAt = true, now
	t.say.Warn("los registros no llegan al archivo y siguen por la salida", keyStage, stageLog,
		"revisar", envLogFile, "reason", t.why, "lineas_sin_guardar", t.lacks)
}

func (t *tee) mended() {
	t.failing = false
	if t.told {
		t.say.Info("los registros llegan otra vez al archivo", keyStage, stageLog, "revisar", envLogFile, "lineas_sin_guardar", t.lacks)
		t.told, t.lacks = false, 0
	}
}

// end closes the file. What it lacks is said, and is no failure of the service.
func (t *tee) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.file.Close(); err != nil {
		t.why = fileReason(err)
	} else if t.lacks == 0 {
		return
	}
	t.failing = true // what is closed takes no more
	t.say.Warn("el archivo de registros quedó incompleto", keyStage, stageLog,
		"revisar", envLogFile, "reason", t.why, "lineas_sin_guardar", t.lacks)
}

// notices is the tee for its own lines, while it is locked: into the file they
// go where that works.
type notices struct{ *tee }

// Write writes one line.
func (n notices) Write(line []byte) (int, error) {
	if !n.failing {
		_ = n.append(line) // the next line says it
	}
	return n.stdout.Write(line)
}

// fileReasons say in Spanish why a file cannot be written.
var fileReasons = []struct {
	errno syscall.Errno
	text  string
}{
	{syscall.ENOSPC, "el disco está lleno"},
	{syscall.EDQUOT, "se acabó la cuota de disco"},
	{syscall.EROFS, "el sistema de archivos es de solo lectura"},
	{syscall.EACCES, "falta permiso"},
	{syscall.EPERM, "falta permiso"},
	{syscall.ENOENT, "la carpeta no existe"},
	{syscall.ENOTDIR, "la carpeta es un archivo"},
	{syscall.EIO, "el disco falla"},
}

func fileReason(err error) string {
	for _, r := range fileReasons {
		if isErrno(err, r.errno) {
			return r.text
		}
	}
	return err.Error()
}

// isErrno also knows an error of which timberjack kept the text alone.
func isErrno(err error, errno syscall.Errno) bool {
	return errors.Is(err, errno) || strings.Contains(err.Error(), errno.Error())
}
