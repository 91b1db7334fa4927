package ccm

import (
	"sync"
	"time"
)

// Stats counts what a Client sent, since it was opened.
type Stats struct {
	// Deliveries ended, by what they came to; replays and dry runs are none.
	Deliveries map[State]int64
	// UncertainParts were written, and no answer came: a person decides.
	UncertainParts int64
	// Unrecorded alerts went out while the journal was away.
	Unrecorded int64
	// Recovered deliveries were taken over from a process that is gone.
	Recovered int64
	// JournalCalls are those that were answered or not, JournalErrors those that
	// were not; JournalTime is what all of them took.
	JournalCalls, JournalErrors int64
	JournalTime                 time.Duration
	// JournalDown: the last of them was not answered.
	JournalDown bool
}

// Stats returns the counters.
func (c *Client) Stats() Stats { return c.counts.read() }

type counts struct {
	mu sync.Mutex
	s  Stats
}

func (n *counts) read() Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.s
	s.Deliveries = map[State]int64{}
	for _, state := range []State{Delivered, Refused, Uncertain, Pending} {
		s.Deliveries[state] = n.s.Deliveries[state]
	}
	return s
}

func (n *counts) journal(took time.Duration, answered bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.s.JournalCalls++
	n.s.JournalTime += took
	n.s.JournalDown = !answered
	if !answered {
		n.s.JournalErrors++
	}
}

// delivery counts one that ended.
func (n *counts) delivery(r Receipt) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.s.Deliveries == nil {
		n.s.Deliveries = map[State]int64{}
	}
	n.s.Deliveries[r.Outcome()]++
	if r.Unrecorded {
		n.s.Unrecorded++
	}
}

func (n *counts) recovered() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.s.Recovered++
}

func (n *counts) doubts(parts int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.s.UncertainParts += int64(parts)
}
