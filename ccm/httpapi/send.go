package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"slices"

	"github.com/ccmwf/ccm/ccm"
)

var (
	arrivalFields  = slices.Concat(arrivalQuery, []field{dryRunField})
	birthdayFields = slices.Concat(birthdayQuery, []field{dryRunField})
	alertFields    = []field{
		{name: "title", kind: text, required: true, max: ccm.MaxTitle, doc: "El encabezado, en una línea."},
		{name: "body", kind: text, required: true, max: ccm.MaxBody, doc: "El texto; se respetan sus líneas."},
		{name: "level", kind: choice, zero: string(ccm.Info), doc: "La gravedad, que el mensaje dice con palabras.",
			enum: []string{string(ccm.Info), string(ccm.Warning), string(ccm.Failure), string(ccm.Success)}},
		// An alert's branch is only shown: 0 is none, as null.
		{name: "branch_id", kind: integer, min: 0, max: ccm.MaxBranch, doc: "La rama de que trata; solo se muestra."},
		dryRunField,
	}
	dryRunField = field{name: "dry_run", kind: boolean, zero: false,
		doc: "Prepara los mensajes y no envía nada, tampoco con Telegram apagado."}
)

func (h *Handler) sendArrivals(x *exchange, r *http.Request) error {
	in, err := readBody(x, r, arrivalFields)
	if err != nil {
		return err
	}
	return h.send(x, r, ccm.UpcomingArrivals, in, func(ctx context.Context, o ccm.SendOptions) (ccm.Receipt, error) {
		return h.client.SendArrivals(ctx, queryOf(in), o)
	})
}

func (h *Handler) sendBirthdays(x *exchange, r *http.Request) error {
	in, err := readBody(x, r, birthdayFields)
	if err != nil {
		return err
	}
	return h.send(x, r, ccm.UpcomingBirthdays, in, func(ctx context.Context, o ccm.SendOptions) (ccm.Receipt, error) {
		return h.client.SendBirthdays(ctx, queryOf(in), o)
	})
}

func (h *Handler) sendAlert(x *exchange, r *http.Request) error {
	in, err := readBody(x, r, alertFields)
	if err != nil {
		return err
	}
	alert := ccm.Alert{
		Title:  in.string("title"),
		Body:   in.string("body"),
		Level:  ccm.Level(in.string("level")),
		Branch: in.int("branch_id"),
	}
	return h.send(x, r, ccm.AlertID, in, func(ctx context.Context, o ccm.SendOptions) (ccm.Receipt, error) {
		return h.client.SendAlert(ctx, alert, o)
	})
}

// send runs one operation and answers what came of it.
func (h *Handler) send(x *exchange, r *http.Request, dataset string, in values,
	call func(context.Context, ccm.SendOptions) (ccm.Receipt, error),
) error {
	key, err := idempotencyKey(r.Header)
	if err != nil {
		return err
	}
	options := ccm.SendOptions{DryRun: in.bool("dry_run")}
	if key != "" && !options.DryRun {
		options.Key = sendKey(x.route, x.client, key)
	}
	receipt, err := call(r.Context(), options)
	code := ccm.CodeOf(err)
	if refusesRequest(code) {
		return err
	}
	a := newAnswer(outcome{dataset, options.DryRun, receipt, err}, x.id, h.cfg.Now().Sub(x.began))
	x.messageID = a.MessageID
	x.noteData(dataset, in, receipt.Meta)
	x.note(slog.Int("records_sent", a.RecordsSent))
	if code != "" {
		x.note(slog.String("error_code", string(code)))
	}
	if receipt.Replayed {
		x.Header().Set("Idempotent-Replayed", "true")
	}
	setRetryAfter(x.Header(), err)
	return x.json(h.sendStatus(r.Context(), code), jsonType, &a)
}

// sendStatus is the status of an operation's answer.
func (h *Handler) sendStatus(ctx context.Context, code ccm.Code) int {
	if code == "" || h.cfg.Legacy {
		return http.StatusOK
	}
	return statusOf(ctx, code)
}
