package delivery

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/ccmwf/ccm/ccm"
)

// Whether a claim counts as held from its first moment.
const (
	confirmed   = true  // what is asked for happens, whoever hears of it
	unconfirmed = false // who asked may not know, and go on without the journal
)

// take claims a delivery whose owner is the one that was seen, and lives no
// more. The zero Record: another was faster, or has finished it.
func (j *Journal) take(ctx context.Context, id string, seen sql.NullString, sure bool) (ccm.Record, error) {
	c := &claim{id: id, owner: newID(time.Now()), confirmed: sure}
	var r ccm.Record
	err := j.transact(ctx, func(tx *sql.Tx) error {
		found, err := lock(ctx, tx, id)
		if err != nil || found == nil || found.held || found.owner != seen || !sure && found.Finished() {
			return err
		}
		if err := found.claim(ctx, tx, c); err != nil {
			return err
		}
		r = found.Record
		return abandonParts(ctx, tx, id)
	})
	if err != nil || r.ID == "" {
		return ccm.Record{}, err
	}
	c.parts = slices.Clone(r.Parts)
	j.hold(c)
	return r, nil
}

// claim gives a delivery that the transaction has locked to c.
func (r *row) claim(ctx context.Context, tx *sql.Tx, c *claim) error {
	_, err := tx.ExecContext(ctx, `UPDATE ccm_deliveries SET owner = ?, step = 0, confirmed = ?, lease_until = `+leaseEnd+`, ended_at = NULL, key_until = NULL, state = ? WHERE id = ?`,
		c.owner, c.confirmed, string(r.Outcome()), r.ID)
	r.State, r.EndedAt = ccm.Sending, time.Time{}
	return err
}

// abandoned is a delivery whose holder is gone.
type abandoned struct {
	id     string
	owner  sql.NullString
	unsure bool // it is not known that its holder knew, or it is too old
}

// Recover is that of [ccm.Journal]. Those that nobody goes on with are ended on
// the way.
func (j *Journal) Recover(ctx context.Context) (ccm.Record, error) {
	for {
		r, more, err := j.recoverSome(ctx)
		if err != nil || r.ID != "" || !more {
			return r, classify("recover", err)
		}
	}
}

func (j *Journal) recoverSome(ctx context.Context) (_ ccm.Record, more bool, _ error) {
	const some = 50
	all, err := j.abandoned(ctx, some)
	if err != nil {
		return ccm.Record{}, false, err
	}
	progress := false
	for _, a := range all {
		if j.claim(a.id) != nil {
			continue // ours, and late with its sign of life
		}
		if a.unsure {
			if err := j.giveUp(ctx, a); err != nil {
				return ccm.Record{}, false, err
			}
			progress = true
			continue
		}
		r, err := j.take(ctx, a.id, a.owner, confirmed)
		if err != nil || r.ID != "" {
			return r, false, err
		}
		progress = true // another took it
	}
	return ccm.Record{}, progress && len(all) == some, nil
}

const selectAbandoned = `SELECT id, owner, confirmed = FALSE OR began_at <= UTC_TIMESTAMP(6) - INTERVAL 1 DAY
FROM ccm_deliveries WHERE lease_until <= UTC_TIMESTAMP(6) ORDER BY lease_until LIMIT ?`

func (j *Journal) abandoned(ctx context.Context, limit int) (all []abandoned, err error) {
	rows, err := j.db.QueryContext(ctx, selectAbandoned, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var a abandoned
		if err := rows.Scan(&a.id, &a.owner, &a.unsure); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

// giveUp ends a delivery that nobody goes on with by itself; it keeps its key,
// so that a repetition of the request does.
func (j *Journal) giveUp(ctx context.Context, a abandoned) error {
	return j.transact(ctx, func(tx *sql.Tx) error {
		found, err := lock(ctx, tx, a.id)
		if err != nil || found == nil || found.held || found.owner != a.owner {
			return err
		}
		return found.close(ctx, tx, false)
	})
}
