package store

import (
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

var RightsOn = rightsOn

// ParseURL shows tests what the driver is given.
func ParseURL(raw string) (*mysql.Config, error) {
	t, err := parseURL(raw)
	if err != nil {
		return nil, err
	}
	return t.Config, nil
}

// Session is the statement that a connection of cfg starts with.
func Session(cfg Config, now time.Time) string {
	c := connector{location: cfg.Location, limit: cfg.QueryTimeout}
	return c.session(now)
}

// Source is the column under a view's, as schema.table.column; "" if unknown.
func Source(view, name, definition string) string {
	c, _ := column{table: view, name: name}.source(definition)
	return strings.Trim(strings.Join([]string{c.schema, c.table, c.name}, "."), ".")
}
