package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
)

func TestLogLinesHaveTheKeysOfTheContract(t *testing.T) {
	is := is.New(t)
	var out bytes.Buffer
	logger := newLogger(&out, slog.LevelDebug, nil)
	for level, want := range map[slog.Level]string{
		slog.LevelDebug: "DEBUG", slog.LevelInfo: "INFO", slog.LevelWarn: "WARNING", slog.LevelError: "ERROR", levelCritical: "CRITICAL",
	} {
		out.Reset()
		logger.Log(t.Context(), level, "señal <de> prueba", keyStage, "prueba", slog.Group("g", slog.String("msg", "queda")))
		var line map[string]any
		is.NoErr(json.Unmarshal(out.Bytes(), &line))
		is.Equal(line["nivel"], want)
		is.Equal(line["mensaje"], "señal <de> prueba")
		is.Equal(line["etapa"], "prueba")
		is.Equal(line["g"], map[string]any{"msg": "queda"}) // only our own keys are renamed
		_, err := time.Parse(stamp, line["timestamp_utc"].(string))
		is.NoErr(err)
		is.Equal(len(line), 5)
	}
}

func TestLogFileRotatesBySizeAndIsCompressed(t *testing.T) {
	is := is.New(t)
	path := filepath.Join(t.TempDir(), "ccm.log")
	w, end, err := logWriter(processConfig{logFile: path, logSize: mebibyte, logKept: 5}, io.Discard)
	is.NoErr(err)
	line := []byte(strings.Repeat("x", 1023) + "\n")
	for range 1500 {
		_, err := w.Write(line)
		is.NoErr(err)
	}
	end() // waits for the compression
	old, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.gz"))
	is.NoErr(err)
	is.Equal(len(old), 1)
	f, err := os.Open(old[0])
	is.NoErr(err)
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	is.NoErr(err)
	before, err := io.Copy(io.Discard, unzipped)
	is.NoErr(err)
	info, err := os.Stat(path)
	is.NoErr(err)
	is.Equal(before+info.Size(), int64(1500*1024)) // not a line is lost
	is.Equal(info.Mode().Perm(), os.FileMode(0o640))
}

func TestSizesAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]int{
		"": defaultSize, "10485760": 10 * mebibyte, "10MB": 10 * mebibyte, "10 MB": 10 * mebibyte,
		"500kb": 500 << 10, "1G": 1 << 30, "2mib": 2 * mebibyte, "2048 b": 2048,
	} {
		cfg, err := parseProcess(environment([]string{"LOG_MAX_FILE_SIZE=" + text}))
		if err != nil || cfg.logSize != want {
			t.Errorf("%q: %d, %v; want %d", text, cfg.logSize, err, want)
		}
	}
	for _, text := range []string{"10", "mucho", "-5MB", "1,5MB", "9999999GB", "9999999999999"} {
		if _, err := parseProcess(environment([]string{"LOG_MAX_FILE_SIZE=" + text})); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}
