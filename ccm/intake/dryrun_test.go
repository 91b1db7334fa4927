package intake_test

import (
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/ccm/intake/internal/books"
	"github.com/ccmwf/ccm/store"
)

// TestADryRunTellsWhatTheLoadDoes has workbooks that overlap: the later ones find
// what the earlier ones wrote, or would have written.
func TestADryRunTellsWhatTheLoadDoes(t *testing.T) { onEach(t, testADryRunTellsWhatTheLoadDoes) }

func testADryRunTellsWhatTheLoadDoes(t *testing.T, address string) {
	l := open(t, intake.Config{Store: store.Config{URL: address}})
	whole := []any{"ID", "Nombre_del_misionero", "Tipo", "Rama", "Cumpleanos", "iPad"}
	before := books.Make(t, "antes.xlsx", whole,
		[]any{1, "Uno", "Elder", 14, 39145, "sí"},
		[]any{2, "Dos", "Sister", 14, 39145, "sí"},
		[]any{3, "Tres", "Elder", 14, 39145, "sí"})
	cut := books.People(t, "cortado.xlsx", 1, 8000)
	damageEnd(t, cut)
	paths := []string{
		books.Make(t, "a.xlsx", whole,
			[]any{2, "Dos", "Sister", 9, 39145, "sí"}, // moves
			[]any{4, "Cuatro", "Elder", 14, "ilegible", nil},
			[]any{5, "Cinco", "Elder", 14, 39145, "no"},
			[]any{nil, "Sin ID", "Elder", 14, 39145, "no"}),
		cut, // leaves nothing behind
		books.Make(t, "b.xlsx", whole,
			[]any{2, "Dos", "Sister", 14, 39145, "sí"},    // moves back: it is as it was, and yet changes
			[]any{4, "Cuatro", "Elder", 14, "nada", "no"}, // as a.xlsx left it
			[]any{5, "Cinco", "Sister", 14, 39145, "sí"},  // of a.xlsx, changed
			[]any{6, "Seis", "Elder", 14, nil, nil}),      // new
		books.Make(t, "c.xlsx", []any{"Nombre_del_misionero", "ID", "Comentarios"}, // other columns, in another order
			[]any{"Uno", 1, "hola"}, []any{"Cinco", 5, nil}, []any{"Seis", 6, "hola"}, []any{"Siete", 7, "hola"}),
		books.Make(t, "d.xlsx", []any{"Nombre_del_misionero", "ID", "Comentarios", "Rama"},
			[]any{"Uno", 1, "hola", 14}, []any{"Dos", 2, nil, 14}, []any{"Seis", 6, nil, 14}, []any{"Siete", 7, "hola", 14}),
	}
	paths = append(paths, paths[0], paths[2]) // the same ones again
	for name, force := range map[string]bool{"without force": false, "with force": true} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			execute(t, address, "DELETE FROM ccm_generaciones")
			_, err := l.Files(t.Context(), intake.Options{}, before)
			is.NoErr(err)
			was := dump(t, address)
			told, err := l.Files(t.Context(), intake.Options{Force: force, DryRun: true}, paths...)
			is.NoErr(err)
			is.Equal(dump(t, address), was)
			did, err := l.Files(t.Context(), intake.Options{Force: force}, paths...)
			is.NoErr(err)
			for i := range told.Files {
				told.Files[i].NewIDs, told.Files[i].ChangedIDs = nil, nil
			}
			told.DryRun, told.DurationSeconds = did.DryRun, did.DurationSeconds
			is.Equal(told, did)
			is.Equal(did.Inserted, 4)
			is.Equal(did.Failed, 1)
			is.Equal(did.Updated > 0, force)
		})
	}
}
