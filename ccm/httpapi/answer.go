package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
)

// answer is the body of the three POSTs, whether the operation worked or not.
// The order is the Python service's, then what is new.
type answer struct {
	Success           bool            `json:"success" doc:"Todas las partes se entregaron (o, con dry_run, se prepararon)."`
	TelegramMessageID *int64          `json:"telegram_message_id" doc:"El de la primera parte; null si no se entregó ninguna."`
	RecordsSent       int             `json:"records_sent" doc:"Mensajes entregados; 1 si el reporte cabe en uno. El nombre es histórico."`
	StatusCode        int             `json:"status_code" doc:"El código que dio Telegram; 0 si no se le llamó o no respondió."`
	DurationMS        float64         `json:"duration_ms" doc:"Lo que tardó esta petición, en milisegundos; también si repite una respuesta anterior."`
	DatasetID         string          `json:"dataset_id" doc:"El conjunto de datos del reporte; «alert» en una alerta."`
	DatasetRecords    int             `json:"dataset_records" doc:"Registros del reporte; 0 en una alerta."`
	DatasetDurationMS float64         `json:"dataset_duration_ms" doc:"Lo que tardaron los datos, en milisegundos."`
	MessageID         string          `json:"message_id" doc:"Identificador de la petición, también en X-Request-ID y en los registros."`
	ErrorCode         *ccm.Code       `json:"error_code" doc:"Qué falló, para programas; null si nada."`
	ErrorDescription  *string         `json:"error_description" doc:"Qué falló, para personas; null si nada."`
	RawResponse       json.RawMessage `json:"raw_response" doc:"La respuesta de Telegram a la primera parte; null si no hubo."`
	PartsSent         int             `json:"parts_sent" doc:"Partes entregadas."`
	PartsTotal        int             `json:"parts_total" doc:"Partes en que se divide el mensaje."`
	RecordsSkipped    int             `json:"records_skipped" doc:"Registros que se dejaron fuera por incompletos."`
	Parts             []string        `json:"parts" doc:"Con dry_run, el HTML de cada mensaje; si no, vacío."`
	Uncertain         bool            `json:"uncertain" doc:"Alguna parte pudo haber llegado sin que Telegram lo confirmara: no se repite sola."`
	Cache             *ccm.CacheMeta  `json:"cache" doc:"De dónde salieron los datos y qué edad tienen; null en una alerta."`
	DeliveryID        *string         `json:"delivery_id" doc:"El envío en GET /deliveries; null con dry_run, o si no llegó a empezar."`
	Receipts          []partReceipt   `json:"receipts" doc:"Qué fue de cada parte."`
	Unrecorded        bool            `json:"unrecorded" doc:"El diario no respondía y la alerta salió sin él: su Idempotency-Key no protege de repetirla."`
}

// outcome is what an operation came to.
type outcome struct {
	dataset string
	dryRun  bool
	receipt ccm.Receipt
	err     error
}

// newAnswer tells of an outcome. All of it but duration_ms comes from the
// receipt and the error, so that a replayed receipt gives the first answer again.
func newAnswer(o outcome, requestID string, took time.Duration) answer {
	meta := o.receipt.Meta
	a := answer{
		Success:           o.err == nil,
		DurationMS:        milliseconds(took),
		DatasetID:         o.dataset,
		DatasetRecords:    meta.RecordCount,
		DatasetDurationMS: meta.DurationMS,
		MessageID:         meta.MessageID,
		PartsTotal:        len(o.receipt.Parts),
		RecordsSkipped:    meta.RecordsSkipped,
		Parts:             []string{},
		Cache:             meta.Cache,
		Receipts:          newPartReceipts(o.receipt.Parts),
		Unrecorded:        o.receipt.Unrecorded,
	}
	if id := o.receipt.ID; id != "" {
		a.DeliveryID = &id
	}
	if a.MessageID == "" {
		a.MessageID = requestID
	}
	for i := range o.receipt.Parts {
		a.addPart(&o.receipt.Parts[i], o.dryRun)
	}
	if o.err != nil {
		a.addError(o.err)
	}
	return a
}

func (a *answer) addPart(part *ccm.PartResult, dryRun bool) {
	if dryRun {
		a.Parts = append(a.Parts, part.Part.HTML)
	}
	switch part.State {
	case ccm.Delivered:
		a.PartsSent++
		a.RecordsSent++
		if a.TelegramMessageID == nil {
			a.TelegramMessageID = &part.Sent.ID
			a.StatusCode = http.StatusOK
			a.RawResponse = rawJSON(part.Sent.Raw)
		}
	case ccm.Uncertain, ccm.Sending: // a write of which no end is known
		a.Uncertain = true
	}
}

// addError tells what failed. What Telegram said to the part that failed is
// shown where no part was delivered.
func (a *answer) addError(err error) {
	code, text := ccm.CodeOf(err), messageOf(err)
	a.ErrorCode, a.ErrorDescription = &code, &text
	var refused *telegram.Error
	if !errors.As(err, &refused) {
		return
	}
	a.StatusCode = refused.Code
	a.Uncertain = a.Uncertain || refused.Outcome == telegram.Uncertain
	if a.RawResponse == nil {
		a.RawResponse = envelope(refused)
	}
}

// envelope is Telegram's refusal as it was on the wire; nil where there was none.
func envelope(e *telegram.Error) json.RawMessage {
	if e.Code == 0 || e.Description == "" {
		return nil
	}
	raw, err := json.Marshal(struct {
		OK          bool   `json:"ok"`
		ErrorCode   int    `json:"error_code"`
		Description string `json:"description"`
	}{false, e.Code, e.Description})
	if err != nil {
		return nil
	}
	return raw
}

// rawJSON drops what is not JSON: it would spoil the whole answer.
func rawJSON(raw json.RawMessage) json.RawMessage {
	if !json.Valid(raw) {
		return nil
	}
	return raw
}
