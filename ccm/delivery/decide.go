package delivery

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/ccmwf/ccm/ccm"
)

// Find is that of [ccm.Journal].
func (j *Journal) Find(ctx context.Context, id string) (ccm.Record, error) {
	if !idForm.MatchString(id) {
		return ccm.Record{}, ccm.ErrUnknownDelivery
	}
	found, err := find(ctx, j.db, byID, id)
	switch {
	case err != nil:
		return ccm.Record{}, classify("find", err)
	case found == nil:
		return ccm.Record{}, ccm.ErrUnknownDelivery
	}
	return found.Record, nil
}

// Reopen is that of [ccm.Journal].
func (j *Journal) Reopen(ctx context.Context, id, who string) (ccm.Record, error) {
	c := &claim{id: id, owner: newID(time.Now()), confirmed: confirmed}
	r, err := j.decide(ctx, id, func(tx *sql.Tx, found *row, now time.Time) error {
		if found.held {
			return ccm.ErrDeliveryBusy
		}
		if err := found.Reopen(utf8(who), now); err != nil {
			return err
		}
		return found.claim(ctx, tx, c)
	})
	if err != nil {
		return ccm.Record{}, classify("reopen", err)
	}
	c.parts = slices.Clone(r.Parts)
	j.hold(c)
	return r, nil
}

// Discard is that of [ccm.Journal]. It takes the claim away from who only waits: the
// next Mark of that one finds another owner, and writes nothing.
func (j *Journal) Discard(ctx context.Context, id, who string) (ccm.Record, error) {
	r, err := j.decide(ctx, id, func(tx *sql.Tx, found *row, now time.Time) error {
		if found.held && found.Writing() {
			return ccm.ErrDeliveryBusy
		}
		changed, err := found.Discard(utf8(who), now)
		if err != nil || !changed {
			return err
		}
		found.State, found.EndedAt = ccm.Discarded, now
		return found.close(ctx, tx, false)
	})
	return r, classify("discard", err)
}

// decide lets a person decide about a delivery.
func (j *Journal) decide(ctx context.Context, id string, how func(*sql.Tx, *row, time.Time) error) (ccm.Record, error) {
	var r ccm.Record
	err := j.transact(ctx, func(tx *sql.Tx) error {
		found, err := lock(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case found == nil:
			return ccm.ErrUnknownDelivery
		}
		now, err := clock(ctx, tx)
		if err != nil {
			return err
		}
		before, decisions := slices.Clone(found.Parts), len(found.Decisions)
		if err := how(tx, found, now); err != nil {
			return err
		}
		if found.State != ccm.Sending { // it was not claimed
			found.State = found.Outcome()
		}
		r = found.Record
		if len(found.Decisions) == decisions {
			return nil
		}
		return found.saveDecision(ctx, tx, before)
	})
	return r, err
}

// saveDecision writes what a decision changed.
func (r *row) saveDecision(ctx context.Context, tx *sql.Tx, before []ccm.PartResult) error {
	for i, p := range r.Parts {
		if p.State == before[i].State && p.Doubtful == before[i].Doubtful {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE ccm_parts SET state = ?, doubtful = ? WHERE delivery_id = ? AND part = ?`,
			string(p.State), p.Doubtful, r.ID, i); err != nil {
			return err
		}
	}
	text, err := jsonText(r.Decisions)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE ccm_deliveries SET decisions = ? WHERE id = ?`, text, r.ID)
	return err
}

// clock is the database's time.
func clock(ctx context.Context, tx *sql.Tx) (time.Time, error) {
	var text sql.NullString
	if err := tx.QueryRowContext(ctx, `SELECT UTC_TIMESTAMP(6)`).Scan(&text); err != nil {
		return time.Time{}, err
	}
	at, err := moment(text)
	if err != nil {
		return at, fmt.Errorf("the database's clock: %w", err)
	}
	return at, nil
}
