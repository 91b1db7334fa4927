package ccm

import "github.com/ccmwf/ccm/store"

// The records of the datasets are the database's own, so that one import serves
// most users.
type (
	// Arrival is a district that enters the centre.
	Arrival = store.Arrival
	// Birthday is a missionary's next birthday.
	Birthday = store.Birthday
	// BranchSummary is one district of a branch.
	BranchSummary = store.BranchSummary
	// KPI is one figure of a district.
	KPI = store.KPI
	// Date is a day of the calendar, of no zone; the zero Date is none.
	Date = store.Date
)
