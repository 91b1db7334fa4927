package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/matryer/is"
)

// fullFile is a log file whose disk may fill up: it takes room bytes more.
type fullFile struct {
	bytes.Buffer
	room    int
	err     error
	writes  int
	rotated int
}

func (f *fullFile) Write(p []byte) (int, error) {
	f.writes++
	if len(p) <= f.room {
		f.room -= len(p)
		return f.Buffer.Write(p)
	}
	n, _ := f.Buffer.Write(p[:f.room])
	f.room = 0
	return n, f.err
}

func (f *fullFile) Close() error { return nil }

func (f *fullFile) Rotate() error {
	f.rotated++
	return nil
}

// plenty is room for all lines of a test.
const plenty = 1 << 20

// teeTest is a tee with a clock of its own, a file that can fill up, and a log
// that writes to both.
type teeTest struct {
	*tee
	log    *slog.Logger
	stdout bytes.Buffer
	file   fullFile
	clock  time.Time
}

func newTeeTest(t *testing.T) *teeTest {
	path := filepath.Join(t.TempDir(), "ccm.log")
	is.New(t).NoErr(os.WriteFile(path, nil, 0o600))
	tt := &teeTest{clock: time.Unix(1_800_000_000, 0), file: fullFile{room: plenty, err: syscall.ENOSPC}}
	tt.tee = newTee(&tt.stdout, &tt.file, processConfig{logFile: path}, func() time.Time { return tt.clock })
	tt.log = newLogger(tt.tee, slog.LevelInfo, nil)
	return tt
}

// lines are the log lines with that text, each of which must be whole.
func lines(t *testing.T, log *bytes.Buffer, text string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for line := range strings.Lines(log.String()) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Errorf("half a line: %q", line)
		}
		if l["mensaje"] == text {
			found = append(found, l)
		}
	}
	return found
}

const (
	fileFails  = "los registros no llegan al archivo y siguen por la salida"
	fileMended = "los registros llegan otra vez al archivo"
)

func TestLogFileOnAFullDiskCostsStdoutNothing(t *testing.T) {
	is := is.New(t)
	tt := newTeeTest(t)
	tt.log.Info("antes")
	tt.file.room = 20 // half a line
	for i := range 1000 {
		tt.log.Info(fmt.Sprint("línea ", i))
	}
	is.Equal(tt.file.writes, 2) // it is not asked at each line
	is.Equal(strings.Count(tt.stdout.String(), "línea "), 1000)
	said := lines(t, &tt.stdout, fileFails)
	is.Equal(len(said), 1)
	is.Equal(said[0]["nivel"], "WARNING")
	is.Equal(said[0]["etapa"], "registros")
	is.Equal(said[0]["revisar"], "LOG_FILE_PATH")
	is.Equal(said[0]["reason"], "el disco está lleno")
	is.True(said[0]["timestamp_utc"] != nil)

	tt.file.room, tt.clock = plenty, tt.clock.Add(fileRetry)
	tt.log.Info("después")
	tt.log.Info("y más")
	said = lines(t, &tt.stdout, fileMended)
	is.Equal(len(said), 1)
	is.Equal(said[0]["nivel"], "INFO")
	is.Equal(said[0]["lineas_sin_guardar"], 1000.0)
	is.Equal(len(lines(t, &tt.stdout, "después")), 1)

	// The file: what was before, half a line on a line of its own, the rest, and
	// how many it lacks.
	kept := strings.Split(tt.file.String(), "\n")
	is.Equal(len(kept), 6) // the last is empty
	is.True(strings.Contains(kept[0], "antes"))
	is.Equal(len(kept[1]), 20)
	is.True(strings.Contains(kept[2], "después"))
	is.True(strings.Contains(kept[3], `"lineas_sin_guardar":1000`))
	is.True(strings.Contains(kept[4], "y más"))
}

func TestLogFileThatFailsIsSaidOnceAnHour(t *testing.T) {
	is := is.New(t)
	tt := newTeeTest(t)
	tt.file.room = 0
	for range 60 * 60 / 5 * 2 { // two hours, a line each 5 s
		tt.log.Info("línea")
		tt.clock = tt.clock.Add(5 * time.Second)
	}
	is.Equal(len(lines(t, &tt.stdout, fileFails)), 2)
	tt.end()
	said := lines(t, &tt.stdout, "el archivo de registros quedó incompleto")
	is.Equal(len(said), 1)
	is.Equal(said[0]["lineas_sin_guardar"], 1440.0)
	is.Equal(said[0]["reason"], "el disco está lleno")
}

func TestLogFileThatComesAndGoesIsNoNewsEachTime(t *testing.T) {
	is := is.New(t)
	tt := newTeeTest(t)
	for range 60 { // ten minutes
		tt.file.room = 0
		tt.log.Info("línea")
		tt.file.room, tt.clock = plenty, tt.clock.Add(fileRetry)
		tt.log.Info("línea")
	}
	said := lines(t, &tt.stdout, fileMended)
	is.Equal(len(said), len(lines(t, &tt.stdout, fileFails)))
	is.True(len(said) <= 10)
	lacked := 0.0
	for _, l := range said {
		lacked += l["lineas_sin_guardar"].(float64)
	}
	is.Equal(lacked+float64(tt.lacks), 60.0) // all are told, sooner or later

	before := len(lines(t, &tt.stdout, fileFails))
	for range 60 { // and when it comes no more, that is said too
		tt.file.room = 0
		tt.log.Info("línea")
		tt.clock = tt.clock.Add(fileRetry)
	}
	is.Equal(len(lines(t, &tt.stdout, fileFails)), before+1)
}

func TestLogFileThatWasDeletedIsMadeAnew(t *testing.T) {
	is := is.New(t)
	tt := newTeeTest(t)
	tt.log.Info("línea")
	is.NoErr(os.Remove(tt.path))
	tt.log.Info("línea")
	is.Equal(tt.file.rotated, 0) // it is not looked for at each line
	tt.clock = tt.clock.Add(fileLook)
	tt.log.Info("línea")
	is.Equal(tt.file.rotated, 1)
	is.Equal(len(lines(t, &tt.stdout, "el archivo de registros no estaba, y se creó otro: alguien lo borró o lo movió")), 1)
}

func TestLogFileReasonsAreKnownByTheirTextToo(t *testing.T) {
	is := is.New(t)
	is.Equal(fileReason(&os.PathError{Op: "write", Path: "/x", Err: syscall.EROFS}), "el sistema de archivos es de solo lectura")
	is.Equal(fileReason(errors.New("size rotation failed: can't open new logfile /x: no space left on device")), "el disco está lleno")
	is.Equal(fileReason(errors.New("otra cosa")), "otra cosa")
}
