package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// view is what the queries need of a view.
type view struct {
	name    string
	columns []string
}

var needed = []view{
	{"vwMisioneros", []string{
		"ID", "Tipo", "Rama", "Distrito", "RDistrito", "Tratamiento", "Nombre_del_misionero", "CCM_llegada",
		"CCM_salida", "Fecha_nacimiento", "Status", "tres_semanas", "Correo_Misional", "Correo_Personal",
	}},
	{"vwFechasCCMPorDistrito", []string{
		"Rama", "Distrito", "Primera_Generacion", "Primera_CCM_llegada", "Ultima_CCM_salida", "Total_Misioneros",
	}},
}

// Check finds out whether the four queries can run: it names every view and
// column that is missing, all at once ([ErrSchema]), and then has the server
// prepare each query. Its errors are in Spanish, for an operator, and say what
// to mend; they are classified like all others.
func (s *Store) Check(ctx context.Context) error {
	missing, err := s.missing(ctx)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return &advice{strings.Join(missing, "; "), ErrSchema}
	}
	for _, query := range []string{arrivalsSQL, birthdaysSQL, summariesSQL, kpisSQL} {
		if err := s.prepare(ctx, query); err != nil {
			return advise(err)
		}
	}
	return nil
}

func (s *Store) prepare(ctx context.Context, query string) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	stmt, err := s.db.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	return stmt.Close()
}

// missing lists what the database lacks, a line each.
func (s *Store) missing(ctx context.Context) (lines []string, err error) {
	for _, v := range needed {
		columns, err := s.columns(ctx, v.name)
		switch {
		case code(err) == 1146:
			lines = append(lines, fmt.Sprintf("falta la vista %s: créela con las columnas %s (en una base de datos vacía la crea «ccm-api migrate up»)",
				v.name, strings.Join(v.columns, ", ")))
			continue
		case isBroken(err):
			lines = append(lines, fmt.Sprintf("la vista %s está dañada, pues usa algo que ya no existe o que quien la creó no puede leer: vuelva a crearla (%v)", v.name, err))
			continue
		case err != nil:
			return nil, advise(err)
		}
		for _, name := range v.columns {
			if !slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, name) }) {
				lines = append(lines, fmt.Sprintf("falta la columna %s en la vista %s: añádala con CREATE OR REPLACE VIEW (si no existe el dato, «NULL AS %s»)",
					name, v.name, name))
			}
		}
	}
	return lines, nil
}

// isBroken reports whether the server has the view but cannot run it: whatever
// it says, unless that it is busy or that the user may not.
func isBroken(err error) bool {
	kind := kindOf(err)
	return code(err) != 0 && (kind == nil || errors.Is(kind, ErrSchema) && code(err) != 1049)
}

// columns returns the names of a view's columns. Unlike information_schema it
// also works where the user holds rights on the view alone, and says why if not.
func (s *Store) columns(ctx context.Context, view string) ([]string, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.db.QueryContext(ctx, "SELECT * FROM "+view+" LIMIT 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	return names, errors.Join(err, rows.Err())
}
