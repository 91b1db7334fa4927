package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ccmwf/ccm/ccm"
)

const deliveriesLong = `Los envíos que tiene el diario (CCM_JOURNAL_URL), y lo que una persona decide de
los que quedaron inciertos: mire el chat y, si no llegaron, reenvíelos; si
llegaron, descártelos. Las horas son las del centro.

docs/entregas.md dice qué hacer, paso a paso.`

const deliveriesExample = `  ccm-api entregas listar --estado incierto
  ccm-api entregas ver ID
  ccm-api entregas reenviar ID --quien ana
  ccm-api entregas descartar ID`

func (a *app) deliveriesCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:     "deliveries",
		Aliases: []string{"entregas"},
		Short:   "Los envíos del diario: verlos, reenviarlos, descartarlos",
		Long:    deliveriesLong,
		Example: deliveriesExample,
	})
	cmd.AddCommand(a.listCommand(), a.showCommand(),
		a.decisionCommand(&cobra.Command{Use: "resend ID", Aliases: []string{"reenviar"}, Short: "Envía lo que no llegó; lo dudoso dice «(posible duplicado)»"}, a.resend),
		a.decisionCommand(&cobra.Command{Use: "discard ID", Aliases: []string{"descartar"}, Short: "Cierra un envío: lo que no llegó no se enviará"}, a.discard))
	return cmd
}

// withJournal opens the journal of the settings, and a Client on it.
func (a *app) withJournal(do func(*ccm.Client) error) error {
	cfg, err := a.library()
	if err != nil {
		return err
	}
	if cfg.JournalURL == "" {
		return settingsError{errors.New("CCM_JOURNAL_URL: falta, y sin ella el diario está en la memoria del servicio: véalo con GET /deliveries")}
	}
	client, err := connect(cfg)
	if err != nil {
		return err
	}
	defer client.Close()
	return do(client.Client)
}

// listFilter is a ccm.Filter as the options give it.
type listFilter struct {
	ccm.Filter
	state, report, from, to string
	all                     bool
}

// read makes the Filter of what was given, by the clock of zone.
func (f *listFilter) read(zone *time.Location) (err error) {
	f.State = cmp.Or(stateOfWord(strings.ToLower(f.state)), ccm.State(f.state))
	if f.Report = reportOfWord[strings.ToLower(f.report)]; f.report != "" && f.Report == "" {
		return misused("--report debe ser ingresos, cumpleaños o alerta") // any other is of none
	}
	if f.From, err = moment(f.from, zone, false); err != nil {
		return misused("--from %w", err)
	}
	if f.To, err = moment(f.to, zone, true); err != nil {
		return misused("--to %w", err)
	}
	return nil
}

func (a *app) listCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Aliases: []string{"listar"}, Short: "Los envíos, del más reciente al más antiguo", Args: noArgs}
	var f listFilter
	flags := cmd.Flags()
	flags.StringVar(&f.state, "state", "", "el estado, como lo dice la lista: incierto, pendiente… (--estado)")
	flags.StringVar(&f.report, "report", "", "ingresos, cumpleaños o alerta (--reporte)")
	flags.StringVar(&f.Chat, "chat", "", "el chat, como se dio al enviar")
	flags.StringVar(&f.from, "from", "", "desde: «2026-11-24» o «2026-11-24 08:00» (--desde)")
	flags.StringVar(&f.to, "to", "", "hasta; un día entra completo (--hasta)")
	flags.IntVar(&f.Limit, "limit", ccm.DefaultPage, fmt.Sprintf("cuántos, de 1 a %d (--limite)", ccm.MaxPage))
	flags.BoolVar(&f.all, "all", false, "todos, sin límite (--todos)")
	output := flags.StringP("output", "o", asTable, "tabla, json o csv (--formato)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkOutput(*output, asTable, asJSON, asCSV); err != nil {
			return err
		}
		if f.Limit < 1 {
			return misused("el límite debe ser de 1 a %d", ccm.MaxPage)
		}
		return a.withJournal(func(c *ccm.Client) error { return a.list(cmd.Context(), c, f, *output) })
	}
	return cmd
}

func (a *app) list(ctx context.Context, c *ccm.Client, f listFilter, form string) error {
	if err := f.read(c.Location()); err != nil {
		return err
	}
	if f.all {
		f.Limit = ccm.MaxPage
	}
	rows := []deliveryRow{}
	stop := a.progress("consultando el diario")
	defer func() { stop() }()
	for {
		page, err := c.Deliveries(ctx, f.Filter)
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			rows = append(rows, newDeliveryRow(r))
		}
		if f.Cursor = page.Next; f.Cursor == "" || !f.all {
			break
		}
	}
	stop()
	stop = func() {}
	switch form {
	case asJSON:
		return writeJSON(a.out, rows)
	case asCSV:
		names, cells := tabulate(rows)
		return writeCSV(a.out, names, cells)
	}
	return a.printDeliveries(rows, c.Location(), f.Cursor != "")
}

func (a *app) showCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "show ID", Aliases: []string{"ver"}, Short: "Un envío, parte por parte, con sus textos", Args: oneArg("el identificador del envío: «ccm-api entregas listar» los muestra")}
	output := cmd.Flags().StringP("output", "o", asTable, "tabla o json (--formato)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkOutput(*output, asTable, asJSON); err != nil {
			return err
		}
		return a.withJournal(func(c *ccm.Client) error {
			r, err := c.Delivery(cmd.Context(), args[0])
			switch {
			case err != nil:
				return err
			case *output == asJSON:
				return writeJSON(a.out, newDeliveryShown(r))
			}
			a.printDelivery(r, c.Location())
			return nil
		})
	}
	return cmd
}

// decisionCommand makes a command of what a person decides about a delivery.
func (a *app) decisionCommand(cmd *cobra.Command, do func(ctx context.Context, c *ccm.Client, id, who string) error) *cobra.Command {
	cmd.Args = oneArg("el identificador del envío: «ccm-api entregas listar» los muestra")
	who := cmd.Flags().String("who", "", "quién lo decide; sin esta opción, el usuario del sistema (--quien)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !cmd.Flags().Changed("who") {
			*who = systemUser()
		}
		return a.withJournal(func(c *ccm.Client) error { return do(cmd.Context(), c, args[0], *who) })
	}
	return cmd
}

func (a *app) resend(ctx context.Context, c *ccm.Client, id, who string) error {
	stop := a.progress("enviando")
	receipt, err := c.ResendDelivery(ctx, id, who)
	stop()
	if ccm.CodeOf(err) != ccm.CodeDeliverySent {
		a.printReceipt(receipt, c.Location())
	}
	return err
}

func (a *app) discard(ctx context.Context, c *ccm.Client, id, who string) error {
	r, err := c.DiscardDelivery(ctx, id, who)
	if err != nil {
		return err
	}
	a.printReceipt(ccm.Receipt{Parts: r.Parts}, c.Location())
	fmt.Fprintf(a.out, "envío %s descartado\n", id)
	return nil
}

// systemUser is who runs the command.
func systemUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "terminal"
}

// moment reads a time of the centre; a day that ends something counts whole.
func moment(text string, zone *time.Location, wholeDay bool) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02 15:04", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(form, text, zone); err == nil {
			return at, nil
		}
	}
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return day, errors.New("debe ser un día, como 2026-11-24, o una hora del centro, como «2026-11-24 08:00»")
	}
	if wholeDay {
		day = day.AddDate(0, 0, 1)
	}
	return day, nil
}
