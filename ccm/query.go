package ccm

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ccmwf/ccm/store"
)

// How far a window may look ahead, in days, and how far it does for Query.Days 0.
const (
	DefaultArrivalDays  = 60
	MaxArrivalDays      = 180
	DefaultBirthdayDays = 90
	MaxBirthdayDays     = 365
)

// MaxBranch is the highest branch there can be: the database has it as an INT.
const MaxBranch = math.MaxInt32

// Query says what a dataset or report is about. The zero Query is the usual one.
type Query struct {
	// Branch is the branch, up to MaxBranch; 0: Config.Branch, and if that is 0 too,
	// every one.
	Branch int
	// Days is how many days ahead to look, today included and the last one too:
	// 1..MaxArrivalDays or 1..MaxBirthdayDays; 0: the dataset's default. Branch
	// summaries and KPIs have no window and ignore it.
	Days int
	// Refresh asks the database even if the cache is fresh. If the database is
	// away the old data stand in, marked as stale, up to Config.MaxStale.
	Refresh bool
}

// window is what Query.Days may be; zero: the dataset has none.
type window struct{ usual, widest int }

// request is a Query that was checked and filled in.
type request struct {
	branch, days int // days is 0 where there is no window
	refresh      bool
	today        Date
}

// resolve checks q and fills in what it leaves open.
func (c Config) resolve(q Query, w window) (request, error) {
	r := request{branch: q.Branch, days: q.Days, refresh: q.Refresh, today: c.today()}
	if r.branch == 0 {
		r.branch = c.Branch
	}
	switch {
	case w == window{}:
		r.days = 0
	case r.days == 0:
		r.days = w.usual
	case r.days < 1 || r.days > w.widest:
		return r, fail(CodeInvalidRequest, "Los días deben ser de 1 a %d.", w.widest)
	}
	return r, c.authorise(q.Branch, r.branch)
}

// authorise checks the branch of a request; asked is what the caller gave.
func (c Config) authorise(asked, branch int) error {
	switch {
	case branch < 0, branch > MaxBranch:
		return fail(CodeInvalidRequest, "La rama debe ser un número de 1 a %d.", MaxBranch)
	case len(c.Branches) == 0 || slices.Contains(c.Branches, branch):
		return nil
	case branch == 0:
		return fail(CodeInvalidBranch, "Falta la rama: indique una de las autorizadas (%s).", c.branchList())
	case asked == 0:
		return fail(CodeInvalidBranch, "La rama por omisión (RAMA_ACTUAL) es la %d y no está entre las autorizadas (%s).", branch, c.branchList())
	}
	return fail(CodeInvalidBranch, "La rama %d no está entre las autorizadas (%s).", branch, c.branchList())
}

func (c Config) branchList() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(c.Branches), " ", ", "), "[]")
}

// window is what the database is asked for.
func (r request) window() store.Window {
	return store.Window{Branch: r.branch, From: r.today, Days: r.days}
}

// branchID is the branch as Meta has it.
func (r request) branchID() *int {
	if r.branch == 0 {
		return nil
	}
	return &r.branch
}
