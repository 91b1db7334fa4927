package ccm

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/ccmwf/ccm/cache"
)

// Meta is what is known about a dataset: the "metadata" of the HTTP answers.
type Meta struct {
	Dataset        string         `json:"dataset_id"`
	GeneratedAt    time.Time      `json:"generated_at"` // UTC, of the load
	RecordCount    int            `json:"record_count"`
	RecordsSkipped int            `json:"records_skipped"` // left out, for want of a required field
	Branch         *int           `json:"branch_id"`       // nil: every branch; of an alert: none
	DurationMS     float64        `json:"duration_ms"`     // of this request, not of the load
	CacheHit       bool           `json:"cache_hit"`
	Cache          *CacheMeta     `json:"cache"` // nil: of an alert, or beside an error
	Parameters     map[string]any `json:"parameters"`
	MessageID      string         `json:"message_id"` // see WithMessageID
}

// CacheMeta is where records came from.
type CacheMeta struct {
	Source string `json:"source"` // memory, redis; source: the database, just now
	AgeMS  int64  `json:"age_ms"` // since the load
	Stale  bool   `json:"stale"`  // past Config.Fresh or of another day, and the database is away
}

// meta is what is known before anything is read.
func (d *dataset[T]) meta(ctx context.Context, r request) Meta {
	m := Meta{
		Dataset:    d.id,
		Branch:     r.branchID(),
		MessageID:  MessageID(ctx),
		Parameters: map[string]any{"branch_id": nil, "force_refresh": r.refresh},
	}
	if r.branch != 0 {
		m.Parameters["branch_id"] = r.branch
	}
	if d.day != nil {
		m.Parameters["days_ahead"] = r.days
	}
	if d.byStatus {
		m.Parameters["status"] = append([]string{}, d.client.cfg.BirthdayStatus...)
	}
	return m
}

// key is what tells answers of one dataset apart. It has no day, so that
// yesterday's can stand in.
func (d *dataset[T]) key(r request) string {
	key := fmt.Sprintf("%d/%d", r.branch, r.days)
	if d.byStatus {
		key += "/" + strings.Join(d.client.cfg.BirthdayStatus, ",")
	}
	return key
}

// describe fills in where the records came from.
func (m *Meta) describe(from cache.Source, loaded time.Time, stale bool, now time.Time) {
	m.GeneratedAt = loaded.UTC()
	m.CacheHit = from != cache.Loaded
	m.Cache = &CacheMeta{Source: from.String(), AgeMS: max(0, now.Sub(loaded).Milliseconds()), Stale: stale}
}

// attrs are what log lines say of the records.
func (m *Meta) attrs() []slog.Attr {
	attrs := append(make([]slog.Attr, 0, 10), slog.String("dataset_id", m.Dataset)) // with room for the caller's own
	if m.Branch != nil {
		attrs = append(attrs, slog.Int("branch_id", *m.Branch))
	}
	if m.Cache != nil {
		attrs = append(attrs, slog.Bool("cache_hit", m.CacheHit), slog.String("cache_source", m.Cache.Source), slog.Int64("cache_age_ms", m.Cache.AgeMS),
			slog.Int("records_processed", m.RecordCount), slog.Int("records_skipped", m.RecordsSkipped))
	}
	return append(attrs, slog.Float64("duration_ms", m.DurationMS))
}

// logAnswer logs an answer that was given; why is the reason that it is stale.
func (d *dataset[T]) logAnswer(ctx context.Context, m Meta, why error) {
	if !m.Cache.Stale {
		if d.client.cfg.Logger.Enabled(ctx, slog.LevelDebug) { // else the attributes would be all that a hit costs
			d.client.log(ctx, slog.LevelDebug, stageData, "conjunto de datos listo", m.attrs()...)
		}
		return
	}
	attrs := m.attrs()
	if why != nil {
		attrs = append(attrs, reasonAttr(why))
	}
	d.client.log(ctx, slog.LevelWarn, stageData, "se sirven datos anteriores porque la base de datos no respondió", attrs...)
}
