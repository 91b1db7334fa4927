package ccm

import (
	"context"
	"sync"
	"time"
)

// FinishTimeout is how long a delivery goes on whose caller has gone while a
// part of it was under way or out: half a report helps nobody, and a write that
// is cut off leaves a doubt. A program that shuts down does well to wait as long.
const FinishTimeout = 2 * time.Minute

// leash is the context of a delivery. While it is tied it ends with the
// caller's, while it is loose FinishTimeout after the caller's.
type leash struct {
	context.Context                 //nolint:containedctx // it is one: the caller's values, and an end of our own
	caller          context.Context //nolint:containedctx // whose end it may outlive
	end             context.CancelCauseFunc

	mu    sync.Mutex
	loose bool
	timer *time.Timer // runs while it is loose and the caller has gone
}

// newLeash returns a leash that is tied. Who is done with it calls release.
func newLeash(caller context.Context) (l *leash, release func()) {
	l = &leash{caller: caller}
	l.Context, l.end = context.WithCancelCause(context.WithoutCancel(caller))
	unwatch := context.AfterFunc(caller, l.callerGone)
	return l, func() {
		unwatch()
		l.end(context.Canceled)
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.timer != nil {
			l.timer.Stop()
		}
	}
}

func (l *leash) callerGone() {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.Err() != nil:
	case l.loose:
		l.timer = time.AfterFunc(FinishTimeout, func() { l.end(context.DeadlineExceeded) })
	default:
		l.end(context.Cause(l.caller))
	}
}

// loosen lets the delivery go on without its caller; not if the caller has gone
// already, which is the error.
func (l *leash) loosen() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.loose && l.caller.Err() != nil {
		l.end(context.Cause(l.caller))
		return l.caller.Err()
	}
	l.loose = true
	return nil
}

// tie ends the delivery with its caller, at once if the caller has gone.
func (l *leash) tie() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loose = false
	if l.caller.Err() != nil {
		l.end(context.Cause(l.caller))
	}
}

// Deadline is when the delivery will be ended, so that nobody begins to wait
// for longer.
func (l *leash) Deadline() (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.caller.Deadline()
	if ok && l.loose {
		at = at.Add(FinishTimeout)
	}
	return at, ok
}
