package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ccmwf/ccm/ccm"
)

const sendLong = `Envía un mensaje al chat, una vez. Con --dry-run lo compone y no envía nada.

Sin CCM_API_KEYS ni servicio en marcha: solo hacen falta la base de datos y el
bot. Sale con 3 si Telegram no confirmó: mire el chat antes de repetirlo.

Con CCM_JOURNAL_URL, --key vale entre ejecuciones y entre servidores: un cron o un
timer en dos de ellos envía una vez. Si ya se envió, lo dice y sale con 0.`

const sendExample = `  ccm-api enviar ingresos
  ccm-api enviar cumpleaños --rama 14 --dias 30
  ccm-api enviar alerta --nivel warning --titulo "Disco" --texto "Queda el 5 %"`

// sender is one message that can be sent or shown.
type sender func(context.Context, *ccm.Client, ccm.SendOptions) (ccm.Receipt, error)

func (a *app) sendCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:     "send",
		Aliases: []string{"enviar"},
		Short:   "Envía un reporte o una alerta al chat",
		Long:    sendLong,
		Example: sendExample,
	})
	var o ccm.SendOptions
	flags := cmd.PersistentFlags()
	flags.StringVar(&o.Key, "key", "", "la misma clave no envía dos veces lo mismo; las de la API son otras (--clave)")
	flags.BoolVar(&o.DryRun, "dry-run", false, "compone el mensaje y no lo envía (--simular)")
	cmd.AddCommand(messageCommands(func(ctx context.Context, send sender) error {
		if flags.Changed("key") && strings.TrimSpace(o.Key) == "" { // the empty variable of a script
			return misused("la clave está vacía: dé una, o quite la opción para enviar sin ella")
		}
		return a.send(ctx, send, o)
	})...)
	return cmd
}

// messageCommands are the three messages, and what do does with each.
func messageCommands(do func(context.Context, sender) error) []*cobra.Command {
	return []*cobra.Command{
		reportCommand(&cobra.Command{
			Use: "arrivals", Aliases: []string{"ingresos", "proximos-ingresos"},
			Short: "Los distritos que llegan en los próximos días",
		}, ccm.MaxArrivalDays, ccm.DefaultArrivalDays, (*ccm.Client).SendArrivals, do),
		reportCommand(&cobra.Command{
			Use: "birthdays", Aliases: []string{"cumpleanos", "cumpleaños", "proximos-cumpleanos"},
			Short: "Los cumpleaños de los próximos días",
		}, ccm.MaxBirthdayDays, ccm.DefaultBirthdayDays, (*ccm.Client).SendBirthdays, do),
		alertCommand(do),
	}
}

func reportCommand(cmd *cobra.Command, most, usual int,
	send func(*ccm.Client, context.Context, ccm.Query, ccm.SendOptions) (ccm.Receipt, error), do func(context.Context, sender) error,
) *cobra.Command {
	q := queryFlags(cmd, most, usual)
	cmd.Args = noArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := q.check(cmd); err != nil {
			return err
		}
		return do(cmd.Context(), func(ctx context.Context, c *ccm.Client, o ccm.SendOptions) (ccm.Receipt, error) {
			return send(c, ctx, q.Query, o)
		})
	}
	return cmd
}

func alertCommand(do func(context.Context, sender) error) *cobra.Command {
	var alert ccm.Alert
	cmd := &cobra.Command{
		Use: "alert", Aliases: []string{"alerta"},
		Short: "Una alerta: título, texto y nivel",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return do(cmd.Context(), func(ctx context.Context, c *ccm.Client, o ccm.SendOptions) (ccm.Receipt, error) {
				return c.SendAlert(ctx, alert, o)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&alert.Title, "title", "", "el título, una línea (--titulo)")
	flags.StringVar(&alert.Body, "body", "", "el texto; sus líneas se conservan (--texto)")
	flags.StringVar((*string)(&alert.Level), "level", string(ccm.Info), "info, warning, error o success (--nivel)")
	flags.IntVar(&alert.Branch, "branch", 0, "la rama que se muestra; 0: ninguna (--rama)")
	return cmd
}

// isBranch reports whether n may be a branch; of all of them, or of the usual one, 0
// is told by leaving the option out.
func isBranch(n int) bool { return n >= 1 && n <= ccm.MaxBranch }

// query is a ccm.Query as the options give it.
type query struct {
	ccm.Query
	most int // days; 0: the dataset has no window
}

func queryFlags(cmd *cobra.Command, most, usual int) *query {
	q := &query{most: most}
	flags := cmd.Flags()
	flags.IntVar(&q.Branch, "branch", 0, "la rama; 0: RAMA_ACTUAL (--rama)")
	flags.BoolVar(&q.Refresh, "refresh", false, "consulta la base de datos aunque haya datos recientes (--actualizar)")
	if most > 0 {
		flags.IntVar(&q.Days, "days", usual, fmt.Sprintf("cuántos días adelante, de 1 a %d (--dias)", most))
	}
	return q
}

// check tells a 0 that was asked for from one that was left out.
func (q *query) check(cmd *cobra.Command) error {
	if cmd.Flags().Changed("days") && (q.Days < 1 || q.Days > q.most) {
		return misused("los días deben ser de 1 a %d", q.most)
	}
	if cmd.Flags().Changed("branch") && !isBranch(q.Branch) {
		return misused("la rama debe ser un número de 1 a %d; sin la opción es RAMA_ACTUAL", ccm.MaxBranch)
	}
	return nil
}

// send sends a message, and says what became of it.
func (a *app) send(ctx context.Context, send sender, o ccm.SendOptions) error {
	cfg, err := a.library()
	if err != nil {
		return err
	}
	client, err := connect(cfg)
	if err != nil {
		return err
	}
	defer client.Close()
	if o.Key != "" && !o.DryRun && client.journal == nil {
		fmt.Fprintln(a.err, "ccm-api: aviso: el diario está en memoria: la clave no vale entre una ejecución y otra; con CCM_JOURNAL_URL sí, y entre servidores")
	}
	stop := a.progress("enviando")
	receipt, err := send(ctx, client.Client, o)
	stop()
	if o.DryRun {
		if err == nil {
			printParts(a.out, receipt)
		}
		return err
	}
	if ccm.CodeOf(err) != ccm.CodeKeyBusy { // else it is of another process, which is at it
		a.printReceipt(receipt, client.Location())
	}
	return err
}

// partWords are the states of a message.
var partWords = map[ccm.State]string{
	ccm.Delivered: "entregado", ccm.Refused: "rechazado", ccm.Uncertain: "sin confirmar",
	ccm.Sending: "sin confirmar", ccm.Pending: "no enviado", ccm.Discarded: "descartado",
}

// printReceipt tells which parts arrived, and when by the clock of zone.
func (a *app) printReceipt(r ccm.Receipt, zone *time.Location) {
	for i, part := range r.Parts {
		fmt.Fprintf(a.out, "mensaje %d de %d: %s", i+1, len(r.Parts), partWords[part.State])
		if part.Sent.ID != 0 {
			fmt.Fprintf(a.out, " (nº %d en el chat %s) a las %s", part.Sent.ID, part.Sent.Chat, part.Sent.At.In(zone).Format("15:04:05 MST"))
		}
		if part.Sent.Attempts > 1 {
			fmt.Fprintf(a.out, ", al intento %d", part.Sent.Attempts)
		}
		if part.Sent.Degraded {
			fmt.Fprint(a.out, ", sin formato")
		}
		if part.Doubtful {
			fmt.Fprint(a.out, ", como posible duplicado")
		}
		fmt.Fprintln(a.out)
	}
	if r.Meta.Cache != nil {
		fmt.Fprintln(a.out, describeData(r.Meta))
	}
	switch {
	case r.Replayed:
		fmt.Fprintln(a.out, "ya se había enviado: esta vez no se envió nada")
	case r.Unrecorded:
		fmt.Fprintln(a.out, "el diario no respondía: la alerta salió sin él, y su clave no protege de repetirla")
	}
}

// describeData is one line about where the records came from.
func describeData(m ccm.Meta) string {
	from := map[string]string{"memory": "la memoria", "redis": "Redis", "source": "la base de datos"}[m.Cache.Source]
	line := fmt.Sprintf("%s, de %s", plural(m.RecordCount, "registro", "registros"), from)
	if m.RecordsSkipped > 0 {
		line += fmt.Sprintf("; %s, por incompletos", plural(m.RecordsSkipped, "queda fuera", "quedan fuera"))
	}
	if m.Cache.Stale {
		line += "; son datos anteriores, porque la base de datos no respondió"
	}
	return line
}

// printParts prints a message as the chat would show it.
func printParts(out io.Writer, r ccm.Receipt) {
	for i, part := range r.Parts {
		title := fmt.Sprintf("── mensaje %d de %d ", i+1, len(r.Parts))
		fmt.Fprintf(out, "%s%s\n%s\n\n", title, strings.Repeat("─", max(0, 60-len([]rune(title)))), part.Part.Plain)
	}
}

const previewLong = `Muestra un mensaje como lo vería el chat, y no envía nada. No necesita el bot.`

const previewExample = `  ccm-api vista-previa ingresos --rama 14
  ccm-api vista-previa cumpleaños --html cumpleaños.html`

func (a *app) previewCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:     "preview",
		Aliases: []string{"vista-previa"},
		Short:   "Muestra un reporte o una alerta sin enviar nada",
		Long:    previewLong,
		Example: previewExample,
	})
	var page string
	cmd.PersistentFlags().StringVar(&page, "html", "", "escribe una página como la del chat en este archivo")
	cmd.AddCommand(messageCommands(func(ctx context.Context, send sender) error { return a.preview(ctx, send, page) })...)
	return cmd
}

func (a *app) preview(ctx context.Context, send sender, page string) error {
	client, err := a.open()
	if err != nil {
		return err
	}
	defer client.Close()
	stop := a.progress("consultando los datos")
	receipt, err := send(ctx, client, ccm.SendOptions{DryRun: true})
	stop()
	if err != nil {
		return err
	}
	if page == "" {
		printParts(a.out, receipt)
		return nil
	}
	html, err := chatPage(ctx, receipt)
	if err != nil {
		return err
	}
	if err := os.WriteFile(page, html, 0o600); err != nil { // it holds names
		return fmt.Errorf("no se pudo escribir la página: %w", err)
	}
	fmt.Fprintf(a.out, "%s en %s\n", plural(len(receipt.Parts), "mensaje", "mensajes"), page)
	return nil
}
