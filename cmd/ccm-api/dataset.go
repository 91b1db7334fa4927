package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ccmwf/ccm/ccm"
)

const datasetLong = `Los datos de que salen los reportes: upcoming_arrivals, upcoming_birthdays,
branch_summary o district_kpis. Con -o json es lo mismo que GET /datasets/ID.`

const datasetExample = `  ccm-api datos upcoming_arrivals --dias 30
  ccm-api datos branch_summary --rama 14 -o csv > distritos.csv`

// The forms of an output.
const (
	asTable = "tabla"
	asJSON  = "json"
	asCSV   = "csv"
)

// datasets are the four, by their ids; Python's id of the last counts too.
var datasets = map[string]func(context.Context, *ccm.Client, ccm.Query) (answer, error){
	ccm.UpcomingArrivals:  asker((*ccm.Client).Arrivals),
	ccm.UpcomingBirthdays: asker((*ccm.Client).Birthdays),
	ccm.BranchSummaryID:   asker((*ccm.Client).BranchSummary),
	ccm.DistrictKPIs:      asker((*ccm.Client).KPIs),
	"district_kpi":        asker((*ccm.Client).KPIs),
}

var datasetIDs = []string{ccm.UpcomingArrivals, ccm.UpcomingBirthdays, ccm.BranchSummaryID, ccm.DistrictKPIs}

// answer is a dataset of any kind: whole for JSON, as rows for the rest.
type answer struct {
	whole any
	meta  ccm.Meta
	names []string // the JSON names of the fields
	rows  [][]string
}

func asker[T any](ask func(*ccm.Client, context.Context, ccm.Query) (ccm.Dataset[T], error)) func(context.Context, *ccm.Client, ccm.Query) (answer, error) {
	return func(ctx context.Context, c *ccm.Client, q ccm.Query) (answer, error) {
		d, err := ask(c, ctx, q)
		a := answer{whole: d, meta: d.Meta}
		a.names, a.rows = tabulate(d.Records)
		return a, err
	}
}

// tabulate makes rows of records, by the JSON names of their fields.
func tabulate[T any](records []T) (names []string, rows [][]string) {
	record := reflect.TypeFor[T]()
	for i := range record.NumField() {
		name, _, _ := strings.Cut(record.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	for _, r := range records {
		var row []string
		for i := range record.NumField() {
			row = append(row, cell(reflect.ValueOf(r).Field(i)))
		}
		rows = append(rows, row)
	}
	return names, rows
}

// cell is a field as text; nothing for one that is null.
func cell(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	if at, ok := v.Interface().(time.Time); ok {
		return at.Format(time.RFC3339)
	}
	return fmt.Sprint(v.Interface())
}

func (a *app) datasetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:       "dataset ID",
		Aliases:   []string{"datos"},
		Short:     "Los datos de los reportes, como tabla, JSON o CSV",
		Long:      datasetLong,
		Example:   datasetExample,
		ValidArgs: datasetIDs,
		Args:      oneArg("el conjunto: " + strings.Join(datasetIDs, ", ")),
	}
	q := queryFlags(cmd, ccm.MaxBirthdayDays, 0)
	cmd.Flags().Lookup("days").Usage = "cuántos días adelante; 0: los de costumbre (--dias)"
	output := cmd.Flags().StringP("output", "o", asTable, "tabla, json o csv (--formato)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ask, known := datasets[args[0]]
		if !known {
			return misused("no existe el conjunto «%s»; hay: %s", args[0], strings.Join(datasetIDs, ", "))
		}
		if err := checkOutput(*output, asTable, asJSON, asCSV); err != nil {
			return err
		}
		if err := q.check(cmd); err != nil {
			return err
		}
		return a.dataset(cmd.Context(), ask, q.Query, *output)
	}
	return cmd
}

// checkOutput says whether the -o of a command is one of its forms.
func checkOutput(form string, forms ...string) error {
	if slices.Contains(forms, form) {
		return nil
	}
	return misused("la opción -o debe ser %s", strings.Join(forms, ", "))
}

func (a *app) dataset(ctx context.Context, ask func(context.Context, *ccm.Client, ccm.Query) (answer, error), q ccm.Query, form string) error {
	client, err := a.open()
	if err != nil {
		return err
	}
	defer client.Close()
	stop := a.progress("consultando los datos")
	found, err := ask(ctx, client, q)
	stop()
	if err != nil {
		return err
	}
	switch form {
	case asJSON:
		return writeJSON(a.out, found.whole)
	case asCSV:
		return writeCSV(a.out, found.names, found.rows)
	}
	if err := writeTable(a.out, found.names, found.rows); err != nil {
		return err
	}
	fmt.Fprintln(a.out, describeData(found.meta))
	return nil
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func writeCSV(w io.Writer, names []string, rows [][]string) error {
	return csv.NewWriter(w).WriteAll(append([][]string{names}, rows...))
}

func writeTable(out io.Writer, names []string, rows [][]string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	titles := make([]string, len(names))
	for i, name := range names {
		titles[i] = strings.ToUpper(columnTitles[name])
	}
	for _, row := range append([][]string{titles}, rows...) {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// columnTitles are the fields as a person reads them.
var columnTitles = map[string]string{
	"district": "distrito", "rdistrict": "rdistrito", "branch_id": "rama", "arrival_date": "llegada", "departure_date": "salida",
	"missionaries_count": "misioneros", "duration_weeks": "semanas", "status": "estado",
	"missionary_id": "id", "treatment": "tratamiento", "missionary_name": "nombre", "birthday": "cumpleaños", "age_turning": "cumple",
	"email_missionary": "correo misional", "email_personal": "correo personal", "three_weeks_program": "tres semanas",
	"first_generation_date": "generación", "first_ccm_arrival": "primera llegada", "last_ccm_departure": "última salida",
	"total_missionaries": "misioneros", "total_companionships": "compañerismos", "elders_count": "élderes", "sisters_count": "hermanas",
	"delivery_id": "envío", "began_at": "empezó", "state": "estado", "report": "reporte", "chat": "chat", "parts": "partes",
	"metric": "medida", "value": "valor", "unit": "unidad", "generated_for_week": "semana",
}
