package ccm

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/ccm/report"
	"github.com/ccmwf/ccm/telegram"
)

// The ids of the datasets, and what an alert has in their place.
const (
	UpcomingArrivals  = "upcoming_arrivals"
	UpcomingBirthdays = "upcoming_birthdays"
	BranchSummaryID   = "branch_summary"
	DistrictKPIs      = "district_kpis"
	AlertID           = "alert"
)

// Dataset is an answer of the database that obeys the rules of its kind.
type Dataset[T any] struct {
	Meta    Meta `json:"metadata"`
	Records []T  `json:"records"` // the caller's own copy, never nil
}

// question is what sets one dataset apart from the others.
type question[T any] struct {
	id       string
	window   window
	byStatus bool // only people of Config.BirthdayStatus count
	ask      func(ctx context.Context, c *Client, r request) ([]T, error)
	rules    rules[T]
	day      func(T) Date // by which a record is in the window; nil: no window
	own      func(*T)     // copies what a record points to; nil: nothing
}

// dataset is a question and where its answers are kept.
type dataset[T any] struct {
	question[T]
	client *Client
	cache  *cache.Cache[*snapshot[T]]
}

// snapshot is what is kept of an answer. It obeys the rules, so that serving it
// again costs nothing but a copy.
type snapshot[T any] struct {
	Day     Date `json:"day"` // today, when it was asked
	Rows    []T  `json:"rows"`
	Skipped int  `json:"skipped"`

	drawn atomic.Pointer[drawing] // the report of it, as long as it stays in memory
}

// drawing is a report, rendered.
type drawing struct {
	info  report.Info
	parts []telegram.Part // never written to
}

func newDataset[T any](c *Client, q question[T]) *dataset[T] {
	return &dataset[T]{q, c, cache.New[*snapshot[T]](c.backend, q.id, c.cfg.policy())}
}

// get answers a Query.
func (d *dataset[T]) get(ctx context.Context, q Query) (Dataset[T], error) {
	ctx = ensureMessageID(ctx)
	r, err := d.client.cfg.resolve(q, d.window)
	if err != nil {
		return Dataset[T]{d.meta(ctx, r), []T{}}, err
	}
	return d.answer(ctx, r)
}

// answer answers a request. Meta is meaningful beside an error too.
func (d *dataset[T]) answer(ctx context.Context, r request) (Dataset[T], error) {
	s, meta, err := d.find(ctx, r, d.meta(ctx, r))
	if err != nil {
		return Dataset[T]{meta, []T{}}, err
	}
	records := append([]T{}, d.current(s, r.today)...)
	if d.own != nil {
		for i := range records {
			d.own(&records[i])
		}
	}
	return Dataset[T]{meta, records}, nil
}

// find is answer without the caller's own copy of the records; meta is what is
// known before.
func (d *dataset[T]) find(ctx context.Context, r request, meta Meta) (*snapshot[T], Meta, error) {
	began := time.Now()
	found, err := d.read(ctx, r)
	meta.DurationMS = milliseconds(time.Since(began))
	if err != nil {
		err := datasetError(err)
		d.client.log(ctx, slog.LevelError, stageData, "no se pudo leer un conjunto de datos",
			append(meta.attrs(), codeAttr(err), reasonAttr(err))...)
		return nil, meta, err
	}
	meta.RecordCount, meta.RecordsSkipped = len(d.current(found.Value, r.today)), found.Value.Skipped
	meta.describe(found.Source, found.LoadedAt, found.Stale, d.client.cfg.Now())
	d.logAnswer(ctx, meta, found.Err)
	return found.Value, meta, nil
}

// current returns the records that are not past: an answer of another day has
// some. They may be the snapshot's own.
func (d *dataset[T]) current(s *snapshot[T], today Date) []T {
	if d.day == nil || s.Day == today {
		return s.Rows
	}
	past := func(row T) bool { return d.day(row).Compare(today) < 0 }
	return slices.DeleteFunc(slices.Clone(s.Rows), past)
}

// draw renders the report of a snapshot, once for as long as it would come out
// the same: a report costs several times what all the rest of a dry run does.
func (d *dataset[T]) draw(s *snapshot[T], info report.Info, render func(report.Info, []T) telegram.Message) []telegram.Part {
	if known := s.drawn.Load(); known != nil && known.info == info {
		return known.parts
	}
	parts := renderSpared(render(info, d.current(s, info.Today)))
	s.drawn.Store(&drawing{info, parts})
	return parts
}

// read takes the answer from the cache, or has it loaded. One of another day
// counts as expired (see Config.midnight), and stands in only if it cannot be
// loaded again.
func (d *dataset[T]) read(ctx context.Context, r request) (cache.Entry[*snapshot[T]], error) {
	began := time.Now()
	var inDatabase atomic.Int64
	load := func(ctx context.Context) (*snapshot[T], error) {
		began := time.Now()
		defer func() { inDatabase.Add(int64(time.Since(began))) }()
		r := r
		r.today = d.client.cfg.today() // it may be loaded long after it was asked for, for others
		return d.load(ctx, r)
	}
	read := d.cache.Get
	if r.refresh {
		read = d.cache.Refresh
	}
	found, err := read(ctx, d.key(r), load)
	if err == nil && found.Value == nil { // a null, which nobody of us wrote
		found, err = d.cache.Refresh(ctx, d.key(r), load)
	}
	if err == nil && found.Stale && breaksRules(found.Err) {
		err = found.Err // the database did answer: what it says is not to be hidden
	}
	whole, db := time.Since(began), time.Duration(inDatabase.Load())
	if found.Source == cache.Loaded && db == 0 {
		db = whole // another caller loaded it for us
	}
	db = min(db, whole)
	addTimings(ctx, Timings{DB: db, Cache: whole - db})
	d.client.log(ctx, slog.LevelDebug, stageCache, "caché consultada", slog.String("dataset_id", d.id),
		slog.Bool("cache_hit", err == nil && found.Source != cache.Loaded), durationAttr(whole-db))
	return found, err
}

// load asks the database and applies the rules.
func (d *dataset[T]) load(ctx context.Context, r request) (*snapshot[T], error) {
	s := &snapshot[T]{Day: r.today}
	rows, err := d.query(ctx, r)
	if err != nil {
		return s, err
	}
	s.Rows, s.Skipped, err = d.rules.apply(rows)
	if s.Skipped > 0 {
		d.client.log(ctx, slog.LevelWarn, stageData, "hay registros incompletos que se dejaron fuera",
			slog.String("dataset_id", d.id), slog.Int("branch_id", r.branch),
			slog.Int("records_processed", len(rows)), slog.Int("records_skipped", s.Skipped))
	}
	if CodeOf(err) == CodeMissingFields && d.allUndated(rows) {
		err = d.checkQuiet(ctx, r)
	}
	return s, err
}

// allUndated reports whether nothing places any of the rows within the window:
// all that is known of such people is that they are in the branch.
func (d *dataset[T]) allUndated(rows []T) bool {
	return d.day != nil && !slices.ContainsFunc(rows, func(row T) bool { return !d.day(row).IsZero() })
}

// checkQuiet tells a window in which nothing happens from a database that has
// no date at all: the widest window has a whole record, or everything is broken.
func (d *dataset[T]) checkQuiet(ctx context.Context, r request) error {
	if r.days == d.window.widest {
		return d.rules.errIncomplete()
	}
	r.days = d.window.widest
	rows, err := d.query(ctx, r)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(rows, d.rules.whole) {
		return d.rules.errIncomplete()
	}
	return nil
}

// query asks the database once.
func (d *dataset[T]) query(ctx context.Context, r request) ([]T, error) {
	if d.client.source == nil {
		return nil, errNoStore
	}
	began := time.Now()
	rows, err := d.ask(ctx, d.client, r)
	attrs := []slog.Attr{slog.String("dataset_id", d.id), slog.Int("branch_id", r.branch),
		slog.Int("records_processed", len(rows)), durationAttr(time.Since(began))}
	if err != nil {
		attrs = append(attrs, reasonAttr(err))
	}
	d.client.log(ctx, slog.LevelDebug, stageDatabase, "base de datos consultada", attrs...)
	return rows, err
}
