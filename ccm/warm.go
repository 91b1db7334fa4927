package ccm

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"
)

// warmer is a dataset, whatever its records are.
type warmer interface {
	warm(ctx context.Context, branch int) error
	forget(ctx context.Context, branch int) error
}

func (c *Client) datasets() []warmer {
	return []warmer{c.arrivals, c.birthdays, c.summaries, c.kpis}
}

// warm has the usual question about a branch in the cache.
func (d *dataset[T]) warm(ctx context.Context, branch int) error {
	r := request{branch: branch, days: d.window.usual, today: d.client.cfg.today()}
	found, err := d.read(ctx, r)
	if err == nil && found.Stale {
		err = &Error{CodeDataset, "Los datos no se pudieron renovar, y sirven los guardados: revise la base de datos con «ccm-api doctor».", found.Err}
	}
	return err
}

// forget drops what is known of a branch, and of all of them together.
func (d *dataset[T]) forget(ctx context.Context, branch int) error {
	if branch == 0 {
		return d.cache.Invalidate(ctx)
	}
	return d.cache.Invalidate(ctx, strconv.Itoa(branch), "0") // see key
}

// Invalidate drops the datasets of a branch from the cache, of this and all other
// replicas, so that the next request asks the database; 0: of every branch. An
// error means that Redis was not told: here they are dropped all the same, and it is
// told as soon as it answers and lets itself be told.
//
// Errors: CodeInvalidRequest, CodeInvalidBranch, CodeCache.
func (c *Client) Invalidate(ctx context.Context, branch int) error {
	if branch != 0 {
		if err := c.cfg.authorise(branch, branch); err != nil {
			return err
		}
	}
	ctx = ensureMessageID(ctx)
	datasets := c.datasets()
	faults := make([]error, len(datasets))
	var wait sync.WaitGroup // Redis may be far
	for i, d := range datasets {
		wait.Go(func() { faults[i] = d.forget(ctx, branch) })
	}
	wait.Wait()
	if err := errors.Join(faults...); err != nil {
		c.log(ctx, slog.LevelWarn, stageCache, "una invalidación no llegó a Redis, o a las demás réplicas", slog.Int("branch_id", branch), reasonAttr(err))
		return &Error{CodeCache, "Redis no responde o rechaza la orden, y «ccm-api doctor» dice por qué: los datos se quitaron de la memoria de este proceso; Redis lo sabrá en cuanto la acepte, y las demás réplicas a más tardar un minuto después.", err}
	}
	return nil
}

// Warmed says what Warm found.
type Warmed struct {
	Datasets int // that are in the cache, one for each dataset and branch
	Failed   int // that could not be read
}

// Warm has the usual questions about the configured branches (Config.Branch and
// Branches; with neither, about all of them together) in the cache. What is fresh
// is not read again, and of several replicas one asks the database. The error
// joins those of the questions that failed; the others are answered. Where nothing is
// cached (Config.Fresh) it does nothing.
func (c *Client) Warm(ctx context.Context) (Warmed, error) {
	if c.cfg.Fresh < 0 {
		return Warmed{}, nil
	}
	ctx = ensureMessageID(ctx)
	began := time.Now()
	w, err := c.warm(ctx)
	if ctx.Err() == nil {
		c.logWarm(ctx, w, err, time.Since(began))
	}
	return w, err
}

func (c *Client) warm(ctx context.Context) (Warmed, error) {
	var w Warmed
	var faults []error
	for _, branch := range c.warmBranches() {
		for _, d := range c.datasets() {
			if ctx.Err() != nil {
				return w, errors.Join(append(faults, ctx.Err())...)
			}
			if err := d.warm(ctx, branch); err != nil {
				w.Failed++
				faults = append(faults, datasetError(err))
				continue
			}
			w.Datasets++
		}
	}
	return w, errors.Join(faults...)
}

func (c *Client) warmBranches() []int {
	branches := slices.Clone(c.cfg.Branches)
	if len(branches) == 0 || c.cfg.Branch != 0 && c.cfg.authorise(c.cfg.Branch, c.cfg.Branch) == nil {
		branches = append(branches, c.cfg.Branch)
	}
	slices.Sort(branches)
	return slices.Compact(branches)
}

// KeepWarm does Warm now and after each midnight at the centre, until ctx ends.
// What fails is only logged: a request will ask again. Without a database or a
// cache it does nothing.
func (c *Client) KeepWarm(ctx context.Context) {
	if c.source == nil || c.cfg.Fresh < 0 {
		return
	}
	for {
		_, _ = c.Warm(ctx) // it is in the log
		if !c.nextDay(ctx) {
			return
		}
	}
}

func (c *Client) logWarm(ctx context.Context, w Warmed, err error, took time.Duration) {
	attrs := []slog.Attr{slog.Int("datasets", w.Datasets), slog.Int("failed", w.Failed), durationAttr(took)}
	if err != nil {
		c.log(ctx, slog.LevelWarn, stageCache, "no se pudieron preparar todos los datos en la caché; se leerán cuando hagan falta", append(attrs, reasonAttr(err))...)
		return
	}
	c.log(ctx, slog.LevelInfo, stageCache, "datos preparados en la caché", attrs...)
}

// dayLook is how often the clock is looked at: a machine may sleep, or be set.
const dayLook = time.Minute

// nextDay waits for the next day at the centre; false: ctx ended.
func (c *Client) nextDay(ctx context.Context) bool {
	for today := c.cfg.today(); c.cfg.today() == today; {
		now := c.cfg.Now()
		timer := time.NewTimer(min(dayLook, c.cfg.midnight(now).Sub(now)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
	return true
}
