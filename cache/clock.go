package cache

import (
	"sync/atomic"
	"time"
)

// clock tells the time to a hit, which must not pay for reading the system's: a
// goroutine reads it every tick for as long as somebody asks.
type clock struct {
	given func() time.Time // Config.Now; nil: the system's
	ns    atomic.Int64     // as of the last tick; 0: nobody reads it
	asked atomic.Bool      // since the last look
	done  <-chan struct{}
}

const (
	tick = 10 * time.Millisecond
	idle = 100 // ticks
)

// now is exact.
func (c *clock) now() time.Time {
	if c.given != nil {
		return c.given()
	}
	return time.Now()
}

// coarse is now in Unix nanoseconds, at most a tick ago.
func (c *clock) coarse() int64 {
	if c.given != nil {
		return c.given().UnixNano()
	}
	ns := c.ns.Load()
	if ns == 0 {
		return c.start()
	}
	if !c.asked.Load() {
		c.asked.Store(true)
	}
	return ns
}

// start has a goroutine read the time, unless another caller does.
func (c *clock) start() int64 {
	ns := time.Now().UnixNano()
	if c.ns.CompareAndSwap(0, ns) {
		go c.run()
	}
	return ns
}

// run ends when nobody asked for a while, so that an idle program sleeps.
func (c *clock) run() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	defer c.ns.Store(0)
	for n := 1; ; n++ {
		select {
		case <-c.done:
			return
		case <-ticker.C:
			c.ns.Store(time.Now().UnixNano())
		}
		if n%idle == 0 && !c.asked.Swap(false) {
			return
		}
	}
}
