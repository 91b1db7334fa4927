package ccm

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// debts are what the journal must still be told: deliveries that ended while it
// was away.
type debts struct {
	mu   sync.Mutex
	open map[string]debt
}

type debt struct {
	receipt Receipt
	since   time.Time
}

// owe notes a delivery that the journal does not know the end of.
func (c *Client) owe(r Receipt) {
	c.debts.mu.Lock()
	defer c.debts.mu.Unlock()
	if c.debts.open == nil {
		c.debts.open = map[string]debt{}
	}
	c.debts.open[r.ID] = debt{r, c.cfg.Now()}
}

// settle tells the journal what it missed, and stops at the first thing that it
// cannot be told now. What is too old is forgotten: the journal has its own view.
func (c *Client) settle(ctx context.Context) error {
	c.debts.mu.Lock()
	owed := maps.Clone(c.debts.open)
	c.debts.mu.Unlock()
	l := c.newLedger(false, true)
	for _, id := range slices.Sorted(maps.Keys(owed)) {
		if err := l.tell(ctx, owed[id].receipt); err != nil && c.cfg.Now().Sub(owed[id].since) < RecoverWindow {
			return err
		}
		c.debts.mu.Lock()
		delete(c.debts.open, id)
		c.debts.mu.Unlock()
	}
	return nil
}

// tell writes down how all parts ended. That somebody else has the delivery by
// now is no failure: what is known counts all the same.
func (l *ledger) tell(ctx context.Context, r Receipt) error {
	for i, part := range r.Parts {
		if part.State == Discarded || part.State == Pending && part.Err == nil {
			continue // nothing of this process's doing
		}
		if err := l.mark(ctx, r.ID, i, part); CodeOf(err) == CodeJournal {
			return err
		}
	}
	if err := l.finish(ctx, r.ID); CodeOf(err) == CodeJournal {
		return err
	}
	l.client.log(ctx, slog.LevelInfo, stageJournal, "el diario ya sabe cómo terminó un envío", slog.String("delivery_id", r.ID))
	return nil
}

// settleAtLast is for who closes the Client.
func (c *Client) settleAtLast() {
	ctx, cancel := context.WithTimeout(context.Background(), journalTimeout)
	defer cancel()
	_ = c.settle(ctx) // the journal will call it uncertain
}
