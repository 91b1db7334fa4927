package cache

import (
	"strings"

	"github.com/redis/go-redis/v9"
)

// message tells the other processes what no longer counts.
type message struct{ from, what, name, key string }

// What became of the key of a message.
const (
	invalidated = "invalidated" // those below it too; with no key, all of the name
	replaced    = "replaced"    // by a value that is in Redis
	pinged      = "pinged"      // nothing: only the sender heeds it
)

func (m message) String() string { return m.from + "\n" + m.what + "\n" + m.name + "\n" + m.key }

func parseMessage(raw string) (m message, ok bool) {
	parts := strings.SplitN(raw, "\n", 4)
	if len(parts) < 4 {
		return m, false
	}
	return message{parts[0], parts[1], parts[2], parts[3]}, true
}

// changed heeds a message.
func (b *Backend) changed(m message) {
	switch m.what {
	case replaced:
		b.outdate(m.name, m.key)
	case invalidated:
		b.drop(m.name, m.key)
	}
}

// follow listens to the other processes. Each subscription, the first too, comes
// after a time of which nothing is known.
func (r *remote) follow() {
	sub := r.client.Subscribe(r.ctx, r.channel())
	defer sub.Close()
	messages := sub.ChannelWithSubscriptions()
	for {
		select {
		case <-r.ctx.Done():
			return
		case m, open := <-messages:
			if !open {
				return
			}
			r.heed(m)
		}
	}
}

func (r *remote) heed(raw any) {
	switch raw := raw.(type) {
	case *redis.Subscription:
		r.suspect()
	case *redis.Message:
		m, ok := parseMessage(raw.Payload)
		switch {
		case !ok:
		case m.from == r.self:
			r.heard.Store(true)
		default:
			r.changed(m)
		}
	}
}
