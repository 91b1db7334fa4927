package intake_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/ccm/intake/internal/books"
	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/store"
)

// TestTellsTheBranchesConcerned looks at what is told to forget after each change.
func TestTellsTheBranchesConcerned(t *testing.T) { onEach(t, testTellsTheBranchesConcerned) }

func testTellsTheBranchesConcerned(t *testing.T, address string) {
	is := is.New(t)
	var told []int
	var refuses error
	l := open(t, intake.Config{Store: store.Config{URL: address}, Invalidate: func(_ context.Context, branch int) error {
		told = append(told, branch)
		if branch != 0 {
			return refuses
		}
		return nil
	}})
	load := func(o intake.Options, headers []any, rows ...[]any) []int {
		t.Helper()
		told = nil
		_, err := l.Files(t.Context(), o, books.Make(t, "libro.xlsx", append([][]any{headers}, rows...)...))
		is.NoErr(err)
		return told
	}
	whole, force := []any{"ID", "Nombre_del_misionero", "Rama", "Distrito"}, intake.Options{Force: true}
	is.Equal(load(intake.Options{}, whole, []any{1, "Uno", 14, "A"}, []any{2, "Dos", 9, "A"}, []any{3, "Tres", 22, "A"}), []int{9, 14, 22})
	is.Equal(load(force, whole, []any{1, "Uno", 14, "A"}), nil)                               // nothing changed
	is.Equal(load(intake.Options{Force: true, DryRun: true}, whole, []any{1, "Uno", 3}), nil) // nor here
	is.Equal(load(force, whole, []any{2, "Dos", 9, "B"}), []int{9})
	is.Equal(load(force, whole, []any{2, "Dos", 11, "B"}), []int{9, 11})       // moved
	is.Equal(load(force, whole, []any{3, "Tres", "ilegible", "B"}), []int{22}) // stays where it was
	is.Equal(load(force, whole[:2], []any{3, "Otra"}), []int{22})              // the workbook does not say where
	is.Equal(load(force, whole, []any{3, "Otra", nil, "B"}), []int{0})         // in none: it is in no branch's datasets
	is.Equal(load(intake.Options{}, whole[:2], []any{4, "Cuatro"}), []int{0})  // nor is this one
	is.Equal(load(intake.Options{}, whole, []any{5, "Cinco", -3, nil}), []int{0})

	// A branch that is not served here may be by another process.
	refuses = &ccm.Error{Code: ccm.CodeInvalidBranch, Message: "no"}
	is.Equal(load(intake.Options{}, whole, []any{6, "Seis", 14, "A"}, []any{7, "Siete", 22, "A"}), []int{14, 0})
	refuses = errors.New("Redis no responde")
	is.Equal(load(intake.Options{}, whole, []any{8, "Ocho", 14, "A"}, []any{9, "Nueve", 22, "A"}), []int{14, 22})
}

// TestAnUntouchedBranchStaysCached loads with one client, as «ccm-api import»
// does, while another one serves what Redis has.
func TestAnUntouchedBranchStaysCached(t *testing.T) { onEach(t, testAnUntouchedBranchStaysCached) }

func testAnUntouchedBranchStaysCached(t *testing.T, address string) {
	is := is.New(t)
	redis := cache.Config{URL: testenv.Redis(t), MaxBytes: -1} // nothing in memory: who serves needs no time to hear of it
	serving, loading := openClient(t, address, redis), openClient(t, address, redis)
	var log bytes.Buffer
	l := open(t, intake.Config{Store: store.Config{URL: address}, Invalidate: loading.Invalidate, Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	load := func(rows ...[]any) {
		t.Helper()
		_, err := l.Files(t.Context(), intake.Options{Force: true},
			books.Make(t, "libro.xlsx", append([][]any{{"ID", "Nombre_del_misionero", "Rama", "Distrito", "llego", "salida", "Generacion"}}, rows...)...))
		is.NoErr(err)
	}
	person := func(id, branch int, district string) []any {
		return []any{id, "Persona de Ejemplo", branch, district, 46356, 46398, 46353}
	}
	hits := func() (cached []int) {
		t.Helper()
		for _, branch := range []int{0, 9, 14, 22} {
			found, err := serving.BranchSummary(t.Context(), ccm.Query{Branch: branch})
			is.NoErr(err)
			if found.Meta.CacheHit {
				cached = append(cached, branch)
			}
		}
		return cached
	}
	load(person(1, 9, "A"), person(2, 14, "A"), person(3, 22, "A"), person(4, 22, "B"))
	is.Equal(hits(), nil)
	is.Equal(hits(), []int{0, 9, 14, 22})
	load(person(1, 9, "A"), person(2, 14, "A"), person(3, 22, "B"), person(4, 14, "B"))
	is.Equal(hits(), []int{9})
	is.True(!strings.Contains(log.String(), "no se pudo vaciar la caché"))
}

func openClient(t *testing.T, address string, where cache.Config) *ccm.Client {
	t.Helper()
	c, err := ccm.Open(ccm.Config{Store: store.Config{URL: address}, Cache: where})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
