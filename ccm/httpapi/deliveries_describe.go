package httpapi

import (
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
)

var (
	unknownDeliverySample = problemSample("desconocido", "No hay tal envío", deliveryProblem(ccm.ErrUnknownDelivery))
	deliverySentSample    = problemSample(string(ccm.CodeDeliverySent), "Llegó completo desde el principio", deliveryProblem(ccm.ErrDeliverySent))
	deliveryBusySample    = problemSample(string(ccm.CodeDeliveryBusy), "Se está enviando ahora", deliveryProblem(ccm.ErrDeliveryBusy))
	deliveryPurgedSample  = problemSample(string(ccm.CodeDeliveryPurged), "Sus textos ya se borraron", deliveryProblem(ccm.ErrDeliveryPurged))
	journalAwaySample     = failedRead(ccm.CodeJournal)
	listFaultsSample      = faultsSample(listFields(time.UTC), "query", map[string]any{"state": "perdido", "from": "ayer", "limit": "500"})
)

// deliveryProblem is the problem that an error of the journal is answered as.
func deliveryProblem(err *ccm.Error) *problem {
	return newProblem(statuses[err.Code], err.Message).with(err.Code)
}

var sampleRecord = ccm.Record{
	Receipt: ccm.Receipt{ID: "6PZC2L7XQ5WMRUB4TDJ3KVHNYA", Meta: sampleMeta(ccm.UpcomingArrivals), Parts: []ccm.PartResult{
		{State: ccm.Delivered, Part: telegram.Part{Plain: "Próximos ingresos · Rama 14 (1/2)\n\nLunes 30 de noviembre\nDistrito 14A: 12 misioneros, 6 semanas"},
			Sent: telegram.Sent{ID: 481, Chat: "-1001234567890", Attempts: 1, At: sampleTime}},
		{State: ccm.Uncertain, Part: telegram.Part{Plain: "Próximos ingresos · Rama 14 (2/2)\n\nLunes 7 de diciembre\nDistrito 14B: 9 misioneros, 3 semanas"},
			Err: &ccm.Error{Code: ccm.CodeTelegramTimeout, Message: descriptions[ccm.CodeTelegramTimeout]}},
	}},
	Key: "/telegram/proximos-ingresos panel 2026-11-23", Report: ccm.UpcomingArrivals, Request: json.RawMessage(`{"branch_id":14,"days_ahead":30}`),
	To: telegram.Target{Chat: "-1001234567890"}, State: ccm.Uncertain, BeganAt: sampleTime, EndedAt: sampleTime.Add(15 * time.Second),
}

func sampleDiscarded() ccm.Record {
	r := sampleRecord
	r.State, r.Decisions = ccm.Discarded, []ccm.Decision{{Action: ccm.Discard, Who: "panel", At: sampleTime.Add(time.Hour)}}
	r.Parts = []ccm.PartResult{r.Parts[0], {State: ccm.Discarded, Part: r.Parts[1].Part, Err: r.Parts[1].Err}}
	return r
}

var deliveryParam = &huma.Param{Name: "delivery_id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString},
	Description: "El delivery_id de un envío."}

func describeDeliveries(d *describer) *huma.Operation {
	return &huma.Operation{
		OperationID: "listarEnvios",
		Summary:     "Lista los envíos",
		Description: "Lo que se envió, del más reciente al más antiguo: qué, a qué chat, cuándo y cómo terminó. Sin CCM_JOURNAL_URL, solo lo de este proceso.",
		Tags:        []string{tagDeliveries},
		Parameters:  d.query(listFields(time.UTC)),
		Responses: responses{
			"200": d.answer("Una página de envíos", sample{"pagina", "Hay uno, sin confirmar", newListAnswer(ccm.Page{Records: []ccm.Record{sampleRecord}, Next: "MTc2MzkwNjcwMDAwMDAwMCA2UFpD"})},
				sample{"vacia", "No hay ninguno", newListAnswer(ccm.Page{})}),
			"403": d.problem(foreignSample),
			"422": d.problem(listFaultsSample),
			"503": d.problem(journalAwaySample),
		},
	}
}

func describeDelivery(d *describer) *huma.Operation {
	return &huma.Operation{
		OperationID: "verEnvio",
		Summary:     "Muestra un envío, parte por parte",
		Description: "Con los textos mientras se guardan (CCM_JOURNAL_RETENTION_DAYS).",
		Tags:        []string{tagDeliveries},
		Parameters:  []*huma.Param{deliveryParam},
		Responses: responses{
			"200": d.answer("El envío", sample{"incierto", "Una parte sin confirmar", newDeliveryDetail(sampleRecord)}),
			"403": d.problem(foreignSample),
			"404": d.problem(unknownDeliverySample),
			"422": d.problem(unknownParameterSample),
			"503": d.problem(journalAwaySample),
		},
	}
}

var unknownParameterSample = problemSample("parametro_desconocido", "Un parámetro que no es de esta operación",
	newFaults([]fault{{"query.x", "no es un parámetro de esta operación"}}))

// decisionOperation is what the two decisions share.
func (d *describer) decisionOperation(op huma.Operation, done *huma.Response) *huma.Operation {
	op.Tags = []string{tagDeliveries}
	op.Parameters = []*huma.Param{deliveryParam}
	op.Responses = responses{
		"200": done,
		"400": d.problem(brokenJSONSample),
		"403": d.problem(foreignSample),
		"404": d.problem(unknownDeliverySample),
		"408": d.problem(slowBodySample),
		"409": d.problem(deliverySentSample, deliveryBusySample),
		"413": d.problem(largeBodySample),
		"415": d.problem(mediaTypeSample),
		"422": d.problem(unknownParameterSample),
		"503": d.problem(journalAwaySample),
	}
	return &op
}

func describeResend(d *describer) *huma.Operation {
	sent := arrivalsSent[:1]
	op := d.decisionOperation(huma.Operation{
		OperationID: "reenviarEnvio",
		Summary:     "Reenvía lo que no llegó de un envío",
		Description: "Lo decide una persona, y el envío dice quién y cuándo. Una parte que pudo haber llegado dice «(posible duplicado)». Repetir la petición cuando ya llegó da el mismo recibo " +
			"(Idempotent-Replayed: true) y no envía nada. Un reporte del que no llegó nada se prepara de nuevo si ya es otro día.",
	}, d.answer("Se entregó lo que faltaba", sent...))
	op.Responses["200"].Headers = replayedHeader()
	op.Responses["410"] = d.problem(deliveryPurgedSample)
	op.Responses["502"] = d.failure(502, failedSends(ccm.UpcomingArrivals, telegramCodes...))
	op.Responses["503"] = d.failure(503, failedSends(ccm.UpcomingArrivals, ccm.CodeTelegramRateLimited), journalAwaySample)
	op.Responses["503"].Headers = retryHeader()
	op.Responses["504"] = d.failure(504, failedSends(ccm.UpcomingArrivals, ccm.CodeTelegramTimeout))
	return op
}

func describeDiscard(d *describer) *huma.Operation {
	return d.decisionOperation(huma.Operation{
		OperationID: "descartarEnvio",
		Summary:     "Cierra un envío: lo que no llegó no se enviará",
		Description: "Lo decide una persona, y el envío dice quién y cuándo. También sirve cuando lo incierto sí llegó. Repetir la petición da la misma respuesta.",
	}, d.answer("El envío, cerrado", sample{"descartado", "Se descartó la segunda parte", newDeliveryDetail(sampleDiscarded())}))
}
