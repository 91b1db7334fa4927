package cache

import "strings"

// message tells the other processes what no longer counts.
type message struct{ from, what, name, key string }

// What became of the key of a message.
const (
	invalidated = "invalidated" // those below it too; with no key, all of the name
	replaced    = "replaced"    // by a value that is in Redis
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
