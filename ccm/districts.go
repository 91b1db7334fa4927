package ccm

import (
	"cmp"
	"context"
	"fmt"
)

// BranchSummary returns each district of a branch: its first generation, first
// arrival, last departure, and people.
//
// Errors: CodeInvalidRequest, CodeInvalidBranch, CodeDataset, and, for data that
// break the rules, CodeMissingRows (there is no district), CodeMissingFields,
// CodeDuplicateRecords, CodeInvalidTotal.
func (c *Client) BranchSummary(ctx context.Context, q Query) (Dataset[BranchSummary], error) {
	return c.summaries.get(ctx, q)
}

// KPIs returns the figures of each district of a branch.
//
// Errors: as [Client.BranchSummary], with CodeInvalidKPI for CodeInvalidTotal.
func (c *Client) KPIs(ctx context.Context, q Query) (Dataset[KPI], error) {
	return c.kpis.get(ctx, q)
}

var summaries = question[BranchSummary]{
	id: BranchSummaryID,
	ask: func(ctx context.Context, c *Client, r request) ([]BranchSummary, error) {
		return c.source.BranchSummaries(ctx, r.branch)
	},
	own: func(s *BranchSummary) {
		if s.Companionships != nil {
			s.Companionships = new(*s.Companionships)
		}
	},
	rules: rules[BranchSummary]{
		view:     "vwFechasCCMPorDistrito",
		required: "rama y distrito",
		whole:    func(s BranchSummary) bool { return s.Branch != 0 && s.District != "" },
		identity: func(s BranchSummary) any { return district{s.Branch, s.District} },
		describe: func(s BranchSummary) string { return district{s.Branch, s.District}.String() },
		count: func(s BranchSummary) *Error {
			check := func(what string, n int) *Error {
				return checkPeople(CodeInvalidTotal, what, district{s.Branch, s.District}.String(), n, maxDistrictPeople)
			}
			return cmp.Or(check("total_missionaries", s.Missionaries), check("elders_count", s.Elders), check("sisters_count", s.Sisters))
		},
	},
}

var kpis = question[KPI]{
	id: DistrictKPIs,
	ask: func(ctx context.Context, c *Client, r request) ([]KPI, error) {
		return c.source.KPIs(ctx, r.branch, r.today)
	},
	rules: rules[KPI]{
		view:     "vwMisioneros",
		required: "rama y distrito",
		whole:    func(k KPI) bool { return k.Branch != 0 && k.District != "" },
		identity: func(k KPI) any {
			return struct {
				district
				metric string
			}{district{k.Branch, k.District}, k.Metric}
		},
		describe: func(k KPI) string { return district{k.Branch, k.District}.String() + ", " + k.Metric },
		count: func(k KPI) *Error {
			return checkPeople(CodeInvalidKPI, k.Metric, district{k.Branch, k.District}.String(), k.Value, maxDistrictPeople)
		},
	},
}

// district is one district of a branch.
type district struct {
	branch int
	name   string
}

func (d district) String() string { return fmt.Sprintf("rama %d, distrito %s", d.branch, d.name) }
