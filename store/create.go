package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// Create makes the database that url names, where there is none and the user
// may. One that exists is left as it is, and no right is needed for it. Errors
// are classified like all others.
func Create(ctx context.Context, url string) error {
	t, err := parseURL(url)
	if err != nil {
		return err
	}
	t.setTimeouts(DefaultQueryTimeout)
	exists, err := t.try(ctx, "SELECT 1")
	if exists || code(err) != 1049 {
		return Classify("create", err)
	}
	name := t.DBName
	t.DBName = ""
	_, err = t.try(ctx, fmt.Sprintf("CREATE DATABASE IF NOT EXISTS `%s` CHARACTER SET utf8mb4", strings.ReplaceAll(name, "`", "``")))
	return Classify("create", err)
}

// try runs a statement on a connection of its own.
func (t *target) try(ctx context.Context, query string) (bool, error) {
	c, err := mysql.NewConnector(t.Config)
	if err != nil {
		return false, fmt.Errorf("store: %w", err)
	}
	db := sql.OpenDB(c)
	defer db.Close()
	_, err = db.ExecContext(ctx, query)
	return err == nil, err
}
