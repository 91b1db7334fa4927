package cache

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"time"
)

// What zero durations of a [Policy] mean.
const (
	DefaultLoadTimeout = 30 * time.Second
	DefaultBackoff     = time.Second
)

// century is the longest time that counts; with a longer one, as of for ever, the
// end of a value would overflow.
const century = 100 * 365 * 24 * time.Hour

// Policy says how long values count; a century at most. Caches of one name share
// their values, and should have one policy.
type Policy struct {
	// Fresh is how long a value is served without asking again. Zero: values
	// are never stored; callers that ask at the same time still share one load.
	Fresh time.Duration
	// Stale is how long after Fresh a value may stand in for a load that fails.
	// Zero: never.
	Stale time.Duration
	// Soft is the age from which a value is loaded anew in the background, at the
	// next Get, which is served the present one. Zero: not before it is needed.
	Soft time.Duration
	// Jitter is by how much Soft and Fresh are shortened at most, for each value
	// by another share, so that what was loaded together does not expire together.
	// Zero: a tenth of Fresh. Negative: not at all.
	Jitter time.Duration
	// Until bounds Fresh by the calendar: a value loaded at that time is not fresh
	// from what Until returns; a day's value until midnight, say. Nil, or the zero
	// time: no bound.
	Until func(loadedAt time.Time) time.Time
	// Memory is how long the copy in memory is served before Redis is asked whether
	// it is still the one that counts: what a lost message of an invalidation
	// costs at most. Zero: Fresh. Without Redis it means nothing.
	Memory time.Duration
	// Missing is how long it is remembered that the load answered [ErrNotFound].
	// Zero: not at all.
	Missing time.Duration
	// Backoff is how long a key is left alone after its load failed; where the load
	// took longer than that to fail, for as long as it took. Meanwhile callers get the
	// old value, or the error. Zero: [DefaultBackoff]. Negative: each Get tries.
	Backoff time.Duration
	// LoadTimeout bounds one load, which outlives its callers; one that does not
	// heed its context is given up a second later. Zero: [DefaultLoadTimeout].
	LoadTimeout time.Duration
}

// withDefaults fills in what is zero, and says what cannot work.
func (p Policy) withDefaults() (Policy, error) {
	var fault error
	for _, d := range []struct {
		name string
		of   *time.Duration
	}{{"Fresh", &p.Fresh}, {"Stale", &p.Stale}, {"Soft", &p.Soft}, {"Memory", &p.Memory}, {"Missing", &p.Missing}, {"LoadTimeout", &p.LoadTimeout}} {
		if *d.of < 0 {
			fault = errors.Join(fault, fmt.Errorf("%s is %v: it must not be negative", "Policy."+d.name, *d.of))
		}
		*d.of = min(*d.of, century)
	}
	switch {
	case fault != nil:
	case p.Soft > p.Fresh:
		fault = errors.Join(fault, fmt.Errorf("Policy.Soft is %v: it must not be longer than Fresh, %v", p.Soft, p.Fresh))
	case p.Jitter > p.Fresh:
		fault = errors.Join(fault, fmt.Errorf("Policy.Jitter is %v: it must not be longer than Fresh, %v", p.Jitter, p.Fresh))
	}
	if p.LoadTimeout == 0 {
		p.LoadTimeout = DefaultLoadTimeout
	}
	if p.Jitter == 0 {
		p.Jitter = p.Fresh / 10
	}
	if p.Memory == 0 {
		p.Memory = p.Fresh
	}
	if p.Backoff == 0 {
		p.Backoff = DefaultBackoff
	}
	p.Backoff = min(p.Backoff, century)
	return p, fault
}

// ages are the ends of a value, in nanoseconds of Unix time.
type ages struct{ soft, fresh, usable int64 }

// ages of a value loaded at that time. They depend on nothing else, so that all
// processes agree on them.
func (p *Policy) ages(key string, at time.Time) ages {
	early := p.early(key, at)
	a := ages{
		fresh:  at.Add(p.Fresh - early).UnixNano(),
		usable: at.Add(p.Fresh + p.Stale).UnixNano(),
	}
	if p.Until != nil {
		if end := p.Until(at); !end.IsZero() && end.Before(time.Unix(0, a.fresh)) {
			a.fresh = end.UnixNano()
		}
	}
	a.soft = a.fresh
	if p.Soft > 0 {
		a.soft = min(a.fresh, at.Add(p.Soft-early).UnixNano())
	}
	return a
}

// missing is the end of the knowledge that there is nothing.
func (p *Policy) missing(at time.Time) ages {
	end := at.Add(p.Missing).UnixNano()
	return ages{end, end, end}
}

// early is the share of Jitter that falls to a value.
func (p *Policy) early(key string, at time.Time) time.Duration {
	if p.Jitter <= 0 {
		return 0
	}
	h := fnv.New32a()
	_, _ = io.WriteString(h, key)
	_, _ = fmt.Fprint(h, at.UnixMilli())
	return time.Duration(float64(p.Jitter) * float64(h.Sum32()) / (1 << 32))
}

// keep is how long Redis keeps a value.
func (p *Policy) keep() time.Duration { return p.Fresh + p.Stale }

// keepGeneration is how long the generation of a key outlives its last use: no
// value and no load under way may outlive it.
func (p *Policy) keepGeneration() time.Duration {
	return max(p.keep(), p.Missing) + p.LoadTimeout + time.Minute
}
