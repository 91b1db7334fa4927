package telegram_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram"
)

// open is a Gate that lets everybody through, whatever the context says.
var open = gateFunc(func(context.Context, string) error { return nil })

// begun notes which parts are marked before a write, and runs after the others.
func begun(parts *[]int, after func(part int)) telegram.Mark {
	return func(part int, s telegram.Sent, err error) error {
		if err == nil && s.ID == 0 {
			*parts = append(*parts, part)
		} else {
			after(part)
		}
		return nil
	}
}

func TestDeliverTellsOfThePartThatItsContextLeftUnsent(t *testing.T) {
	for name, gate := range map[string]telegram.Gate{"at its own gate": nil, "at a gate that ignores contexts": open} {
		bubble(t, "a deadline that passes in a mark, "+name, func(t *testing.T, is *is.I) {
			w := &wire{tb: t, answers: []reply{accepts}}
			b := mustBot(t, telegram.Config{Token: token, HTTP: w.client(), Gate: gate})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			var marked []int
			sent, err := b.Deliver(ctx, target, parts("1", "2", "3", "4"), begun(&marked, func(part int) {
				if part == 1 {
					<-ctx.Done()
				}
			}))
			is.True(err != nil)
			is.Equal(err.Error(), "part 3 of 4: telegram: sendMessage: not sent: context deadline exceeded")
			is.Equal(asError(t, err).Outcome, telegram.NotSent)
			is.True(errors.Is(err, context.DeadlineExceeded))
			is.Equal(ids(sent), []int64{1, 2, 0, 0})
			is.Equal(marked, []int{0, 1}) // nobody is told of a write that does not begin
		})
	}
	bubble(t, "a caller who goes between two writes", func(t *testing.T, is *is.I) {
		b, w := newWire(t, accepts)
		ctx, cancel := context.WithCancel(t.Context())
		var marked []int
		sent, err := b.Deliver(ctx, target, parts("1", "2"), begun(&marked, func(int) { cancel() }))
		is.True(errors.Is(err, context.Canceled))
		is.Equal(asError(t, err).Outcome, telegram.NotSent)
		is.Equal(ids(sent), []int64{1, 0})
		is.Equal(len(w.got), 1)
	})
	bubble(t, "a write that hangs until the deadline, and the part behind it", func(t *testing.T, is *is.I) {
		b, w := newWire(t, accepts, hangs)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		sent, err := b.Deliver(ctx, target, parts("1", "2", "3"), nil)
		is.Equal(asError(t, err).Outcome, telegram.Uncertain) // the gravest
		is.Equal(err.Error(), "part 2 of 3: telegram: sendMessage: uncertain: context deadline exceeded\n"+
			"part 3 of 3: telegram: sendMessage: not sent: context deadline exceeded")
		is.Equal(ids(sent), []int64{1, 0, 0})
		is.Equal(len(w.got), 2)
	})
	bubble(t, "unless all were sent", func(t *testing.T, is *is.I) {
		b, _ := newWire(t, accepts)
		ctx, cancel := context.WithCancel(t.Context())
		var marked []int
		sent, err := b.Deliver(ctx, target, parts("1"), begun(&marked, func(int) { cancel() }))
		is.NoErr(err)
		is.Equal(ids(sent), []int64{1})
	})
}
