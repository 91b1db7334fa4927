package delivery

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ccmwf/ccm/ccm"
)

const (
	// beat is how often claims are renewed: a few can fail before Lease is over.
	beat = Lease / 4
	// confirmAfter is when a claim is renewed for the first time. Only then, or at
	// the first Mark, is it known that whoever asked for it has it: what dies
	// before is left to a person. A send that need not wait has its Mark earlier.
	confirmAfter = 200 * time.Millisecond
	// retryAfter is when what could not be written is tried again.
	retryAfter = time.Second
	// keeperTimeout bounds what the keeper asks the database.
	keeperTimeout = 5 * time.Second
)

// claim is a delivery that this Journal holds.
type claim struct {
	id, owner string

	mu    sync.Mutex // held while the database is asked about this delivery, never during a write to a chat
	parts []ccm.PartResult
	dirty map[int]bool // parts that the database has not as we have them
	step  int          // of the last statement

	// Of Journal.mu:
	since     time.Time
	confirmed bool
	ending    bool // End could not be written yet
}

func (j *Journal) hold(c *claim) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return // the lease will run out
	}
	c.since = time.Now()
	j.claims[c.id] = c
	if j.stop == nil {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		j.stop = func() { cancel(); <-done }
		go func() {
			defer close(done)
			j.keep(ctx)
		}()
	}
	j.wakeKeeper()
}

func (j *Journal) wakeKeeper() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// claim is what is held of a delivery; nil if it is not.
func (j *Journal) claim(id string) *claim {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.claims[id]
}

// drop forgets a claim, if it is still this one.
func (j *Journal) drop(c *claim) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.claims[c.id] == c {
		delete(j.claims, c.id)
	}
}

func (j *Journal) confirm(claims ...*claim) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range claims {
		c.confirmed = true
	}
}

// kept is the error of a statement that only touches a delivery that c holds.
func (c *claim) kept(done sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := done.RowsAffected()
	if err == nil && n == 0 {
		err = ccm.ErrClaimLost
	}
	return err
}

// keep renews claims, and writes what could not be written, until ctx ends.
func (j *Journal) keep(ctx context.Context) {
	renewal := time.Now().Add(beat) // of all claims
	next := renewal
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	for {
		timer.Reset(time.Until(next))
		select {
		case <-ctx.Done():
			return
		case <-j.wake: // there may be something to do earlier
			if at := j.nextRetry(); at.Before(next) {
				next = at
			}
			continue
		case <-timer.C:
		}
		j.finishEnding(ctx)
		unconfirmed, all := j.held()
		if time.Now().Before(renewal) {
			j.renew(ctx, unconfirmed)
		} else {
			renewal = time.Now().Add(beat)
			j.renew(ctx, all)
		}
		if next = renewal; j.nextRetry().Before(next) {
			next = j.nextRetry()
		}
	}
}

// nextRetry is when the keeper has something to do beside renewing all.
func (j *Journal) nextRetry() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	next := now.Add(beat)
	for _, c := range j.claims {
		at := next
		switch {
		case c.confirmed && !c.ending:
			continue
		case !c.confirmed && now.Sub(c.since) < confirmAfter:
			at = c.since.Add(confirmAfter)
		default:
			at = now.Add(retryAfter)
		}
		if at.Before(next) {
			next = at
		}
	}
	return next
}

func (j *Journal) held() (unconfirmed, all []*claim) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range j.claims {
		if all = append(all, c); !c.confirmed {
			unconfirmed = append(unconfirmed, c)
		}
	}
	return unconfirmed, all
}

// renew is the sign of life of claims. One that fails is made up for by the
// next; one that another has taken is found out by its next Mark.
func (j *Journal) renew(ctx context.Context, claims []*claim) {
	const most = 200 // in one statement
	for some := range slices.Chunk(claims, most) {
		ctx, cancel := context.WithTimeout(ctx, keeperTimeout)
		marks := "?" + strings.Repeat(", ?", len(some)-1)
		args := make([]any, 0, 2*len(some))
		for _, c := range some {
			args = append(args, c.id)
		}
		for _, c := range some {
			args = append(args, c.owner)
		}
		_, err := j.db.ExecContext(ctx, `UPDATE ccm_deliveries SET lease_until = `+leaseEnd+`, confirmed = TRUE
WHERE id IN (`+marks+`) AND owner IN (`+marks+`)`, args...)
		if err == nil {
			j.confirm(some...)
		}
		cancel()
	}
}

// finishEnding ends what could not be ended.
func (j *Journal) finishEnding(ctx context.Context) {
	j.mu.Lock()
	var late []*claim
	for _, c := range j.claims {
		if c.ending {
			late = append(late, c)
		}
	}
	j.mu.Unlock()
	for _, c := range late {
		ctx, cancel := context.WithTimeout(ctx, keeperTimeout)
		err := j.end(ctx, c)
		cancel()
		if err != nil {
			return // the database is still away
		}
	}
}
