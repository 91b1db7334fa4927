package store

import (
	"context"
	"errors"
)

// BranchSummaries returns each district of a branch, ordered by branch and
// district; branch 0 is every branch. Companionships stays nil: the views
// cannot tell.
func (s *Store) BranchSummaries(ctx context.Context, branch int) ([]BranchSummary, error) {
	args := []any{branch, branch, branch, branch}
	return read(ctx, s, "branch summaries", summariesSQL, args, func(b *BranchSummary) []any {
		return []any{
			number(&b.Branch), text(&b.District), date(&b.FirstGeneration), date(&b.FirstArrival),
			date(&b.LastDeparture), number(&b.Missionaries), number(&b.Elders), number(&b.Sisters),
		}
	})
}

// metrics are the figures of a district, in the order of the query's columns.
var metrics = [...]string{"total_missionaries", "en_ccm", "virtuales", "futuros", "tres_semanas"}

// unit is what every metric counts.
const unit = "misioneros"

// district is a row of the query.
type district struct {
	branch int
	name   string
	values [len(metrics)]int
}

func (d *district) columns() []any {
	columns := []any{number(&d.branch), text(&d.name)}
	for i := range d.values {
		columns = append(columns, number(&d.values[i]))
	}
	return columns
}

// KPIs returns the figures of each district of a branch, ordered by branch,
// district and metric: total_missionaries, en_ccm, virtuales, futuros,
// tres_semanas. Branch 0 is every branch. What a status is today, the view says;
// on only names the week.
func (s *Store) KPIs(ctx context.Context, branch int, on Date) ([]KPI, error) {
	if on.IsZero() {
		return nil, errors.New("store: the day of the KPIs is the zero Date: it must be a day of the week they are for")
	}
	districts, err := read(ctx, s, "KPIs", kpisSQL, []any{branch, branch}, (*district).columns)
	if err != nil {
		return nil, err
	}
	found := make([]KPI, 0, len(districts)*len(metrics))
	for _, d := range districts {
		for i, metric := range metrics {
			found = append(found, KPI{
				Branch: d.branch, District: d.name, Metric: metric, Value: d.values[i], Unit: unit, Week: on.Monday(),
			})
		}
	}
	return found, nil
}
