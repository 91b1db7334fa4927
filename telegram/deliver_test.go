package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ccmwf/ccm/telegram"
	"github.com/matryer/is"
)

// bubble runs a test with a virtual clock.
func bubble(t *testing.T, name string, test func(t *testing.T, is *is.I)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, is.New(t)) })
	})
}

func ids(sent []telegram.Sent) []int64 {
	all := make([]int64, len(sent))
	for i, s := range sent {
		all[i] = s.ID
	}
	return all
}

func TestDeliverSendsInOrder(t *testing.T) {
	bubble(t, "each part once, marked before and after", func(t *testing.T, is *is.I) {
		b, w := newWire(t, accepts)
		var marks []string
		sent, err := b.Deliver(t.Context(), target, parts("uno", "dos"), func(part int, s telegram.Sent, err error) error {
			marks = append(marks, fmt.Sprintf("%d: %d %v, %d requests", part, s.ID, err, len(w.got)))
			return nil
		})
		is.NoErr(err)
		is.Equal(ids(sent), []int64{1, 2})
		is.Equal(w.texts(), []string{"<b>uno</b>", "<b>dos</b>"})
		is.Equal(marks, []string{
			"0: 0 <nil>, 0 requests", "0: 1 <nil>, 1 requests",
			"1: 0 <nil>, 1 requests", "1: 2 <nil>, 2 requests",
		})
		is.Equal(sent[1].Chat, group)
		is.Equal(sent[1].Attempts, 1)
		is.Equal(sent[1].Degraded, false)
		is.Equal(string(sent[1].Raw), `{"ok":true,"result":{"message_id":2}}`)
	})
}

func TestDeliverRepeatsWhatWasNotSent(t *testing.T) {
	bubble(t, "until it is, after growing waits", func(t *testing.T, is *is.I) {
		b, w := newWire(t, cannotDial, cannotDial, cannotDial, accepts)
		sent, err := b.Deliver(t.Context(), target, parts("uno"), nil)
		is.NoErr(err)
		is.Equal(sent[0].Attempts, 4)
		for i, base := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
			waited := w.got[i+1].At.Sub(w.got[i].At)
			is.True(waited >= base/2 && waited <= base)
		}
	})
	bubble(t, "five times at most, and then stops", func(t *testing.T, is *is.I) {
		b, w := newWire(t, cannotDial)
		sent, err := b.Deliver(t.Context(), target, parts("uno", "dos"), nil)
		is.Equal(asError(t, err).Outcome, telegram.NotSent)
		is.Equal(len(w.got), 5)
		is.Equal(ids(sent), []int64{0, 0})
	})
	bubble(t, "not beyond the deadline", func(t *testing.T, is *is.I) {
		b, w := newWire(t, cannotDial)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := b.Deliver(ctx, target, parts("uno"), nil)
		is.Equal(asError(t, err).Outcome, telegram.NotSent)
		is.True(len(w.got) > 1)
		is.NoErr(ctx.Err()) // it did not wait for what could not be
	})
	bubble(t, "not once the caller has gone", func(t *testing.T, is *is.I) {
		b, w := newWire(t, cannotDial)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		_, err := b.Deliver(ctx, target, parts("uno", "dos"), nil)
		is.Equal(asError(t, err).Outcome, telegram.NotSent)
		is.Equal(len(w.got), 1)
	})
}

func TestDeliverObeysRateLimits(t *testing.T) {
	bubble(t, "a short one is waited out", func(t *testing.T, is *is.I) {
		b, w := newWire(t, accepts, accepts, limits(3), accepts)
		sent, err := b.Deliver(t.Context(), target, parts("1", "2", "3", "4", "5"), nil)
		is.NoErr(err)
		is.Equal(ids(sent), []int64{1, 2, 4, 5, 6})
		is.Equal(sent[2].Attempts, 2)
		is.True(w.got[3].At.Sub(w.got[2].At) >= 3*time.Second)
	})
	bubble(t, "one without a time is backed off from", func(t *testing.T, is *is.I) {
		b, w := newWire(t, refuses(429, "Too Many Requests"), accepts)
		_, err := b.Deliver(t.Context(), target, parts("1"), nil)
		is.NoErr(err)
		is.True(w.got[1].At.Sub(w.got[0].At) >= 250*time.Millisecond)
	})
	bubble(t, "a long one is returned at once, and holds the chat's other deliveries", func(t *testing.T, is *is.I) {
		b, w := newWire(t, accepts, limits(5329), accepts)
		begin := time.Now()
		sent, err := b.Deliver(t.Context(), target, parts("1", "2", "3"), nil)
		e := asError(t, err)
		is.Equal(e.Outcome, telegram.RateLimited)
		is.Equal(e.RetryAfter, 5329*time.Second)
		is.Equal(time.Since(begin), time.Duration(0))
		is.Equal(ids(sent), []int64{1, 0, 0})

		_, err = b.Deliver(t.Context(), target, parts("otra"), nil)
		e = asError(t, err)
		is.Equal(e.Outcome, telegram.RateLimited)
		is.Equal(e.Code, 0) // nobody was asked
		is.Equal(e.RetryAfter, 5329*time.Second)
		is.Equal(len(w.got), 2)

		_, err = b.Deliver(t.Context(), telegram.Target{Chat: "55123"}, parts("otra"), nil)
		is.NoErr(err) // another chat is not held
	})
	bubble(t, "one beyond the deadline is returned at once", func(t *testing.T, is *is.I) {
		b, _ := newWire(t, limits(10))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := b.Deliver(ctx, target, parts("1"), nil)
		is.Equal(asError(t, err).RetryAfter, 10*time.Second)
		is.NoErr(ctx.Err())
	})
	bubble(t, "no more than a minute a part where there is no deadline", func(t *testing.T, is *is.I) {
		b, w := newWire(t, limits(10))
		begin := time.Now()
		_, err := b.Deliver(context.Background(), target, parts("1"), nil)
		is.Equal(asError(t, err).Outcome, telegram.RateLimited)
		is.True(time.Since(begin) <= telegram.PartTimeout)
		is.True(len(w.got) >= 5)
	})
}

func TestDeliverNeverRepeatsWhatIsUncertain(t *testing.T) {
	for name, answer := range map[string]reply{
		"a connection that broke":   breaks,
		"a time-out":                hangs,
		"a 502 with an envelope":    refuses(502, "Bad Gateway"),
		"a 502 of a proxy":          says(502, "<html>Bad Gateway</html>"),
		"a 429 of a proxy":          says(429, "<html>Too Many Requests</html>"),
		"an empty answer":           says(200, ""),
		"half an answer":            says(200, `{"ok":true,"result":{"mess`),
		"an answer without an id":   says(200, `{"ok":true,"result":true}`),
		"an answer of someone else": says(200, `{"status":"fine"}`),
	} {
		bubble(t, name, func(t *testing.T, is *is.I) {
			b, w := newWire(t, accepts, answer, accepts)
			sent, err := b.Deliver(t.Context(), target, parts("1", "2", "3"), nil)
			is.Equal(asError(t, err).Outcome, telegram.Uncertain)
			is.True(strings.Contains(err.Error(), "part 2 of 3"))
			is.Equal(ids(sent), []int64{1, 0, 3}) // it went on with the next part
			is.Equal(sent[1], telegram.Sent{})
			is.Equal(len(w.got), 3)
		})
	}
	bubble(t, "and it is what is found first", func(t *testing.T, is *is.I) {
		b, _ := newWire(t, accepts, breaks, refuses(403, "Forbidden: bot was kicked from the group chat"))
		_, err := b.Deliver(t.Context(), target, parts("1", "2", "3"), nil)
		is.Equal(asError(t, err).Outcome, telegram.Uncertain)
		is.True(strings.Contains(err.Error(), "part 3 of 3: telegram: sendMessage: refused (403)"))
	})
	bubble(t, "and nothing follows once the caller has gone", func(t *testing.T, is *is.I) {
		b, w := newWire(t, hangs)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.Deliver(ctx, target, parts("1", "2"), nil)
		is.Equal(asError(t, err).Outcome, telegram.Uncertain)
		is.True(errors.Is(err, context.DeadlineExceeded))
		is.Equal(len(w.got), 1)
	})
}

func TestDeliverFollowsAMigration(t *testing.T) {
	bubble(t, "in the same attempt, and goes on there", func(t *testing.T, is *is.I) {
		b, w := newWire(t, accepts, migrates(-100777), accepts)
		sent, err := b.Deliver(t.Context(), telegram.Target{Chat: "-55"}, parts("1", "2", "3"), nil)
		is.NoErr(err)
		is.Equal(ids(sent), []int64{1, 3, 4})
		is.Equal([]string{sent[0].Chat, sent[1].Chat, sent[2].Chat}, []string{"-55", "-100777", "-100777"})
		is.Equal(sent[1].Attempts, 2)
		is.Equal(w.got[3].Chat, "-100777")
		is.Equal(w.got[2].At, w.got[1].At) // without a wait
	})
	bubble(t, "but not in circles", func(t *testing.T, is *is.I) {
		b, w := newWire(t, migrates(-100777))
		_, err := b.Deliver(t.Context(), target, parts("1"), nil)
		e := asError(t, err)
		is.Equal(e.Outcome, telegram.Refused)
		is.Equal(e.MigratedTo, int64(-100777))
		is.Equal(len(w.got), 2)
	})
}

func TestDeliverFallsBackOnPlainText(t *testing.T) {
	unparsed := refuses(400, `Bad Request: can't parse entities: Unclosed start tag at byte offset 1`)
	bubble(t, "of that part, once", func(t *testing.T, is *is.I) {
		b, w := newWire(t, unparsed, accepts)
		sent, err := b.Deliver(t.Context(), target, parts("1", "2"), nil)
		is.NoErr(err)
		is.Equal(w.texts(), []string{"<b>1</b>", "1", "<b>2</b>"})
		is.Equal(w.got[1].ParseMode, "")
		is.Equal(w.got[2].ParseMode, "HTML")
		is.Equal([]bool{sent[0].Degraded, sent[1].Degraded}, []bool{true, false})
	})
	bubble(t, "and stops if that is refused too", func(t *testing.T, is *is.I) {
		b, w := newWire(t, unparsed)
		_, err := b.Deliver(t.Context(), target, parts("1", "2"), nil)
		is.Equal(asError(t, err).Outcome, telegram.Refused)
		is.Equal(len(w.got), 2)
	})
	bubble(t, "unless there is none", func(t *testing.T, is *is.I) {
		b, w := newWire(t, unparsed)
		_, err := b.Deliver(t.Context(), target, []telegram.Part{{HTML: "<b>1"}}, nil)
		is.Equal(asError(t, err).Outcome, telegram.Refused)
		is.Equal(len(w.got), 1)
	})
}

func TestDeliverStopsAtARefusal(t *testing.T) {
	bubble(t, "so that no part comes before another", func(t *testing.T, is *is.I) {
		b, w := newWire(t, accepts, refuses(403, "Forbidden: bot was blocked by the user"))
		sent, err := b.Deliver(t.Context(), target, parts("1", "2", "3"), nil)
		e := asError(t, err)
		is.Equal(e.Outcome, telegram.Refused)
		is.Equal(e.Code, 403)
		is.Equal(err.Error(), "part 2 of 3: telegram: sendMessage: refused (403): Forbidden: bot was blocked by the user")
		is.Equal(ids(sent), []int64{1, 0, 0})
		is.Equal(len(w.got), 2)
	})
}

func TestDeliverMarks(t *testing.T) {
	full := errors.New("disk full")
	bubble(t, "an error before a write stops it", func(t *testing.T, is *is.I) {
		b, w := newWire(t, accepts)
		sent, err := b.Deliver(t.Context(), target, parts("1", "2"), func(part int, s telegram.Sent, err error) error {
			if part == 1 {
				return full
			}
			return nil
		})
		is.True(errors.Is(err, full))
		is.Equal(ids(sent), []int64{1, 0})
		is.Equal(len(w.got), 1)
	})
	bubble(t, "an error after a write is reported", func(t *testing.T, is *is.I) {
		b, _ := newWire(t, accepts)
		sent, err := b.Deliver(t.Context(), target, parts("1", "2"), func(part int, s telegram.Sent, err error) error {
			if s.ID == 1 {
				return full
			}
			return nil
		})
		is.True(errors.Is(err, full))
		is.Equal(ids(sent), []int64{1, 2})
	})
	bubble(t, "each attempt is marked, with what came of it", func(t *testing.T, is *is.I) {
		b, _ := newWire(t, cannotDial, migrates(-100777), breaks)
		var marks []string
		_, err := b.Deliver(t.Context(), target, parts("1"), func(part int, s telegram.Sent, err error) error {
			outcome := "begins"
			if err != nil {
				outcome = asError(t, err).Outcome.String()
			}
			marks = append(marks, fmt.Sprint(s.Attempts, " ", s.Chat, " ", outcome))
			return nil
		})
		is.Equal(asError(t, err).Outcome, telegram.Uncertain)
		is.Equal(marks, []string{
			"0  begins", "1 " + group + " not sent",
			"0  begins", "2 " + group + " refused",
			"0  begins", "3 -100777 uncertain",
		})
	})
}

// gateFunc is a Gate that only waits.
type gateFunc func(ctx context.Context, chat string) error

func (g gateFunc) Wait(ctx context.Context, chat string) error   { return g(ctx, chat) }
func (g gateFunc) Hold(context.Context, string, time.Time) error { return errors.New("no") }

func TestDeliverGoesThroughTheGate(t *testing.T) {
	closed := errors.New("redis is away")
	bubble(t, "whose error stops it before the write and its mark", func(t *testing.T, is *is.I) {
		b := mustBot(t, telegram.Config{Token: token, Gate: gateFunc(func(context.Context, string) error { return closed })})
		_, err := b.Deliver(t.Context(), target, parts("1"), func(int, telegram.Sent, error) error {
			t.Error("marked")
			return nil
		})
		is.Equal(asError(t, err).Outcome, telegram.NotSent)
		is.True(errors.Is(err, closed))
	})
	bubble(t, "and waits a rate limit out even where it cannot hold", func(t *testing.T, is *is.I) {
		w := &wire{tb: t, answers: []reply{limits(2), accepts}}
		b := mustBot(t, telegram.Config{Token: token, HTTP: w.client(), Gate: gateFunc(func(context.Context, string) error { return nil })})
		_, err := b.Deliver(t.Context(), target, parts("1"), nil)
		is.NoErr(err)
		is.True(w.got[1].At.Sub(w.got[0].At) >= 2*time.Second)
	})
}

// What is checked before a request is no stricter than the server.
func TestWhatJustFitsIsSent(t *testing.T) {
	full := strings.Repeat("x", telegram.MaxText)
	for name, p := range map[string]telegram.Part{
		"plain":             {Plain: full},
		"with blanks":       {Plain: " \n" + full + "\n"},
		"markup":            {HTML: "<i><b>" + full + "</b></i>"},
		"markup and blanks": {HTML: `<a href="https://a.b/?x>y">` + full + "</a>\r\n"},
		"characters":        {HTML: strings.Repeat("&amp;&#38;", telegram.MaxText/2)},
		"plain is blank":    {HTML: "<b>x</b>", Plain: " "},
	} {
		t.Run(name, func(t *testing.T) {
			fake, b := newFake(t)
			_, err := b.Send(t.Context(), target, p)
			is.New(t).NoErr(err)
			is.New(t).Equal(len(fake.Messages(groupID)), 1)
		})
	}
}

func TestDeliverRejectsWrongArguments(t *testing.T) {
	long := strings.Repeat("x", telegram.MaxText+1)
	for name, tt := range map[string]struct {
		ctx   context.Context //nolint:containedctx // the argument under test
		to    telegram.Target
		parts []telegram.Part
		want  string
	}{
		"no context":         {nil, target, parts("1"), "ctx"},
		"no chat":            {t.Context(), telegram.Target{}, parts("1"), "Target.Chat"},
		"a chat of no form":  {t.Context(), telegram.Target{Chat: "https://t.me/canal"}, parts("1"), "Target.Chat"},
		"a chat that is 0":   {t.Context(), telegram.Target{Chat: "0"}, parts("1"), "Target.Chat"},
		"a chat over 64 bit": {t.Context(), telegram.Target{Chat: "99999999999999999999"}, parts("1"), "Target.Chat"},
		"a negative thread":  {t.Context(), telegram.Target{Chat: group, Thread: -1}, parts("1"), "Target.Thread"},
		"no parts":           {t.Context(), target, nil, "parts"},
		"an empty part":      {t.Context(), target, []telegram.Part{part("1"), {}}, "part 2 of 2: telegram: invalid Part: HTML and Plain are empty"},
		"a blank part":       {t.Context(), target, []telegram.Part{{Plain: " \n"}}, "invalid Part.Plain: nothing in it can be seen"},
		"empty markup":       {t.Context(), target, []telegram.Part{{HTML: "<b> </b>"}}, "invalid Part.HTML: nothing in it can be seen"},
		"a long part":        {t.Context(), target, []telegram.Part{part(long)}, "invalid Part.HTML: it has 4097 UTF-16 units"},
		"a long part alone":  {t.Context(), target, []telegram.Part{{HTML: `<a href="https://a.b/">` + strings.Repeat("&lt;", telegram.MaxText) + "</a>🎂"}}, "invalid Part.HTML: it has 4098 UTF-16 units"},
		"a long plain part":  {t.Context(), target, []telegram.Part{{Plain: long}}, "invalid Part.Plain: it has 4097 UTF-16 units"},
		"too much markup":    {t.Context(), target, []telegram.Part{{HTML: strings.Repeat("<b></b>", 5000) + "x"}}, "invalid Part.HTML: it has 35001 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			b, w := newWire(t, accepts)
			sent, err := b.Deliver(tt.ctx, tt.to, tt.parts, nil)
			is.True(errors.Is(err, telegram.ErrInvalid))
			is.True(strings.Contains(err.Error(), tt.want))
			is.Equal(sent, nil)
			is.Equal(len(w.got), 0)
			if len(tt.parts) == 1 {
				_, err = b.Send(tt.ctx, tt.to, tt.parts[0])
				is.True(errors.Is(err, telegram.ErrInvalid))
				is.Equal(len(w.got), 0)
			}
		})
	}
}
