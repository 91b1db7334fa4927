package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// column is a column of a table or view; schema "" is the one in use.
type column struct{ schema, table, name string }

// owner is the table or view that has the column, as SQL names it.
func (c column) owner() string {
	table := "`" + c.table + "`"
	if c.schema != "" {
		table = "`" + c.schema + "`." + table
	}
	return table
}

// inspectIndexes looks under the views for the columns they filter by, and for
// an index on each.
func (s *Store) inspectIndexes(ctx context.Context, found *Inspection) {
	for _, v := range needed {
		statement, err := s.missingIndex(ctx, column{table: v.name, name: "Rama"})
		if err != nil {
			found.note("no se sabe si a la vista "+v.name+" le falta un índice por rama", err)
		} else if statement != "" && !slices.Contains(found.MissingIndexes, statement) {
			found.MissingIndexes = append(found.MissingIndexes, statement)
		}
	}
}

// maxViewDepth is how many views may stand on each other.
const maxViewDepth = 5

// missingIndex returns the statement that would index the column of a table
// that c comes from, and "" if there is such an index.
func (s *Store) missingIndex(ctx context.Context, c column) (string, error) {
	for range maxViewDepth {
		kind, err := s.first(ctx, "SELECT TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) AND TABLE_NAME = ?", c.schema, c.table)
		switch {
		case err != nil:
			return "", err
		case kind == "":
			return "", fmt.Errorf("el usuario no puede ver la tabla %s: conceda SELECT sobre ella, o compruébelo con otro usuario", c.table)
		case !strings.HasSuffix(kind, "VIEW"):
			return s.indexOf(ctx, c)
		}
		definition, err := s.viewDefinition(ctx, c)
		if err != nil {
			return "", err
		}
		under, ok := c.source(definition)
		if !ok {
			return "", fmt.Errorf("%s.%s no es una simple columna de una tabla", c.table, c.name)
		}
		c = under
	}
	return "", errors.New("hay demasiadas vistas una sobre otra")
}

// indexOf is missingIndex of a column of a table.
func (s *Store) indexOf(ctx context.Context, c column) (string, error) {
	const where = " WHERE TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) AND TABLE_NAME = ? AND COLUMN_NAME = ?"
	kind, err := s.first(ctx, "SELECT DATA_TYPE FROM information_schema.COLUMNS"+where, c.schema, c.table, c.name)
	switch {
	case err != nil:
		return "", err
	case kind == "":
		return "", fmt.Errorf("el usuario no puede ver la columna %s de la tabla %s: conceda SELECT sobre ella, o compruébelo con otro usuario", c.name, c.table)
	case !strings.Contains(kind, "int") && kind != "decimal":
		return "", fmt.Errorf("la columna %s de la tabla %s es %s: solo como número puede usar un índice", c.name, c.table, kind)
	}
	index, err := s.first(ctx, "SELECT INDEX_NAME FROM information_schema.STATISTICS"+where+" AND SEQ_IN_INDEX = 1", c.schema, c.table, c.name)
	if err != nil || index != "" {
		return "", err
	}
	return fmt.Sprintf("CREATE INDEX ix_%s_%s ON %s (`%s`)", c.table, c.name, c.owner(), c.name), nil
}

// viewDefinition returns the statement that made a view.
func (s *Store) viewDefinition(ctx context.Context, v column) (string, error) {
	name := v.owner()
	found, err := read(ctx, s, "inspect", "SHOW CREATE VIEW "+name, nil, func(definition *string) []any {
		var ignored string
		return []any{text(&ignored), text(definition), text(&ignored), text(&ignored)}
	})
	if errors.Is(err, ErrDenied) {
		return "", fmt.Errorf("falta el permiso SHOW VIEW: GRANT SHOW VIEW ON %s TO el usuario", name)
	}
	return strings.Join(found, ""), err
}

const identifier = `[\pL\d_$-]+`

var (
	fromClause = regexp.MustCompile(`(?is)\bfrom\b(.*?)(?:\bwhere\b|\bgroup\b|\bhaving\b|\border\b|\blimit\b|$)`)
	joinWord   = regexp.MustCompile(`(?i)\bjoin\b`)
	tableRef   = regexp.MustCompile(`(?is)(?:^|,)[\s(]*(?:(` + identifier + `)\.)?(` + identifier + `)(?:\s+(?:as\s+)?(` + identifier + `))?`)
)

// source finds, in a view's definition, the column that c is another name of.
// MySQL writes definitions as `alias`.`column` AS `Name` … from `table` `alias`.
func (c column) source(definition string) (column, bool) {
	definition = strings.ReplaceAll(definition, "`", "")
	named := regexp.MustCompile(`(?i)(?:(` + identifier + `)\.)?(` + identifier + `)\s+as\s+` + regexp.QuoteMeta(c.name) + `\b`)
	m := named.FindStringSubmatch(definition)
	from := fromClause.FindStringSubmatch(definition)
	if m == nil || from == nil {
		return column{}, false
	}
	tables := tableRef.FindAllStringSubmatch(joinWord.ReplaceAllString(from[1], ","), -1)
	for _, t := range tables {
		if strings.EqualFold(m[1], t[2]) || strings.EqualFold(m[1], t[3]) || m[1] == "" && len(tables) == 1 {
			return column{schema: cmp.Or(t[1], c.schema), table: t[2], name: m[2]}, true
		}
	}
	return column{}, false
}

// first returns the first column of a query's first row; "" without rows.
func (s *Store) first(ctx context.Context, query string, args ...any) (string, error) {
	found, err := s.firstColumn(ctx, query, args...)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}
