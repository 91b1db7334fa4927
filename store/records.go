package store

// Window is the branch and the days that a query looks at.
type Window struct {
	Branch int  // 0: every branch
	From   Date // the first day, which is in the window; must not be zero
	Days   int  // From plus so many days is the last one in; 0: From alone
}

// Arrival is a district that enters the centre on one day: the people of one
// branch, district, arrival and departure.
type Arrival struct {
	District     string `json:"district"`  // "A"; "" if the view has none
	RDistrict    string `json:"rdistrict"` // "14A"; made of branch and district if the view has none
	Branch       int    `json:"branch_id"` // 0 if the view has none
	Arrival      Date   `json:"arrival_date"`
	Departure    Date   `json:"departure_date"`
	Missionaries int    `json:"missionaries_count"`
	Weeks        int    `json:"duration_weeks"` // 3 if nobody in it is known to stay longer and somebody not to, else 6
	Status       string `json:"status"`         // of one of the people, by the alphabet, if they differ
}

// Birthday is a missionary's next birthday.
type Birthday struct {
	ID            int    `json:"missionary_id"` // 0 if the view has none
	Branch        int    `json:"branch_id"`
	District      string `json:"district"`
	Treatment     string `json:"treatment"` // "Elder" or "Hermana" where the view has none
	Name          string `json:"missionary_name"`
	Birthday      Date   `json:"birthday"`    // the next one; zero if the birth is unknown
	Turning       int    `json:"age_turning"` // in years, on that day
	Status        string `json:"status"`
	EmailMission  string `json:"email_missionary"`
	EmailPersonal string `json:"email_personal"`
	ThreeWeeks    bool   `json:"three_weeks_program"`
}

// BranchSummary is one district of a branch, over all its generations.
type BranchSummary struct {
	Branch          int    `json:"branch_id"`
	District        string `json:"district"`
	FirstGeneration Date   `json:"first_generation_date"`
	FirstArrival    Date   `json:"first_ccm_arrival"`
	LastDeparture   Date   `json:"last_ccm_departure"`
	Missionaries    int    `json:"total_missionaries"`
	Companionships  *int   `json:"total_companionships"` // nil: the views cannot tell
	Elders          int    `json:"elders_count"`         // by Tipo; who has another counts in neither
	Sisters         int    `json:"sisters_count"`
}

// KPI is one figure of a district.
type KPI struct {
	Branch   int    `json:"branch_id"`
	District string `json:"district"`
	Metric   string `json:"metric"` // total_missionaries, en_ccm, virtuales, futuros, tres_semanas
	Value    int    `json:"value"`
	Unit     string `json:"unit"`               // "misioneros"
	Week     Date   `json:"generated_for_week"` // the Monday of the day asked for
}
