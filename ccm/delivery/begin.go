package delivery

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/store"
)

// rounds bounds how often a call starts over because another was faster.
const rounds = 5

// errBusyRows is a journal that others change faster than this call can look.
var errBusyRows = errors.New("other processes kept changing the same delivery")

// leaseEnd is when a claim made or renewed now ends.
const leaseEnd = `UTC_TIMESTAMP(6) + INTERVAL 60 SECOND`

// Resume is that of [ccm.Journal].
func (j *Journal) Resume(ctx context.Context, key, fingerprint string) (ccm.Record, error) {
	if key == "" {
		return ccm.Record{}, nil
	}
	for range rounds {
		found, err := find(ctx, j.db, byKey, hash(key))
		switch {
		case err != nil:
			return ccm.Record{}, classify("resume", err)
		case found == nil, found.keyFree && !found.held:
			return ccm.Record{}, nil
		case found.fingerprint != fingerprint:
			return ccm.Record{}, ccm.ErrKeyReused
		case found.held:
			return ccm.Record{}, ccm.ErrKeyBusy
		case found.Finished():
			found.Replayed = true
			return found.Record, nil
		}
		r, err := j.take(ctx, found.ID, found.owner, unconfirmed)
		if err != nil || r.ID != "" {
			return r, classify("resume", err)
		}
	}
	return ccm.Record{}, classify("resume", errBusyRows)
}

// Begin is that of [ccm.Journal].
func (j *Journal) Begin(ctx context.Context, d ccm.Delivery) (ccm.Record, error) {
	if d.ID != "" {
		return j.replace(ctx, d)
	}
	c := &claim{id: newID(time.Now()), owner: newID(time.Now()), parts: pending(d)}
	for range rounds {
		err := j.insert(ctx, c, d)
		if number(err) != duplicateKey {
			return j.begun(ctx, c, d, err)
		}
		r, err := j.Resume(ctx, d.Key, d.Fingerprint)
		if err != nil || r.ID != "" {
			return r, err
		}
		if err := j.freeKey(ctx, d.Key); err != nil {
			return ccm.Record{}, classify("begin", err)
		}
	}
	return ccm.Record{}, classify("begin", errBusyRows)
}

// begun looks what became of an insert. One whose answer was lost is looked up:
// where it cannot be known, the row, if there is one, is nobody's: it is not
// confirmed, and so never sent by itself.
func (j *Journal) begun(ctx context.Context, c *claim, d ccm.Delivery, err error) (ccm.Record, error) {
	if err != nil && errors.Is(kindOf(err), store.ErrUnavailable) {
		if found, again := find(ctx, j.db, byID, c.id); again == nil && found != nil && found.owner.String == c.owner {
			err = nil
		}
	}
	if err != nil {
		return ccm.Record{}, classify("begin", err)
	}
	j.hold(c)
	return ccm.Record{
		Receipt: ccm.Receipt{ID: c.id, Parts: slices.Clone(c.parts), Meta: d.Meta},
		Key:     d.Key, Report: d.Report, Request: d.Request, To: d.To,
		State: ccm.Sending, BeganAt: d.At,
	}, nil
}

// insert writes a new delivery that is claimed already.
func (j *Journal) insert(ctx context.Context, c *claim, d ccm.Delivery) error {
	meta, err := jsonText(d.Meta)
	if err != nil {
		return err
	}
	var key any // NULL, and not a nil []byte that some servers take for an empty one
	var keyHash any
	if d.Key != "" {
		key, keyHash = []byte(d.Key), hash(d.Key)
	}
	return j.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO ccm_deliveries
(id, idempotency_key, key_hash, fingerprint, report, request, chat, thread, silent, protect, meta, state, owner, lease_until, began_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, `+leaseEnd+`, UTC_TIMESTAMP(6))`,
			c.id, key, keyHash, d.Fingerprint, utf8(d.Report), rawText(d.Request), utf8(d.To.Chat), d.To.Thread, d.To.Silent, d.To.Protect,
			meta, string(ccm.Pending), c.owner)
		if err != nil {
			return err
		}
		return insertParts(ctx, tx, c.id, c.parts)
	})
}

// freeKey takes a key from a delivery whose right to it has expired.
func (j *Journal) freeKey(ctx context.Context, key string) error {
	_, err := j.db.ExecContext(ctx, `UPDATE ccm_deliveries SET key_hash = NULL
WHERE key_hash = ? AND COALESCE(key_until, lease_until + INTERVAL 1 DAY) <= UTC_TIMESTAMP(6) AND (lease_until IS NULL OR lease_until <= UTC_TIMESTAMP(6))`, hash(key))
	return err
}

// replace is a Begin that gives a claimed delivery other parts.
func (j *Journal) replace(ctx context.Context, d ccm.Delivery) (ccm.Record, error) {
	c := j.claim(d.ID)
	if c == nil {
		return ccm.Record{}, ccm.ErrClaimLost
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !(ccm.Receipt{Parts: c.parts}).Untouched() {
		return ccm.Record{}, ccm.ErrClaimLost
	}
	meta, err := jsonText(d.Meta)
	if err != nil {
		return ccm.Record{}, classify("begin", err)
	}
	var found *row
	parts := pending(d)
	err = j.transact(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE ccm_deliveries SET meta = ?, state = ?, lease_until = `+leaseEnd+` WHERE id = ? AND owner = ?`,
			meta, string(ccm.Pending), c.id, c.owner)
		if err := c.kept(done, err); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM ccm_parts WHERE delivery_id = ?`, c.id); err != nil {
			return err
		}
		if err := insertParts(ctx, tx, c.id, parts); err != nil {
			return err
		}
		found, err = find(ctx, tx, byID, c.id)
		return err
	})
	if err != nil {
		if isLost(err) {
			j.drop(c)
		}
		return ccm.Record{}, classify("begin", err)
	}
	c.parts = slices.Clone(parts)
	return found.Record, nil
}

func pending(d ccm.Delivery) []ccm.PartResult {
	parts := make([]ccm.PartResult, len(d.Parts))
	for i, part := range d.Parts {
		parts[i] = ccm.PartResult{Part: part, State: ccm.Pending}
	}
	return parts
}

// transact runs f in a transaction.
func (j *Journal) transact(ctx context.Context, f func(*sql.Tx) error) error {
	return again(func() error {
		tx, err := j.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := f(tx); err != nil {
			_ = tx.Rollback() // what failed first is what counts
			return err
		}
		return tx.Commit()
	})
}

// again repeats what the server took back because two waited for each other.
func again(f func() error) error {
	for try := 1; ; try++ {
		if err := f(); number(err) != deadlock || try == rounds {
			return err
		}
	}
}
