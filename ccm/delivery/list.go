package delivery

import (
	"context"
	"strings"
	"time"

	"github.com/ccmwf/ccm/ccm"
)

// List is that of [ccm.Journal].
func (j *Journal) List(ctx context.Context, f ccm.Filter) (ccm.Page, error) {
	query, args, err := listQuery(f)
	if err != nil {
		return ccm.Page{}, err
	}
	found, err := read(ctx, j.db, query, args...)
	if err != nil {
		return ccm.Page{}, classify("list", err)
	}
	page := ccm.Page{Records: []ccm.Record{}}
	for _, r := range found {
		if len(page.Records) == f.Size() {
			page.Next = page.Records[f.Size()-1].Cursor()
			break
		}
		page.Records = append(page.Records, r.Record)
	}
	return page, nil
}

// listQuery asks for a page and for one delivery more, which tells whether there
// is a next one.
func listQuery(f ccm.Filter) (query string, args []any, err error) {
	began, id, err := f.After()
	if err == nil && id != "" && !idForm.MatchString(id) {
		err = ccm.ErrBadCursor
	}
	if err != nil {
		return "", nil, err
	}
	conditions := []string{"TRUE"}
	add := func(condition string, values ...any) {
		conditions, args = append(conditions, condition), append(args, values...)
	}
	index := ""
	switch f.State {
	case "":
	case ccm.Sending:
		index = ` FORCE INDEX (ix_ccm_deliveries_lease)` // a few, whatever the list's order
		add(`lease_until > UTC_TIMESTAMP(6)`)
	default:
		add(`state = ? AND (lease_until IS NULL OR lease_until <= UTC_TIMESTAMP(6))`, string(f.State))
	}
	if f.Report != "" {
		add(`report = ?`, f.Report)
	}
	if f.Chat != "" {
		add(`chat = ?`, f.Chat)
	}
	if !f.From.IsZero() {
		add(`began_at >= ?`, datetime(within(f.From)))
	}
	if !f.To.IsZero() {
		add(`began_at < ?`, datetime(within(f.To)))
	}
	if id != "" {
		add(`began_at <= ? AND (began_at < ? OR id < ?)`, datetime(began), datetime(began), id)
	}
	query = `SELECT ` + dColumns + `, ` + pColumns + `, ` + noTexts + `
FROM (SELECT * FROM ccm_deliveries` + index + ` WHERE ` + strings.Join(conditions, " AND ") + ` ORDER BY began_at DESC, id DESC LIMIT ?) d
LEFT JOIN ccm_parts p ON p.delivery_id = d.id ORDER BY d.began_at DESC, d.id DESC, p.part`
	return query, append(args, f.Size()+1), nil
}

// The times that a DATETIME can hold.
// https://dev.mysql.com/doc/refman/9.7/en/datetime.html
var (
	firstTime = time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC)
	lastTime  = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
)

// within is the time that a DATETIME can hold next to t: who looks from the year 1
// to 9999-12-31 means all.
func within(t time.Time) time.Time {
	switch {
	case t.Before(firstTime):
		return firstTime
	case t.After(lastTime):
		return lastTime
	}
	return t
}
