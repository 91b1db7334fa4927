//go:build !race

// The race detector takes several times the memory of what it watches.

package intake_test

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm/intake/internal/books"
	"github.com/ccmwf/ccm/store/migrate"
)

// mostMemory is what a load may take, by the issue: of the whole process, in KiB.
const mostMemory = 64 << 10

// TestTakesLittleMemory loads many people in a process of its own, and asks the
// kernel what it took at most.
func TestTakesLittleMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("only Linux tells")
	}
	is := is.New(t)
	address := servers["MySQL"](t)
	_, err := migrate.Up(t.Context(), address)
	is.NoErr(err)
	cmd := exec.Command(os.Args[0], books.People(t, "muchos.xlsx", 1, many))
	cmd.Env = append(os.Environ(), childEnv+"="+address)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	is.NoErr(cmd.Run())
	took, err := strconv.Atoi(strings.TrimSpace(out.String()))
	is.NoErr(err)
	t.Logf("%d people in %d KiB at most", many, took)
	is.True(took < mostMemory)
	is.Equal(rows(t, address, "SELECT COUNT(*) FROM ccm_generaciones"), []string{strconv.Itoa(many)})
}
