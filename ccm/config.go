package ccm

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/oauth"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
)

// What a zero [Config] means.
const (
	DefaultZone     = "America/Mexico_City"
	DefaultFresh    = 30 * time.Minute
	DefaultMaxStale = 24 * time.Hour
)

// defaultStatus is whose birthdays count: who has not left for the field.
var defaultStatus = []string{"Virtual", "CCM"}

// Config says what the service is made of. The zero Config works: it renders
// alerts, and sends nothing. [ParseEnv] makes one of environment variables.
type Config struct {
	// Store is the database of missionaries. Without a URL datasets answer
	// CodeDataset, and alerts still go out. Its Location is set to Location
	// unless it has one.
	Store store.Config

	// Cache is where datasets are kept between requests; zero: in memory. Its
	// Prefix, unless it has one, is "ccm:" and [store.Store.Identity], so that
	// services of two databases may share a Redis.
	Cache cache.Config

	// Telegram is the bot. Without Token and TokenFile every send answers
	// CodeTelegramDisabled, and dry runs work. Replicas want the Gate of
	// telegram/redisgate.
	Telegram telegram.Config

	// Google finds the credentials that [Client.Google] returns; nothing else
	// here needs them. Without Scopes they are for [oauth.DriveReadonly].
	Google oauth.Config

	// Chat is where messages go unless SendOptions.To says otherwise.
	Chat telegram.Target

	// Branch is for a Query without one; 0: a Query without one is about every
	// branch.
	Branch int

	// Branches are those that a report or dataset may be about; empty: every
	// one. Where it has any, none at all (branch 0) is refused too.
	Branches []int

	// BirthdayStatus is whose birthdays count, by the view's Status. Nil:
	// Virtual and CCM. Empty but not nil: everybody's, who ever left included.
	BirthdayStatus []string

	// Location is the centre's time zone: it says which day today is. Nil:
	// America/Mexico_City, which needs the zones of the system, or an import of
	// time/tzdata in package main.
	Location *time.Location

	// Fresh is how long a dataset is served from the cache without asking the
	// database, up to a tenth less so that not all expire at once, and never past
	// midnight at the centre; from three quarters of it a request has it read anew
	// in the background. Zero: 30 min. Negative: there is no cache, and nothing stands in
	// for a database that is away.
	Fresh time.Duration

	// MaxStale is how old a dataset may be and still stand in, marked as stale,
	// while the database is away; zero: 24 h. At or below Fresh, or negative:
	// nothing stands in.
	MaxStale time.Duration

	// AlertChat is told of each delivery that Telegram did not confirm: which it
	// is and what to do, never what is in it. Zero: nobody is.
	AlertChat telegram.Target

	// Journal keeps what was sent, by key. Nil: in memory, for this process
	// only. It is not closed by Client.Close, and is to be closed after it.
	Journal Journal

	// JournalURL and JournalRetention are CCM_JOURNAL_URL and
	// CCM_JOURNAL_RETENTION_DAYS, for who opens the Journal: see package
	// [github.com/ccmwf/ccm/ccm/delivery]. Open does not; it only warns of a URL
	// without a Journal.
	JournalURL       string
	JournalRetention time.Duration

	// Logger gets each call to a dependency (DEBUG), each send (INFO), and what
	// a person should look at (WARN, ERROR); never names or texts. Nil: nothing.
	Logger *slog.Logger

	// Now tells the time; nil: time.Now. The cache is given it too, unless it
	// has a clock of its own.
	Now func() time.Time
}

// withDefaults fills in what is zero, and says what cannot work.
func (c Config) withDefaults() (Config, error) {
	if c.Branch < 0 || slices.ContainsFunc(c.Branches, func(b int) bool { return b < 1 }) {
		return c, errors.New("ccm: Config.Branch must be 0 (none) or more, and each of Config.Branches 1 or more")
	}
	if c.Location == nil {
		zone, err := time.LoadLocation(DefaultZone)
		if err != nil {
			return c, fmt.Errorf("ccm: Config.Location is nil and the zone %s is unknown here: import time/tzdata in package main: %w", DefaultZone, err)
		}
		c.Location = zone
	}
	if c.BirthdayStatus == nil {
		c.BirthdayStatus = defaultStatus
	}
	if c.Fresh == 0 {
		c.Fresh = DefaultFresh
	}
	if c.MaxStale == 0 {
		c.MaxStale = DefaultMaxStale
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Cache.Now == nil {
		c.Cache.Now = c.Now // not time.Now in its place: the cache has a quicker way to know
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Google.Scopes == nil {
		c.Google.Scopes = []string{oauth.DriveReadonly}
	}
	if c.Store.Location == nil {
		c.Store.Location = c.Location
	}
	if c.Journal == nil {
		c.Journal = newMemoryJournal(c.Now, memoryJournalSize)
	}
	return c, nil
}

// policy is how the cache treats every dataset.
func (c Config) policy() cache.Policy {
	if c.Fresh < 0 {
		return cache.Policy{}
	}
	return cache.Policy{
		Fresh:  c.Fresh,
		Stale:  max(0, c.MaxStale-c.Fresh),
		Soft:   c.Fresh * 3 / 4,
		Memory: min(c.Fresh, maxUnheard),
		Until:  c.midnight,
	}
}

// maxUnheard is how long another replica's invalidation may go unheard of.
const maxUnheard = time.Minute

// midnight is the end of a day at the centre.
func (c Config) midnight(of time.Time) time.Time {
	year, month, day := of.In(c.Location).Date()
	return time.Date(year, month, day+1, 0, 0, 0, 0, c.Location)
}

// today is the day at the centre.
func (c Config) today() Date { return store.DateOf(c.Now().In(c.Location)) }
