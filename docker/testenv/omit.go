package testenv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

const requireEnv = "CCM_REQUIRE_DOCKER"

var (
	omittedMu sync.Mutex
	omitted   = map[string]bool{} // names of tests
)

// Omit skips the test for want of something of Docker, and has [Main] say so;
// where Docker is demanded, it fails the test.
func Omit(tb testing.TB, why error) {
	tb.Helper()
	if os.Getenv(requireEnv) == "1" {
		tb.Fatalf("testenv: %v (%s=1 no deja omitir la prueba; docker/bases hace las imágenes)", why, requireEnv)
	}
	omittedMu.Lock()
	omitted[tb.Name()] = true
	omittedMu.Unlock()
	tb.Skipf("OMITIDO: %v. Hace falta Docker en marcha; docker/bases hace las imágenes; después, go test -count=1", why)
}

// announceOmissions says on the terminal what was left out.
func announceOmissions() {
	if len(omitted) == 0 {
		return
	}
	line := fmt.Sprintf("OMITIDO en %s: %d pruebas con MySQL, MariaDB o Redis reales (hacen falta Docker y docker/bases; después, go test -count=1)\n",
		filepath.Base(os.Args[0]), len(omitted))
	if err := tellGoTest(line); err != nil {
		fmt.Fprint(os.Stderr, line)
	}
}

// tellGoTest writes where a person or a log reads what go test prints. go test
// shows nothing of a package that passes, so that is the standard error of go
// test itself, which Linux lets us reach.
func tellGoTest(line string) error {
	path := fmt.Sprintf("/proc/%d/fd/2", os.Getppid())
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode()&(fs.ModeCharDevice|fs.ModeNamedPipe) == 0 {
		return fs.ErrInvalid // go test itself would write over what we put into a file
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = out.WriteString(line)
	return errors.Join(err, out.Close())
}
