package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/ccmwf/ccm/ccm"
)

// nobody is who decides where there are no API keys.
const nobody = "anónimo"

// listFields are the filters of GET /deliveries; zone is where a date without a
// time is a day.
func listFields(zone *time.Location) []field {
	states := make([]string, len(ccm.States))
	for i, s := range ccm.States {
		states[i] = string(s)
	}
	return []field{
		{name: "state", kind: choice, enum: states, doc: "El estado del envío completo."},
		{name: "report", kind: choice, enum: []string{ccm.UpcomingArrivals, ccm.UpcomingBirthdays, ccm.AlertID}, doc: "Qué se envió."},
		{name: "chat", kind: text, max: 64, doc: "El chat, como se dio al enviar."},
		{name: "from", kind: moment, zone: zone, doc: "Desde cuándo: «2026-11-24» (el día en el centro) o «2026-11-24T08:00:00-06:00»."},
		{name: "to", kind: moment, zone: zone, wholeDay: true, doc: "Hasta cuándo, con las mismas formas; un día entra completo."},
		{name: "limit", kind: integer, zero: ccm.DefaultPage, min: 1, max: ccm.MaxPage, doc: "Cuántos por página."},
		{name: "cursor", kind: text, max: 256, doc: "El next_cursor de la página anterior."},
	}
}

// listDeliveries answers GET /deliveries.
func (h *Handler) listDeliveries(x *exchange, r *http.Request) error {
	in, err := readQuery(r, listFields(h.client.Location()))
	if err != nil {
		return err
	}
	page, err := h.client.Deliveries(r.Context(), ccm.Filter{
		State:  ccm.State(in.string("state")),
		Report: in.string("report"),
		Chat:   in.string("chat"),
		From:   in.time("from"),
		To:     in.time("to"),
		Limit:  in.int("limit"),
		Cursor: in.string("cursor"),
	})
	if err != nil {
		return err
	}
	return x.json(http.StatusOK, jsonType, newListAnswer(page))
}

// showDelivery answers GET /deliveries/{delivery_id}.
func (h *Handler) showDelivery(x *exchange, r *http.Request) error {
	if _, err := readQuery(r, nil); err != nil {
		return err
	}
	id := r.PathValue("delivery_id")
	x.note(slog.String("delivery_id", id))
	found, err := h.client.Delivery(r.Context(), id)
	if err != nil {
		return err
	}
	return x.json(http.StatusOK, jsonType, newDeliveryDetail(found))
}

// resendDelivery answers POST /deliveries/{delivery_id}/resend.
func (h *Handler) resendDelivery(x *exchange, r *http.Request) error {
	id, who, err := decision(x, r)
	if err != nil {
		return err
	}
	receipt, err := h.client.ResendDelivery(r.Context(), id, who)
	code := ccm.CodeOf(err)
	if err != nil && (receipt.ID == "" || refusesDecision(code)) {
		return err
	}
	a := newAnswer(outcome{receipt.Meta.Dataset, false, receipt, err}, x.id, h.cfg.Now().Sub(x.began))
	if code != "" {
		x.note(slog.String("error_code", string(code)))
	}
	x.note(slog.String("dataset_id", receipt.Meta.Dataset), slog.Int("records_sent", a.RecordsSent))
	if receipt.Replayed {
		x.Header().Set("Idempotent-Replayed", "true")
	}
	setRetryAfter(x.Header(), err)
	return x.json(decisionStatus(r.Context(), code), jsonType, &a)
}

// discardDelivery answers POST /deliveries/{delivery_id}/discard.
func (h *Handler) discardDelivery(x *exchange, r *http.Request) error {
	id, who, err := decision(x, r)
	if err != nil {
		return err
	}
	closed, err := h.client.DiscardDelivery(r.Context(), id, who)
	if err != nil {
		return err
	}
	return x.json(http.StatusOK, jsonType, newDeliveryDetail(closed))
}

// decision is about which delivery a person decides, and who that is.
func decision(x *exchange, r *http.Request) (id, who string, err error) {
	if _, err := readStrictBody(x, r, nil); err != nil {
		return "", "", err
	}
	id, who = r.PathValue("delivery_id"), x.client
	x.note(slog.String("delivery_id", id))
	if who == "" {
		who = nobody
	}
	return id, who, nil
}

// refusesDecision reports whether code means that nothing was tried.
func refusesDecision(code ccm.Code) bool {
	switch code {
	case ccm.CodeInvalidRequest, ccm.CodeUnknownDelivery, ccm.CodeDeliverySent, ccm.CodeDeliveryBusy, ccm.CodeDeliveryPurged:
		return true
	}
	return false
}

func decisionStatus(ctx context.Context, code ccm.Code) int {
	if code == "" {
		return http.StatusOK
	}
	return statusOf(ctx, code)
}
