package ccm

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// unfinished is a delivery that this process claims and could not end.
type unfinished struct {
	record Record
	behind bool // the journal is to be told what became of its parts
	goesOn bool // what is pending is still to be sent
}

// unfinishedOnes are those of a Client; the next Recover goes on with them.
type unfinishedOnes struct {
	mu   sync.Mutex
	byID map[string]unfinished
}

// leave leaves a delivery to the next Recover.
func (c *Client) leave(u unfinished) {
	c.unfinished.mu.Lock()
	defer c.unfinished.mu.Unlock()
	if c.unfinished.byID == nil {
		c.unfinished.byID = map[string]unfinished{}
	}
	c.unfinished.byID[u.record.ID] = u
}

// take takes all that was left, the oldest first.
func (c *Client) take() []unfinished {
	c.unfinished.mu.Lock()
	defer c.unfinished.mu.Unlock()
	all := slices.SortedFunc(maps.Values(c.unfinished.byID), func(a, b unfinished) int {
		return a.record.BeganAt.Compare(b.record.BeganAt)
	})
	c.unfinished.byID = nil
	return all
}

// settle tells the journal what it missed of the deliveries, and ends those that
// do not go on, which are the others that it returns. It stops where the journal
// is away.
func (c *Client) settle(ctx context.Context) (goOn []unfinished, err error) {
	l := c.newLedger(false, true)
	for _, u := range c.take() {
		if err == nil && u.behind {
			err = l.tell(ctx, u.record.Receipt)
			u.behind = err != nil
		}
		if err == nil && !u.goesOn {
			if err = l.finish(ctx, u.record.ID); CodeOf(err) != CodeJournal {
				err = nil
				continue
			}
		}
		switch {
		case u.goesOn && !u.behind:
			goOn = append(goOn, u)
		case u.goesOn, c.cfg.Now().Sub(u.record.BeganAt) < RecoverWindow:
			c.leave(u)
		}
	}
	return goOn, err
}

// settleAtLast is for who closes the Client: what goes on is taken over by another
// process once the claim has run out.
func (c *Client) settleAtLast() {
	ctx, cancel := context.WithTimeout(context.Background(), journalTimeout)
	defer cancel()
	_, _ = c.settle(ctx) // what the journal is not told, it calls uncertain
}
