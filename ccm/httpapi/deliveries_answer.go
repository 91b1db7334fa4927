package httpapi

import (
	"encoding/json"
	"time"

	"github.com/ccmwf/ccm/ccm"
)

// partReceipt is what became of one message.
type partReceipt struct {
	Part      int        `json:"part" doc:"El número de la parte, desde 1."`
	State     ccm.State  `json:"state" enum:"pending,sending,sent,refused,uncertain,discarded" doc:"pending: sin enviar; sending: en curso; sent: llegó; refused: Telegram dijo que no; uncertain: pudo haber llegado; discarded: una persona la descartó."`
	MessageID *int64     `json:"message_id" doc:"El del mensaje en el chat; null si no consta que llegó."`
	Chat      string     `json:"chat" doc:"El chat al que llegó; vacío si no consta."`
	Attempts  int        `json:"attempts" doc:"Cuántas peticiones hicieron falta; 0 si no consta que llegó."`
	SentAt    *time.Time `json:"sent_at" doc:"Cuándo la fechó Telegram; null si no consta que llegó."`
	Degraded  bool       `json:"degraded" doc:"Llegó sin formato, porque Telegram no aceptó el que tenía."`
	Doubtful  bool       `json:"doubtful" doc:"No constaba si ya había llegado cuando una persona decidió; si se envía otra vez, el mensaje dice «(posible duplicado)»."`
	ErrorCode *ccm.Code  `json:"error_code" doc:"Por qué no llegó, para programas; null si llegó o no se intentó."`
	Error     *string    `json:"error" doc:"Por qué no llegó, para personas; null si llegó o no se intentó."`
	Text      string     `json:"text,omitempty" doc:"El texto, sin formato, que lleva nombres de personas; solo en GET /deliveries/{delivery_id}, hasta que se borra."`
}

func newPartReceipt(n int, p ccm.PartResult) partReceipt {
	r := partReceipt{Part: n + 1, State: p.State, Degraded: p.Sent.Degraded, Doubtful: p.Doubtful}
	if p.Sent.ID != 0 {
		id, at := p.Sent.ID, p.Sent.At.UTC()
		r.MessageID, r.Chat, r.Attempts, r.SentAt = &id, p.Sent.Chat, p.Sent.Attempts, &at
	}
	if p.Err != nil {
		code, text := ccm.CodeOf(p.Err), messageOf(p.Err)
		r.ErrorCode, r.Error = &code, &text
	}
	return r
}

func newPartReceipts(parts []ccm.PartResult) []partReceipt {
	all := make([]partReceipt, len(parts))
	for i, p := range parts {
		all[i] = newPartReceipt(i, p)
	}
	return all
}

// deliveryAnswer is a delivery; a list leaves out its last two fields.
type deliveryAnswer struct {
	ID         string           `json:"delivery_id" doc:"El identificador del envío."`
	State      ccm.State        `json:"state" enum:"pending,sending,sent,refused,uncertain,discarded" doc:"El del envío completo: sent si llegaron todas sus partes; sending mientras alguien lo envía."`
	Report     string           `json:"report" doc:"El conjunto de datos del reporte; «alert» en una alerta."`
	Chat       string           `json:"chat" doc:"El chat al que se envió."`
	Branch     *int             `json:"branch_id" doc:"La rama; null si son todas."`
	BeganAt    time.Time        `json:"began_at" doc:"Cuándo empezó, en UTC."`
	EndedAt    *time.Time       `json:"ended_at" doc:"Cuándo terminó; null si sigue en curso o quedó interrumpido."`
	PartsSent  int              `json:"parts_sent" doc:"Partes entregadas."`
	PartsTotal int              `json:"parts_total" doc:"Partes en que se divide el mensaje."`
	MessageID  string           `json:"message_id" doc:"Identificador de la petición que lo empezó."`
	Key        string           `json:"key" doc:"La clave con que se pidió: dirección, clave de API e Idempotency-Key; vacía si no hubo."`
	Purged     bool             `json:"purged" doc:"Sus textos ya se borraron por antiguos."`
	Decisions  []decisionAnswer `json:"decisions" doc:"Lo que decidieron las personas, en orden."`
	Request    json.RawMessage  `json:"request,omitempty" doc:"Con qué se pidió; falta en las listas, y cuando ya se borró."`
	Parts      []partReceipt    `json:"parts,omitempty" doc:"Cada mensaje; falta en las listas."`
}

type decisionAnswer struct {
	Action ccm.Action `json:"action" enum:"resend,discard" doc:"resend: reenviar; discard: descartar."`
	Who    string     `json:"who" doc:"El nombre de la clave de API, o quien dio la orden en la terminal."`
	At     time.Time  `json:"at" doc:"Cuándo, en UTC."`
}

func newDeliveryAnswer(r ccm.Record) deliveryAnswer {
	s := deliveryAnswer{
		ID: r.ID, State: r.State, Report: r.Report, Chat: r.To.Chat, Branch: r.Meta.Branch, BeganAt: r.BeganAt.UTC(),
		PartsTotal: len(r.Parts), MessageID: r.Meta.MessageID, Key: r.Key, Purged: r.Purged, Decisions: []decisionAnswer{},
	}
	if !r.EndedAt.IsZero() {
		at := r.EndedAt.UTC()
		s.EndedAt = &at
	}
	for _, p := range r.Parts {
		if p.State == ccm.Delivered {
			s.PartsSent++
		}
	}
	for _, d := range r.Decisions {
		s.Decisions = append(s.Decisions, decisionAnswer{d.Action, d.Who, d.At.UTC()})
	}
	return s
}

// listAnswer is the body of GET /deliveries.
type listAnswer struct {
	Deliveries []deliveryAnswer `json:"deliveries" doc:"Los envíos, del más reciente al más antiguo, sin textos."`
	Next       *string          `json:"next_cursor" doc:"El cursor de la página siguiente; null en la última."`
}

func newListAnswer(p ccm.Page) *listAnswer {
	a := &listAnswer{Deliveries: make([]deliveryAnswer, len(p.Records))}
	for i, r := range p.Records {
		a.Deliveries[i] = newDeliveryAnswer(r)
	}
	if p.Next != "" {
		a.Next = &p.Next
	}
	return a
}

// newDeliveryDetail is the body of GET /deliveries/{delivery_id}.
func newDeliveryDetail(r ccm.Record) *deliveryAnswer {
	a := newDeliveryAnswer(r)
	a.Request, a.Parts = rawJSON(r.Request), newPartReceipts(r.Parts)
	for i, p := range r.Parts {
		a.Parts[i].Text = p.Part.Plain
	}
	return &a
}
