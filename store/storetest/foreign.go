package storetest

import (
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/store"
)

// foreignSchema is somebody else's: tables and views of other names and types,
// with holes. What is a number in ours is text here, and a date is DATETIME or
// text.
const foreignSchema = `
CREATE TABLE gente (
  clave VARCHAR(20) PRIMARY KEY, clase VARCHAR(10), num_rama VARCHAR(10), letra VARCHAR(4), rd VARCHAR(8), trato VARCHAR(20),
  nombre VARCHAR(100), llega DATETIME, sale VARCHAR(30), nace VARCHAR(30), estado VARCHAR(20), corto VARCHAR(10), correo VARCHAR(50), extra INT)

CREATE VIEW vwMisioneros AS
SELECT clave AS ID, clase AS Tipo, num_rama AS Rama, letra AS Distrito, rd AS RDistrito, trato AS Tratamiento,
       nombre AS Nombre_del_misionero, llega AS CCM_llegada, sale AS CCM_salida, nace AS Fecha_nacimiento, 0 AS Edad,
       estado AS Status, corto AS tres_semanas, correo AS Correo_Misional, correo AS Correo_Personal, extra AS Extra
FROM gente

CREATE VIEW vwFechasCCMPorDistrito AS
SELECT num_rama AS Rama, letra AS Distrito, MIN(sale) AS Primera_Generacion, MIN(llega) AS Primera_CCM_llegada,
       MAX(sale) AS Ultima_CCM_salida, CONCAT(COUNT(*), '') AS Total_Misioneros
FROM gente GROUP BY num_rama, letra

INSERT INTO gente VALUES
 ('1', 'Eld', '14', 'A', NULL, NULL, 'Uno', '2026-12-01 23:59:59', '2026-12-22', '2005-12-05', 'Virtual', 'sí', NULL, 1),
 ('2', 'Sis', '14', 'A', NULL, '', ' Dos ', '2026-12-01 00:00:00', '2026-12-22 08:00:00', '2004-12-06T10:00:00', 'virtual', 'X', 'dos@example.org', 2),
 ('3', 'Eld', '14', 'B', '14B', 'Élder', 'Tres', '2026-12-08 12:00:00', NULL, '15/03/2000', 'Virtual', 'no', NULL, 3),
 ('cuatro', 'Eld', '14', NULL, NULL, NULL, NULL, NULL, 'pronto', NULL, 'CCM', NULL, NULL, NULL),
 ('5', NULL, NULL, 'C', NULL, NULL, 'Cinco', '2026-12-08 12:00:00', NULL, '2001-12-07', NULL, '0', NULL, NULL),
 ('6', 'Sis', 'catorce', 'C', NULL, NULL, 'Seis', '2026-12-08 12:00:00', NULL, '2001-12-07', 'CCM', '1', NULL, NULL)
`

func testForeign(t *testing.T, empty Empty) {
	url := empty(t)
	run(t, connect(t, url), foreignSchema)
	s := open(t, store.Config{URL: url})
	is.New(t).NoErr(s.Check(t.Context()))

	t.Run("arrivals of any type and with holes are read", func(t *testing.T) {
		is := is.New(t)
		got, err := s.Arrivals(t.Context(), window(14, "2026-12-01", 30))
		is.NoErr(err)
		is.Equal(got, []store.Arrival{
			{Branch: 14, Missionaries: 1, Weeks: 6, Status: "CCM"},
			{Branch: 14, District: "A", RDistrict: "14A", Arrival: day("2026-12-01"), Departure: day("2026-12-22"), Missionaries: 2, Weeks: 3, Status: got[1].Status},
			{Branch: 14, District: "B", RDistrict: "14B", Arrival: day("2026-12-08"), Missionaries: 1, Weeks: 6, Status: "Virtual"},
		})
	})
	t.Run("every branch holds the rows without one", func(t *testing.T) {
		is := is.New(t)
		got, err := s.Arrivals(t.Context(), window(0, "2026-12-08", 0))
		is.NoErr(err)
		branches := map[int]int{}
		for _, a := range got {
			branches[a.Branch] += a.Missionaries
		}
		is.Equal(branches, map[int]int{0: 2, 14: 2})
	})
	t.Run("birthdays of any type and with holes are read", func(t *testing.T) {
		is := is.New(t)
		got, err := s.Birthdays(t.Context(), window(14, "2026-12-01", 30))
		is.NoErr(err)
		is.Equal(got, []store.Birthday{
			{Branch: 14, Treatment: "Elder", Status: "CCM"},
			{ID: 3, Branch: 14, District: "B", Treatment: "Élder", Name: "Tres", Status: "Virtual"},
			{ID: 1, Branch: 14, District: "A", Treatment: "Elder", Name: "Uno", Birthday: day("2026-12-05"), Turning: 21, Status: "Virtual", ThreeWeeks: true},
			{ID: 2, Branch: 14, District: "A", Treatment: "Hermana", Name: "Dos", Birthday: day("2026-12-06"), Turning: 22, Status: "virtual",
				EmailMission: "dos@example.org", EmailPersonal: "dos@example.org", ThreeWeeks: true},
		})
	})
	t.Run("districts of any type and with holes are read", func(t *testing.T) {
		is := is.New(t)
		got, err := s.BranchSummaries(t.Context(), 14)
		is.NoErr(err)
		is.Equal(len(got), 3)
		is.Equal(got[0].District, "")
		is.Equal(got[1], store.BranchSummary{Branch: 14, District: "A", FirstGeneration: day("2026-12-22"), FirstArrival: day("2026-12-01"),
			LastDeparture: day("2026-12-22"), Missionaries: 2, Elders: 1, Sisters: 1})
		kpis, err := s.KPIs(t.Context(), 14, day("2026-12-02"))
		is.NoErr(err)
		is.Equal(len(kpis), 15)
		is.Equal(values(kpis, "A"), map[string]int{"total_missionaries": 2, "en_ccm": 0, "virtuales": 2, "futuros": 0, "tres_semanas": 2})
	})
}

// values are the metrics of one district.
func values(kpis []store.KPI, district string) map[string]int {
	found := map[string]int{}
	for _, k := range kpis {
		if k.District == district {
			found[k.Metric] = k.Value
		}
	}
	return found
}
