package cache

import (
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An envelope is what Redis keeps of a value: one line, then the value as the
// codec wrote it. Another format is a miss.
//
//	CCM2 <id> <kind> <Unix microseconds> <codec> <generations>
//
// The id is random: a store compares the first idEnd bytes with those that it
// saw before its load, to know whether somebody was faster.
const (
	format = "CCM2 "
	idEnd  = len(format) + 26
)

// The kinds of envelopes.
const (
	kept    = "v" // a value
	missing = "m" // there was nothing
	unkept  = "u" // a value that Redis does not keep: older ones do not count
)

type envelope struct {
	kind        string
	loadedAt    time.Time
	codec       string
	generations string // all of them, joined by commas
	value       string
}

func (e envelope) String() string {
	var b strings.Builder
	b.Grow(128 + len(e.generations) + len(e.value))
	for _, s := range []string{format, rand.Text(), " ", e.kind, " ", strconv.FormatInt(e.loadedAt.UnixMicro(), 10), " ", e.codec, " ", e.generations, "\n", e.value} {
		b.WriteString(s)
	}
	return b.String()
}

func parseEnvelope(raw string) (envelope, bool) {
	line, value, whole := strings.Cut(raw, "\n")
	fields := strings.Fields(line)
	if !whole || len(fields) != 6 || !strings.HasPrefix(raw, format) || len(fields[1]) != idEnd-len(format) {
		return envelope{}, false
	}
	at, err := strconv.ParseInt(fields[3], 10, 64)
	if err != nil || !slices.Contains([]string{kept, missing, unkept}, fields[2]) {
		return envelope{}, false
	}
	return envelope{fields[2], time.UnixMicro(at), fields[4], fields[5], value}, true
}

// idOf is what tells one stored value from the next: "" where there is none.
func idOf(raw string) string { return raw[:min(len(raw), idEnd)] }
