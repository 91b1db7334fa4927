package storetest

import (
	"errors"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/store"
)

func testCheck(t *testing.T, empty Empty) {
	t.Run("every missing view is named", func(t *testing.T) {
		is := is.New(t)
		err := open(t, store.Config{URL: empty(t)}).Check(t.Context())
		is.True(errors.Is(err, store.ErrSchema))
		is.True(strings.Contains(err.Error(), "falta la vista vwMisioneros"))
		is.True(strings.Contains(err.Error(), "falta la vista vwFechasCCMPorDistrito"))
	})
	t.Run("every missing column is named", func(t *testing.T) {
		is := is.New(t)
		url := reference(t, empty)
		run(t, connect(t, url), `
CREATE OR REPLACE VIEW vwMisioneros AS
SELECT id AS ID, tipo AS Tipo, rama AS RAMA, distrito AS Distrito, '' AS RDistrito, tratamiento AS Tratamiento,
       nombre_misionero AS Nombre_del_misionero, fecha_llegada AS CCM_llegada, fecha_salida AS CCM_salida,
       '' AS Status, '' AS Correo_Misional, '' AS Correo_Personal FROM ccm_generaciones

CREATE OR REPLACE VIEW vwFechasCCMPorDistrito AS SELECT rama AS Rama, distrito AS Distrito FROM ccm_generaciones`)
		s := open(t, store.Config{URL: url})
		err := s.Check(t.Context())
		is.True(errors.Is(err, store.ErrSchema))
		missing := []string{"Fecha_nacimiento en la vista vwMisioneros", "tres_semanas en la vista vwMisioneros",
			"Primera_Generacion en la vista vwFechasCCMPorDistrito", "Total_Misioneros en la vista vwFechasCCMPorDistrito"}
		for _, name := range missing {
			is.True(strings.Contains(err.Error(), "falta la columna "+name))
		}
		is.True(!strings.Contains(err.Error(), "columna Rama")) // case does not matter
		found, err := s.Inspect(t.Context())
		is.NoErr(err)
		is.Equal(len(found.Missing), 6)
	})
	t.Run("a view over a table that is gone is named", func(t *testing.T) {
		is := is.New(t)
		url := reference(t, empty)
		exec(t, connect(t, url), "DROP TABLE ccm_generaciones")
		err := open(t, store.Config{URL: url}).Check(t.Context())
		is.True(errors.Is(err, store.ErrSchema))
		is.True(strings.Contains(err.Error(), "vwMisioneros"))
		is.True(strings.Contains(err.Error(), "vwFechasCCMPorDistrito"))
	})
}

func testInspect(t *testing.T, empty Empty) {
	t.Run("the reference schema lacks nothing", func(t *testing.T) {
		is := is.New(t)
		url := reference(t, empty,
			person{id: 1, branch: 14, name: "Uno", generation: "2020-01-01"},
			person{id: 2, branch: 14, name: "Dos", generation: "2020-01-01"},
			person{id: 3, branch: 14, name: "Tres", generation: "2120-01-01"})
		found, err := open(t, store.Config{URL: url}).Inspect(t.Context())
		is.NoErr(err)
		is.True(found.Server == "MySQL" || found.Server == "MariaDB")
		is.True(found.Version != "")
		is.True(found.Latency > 0)
		is.True(found.CanWrite)
		is.True(found.CanShowView)
		is.Equal(found.Missing, nil)
		is.Equal(found.MissingIndexes, nil)
		is.Equal(found.Notes, nil)
		is.Equal(found.Statuses, map[string]int{"CCM": 2, "Futuro": 1})
	})
	t.Run("an index that lacks is a statement that makes it", func(t *testing.T) {
		is := is.New(t)
		url := reference(t, empty)
		db := connect(t, url)
		exec(t, db, "DROP INDEX ix_ccm_generaciones_rama ON ccm_generaciones")
		s := open(t, store.Config{URL: url})
		found, err := s.Inspect(t.Context())
		is.NoErr(err)
		is.Equal(len(found.MissingIndexes), 1) // both views stand on one table
		exec(t, db, found.MissingIndexes[0])
		found, err = s.Inspect(t.Context())
		is.NoErr(err)
		is.Equal(found.MissingIndexes, nil)
	})
}
