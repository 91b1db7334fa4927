package testenv

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

const requireEnv = "CCM_REQUIRE_DOCKER"

var (
	omittedMu sync.Mutex
	omitted   = map[string]int{} // how many tests want what
)

// needsServers is what a test wants that finds no Docker, or no image.
const needsServers = "con MySQL, MariaDB o Redis reales (hacen falta Docker y docker/bases; después, go test -count=1)"

// Omit skips the test for want of something of Docker, and has [Main] say so;
// where Docker is demanded, it fails the test.
func Omit(tb testing.TB, why error) {
	tb.Helper()
	if os.Getenv(requireEnv) == "1" {
		tb.Fatalf("testenv: %v (%s=1 no deja omitir la prueba; docker/bases hace las imágenes)", why, requireEnv)
	}
	count(needsServers)
	tb.Skipf("OMITIDO: %v. Hace falta Docker en marcha; docker/bases hace las imágenes; después, go test -count=1", why)
}

// LeaveOut skips the test because it was not asked for, and has [Main] say what
// would run it.
func LeaveOut(tb testing.TB, what string) {
	tb.Helper()
	count(what)
	tb.Skip("OMITIDO: " + what)
}

func count(what string) {
	omittedMu.Lock()
	defer omittedMu.Unlock()
	omitted[what]++
}

// announceOmissions says on the terminal what was left out.
func announceOmissions() {
	for _, what := range slices.Sorted(maps.Keys(omitted)) {
		line := fmt.Sprintf("OMITIDO en %s: %d pruebas %s\n", filepath.Base(os.Args[0]), omitted[what], what)
		if err := tellGoTest(line); err != nil {
			fmt.Fprint(os.Stderr, line)
		}
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
