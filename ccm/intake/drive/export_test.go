package drive

import (
	"context"
	"time"
)

// SetWait replaces the clock that pauses between attempts.
func (d *Drive) SetWait(wait func(context.Context, time.Duration) error) { d.wait = wait }
