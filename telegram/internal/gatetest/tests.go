package gatetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/internal/rates"
)

const (
	person = "5512345"
	group  = "-1001234567890"
)

// tests are named by what they ask of a gate.
var tests = []struct {
	name string
	run  func(*gate)
}{
	{"a chat gets a burst, then one a second", chatRate},
	{"who comes together gets no more", together},
	{"a group gets 20 a minute, and who leaves gives the place back", groupRate},
	{"all chats together get 30 a second, and who leaves gives the place back", botRate},
	{"a busy chat takes nothing from the others", busyChat},
	{"who finds no place of the bot keeps none of the chat", noPlaceOfTheBot},
	{"a chat whose messages waited for the bot does not get them all at once", spaced},
	{"a hold is of one chat, and a shorter one does not end it", holds},
	{"a hold may be for ever", heldForEver},
	{"a name is the same in capitals", nameInCapitals},
	{"a hold is waited out, also by who had a place already", heldWithAPlace},
	{"a hold is waited out, also by who waits for the bot", heldWaitingForTheBot},
	{"who is held gives the place of the bot back", heldGivesBack},
	{"who has gone already takes nothing", gone},
	{"who has no context is told so", noContext},
}

func chatRate(g *gate) {
	for range rates.Chat.Burst {
		g.is.Equal(g.next(person), time.Duration(0))
	}
	g.is.Equal(g.next(person), rates.Chat.Every)
	g.is.Equal(g.next("5512346"), time.Duration(0)) // another chat
	after(rates.Chat.Every)
	g.is.Equal(g.next(person), time.Duration(0))
	g.is.Equal(g.next(person), rates.Chat.Every)
	after(time.Hour) // brings no more than a burst
	for range rates.Chat.Burst {
		g.is.Equal(g.next(person), time.Duration(0))
	}
	g.is.Equal(g.next(person), rates.Chat.Every)
}

func together(g *gate) {
	var all sync.WaitGroup
	var passed atomic.Int32
	for range 50 {
		all.Go(func() {
			if g.next(person) == 0 {
				passed.Add(1)
			}
		})
	}
	all.Wait()
	g.is.Equal(passed.Load(), int32(rates.Chat.Burst))
}

func groupRate(g *gate) {
	leave := g.queue(40, func(int) string { return group })
	g.is.Equal(g.next(group), 21*rates.Group.Every) // 20 of the 41 are a burst
	leave()
	g.is.Equal(g.next(group), rates.Chat.Every)
}

func botRate(g *gate) {
	leave := g.queue(300, strangers)
	g.is.Equal(g.next(person), (271 * rates.Bot.Every).Round(exact)) // 30 of the 301 are a burst
	leave()
	g.is.Equal(g.next(person), rates.Bot.Every.Round(exact))
}

func busyChat(g *gate) {
	defer g.queue(100, func(int) string { return person })()
	g.is.Equal(g.next(person), 98*rates.Chat.Every)
	for i := range 20 {
		g.is.Equal(g.next(strangers(i)), time.Duration(0))
	}
}

func noPlaceOfTheBot(g *gate) {
	leave := g.queue(300, strangers)
	for range 10 {
		g.is.True(g.next(person) > 0)
	}
	leave()
	for range rates.Chat.Burst {
		after(rates.Bot.Every + exact)
		g.is.Equal(g.next(person), time.Duration(0))
	}
}

func spaced(g *gate) {
	defer g.queue(90, strangers)() // 60 of them wait: two seconds
	var at []time.Time
	var waiting []<-chan time.Time
	for range rates.Chat.Burst + 1 {
		waiting = append(waiting, g.pass(person))
	}
	for _, passed := range waiting {
		at = append(at, <-passed)
	}
	slices.SortFunc(at, time.Time.Compare)
	g.is.True(at[len(at)-1].Sub(at[0]) > rates.Chat.Every-exact)
}

func holds(g *gate) {
	g.hold(person, 5329*time.Second)
	g.hold(person, time.Second)
	g.hold(person, -time.Second)
	g.is.Equal(g.next(person), 5329*time.Second)
	g.is.Equal(g.next(group), time.Duration(0))
	after(5329 * time.Second)
	g.is.Equal(g.next(person), time.Duration(0))
}

func heldForEver(g *gate) {
	for i, until := range []time.Time{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Now().Add(1<<63 - 1)} {
		g.is.NoErr(g.Hold(g.t.Context(), strangers(i), until))
		g.is.True(g.next(strangers(i)) > 99*365*24*time.Hour)
		after(50 * 365 * 24 * time.Hour)
		g.is.True(g.next(strangers(i)) > 49*365*24*time.Hour)
	}
}

func nameInCapitals(g *gate) {
	for i := range rates.Chat.Burst {
		g.is.Equal(g.next([]string{"@canal", "@Canal"}[i%2]), time.Duration(0))
	}
	g.is.Equal(g.next("@canal"), rates.Chat.Every)
	g.is.Equal(g.next("@CANAL"), rates.Chat.Every)
	g.hold("@Canal", time.Minute)
	g.is.Equal(g.next("@canal"), time.Minute)
}

func heldWithAPlace(g *gate) {
	for range rates.Chat.Burst {
		g.is.Equal(g.next(person), time.Duration(0))
	}
	passed := g.pass(person)
	g.is.Equal(g.next(person), 2*rates.Chat.Every) // it has the place of in a second
	until := g.hold(person, 1200*time.Millisecond)
	g.is.Equal((<-passed).Sub(until).Round(exact), time.Duration(0))
}

func heldWaitingForTheBot(g *gate) {
	defer g.queue(90, strangers)()
	passed := g.pass(person) // in two seconds
	until := g.hold(person, 2*rates.Chat.Every+time.Second)
	g.is.Equal((<-passed).Sub(until).Round(exact), time.Duration(0))
}

func heldGivesBack(g *gate) {
	for i := range rates.Bot.Burst {
		g.is.Equal(g.next(strangers(i)), time.Duration(0))
	}
	passed := g.pass(person) // with the next place of the bot
	until := g.hold(person, time.Minute)
	after(rates.Bot.Every + time.Millisecond)
	g.is.Equal(g.next("999"), time.Duration(0))
	g.is.Equal((<-passed).Sub(until).Round(exact), time.Duration(0))
}

func gone(g *gate) {
	ctx, cancel := context.WithCancel(g.t.Context())
	cancel()
	for range 10 {
		g.is.True(errors.Is(g.Wait(ctx, person), context.Canceled))
	}
	g.is.Equal(g.next(person), time.Duration(0))
}

func noContext(g *gate) {
	err := g.Wait(nil, person) //nolint:staticcheck // nil on purpose
	g.is.True(errors.Is(err, telegram.ErrInvalid))
	g.is.True(strings.Contains(err.Error(), "ctx: it is nil"))
	g.is.Equal(g.next(person), time.Duration(0))
}
