package delivery

import (
	"context"
	"database/sql"
	"time"

	"github.com/ccmwf/ccm/ccm"
)

// Check finds out whether the journal can be kept: that the database is reached,
// has the tables with their columns, and takes writes. It writes a delivery and
// takes it back. Its error is an [*Error].
func (j *Journal) Check(ctx context.Context) error {
	id := newID(time.Now())
	tx, err := j.db.BeginTx(ctx, nil)
	if err != nil {
		return classify("check", err)
	}
	defer tx.Rollback() //nolint:errcheck // that is what it is for
	return classify("check", try(ctx, tx, id))
}

func try(ctx context.Context, tx *sql.Tx, id string) error {
	if _, err := find(ctx, tx, byID, id); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO ccm_deliveries (id, fingerprint, report, chat, thread, silent, protect, meta, state, began_at)
VALUES (?, '', '', '', 0, FALSE, FALSE, '{}', 'pending', UTC_TIMESTAMP(6))`, id)
	if err != nil {
		return err
	}
	if err := insertParts(ctx, tx, id, []ccm.PartResult{{State: ccm.Pending}}); err != nil {
		return err
	}
	for _, statement := range []string{
		`UPDATE ccm_deliveries SET state = 'discarded', key_hash = NULL, step = 1, confirmed = TRUE WHERE id = ?`,
		`UPDATE ccm_parts SET state = 'discarded' WHERE delivery_id = ?`,
		`DELETE FROM ccm_parts WHERE delivery_id = ?`,
		`DELETE FROM ccm_deliveries WHERE id = ?`,
	} {
		if _, err := tx.ExecContext(ctx, statement, id); err != nil {
			return err
		}
	}
	return nil
}

// Ping reaches the database, dialling if need be.
func (j *Journal) Ping(ctx context.Context) error { return classify("ping", j.db.PingContext(ctx)) }
