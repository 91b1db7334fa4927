package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
)

func TestWatchTellsOnlyWhatChanges(t *testing.T) {
	is := is.New(t)
	var out bytes.Buffer
	down := errors.New("refused")
	answers := []error{down, down, nil, nil, down, down, nil}
	asked := 0
	ctx, cancel := context.WithCancel(t.Context())
	w := &watched{away: always("se fue"), back: "volvió", ask: func(context.Context) error {
		err := answers[asked]
		if asked++; asked == len(answers) {
			defer cancel()
		}
		return err
	}}
	tick := make(chan time.Time)
	go func() {
		for range len(answers) - 1 {
			tick <- time.Time{}
		}
	}()
	watch(ctx, newLogger(&out, slog.LevelInfo, nil), []*watched{w}, tick)
	var told []string
	for line := range strings.Lines(out.String()) {
		for _, word := range []string{`"WARNING","mensaje":"se fue"`, `"INFO","mensaje":"volvió"`} {
			if strings.Contains(line, word) {
				told = append(told, word[1:5])
			}
		}
	}
	// Away at the start is no news; and at the end the service was told to stop.
	is.Equal(told, []string{"INFO", "WARN"})
}
