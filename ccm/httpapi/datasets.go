package httpapi

import (
	"context"
	"net/http"

	"github.com/ccmwf/ccm/ccm"
)

// oldDistrictKPIs is what the Python service calls ccm.DistrictKPIs.
const oldDistrictKPIs = "district_kpi"

var (
	arrivalQuery  = queryFields(ccm.MaxArrivalDays, ccm.DefaultArrivalDays)
	birthdayQuery = queryFields(ccm.MaxBirthdayDays, ccm.DefaultBirthdayDays)
	// A dataset without a window takes days_ahead, as it always did, to no effect.
	undatedQuery = queryFields(ccm.MaxBirthdayDays, 0)
)

// queryFields are what asks for a dataset.
func queryFields(maxDays, usualDays int) []field {
	return []field{
		{name: "branch_id", kind: integer, min: 1, max: ccm.MaxBranch, doc: "La rama; sin ella, la de RAMA_ACTUAL."},
		{name: "days_ahead", kind: integer, zero: usualDays, min: 1, max: maxDays, doc: "Los días de la ventana, contados desde hoy."},
		{name: "force_refresh", kind: boolean, zero: false, doc: "Lee la base de datos aunque la caché esté fresca; si la base no responde, sirven los datos anteriores."},
	}
}

func queryOf(in values) ccm.Query {
	return ccm.Query{Branch: in.int("branch_id"), Days: in.int("days_ahead"), Refresh: in.bool("force_refresh")}
}

var errUnknownDataset = newProblem(http.StatusNotFound,
	"No hay tal conjunto de datos; los que hay: upcoming_arrivals, upcoming_birthdays, branch_summary, district_kpis.")

// dataset answers GET /datasets/{dataset_id}.
func (h *Handler) dataset(x *exchange, r *http.Request) error {
	switch id := r.PathValue("dataset_id"); id {
	case ccm.UpcomingArrivals:
		return answerDataset(x, r, id, arrivalQuery, h.client.Arrivals)
	case ccm.UpcomingBirthdays:
		return answerDataset(x, r, id, birthdayQuery, h.client.Birthdays)
	case ccm.BranchSummaryID:
		return answerDataset(x, r, id, undatedQuery, h.client.BranchSummary)
	case ccm.DistrictKPIs, oldDistrictKPIs:
		return answerDataset(x, r, ccm.DistrictKPIs, undatedQuery, h.client.KPIs)
	}
	return errUnknownDataset
}

func answerDataset[T any](x *exchange, r *http.Request, id string, fields []field,
	load func(context.Context, ccm.Query) (ccm.Dataset[T], error),
) error {
	in, err := readQuery(r, fields)
	if err != nil {
		return err
	}
	data, err := load(r.Context(), queryOf(in))
	x.noteData(id, in, data.Meta)
	if err != nil {
		return err
	}
	return x.json(http.StatusOK, jsonType, &data)
}
