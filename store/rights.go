package store

import (
	"context"
	"regexp"
	"slices"
	"strings"
)

var (
	grant  = regexp.MustCompile(`(?i)^GRANT (.+?) ON (?:TABLE )?(\S+?)\.(\S+) TO `)
	writes = []string{"INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "ALL PRIVILEGES"}
	shows  = []string{"SHOW VIEW", "ALL PRIVILEGES"}
)

// inspectRights reads the user's grants on the database in use.
func (s *Store) inspectRights(ctx context.Context, found *Inspection) {
	schema, err := s.firstColumn(ctx, "SELECT DATABASE()")
	if err == nil {
		var lines []string
		if lines, err = s.firstColumn(ctx, "SHOW GRANTS"); err == nil {
			rights := rightsOn(strings.Join(schema, ""), lines)
			found.CanWrite = slices.ContainsFunc(writes, func(w string) bool { return slices.Contains(rights, w) })
			found.CanShowView = slices.ContainsFunc(shows, func(w string) bool { return slices.Contains(rights, w) })
			return
		}
	}
	found.note("no se pudieron ver los permisos del usuario", err)
}

// rightsOn returns the rights that grants give on a schema, on all or part of it.
func rightsOn(schema string, grants []string) (rights []string) {
	for _, line := range grants {
		m := grant.FindStringSubmatch(line)
		if m == nil || !covers(strings.Trim(m[2], "`"), schema) {
			continue
		}
		for right := range strings.SplitSeq(strings.ToUpper(m[1]), ",") {
			right, _, _ = strings.Cut(right, "(") // rights on columns
			rights = append(rights, strings.TrimSpace(right))
		}
	}
	return rights
}

// covers reports whether the schema of a grant, a LIKE pattern, is schema.
func covers(pattern, schema string) bool {
	if pattern == "*" {
		return true
	}
	like := regexp.QuoteMeta(pattern)
	like = strings.NewReplacer(`\\_`, "_", `\\%`, "%", "_", ".", "%", ".*").Replace(like)
	matched, err := regexp.MatchString("(?i)^"+like+"$", schema)
	return err == nil && matched
}
