//go:build !race

package main

import (
	"crypto/rand"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/matryer/is"
)

// TestAGigabyteOfLogLeavesLittleInTheVolume writes what half a million requests
// do, with the settings of compose.yaml. It would take minutes under the race
// detector, where the other tests of the log file run.
func TestAGigabyteOfLogLeavesLittleInTheVolume(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	is := is.New(t)
	dir := t.TempDir()
	w, end, err := logWriter(processConfig{logFile: filepath.Join(dir, "ccm.log"), logSize: defaultSize, logKept: defaultKept}, io.Discard)
	is.NoErr(err)
	counted := &counter{Writer: w}
	log := newLogger(counted, slog.LevelInfo, nil)
	for counted.n < 1_000_000_000 {
		id := rand.Text()
		log.Info("petición atendida", keyStage, "http", "request_id", id, "message_id", id, "method", "POST",
			"route", "/telegram/proximos-ingresos", "status", 200, "duration_ms", 8.846, "db_ms", 2.658, "cache_ms", 5.431, "telegram_ms", 0,
			"dataset_id", "upcoming_arrivals", "branch_id", 14, "cache_hit", false, "records_processed", 8, "records_skipped", 2, "relleno", filler)
	}
	end() // waits for the compression
	var kept int64
	is.NoErr(filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		kept += info.Size()
		return err
	}))
	t.Logf("of 1 GB of log lines the volume keeps %.1f MB", float64(kept)/1e6)
	is.True(kept > mebibyte)
	is.True(kept < 24_000_000) // with the 11 MB at most of what Docker keeps: 35
}

// filler makes a line as long as those of reports with a reason are.
const filler = "store: database unavailable (arrivals): dial tcp: lookup mysql on 127.0.0.11:53: no such host"

// counter counts what is written.
type counter struct {
	io.Writer
	n int
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += len(p)
	return c.Writer.Write(p)
}
