package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/matryer/is"
)

// TestServeOutlivesItsLogCollector reads the first lines of the log, goes away,
// and finds that the service goes on, and ends as it should.
func TestServeOutlivesItsLogCollector(t *testing.T) {
	is := is.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	is.NoErr(err)
	port := portOf(free)
	free.Close()
	file := filepath.Join(t.TempDir(), "ccm.log")
	reader, writer, err := os.Pipe()
	is.NoErr(err)
	defer reader.Close()
	cmd := exec.CommandContext(ctx, "ccm-api", "serve")
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = writer, &stderr
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "API_HOST=127.0.0.1", "API_PORT=" + port, "LOG_FILE_PATH=" + file, "LOG_LEVEL=DEBUG", "TELEGRAM_ENABLED=no"}
	is.NoErr(cmd.Start())
	writer.Close()
	log := bufio.NewReader(reader)
	for line := ""; !strings.Contains(line, "servicio listo"); {
		line, err = log.ReadString('\n')
		is.NoErr(err)
	}
	reader.Close()

	is.NoErr(cmd.Process.Signal(syscall.SIGHUP))
	for range 3 {
		resp, err := (&http.Client{Timeout: patience}).Get("http://127.0.0.1:" + port + "/health")
		is.NoErr(err)
		_, err = io.Copy(io.Discard, resp.Body)
		is.NoErr(err)
		resp.Body.Close()
		is.Equal(resp.StatusCode, http.StatusOK)
	}
	is.NoErr(cmd.Process.Signal(syscall.SIGTERM))
	is.NoErr(cmd.Wait()) // exit code 0
	is.Equal(stderr.String(), "")
	kept, err := os.ReadFile(file)
	is.NoErr(err)
	is.True(bytes.Contains(kept, []byte("servicio detenido"))) // the file has every line
}
