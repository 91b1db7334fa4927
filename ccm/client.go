package ccm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/oauth"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
)

// Client is the service: it reads the datasets, and sends reports and alerts.
// It is safe for concurrent use.
type Client struct {
	cfg     Config
	store   *store.Store // nil: no URL
	source  source       // store, or nil
	backend *cache.Backend
	bot     *telegram.Bot // nil: no token

	ownJournal bool // in memory

	arrivals  *dataset[Arrival]
	birthdays *dataset[Birthday]
	summaries *dataset[BranchSummary]
	kpis      *dataset[KPI]

	counts     counts
	unfinished unfinished
	recovering sync.Mutex // held by the one Recover under way
	tellers    tellers

	google struct {
		sync.Mutex
		found *oauth.Credentials
	}
	closeOnce func() error
}

// source answers the questions behind the datasets; [store.Store] does.
type source interface {
	Arrivals(ctx context.Context, w store.Window) ([]Arrival, error)
	Birthdays(ctx context.Context, w store.Window, status ...string) ([]Birthday, error)
	BranchSummaries(ctx context.Context, branch int) ([]BranchSummary, error)
	KPIs(ctx context.Context, branch int, on Date) ([]KPI, error)
}

// Open returns a Client for cfg. It dials nothing: an error means that cfg
// cannot work, and says which part of it. The caller must Close the Client.
func Open(cfg Config) (*Client, error) {
	ownJournal := cfg.Journal == nil
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, ownJournal: ownJournal}
	c.closeOnce = sync.OnceValue(c.close)
	if err := c.openParts(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.arrivals = newDataset(c, arrivals)
	c.birthdays = newDataset(c, birthdays)
	c.summaries = newDataset(c, summaries)
	c.kpis = newDataset(c, kpis)
	c.warn()
	return c, nil
}

// openParts opens what the Config names, all of it, to find every fault.
func (c *Client) openParts() error {
	var faults []error
	var err error
	if c.cfg.Store.URL != "" {
		if c.store, err = store.Open(c.cfg.Store); err != nil {
			faults = append(faults, fmt.Errorf("ccm: Config.Store: %w", err))
		} else {
			c.source = c.store
			if c.cfg.Cache.Prefix == "" {
				c.cfg.Cache.Prefix = cache.DefaultPrefix + c.store.Identity() + ":"
			}
		}
	}
	if c.backend, err = cache.Open(c.cfg.Cache); err != nil {
		faults = append(faults, fmt.Errorf("ccm: Config.Cache: %w", err))
	}
	if c.cfg.Telegram.Token != "" || c.cfg.Telegram.TokenFile != "" {
		if c.bot, err = telegram.New(c.cfg.Telegram); err != nil {
			faults = append(faults, fmt.Errorf("ccm: Config.Telegram: %w", err))
		}
	}
	return errors.Join(faults...)
}

// warn logs what Open found odd and goes on without.
func (c *Client) warn() {
	if c.cfg.JournalURL != "" && c.ownJournal {
		c.log(context.Background(), slog.LevelWarn, stageJournal, "hay CCM_JOURNAL_URL y nadie abrió el diario: lo que se envía solo lo sabe este proceso")
	}
	if c.store == nil {
		return
	}
	for _, w := range c.store.Warnings() {
		c.log(context.Background(), slog.LevelWarn, stageDatabase, w)
	}
}

// Close ends what Open opened: connections to the database and the cache. Calls
// under way fail. An alert about a delivery in doubt is waited for, for 15 s at
// most. Close again does nothing, and returns the same.
func (c *Client) Close() error { return c.closeOnce() }

func (c *Client) close() error {
	c.tellers.close()
	var faults []error
	if c.store != nil {
		faults = append(faults, c.store.Close())
	}
	if c.backend != nil {
		if n := c.backend.Stats().Pending; n > 0 {
			c.log(context.Background(), slog.LevelWarn, stageCache, "Redis no llegó a saber de unas invalidaciones: las demás réplicas pueden servir esos datos hasta que caduquen",
				slog.Int64("invalidaciones", n))
		}
		faults = append(faults, c.backend.Close())
	}
	return errors.Join(faults...)
}

// Store returns the database, for what is no dataset (Check, Ping); nil where
// Config.Store has no URL. Close closes it.
func (c *Client) Store() *store.Store { return c.store }

// Cache returns where the datasets are kept, for Stats, Ping and Invalidate by
// the datasets' ids; never nil. Close closes it.
func (c *Client) Cache() *cache.Backend { return c.backend }

// Telegram returns the bot, for what is no report (getMe, getChat); nil where
// Config.Telegram has no token. What it sends is in no journal.
func (c *Client) Telegram() *telegram.Bot { return c.bot }

// Journal returns Config.Journal; nil where there was none, and what is sent is
// known to this process only.
func (c *Client) Journal() Journal {
	if c.ownJournal {
		return nil
	}
	return c.cfg.Journal
}

// Location returns the centre's time zone.
func (c *Client) Location() *time.Location { return c.cfg.Location }

// Google returns the credentials that Config.Google finds. They are looked for
// at the first call and, once found, kept; a failure (an [oauth.Error] where
// something was found that does not serve) is not, so that it can be mended.
func (c *Client) Google(ctx context.Context) (*oauth.Credentials, error) {
	c.google.Lock()
	defer c.google.Unlock()
	if c.google.found != nil {
		return c.google.found, nil
	}
	found, err := oauth.Find(ctx, c.cfg.Google)
	if err != nil {
		return nil, fmt.Errorf("ccm: %w", err)
	}
	c.google.found = found
	return found, nil
}
