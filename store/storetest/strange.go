package storetest

import (
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/store"
)

// strangeSchema mixes what MySQL does not like to compare: a view made under
// another collation, with a status of literals and dates of DATE_FORMAT; columns
// in latin1; a BIT; dates that no calendar has.
const strangeSchema = `
SET SESSION sql_mode = ''

SET NAMES utf8mb4 COLLATE utf8mb4_spanish_ci

CREATE TABLE gente (
  id INT PRIMARY KEY, rama DECIMAL(10,2), distrito VARCHAR(5) CHARACTER SET latin1, nombre VARCHAR(50) CHARACTER SET latin1,
  llega DATE, sale DATE, nace DATE, corto BIT(1), KEY ix_rama (rama))

CREATE VIEW vwMisioneros AS
SELECT id AS ID, CASE WHEN id = 1 THEN 'Eld' ELSE 'Sis' END AS Tipo, rama AS Rama, distrito AS Distrito, NULL AS RDistrito, NULL AS Tratamiento,
       nombre AS Nombre_del_misionero, DATE_FORMAT(llega, '%Y-%m-%d') AS CCM_llegada, sale AS CCM_salida, nace AS Fecha_nacimiento,
       CASE WHEN id = 1 THEN 'Virtual' ELSE 'CCM' END AS Status, corto AS tres_semanas, NULL AS Correo_Misional, NULL AS Correo_Personal
FROM gente

CREATE VIEW vwFechasCCMPorDistrito AS
SELECT rama AS Rama, distrito AS Distrito, MIN(llega) AS Primera_Generacion, MIN(llega) AS Primera_CCM_llegada, MAX(sale) AS Ultima_CCM_salida,
       SUM(1) AS Total_Misioneros
FROM gente GROUP BY rama, distrito

INSERT INTO gente VALUES
 (1, 14, 'Ñ', 'José Núñez', '2026-12-01', NULL, '2004-12-05', b'1'),
 (2, 14, 'Ñ', 'Inés', '2026-12-01', NULL, '2004-00-00', b'1'),
 (3, 14, 'o', 'Zoé', '0000-00-00', NULL, '0000-00-00', b'0')
`

func testStrange(t *testing.T, empty Empty) {
	is := is.New(t)
	url := empty(t)
	db := connect(t, url)
	db.SetMaxOpenConns(1) // its SETs are a session's
	run(t, db, strangeSchema)
	s := open(t, store.Config{URL: url})
	is.NoErr(s.Check(t.Context()))

	arrivals, err := s.Arrivals(t.Context(), window(14, "2026-12-01", 0))
	is.NoErr(err)
	is.Equal(len(arrivals), 2)
	is.Equal(arrivals[1], store.Arrival{Branch: 14, District: "Ñ", RDistrict: "14Ñ", Arrival: day("2026-12-01"), Missionaries: 2, Weeks: 3, Status: "CCM"})

	birthdays, err := s.Birthdays(t.Context(), window(14, "2026-12-01", 30), "virtual", "CCM")
	is.NoErr(err)
	is.Equal(len(birthdays), 3)
	is.Equal(birthdays[2], store.Birthday{ID: 1, Branch: 14, District: "Ñ", Treatment: "Elder", Name: "José Núñez", Birthday: day("2026-12-05"),
		Turning: 22, Status: "Virtual", ThreeWeeks: true})

	summaries, err := s.BranchSummaries(t.Context(), 14)
	is.NoErr(err)
	is.Equal(len(summaries), 2)
	kpis, err := s.KPIs(t.Context(), 14, day("2026-12-01"))
	is.NoErr(err)
	is.Equal(values(kpis, "Ñ"), map[string]int{"total_missionaries": 2, "en_ccm": 1, "virtuales": 1, "futuros": 0, "tres_semanas": 2})
	is.Equal(values(kpis, "o")["tres_semanas"], 0)
}
