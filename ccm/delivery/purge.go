package delivery

import (
	"context"
	"database/sql"
	"strings"
	"time"
)

const (
	selectOld = `SELECT id FROM ccm_deliveries WHERE `
	oldRows   = `began_at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND AND (lease_until IS NULL OR lease_until <= UTC_TIMESTAMP(6))`
	oldTexts  = `purged_at IS NULL AND ended_at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND`
	leftTexts = `purged_at IS NULL AND lease_until < UTC_TIMESTAMP(6) - INTERVAL ? SECOND` // nobody has ended them
	limited   = ` LIMIT ?`
)

// purgeBatch is how many deliveries one transaction of Purge changes.
const purgeBatch = 200

// Purged counts what [Journal.Purge] deleted, in deliveries.
type Purged struct {
	Texts int // of which the texts, and what was asked for, are gone
	Rows  int // that are gone altogether
}

// Purge deletes what is too old: texts after Config.Retention, deliveries after
// [KeepRows]. It goes in small batches, each a transaction, so that nobody waits
// for it, and may be cut at any time; several may run at once. What is being sent
// is left alone.
func (j *Journal) Purge(ctx context.Context) (Purged, error) {
	var all Purged
	for _, step := range []struct {
		where  string
		age    time.Duration
		remove func(context.Context, []any) error
		count  *int
	}{
		{oldRows, KeepRows, j.deleteRows, &all.Rows},
		{oldTexts, j.retention, j.deleteTexts, &all.Texts},
		{leftTexts, j.retention, j.deleteTexts, &all.Texts},
	} {
		for {
			ids, err := j.oldIDs(ctx, step.where, step.age)
			if err == nil && len(ids) > 0 {
				err = step.remove(ctx, ids)
			}
			if err != nil {
				return all, classify("purge", err)
			}
			if *step.count += len(ids); len(ids) < purgeBatch {
				break
			}
		}
	}
	return all, nil
}

func (j *Journal) oldIDs(ctx context.Context, where string, age time.Duration) (ids []any, err error) {
	rows, err := j.db.QueryContext(ctx, selectOld+where+limited, int64(age.Seconds()), purgeBatch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// deleteTexts empties those that nobody has reopened meanwhile.
func (j *Journal) deleteTexts(ctx context.Context, ids []any) error {
	in := ` IN (?` + strings.Repeat(`, ?`, len(ids)-1) + `)`
	return j.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE ccm_deliveries SET request = NULL, purged_at = UTC_TIMESTAMP(6) WHERE (lease_until IS NULL OR lease_until <= UTC_TIMESTAMP(6)) AND id`+in, ids...); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE ccm_parts p JOIN ccm_deliveries d ON d.id = p.delivery_id
SET p.html = '', p.plain = '', p.raw = NULL WHERE d.purged_at IS NOT NULL AND d.id`+in, ids...)
		return err
	})
}

func (j *Journal) deleteRows(ctx context.Context, ids []any) error {
	in := ` IN (?` + strings.Repeat(`, ?`, len(ids)-1) + `)`
	return j.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM ccm_parts WHERE delivery_id`+in, ids...); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM ccm_deliveries WHERE id`+in, ids...)
		return err
	})
}
