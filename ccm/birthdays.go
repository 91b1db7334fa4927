package ccm

import (
	"context"
	"fmt"
)

// Birthdays returns the missionaries whose birthday is in the next Query.Days,
// by date, of those whose status today is one of Config.BirthdayStatus. None is
// a normal answer.
//
// Errors: CodeInvalidRequest, CodeInvalidBranch, CodeDataset, and, for data that
// break the rules, CodeMissingFields, CodeDuplicateRecords.
func (c *Client) Birthdays(ctx context.Context, q Query) (Dataset[Birthday], error) {
	return c.birthdays.get(ctx, q)
}

var birthdays = question[Birthday]{
	id:       UpcomingBirthdays,
	window:   window{DefaultBirthdayDays, MaxBirthdayDays},
	byStatus: true,
	ask: func(ctx context.Context, c *Client, r request) ([]Birthday, error) {
		return c.source.Birthdays(ctx, r.window(), c.cfg.BirthdayStatus...)
	},
	day: func(b Birthday) Date { return b.Birthday },
	rules: rules[Birthday]{
		view:     "vwMisioneros",
		required: "ID, nombre y fecha de nacimiento",
		whole:    func(b Birthday) bool { return b.ID != 0 && b.Name != "" && !b.Birthday.IsZero() },
		identity: func(b Birthday) any { return b.ID },
		describe: func(b Birthday) string { return fmt.Sprintf("misionero con ID %d", b.ID) },
		mayLack:  true,
	},
}
