//go:build unix

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"
)

// replica is a log like that of one process of several that share a volume.
func replica(t *testing.T, path string, kept int) (log *slog.Logger, file *tee, stdout *bytes.Buffer, end func()) {
	t.Helper()
	stdout = new(bytes.Buffer)
	w, end, err := logWriter(processConfig{logFile: path, logSize: mebibyte, logKept: kept}, stdout)
	is.New(t).NoErr(err)
	file, _ = w.(*tee)
	return newLogger(w, slog.LevelInfo, nil), file, stdout, end
}

func TestLogFilesOfTwoReplicasHaveEveryLine(t *testing.T) {
	is := is.New(t)
	const each = 6000
	dir := t.TempDir()
	path := filepath.Join(dir, "ccm.log")
	one, _, said, endOne := replica(t, path, 100)
	two, _, saidToo, endTwo := replica(t, path, 100)
	var both sync.WaitGroup
	for name, log := range map[string]*slog.Logger{"uno": one, "dos": two} {
		both.Go(func() {
			for i := range each {
				log.Info(fmt.Sprintf("%s %d", name, i), "relleno", strings.Repeat("x", 400))
			}
		})
	}
	both.Wait()
	endOne()
	endTwo()

	const moved = "los registros van a otro archivo: otro proceso escribe en el primero"
	is.Equal(len(lines(t, said, moved)), 0)
	told := lines(t, saidToo, moved)
	is.Equal(len(told), 1)
	is.Equal(told[0]["nivel"], "INFO")
	is.Equal(told[0]["etapa"], "registros")
	is.Equal(told[0]["archivo"], filepath.Join(dir, "ccm-2.log"))
	is.True(len(backups(t, dir, "ccm-20")) > 1) // they were rotated
	is.True(len(backups(t, dir, "ccm-2-")) > 1)
	kept := map[string]int{}
	for line := range strings.Lines(everything(t, dir)) {
		_, text, _ := strings.Cut(line, `"mensaje":"`)
		text, _, _ = strings.Cut(text, `"`)
		kept[text]++
	}
	for i := range each {
		is.Equal(kept[fmt.Sprint("uno ", i)], 1)
		is.Equal(kept[fmt.Sprint("dos ", i)], 1)
	}
}

func TestLogFilesOfReplicasAreCleanedUpApart(t *testing.T) {
	for _, name := range []string{"ccm.log", "registros"} {
		for n, want := range map[int]map[string]int{1: {"-20": 2, "-2-": 4}, 2: {"-20": 4, "-2-": 2}} {
			t.Run(fmt.Sprint(name, " by number ", n), func(t *testing.T) {
				is := is.New(t)
				dir := t.TempDir()
				path := filepath.Join(dir, name)
				stem, ext := strings.TrimSuffix(name, ".log"), filepath.Ext(name)
				for hours := range 4 {
					at := time.Now().UTC().Add(-time.Duration(hours+1) * time.Hour).Format("2006-01-02T15-04-05.000")
					for _, old := range []string{stem + "-" + at + "-size" + ext, stem + "-2-" + at + "-time" + ext} {
						is.NoErr(os.WriteFile(filepath.Join(dir, old), nil, 0o600))
					}
				}
				if n == 2 {
					first, err := claimLog(path)
					is.NoErr(err)
					defer first.free()
				}
				log, file, _, end := replica(t, path, 2)
				log.Info("línea")
				is.NoErr(file.file.Rotate())
				end()
				for prefix, count := range want {
					is.Equal(len(backups(t, dir, stem+prefix)), count)
				}
			})
		}
	}
}

func TestLogFileIsTakenAgainWhenItIsFree(t *testing.T) {
	is := is.New(t)
	path := filepath.Join(t.TempDir(), "ccm.log")
	_, first, _, endFirst := replica(t, path, 1)
	_, second, _, endSecond := replica(t, path, 1)
	is.Equal(first.path, path)
	is.Equal(filepath.Base(second.path), "ccm-2.log")
	endFirst()
	_, third, _, endThird := replica(t, path, 1)
	is.Equal(third.path, path)
	endSecond()
	endThird()
}

func TestLogFilesThatAreAllTakenLeaveStdout(t *testing.T) {
	is := is.New(t)
	path := filepath.Join(t.TempDir(), "ccm.log")
	for range mostLogFiles {
		_, _, _, end := replica(t, path, 1)
		defer end()
	}
	log, file, stdout, end := replica(t, path, 1)
	defer end()
	is.True(file == nil)
	log.Info("línea")
	is.Equal(len(lines(t, stdout, "línea")), 1)
	said := lines(t, stdout, "los registros van solo a la salida: otros procesos tienen todos los archivos")
	is.Equal(len(said), 1)
	is.Equal(said[0]["nivel"], "WARNING")
	is.Equal(said[0]["revisar"], "LOG_FILE_PATH")
}

func TestLogFileWithoutLocksIsUsedAsItIs(t *testing.T) {
	is := is.New(t)
	path := filepath.Join(t.TempDir(), "ccm.log")
	is.NoErr(os.Mkdir(path+".lock", 0o700)) // no lock file can be there
	_, file, _, end := replica(t, path, 1)
	defer end()
	is.Equal(file.path, path)
}

// backups are the earlier files whose names begin so.
func backups(t *testing.T, dir, prefix string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
	is.New(t).NoErr(err)
	return found
}

// everything is the text of all log files of a folder.
func everything(t *testing.T, dir string) string {
	t.Helper()
	is := is.New(t)
	entries, err := os.ReadDir(dir)
	is.NoErr(err)
	var all strings.Builder
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		is.NoErr(err)
		var text io.Reader = bytes.NewReader(data)
		if strings.HasSuffix(e.Name(), ".gz") {
			text, err = gzip.NewReader(text)
			is.NoErr(err)
		}
		_, err = io.Copy(&all, text)
		is.NoErr(err)
	}
	return all.String()
}
