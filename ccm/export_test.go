package ccm

import "time"

// Source is the database as a test plays it.
type Source = source

// SetSource puts s in the place of the database.
func (c *Client) SetSource(s Source) { c.source = s }

// NewMemoryJournal makes the journal that a Client without one has.
func NewMemoryJournal(now func() time.Time, size int) Journal { return newMemoryJournal(now, size) }
