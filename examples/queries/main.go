// Command queries asks the four questions and prints what came, typed: no
// Telegram, no HTTP.
//
//	go run ./examples/queries            of branch 14, with invented people
//	DATABASE_URL=mysql://… go run ./examples/queries -branch 9
//
// With DATABASE_URL set it reads that database, with the settings that ccm-api
// has; otherwise it starts an embedded one. It prints names of people: mind
// where.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"
	_ "time/tzdata"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/examples/internal/embedded"
	"github.com/ccmwf/ccm/store"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "queries:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, lookup func(string) (string, bool), out io.Writer) error {
	flags := flag.NewFlagSet("queries", flag.ContinueOnError)
	branch := flags.Int("branch", 14, "rama; 0 es todas")
	days := flags.Int("days", 30, "cuántos días desde hoy")
	if err := flags.Parse(args); err != nil {
		return err
	}
	cfg, err := ccm.ParseEnv(lookup)
	if err != nil {
		return err
	}
	if cfg.Store.URL == "" {
		db, err := embedded.StartSample(ctx, store.DateOf(time.Now().In(cfg.Location)))
		if err != nil {
			return err
		}
		defer db.Close()
		cfg.Store.URL = db.URL()
	}
	client, err := ccm.Open(cfg)
	if err != nil {
		return err
	}
	defer client.Close()
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if err := show(ctx, client, ccm.Query{Branch: *branch, Days: *days}, table); err != nil {
		return err
	}
	return table.Flush()
}

// show asks for each dataset: these calls are all that there is to it.
func show(ctx context.Context, c *ccm.Client, q ccm.Query, out io.Writer) error {
	arrivals, err := c.Arrivals(ctx, q)
	if err != nil {
		return err
	}
	title(out, "Ingresos", arrivals.Meta)
	for _, a := range arrivals.Records {
		fmt.Fprintf(out, "%v\t%s\t%d personas\t%d semanas\n", a.Arrival, a.District, a.Missionaries, a.Weeks)
	}

	birthdays, err := c.Birthdays(ctx, q)
	if err != nil {
		return err
	}
	title(out, "Cumpleaños", birthdays.Meta)
	for _, b := range birthdays.Records {
		fmt.Fprintf(out, "%v\t%s\tcumple %d\n", b.Birthday, b.Name, b.Turning)
	}

	districts, err := c.BranchSummary(ctx, ccm.Query{Branch: q.Branch})
	if err != nil {
		return err
	}
	title(out, "Distritos", districts.Meta)
	for _, d := range districts.Records {
		fmt.Fprintf(out, "%s\t%d personas\n", d.District, d.Missionaries)
	}

	kpis, err := c.KPIs(ctx, ccm.Query{Branch: q.Branch})
	if err != nil {
		return err
	}
	title(out, "Indicadores", kpis.Meta)
	for _, k := range kpis.Records {
		fmt.Fprintf(out, "%s\t%s\t%v\n", k.District, k.Metric, k.Value)
	}
	return nil
}

// title says how many records came, and where from.
func title(out io.Writer, name string, m ccm.Meta) {
	fmt.Fprintf(out, "\n%s: %d (%s)\n", name, m.RecordCount, m.Cache.Source)
}
