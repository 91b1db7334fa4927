package telegram

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// PartTimeout is how long Deliver tries to send each part when its context
	// has no deadline.
	PartTimeout = time.Minute
	// MaxRetryAfter is the longest that Deliver waits because Telegram asked to.
	MaxRetryAfter = 15 * time.Second

	// maxAttempts bounds what is tried without an answer of Telegram's.
	maxAttempts            = 5
	minBackOff, maxBackOff = 500 * time.Millisecond, 8 * time.Second
)

// Mark is told of each write of [Bot.Deliver], in order and by one goroutine:
// before it with the zero Sent and no error, and after it with what came of it.
// A part that is repeated is marked again. A journal kept by a Mark knows after
// a crash what was sent, and which part is uncertain.
//
// An error before a write stops the delivery: nothing goes out that cannot be
// recorded. One after a write is reported, and the delivery goes on.
type Mark func(part int, s Sent, err error) error

// Deliver sends the parts in order and draws the conclusions of each [Outcome].
//
//   - Before each write it waits at the [Gate].
//   - What was [NotSent] is repeated up to four times, after half a second, then
//     longer; [RateLimited] as often as there is time, after what Telegram asks
//     for, unless that is over [MaxRetryAfter]. No wait goes beyond the deadline
//     of ctx, or beyond [PartTimeout] for each part where it has none.
//   - A group that became a supergroup is followed: see Sent.Chat.
//   - Markup that Telegram cannot parse is sent once more as plain text: see
//     Sent.Degraded.
//   - [Uncertain] is never repeated: the message may be in the chat. The
//     delivery goes on with the next part.
//   - Any other failure stops the delivery, so that no part comes before another.
//     So does the end of ctx: the part that was next is NotSent.
//
// The answer is aligned with parts; what was not sent is the zero Sent. The
// error, nil only if all were sent and marked, joins all failures, and its text
// names their parts. errors.As finds the gravest [*Error], which is the first
// that is Uncertain, else the one that stopped the delivery. Parts behind the one
// that stopped it were not tried; a Mark knows of each what became of it. A wrong
// argument, such as no parts or a part that is too long, is [ErrInvalid] before
// anything is sent.
func (b *Bot) Deliver(ctx context.Context, to Target, parts []Part, mark Mark) ([]Sent, error) {
	if err := checkDelivery(ctx, to, parts); err != nil {
		return nil, err
	}
	if mark == nil {
		mark = func(int, Sent, error) error { return nil }
	}
	d := &delivery{bot: b, to: to, mark: mark, sent: make([]Sent, len(parts))}
	for i, p := range parts {
		if !d.deliver(ctx, i, p) {
			break
		}
	}
	return d.sent, d.err()
}

func checkDelivery(ctx context.Context, to Target, parts []Part) error {
	if ctx == nil {
		return errNilContext
	}
	if err := to.Check(); err != nil {
		return err
	}
	if len(parts) == 0 {
		return invalid("parts", "there are none; Render makes none of a message without text")
	}
	for i, p := range parts {
		if err := p.check(); err != nil {
			return fmt.Errorf("part %d of %d: %w", i+1, len(parts), err)
		}
	}
	return nil
}

// delivery is one Deliver under way.
type delivery struct {
	bot  *Bot
	to   Target // with the new chat after a migration
	mark Mark
	sent []Sent

	uncertain []error
	others    []error
}

// try is one part on its way.
type try struct {
	index    int
	part     Part
	attempts int
	migrated bool
	degraded bool
}

// deliver sends a part, repeating what may be repeated, and says whether to go
// on with the next one.
func (d *delivery) deliver(ctx context.Context, i int, p Part) (goOn bool) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, PartTimeout)
		defer cancel()
	}
	for t := (&try{index: i, part: p}); ; {
		if err := d.admit(ctx, t); err != nil {
			d.others = append(d.others, d.name(t, err))
			return false
		}
		e := d.write(ctx, t)
		switch {
		case e == nil:
			return true
		case e.Outcome == Uncertain:
			d.uncertain = append(d.uncertain, d.name(t, e))
			return true
		case !d.again(ctx, t, e):
			d.others = append(d.others, d.name(t, e))
			return false
		}
	}
}

// admit lets the next write begin.
func (d *delivery) admit(ctx context.Context, t *try) error {
	if err := ctx.Err(); err != nil {
		return &Error{Method: sendMessage, Outcome: NotSent, Err: err}
	}
	if err := d.bot.gate.Wait(ctx, d.to.Chat); err != nil {
		var e *Error
		if !errors.As(err, &e) {
			e = &Error{Method: sendMessage, Outcome: NotSent, Err: fmt.Errorf("waiting at the gate: %w", err)}
		}
		return e
	}
	if err := d.mark(t.index, Sent{}, nil); err != nil {
		return fmt.Errorf("mark before the write: %w", err)
	}
	return nil
}

// write makes one attempt, and has it marked.
func (d *delivery) write(ctx context.Context, t *try) *Error {
	t.attempts++
	s, e := d.bot.send(ctx, d.to, t.part)
	s.Chat, s.Attempts, s.Degraded = d.to.Chat, t.attempts, t.degraded
	var err error // nil, and not a nil *Error, for the mark
	if e == nil {
		d.sent[t.index] = s
	} else {
		err = e
	}
	if failed := d.mark(t.index, s, err); failed != nil {
		d.others = append(d.others, d.name(t, fmt.Errorf("mark after the write: %w", failed)))
	}
	return e
}

// again says whether a part that surely was not sent is sent again, once it may be.
func (d *delivery) again(ctx context.Context, t *try, e *Error) bool {
	switch {
	case e.MigratedTo != 0 && !t.migrated:
		d.to.Chat, t.migrated = strconv.FormatInt(e.MigratedTo, 10), true
		return true
	case e.unparsed() && t.part.HTML != "" && !blank(t.part.Plain):
		t.part.HTML, t.degraded = "", true
		return true
	case e.Outcome == RateLimited:
		return d.waitOut(ctx, t, e.RetryAfter)
	case e.Outcome == NotSent && t.attempts < maxAttempts:
		return pause(ctx, backOff(t.attempts)) == nil
	}
	return false
}

// unparsed says that the markup was refused. Telegram has no other sign of it
// than the text.
func (e *Error) unparsed() bool {
	return e.Code == http.StatusBadRequest && strings.Contains(e.Description, "can't parse entities")
}

// waitOut waits for what Telegram asked for, and has other deliveries to the
// chat wait too. A gate that cannot be told is no reason to stop: it is waited
// out here in any case.
func (d *delivery) waitOut(ctx context.Context, t *try, retryAfter time.Duration) bool {
	if retryAfter == 0 {
		return pause(ctx, backOff(t.attempts)) == nil
	}
	_ = d.bot.gate.Hold(ctx, d.to.Chat, time.Now().Add(retryAfter))
	return retryAfter <= MaxRetryAfter && pause(ctx, retryAfter+rand.N(minBackOff)) == nil
}

// backOff doubles with each attempt; half of it is chance, so that what failed
// together does not come back together.
func backOff(attempts int) time.Duration {
	d := maxBackOff
	if doublings := attempts - 1; doublings < 4 {
		d = minBackOff << doublings
	}
	return d/2 + rand.N(d/2)
}

// name says which part err is about, if there are several.
func (d *delivery) name(t *try, err error) error {
	if len(d.sent) == 1 {
		return err
	}
	return fmt.Errorf("part %d of %d: %w", t.index+1, len(d.sent), err)
}

func (d *delivery) err() error {
	all := append(d.uncertain, d.others...)
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}
