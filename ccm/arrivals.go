package ccm

import (
	"context"
	"fmt"
)

// Arrivals returns the districts that enter the centre in the next Query.Days,
// by date. None is a normal answer.
//
// Errors: CodeInvalidRequest, CodeInvalidBranch, CodeDataset, and, for data that
// break the rules, CodeMissingFields, CodeDuplicateRecords, CodeInvalidCount.
func (c *Client) Arrivals(ctx context.Context, q Query) (Dataset[Arrival], error) {
	return c.arrivals.get(ctx, q)
}

var arrivals = question[Arrival]{
	id:     UpcomingArrivals,
	window: window{DefaultArrivalDays, MaxArrivalDays},
	ask: func(ctx context.Context, c *Client, r request) ([]Arrival, error) {
		return c.source.Arrivals(ctx, r.window())
	},
	day: func(a Arrival) Date { return a.Arrival },
	rules: rules[Arrival]{
		view:     "vwMisioneros",
		required: "rama, distrito y fecha de llegada",
		whole:    func(a Arrival) bool { return a.Branch != 0 && a.District != "" && !a.Arrival.IsZero() },
		identity: func(a Arrival) any {
			return struct {
				branch             int
				district           string
				arrival, departure Date
			}{a.Branch, a.District, a.Arrival, a.Departure}
		},
		describe: describeArrival,
		count: func(a Arrival) *Error {
			return checkPeople(CodeInvalidCount, "missionaries_count", describeArrival(a), a.Missionaries, maxArrivalPeople)
		},
		mayLack: true,
	},
}

func describeArrival(a Arrival) string {
	return fmt.Sprintf("rama %d, distrito %s, llegada %v", a.Branch, a.District, a.Arrival)
}
