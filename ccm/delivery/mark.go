package delivery

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/ccmwf/ccm/ccm"
)

func isLost(err error) bool { return errors.Is(err, ccm.ErrClaimLost) }

// Mark is that of [ccm.Journal]. A result that cannot be written is kept, and
// written by the next call or by itself.
func (j *Journal) Mark(ctx context.Context, id string, part int, r ccm.PartResult) error {
	c := j.claim(id)
	if c == nil {
		return j.markUnheld(ctx, id, part, r)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if part < 0 || part >= len(c.parts) {
		return noPart(id, part)
	}
	next := c.parts[part]
	if err := next.Note(r, true); err != nil {
		return err
	}
	switch {
	case r.State == ccm.Sending:
		return j.markBefore(ctx, c, part, next)
	case c.parts[part].State == ccm.Delivered:
		return nil // there is nothing to learn
	}
	c.parts[part] = next
	return j.markAfter(ctx, c, part)
}

func noPart(id string, part int) error {
	return fmt.Errorf("delivery: the journal has no part %d of delivery %q", part, id)
}

// markBefore lets a part be written, if no other writer has it.
func (j *Journal) markBefore(ctx context.Context, c *claim, part int, next ccm.PartResult) error {
	if err := j.flush(ctx, c); err != nil {
		if isLost(err) {
			_ = j.lose(ctx, c) // the write does not happen, whatever can be told
		}
		return classify("mark", err)
	}
	err := j.update(ctx, c, part, next, `, d.confirmed = TRUE, d.lease_until = `+leaseEnd, ` AND p.state IN ('pending', 'refused')`)
	switch {
	case isLost(err):
		j.drop(c)
		return err
	case err != nil:
		c.spoil(part) // it may have been written down, and nothing goes out
		return classify("mark", err)
	}
	c.parts[part] = next
	j.confirm(c)
	return nil
}

// markAfter writes down what came of a write. When everything has arrived the
// claim ends with it.
func (j *Journal) markAfter(ctx context.Context, c *claim, part int) error {
	c.spoil(part)
	err := j.flush(ctx, c)
	if isLost(err) {
		return j.lose(ctx, c)
	}
	return classify("mark", err)
}

func (c *claim) spoil(part int) {
	if c.dirty == nil {
		c.dirty = map[int]bool{}
	}
	c.dirty[part] = true
}

// flush writes what the database does not have yet.
func (j *Journal) flush(ctx context.Context, c *claim) error {
	for part := range c.parts {
		if !c.dirty[part] {
			continue
		}
		done := len(c.dirty) == 1 && !slices.ContainsFunc(c.parts, func(p ccm.PartResult) bool { return p.State != ccm.Delivered })
		sets := `, d.lease_until = ` + leaseEnd
		if done {
			sets = `, ` + ended
		}
		if err := j.update(ctx, c, part, c.parts[part], sets, ""); err != nil {
			return err
		}
		delete(c.dirty, part)
		if done {
			j.drop(c)
		}
	}
	return nil
}

// ended are the assignments that release a claim.
const ended = `d.owner = NULL, d.lease_until = NULL, d.ended_at = UTC_TIMESTAMP(6), d.key_until = UTC_TIMESTAMP(6) + INTERVAL 1 DAY`

// update records a part in one statement, which is ErrClaimLost where the claim
// was lost. A statement that was given up and arrives late finds a step that is
// not below its own. It locks the delivery first, as everything here does.
func (j *Journal) update(ctx context.Context, c *claim, part int, r ccm.PartResult, sets, where string) error {
	assignments, args, err := partSets(r)
	if err != nil {
		return err
	}
	all := slices.Clone(c.parts)
	all[part] = r
	c.step++
	args = append(args, string(ccm.Receipt{Parts: all}.Outcome()), c.step, c.id, c.owner, c.step, part)
	return again(func() error {
		done, err := j.db.ExecContext(ctx, `UPDATE ccm_deliveries d STRAIGHT_JOIN ccm_parts p ON p.delivery_id = d.id
SET `+assignments+`, d.state = ?, d.step = ?`+sets+` WHERE d.id = ? AND d.owner = ? AND d.step < ? AND p.part = ?`+where, args...)
		return c.kept(done, err)
	})
}

// lose forgets a claim that another has, and tells what is known of its parts.
func (j *Journal) lose(ctx context.Context, c *claim) error {
	j.drop(c)
	for part := range c.dirty {
		if err := j.markUnheld(ctx, c.id, part, c.parts[part]); err != nil {
			return err
		}
		delete(c.dirty, part)
	}
	return nil
}

// markUnheld is a Mark of who does not hold the claim, or no more.
func (j *Journal) markUnheld(ctx context.Context, id string, part int, r ccm.PartResult) error {
	return classify("mark", j.transact(ctx, func(tx *sql.Tx) error {
		found, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if found == nil || part < 0 || part >= len(found.Parts) {
			return noPart(id, part)
		}
		if err := found.Parts[part].Note(r, false); err != nil {
			return err
		}
		if err := updatePart(ctx, tx, id, part, found.Parts[part]); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE ccm_deliveries SET state = ? WHERE id = ?`, string(found.Outcome()), id)
		return err
	}))
}

// lock reads a delivery that nobody else changes until the transaction ends.
func lock(ctx context.Context, tx *sql.Tx, id string) (*row, error) {
	if !idForm.MatchString(id) {
		return nil, nil
	}
	return find(ctx, tx, byID+` FOR UPDATE`, id)
}

// End is that of [ccm.Journal]. One that cannot be written is written later.
func (j *Journal) End(ctx context.Context, id string) error {
	c := j.claim(id)
	if c == nil {
		return nil
	}
	err := j.end(ctx, c)
	if err != nil {
		j.mu.Lock()
		c.ending = true
		j.wakeKeeper()
		j.mu.Unlock()
	}
	return classify("end", err)
}

func (j *Journal) end(ctx context.Context, c *claim) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := j.flush(ctx, c)
	if err == nil && j.claim(c.id) == c {
		err = j.release(ctx, c)
	}
	if isLost(err) {
		return j.lose(ctx, c)
	}
	return err
}

// release ends a claim.
func (j *Journal) release(ctx context.Context, c *claim) error {
	err := j.transact(ctx, func(tx *sql.Tx) error {
		found, err := lock(ctx, tx, c.id)
		if err != nil {
			return err
		}
		if found == nil || found.owner.String != c.owner {
			return ccm.ErrClaimLost
		}
		return found.close(ctx, tx, found.Untouched())
	})
	if err == nil {
		j.drop(c)
	}
	return err
}

// close ends a delivery that the transaction has locked.
func (r *row) close(ctx context.Context, tx *sql.Tx, freeKey bool) error {
	r.Abandon()
	sets := ended
	if freeKey {
		sets += `, d.key_hash = NULL`
	}
	if _, err := tx.ExecContext(ctx, `UPDATE ccm_deliveries d SET `+sets+`, d.state = ? WHERE d.id = ?`, string(r.Outcome()), r.ID); err != nil {
		return err
	}
	return abandonParts(ctx, tx, r.ID)
}

func abandonParts(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, `UPDATE ccm_parts SET state = 'uncertain' WHERE delivery_id = ? AND state = 'sending'`, id)
	return err
}
