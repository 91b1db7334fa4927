package intake

import (
	"context"
	"database/sql"
)

// tableName is the one table that this module writes to.
const tableName = "ccm_generaciones"

// table is what the database has of it. An adopted one may lack columns, and
// have others.
type table struct{ columns map[string]tableColumn }

type tableColumn struct {
	limit    int  // characters; 0: no limit
	required bool // NOT NULL without a default
}

const columnsQuery = `SELECT LOWER(COLUMN_NAME), COALESCE(CHARACTER_MAXIMUM_LENGTH, 0),
       IS_NULLABLE = 'NO' AND COLUMN_DEFAULT IS NULL AND EXTRA NOT LIKE '%auto_increment%'
  FROM information_schema.COLUMNS
 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '` + tableName + `'`

// readTable finds out what the table is like, and that it can be read at all.
func readTable(ctx context.Context, conn *sql.Conn) (*table, error) {
	// information_schema shows nothing of a table that is not there, nor of one
	// that the user may not see: this tells them apart.
	probe, err := conn.QueryContext(ctx, "SELECT id, nombre_misionero FROM "+tableName+" LIMIT 0")
	if err != nil {
		return nil, databaseError(err)
	}
	if err := probe.Close(); err != nil {
		return nil, databaseError(err)
	}
	rows, err := conn.QueryContext(ctx, columnsQuery)
	if err != nil {
		return nil, databaseError(err)
	}
	defer rows.Close()
	t := &table{columns: map[string]tableColumn{}}
	for rows.Next() {
		var name string
		var c tableColumn
		var limit uint64 // of a LONGTEXT it is 4 GiB
		if err := rows.Scan(&name, &limit, &c.required); err != nil {
			return nil, databaseError(err)
		}
		if limit < 1<<24 {
			c.limit = int(limit)
		}
		t.columns[name] = c
	}
	return t, databaseError(rows.Err())
}

// checkRights has the server prepare what the load will do, so that a missing
// right is known before anything is read. Nothing is written.
func checkRights(ctx context.Context, conn *sql.Conn, force bool) error {
	wanted := []string{"INSERT INTO " + tableName + " (id, nombre_misionero) VALUES (?, ?)"}
	if force {
		wanted = append(wanted, "UPDATE "+tableName+" SET nombre_misionero = ? WHERE id = ?")
	}
	for _, query := range wanted {
		prepared, err := conn.PrepareContext(ctx, query)
		if err != nil {
			return databaseError(err)
		}
		if err := prepared.Close(); err != nil {
			return databaseError(err)
		}
	}
	return nil
}
