package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
)

// The samples of the OpenAPI document. They come out of the code that makes the
// real answers wherever it can be run; the people in them are invented.

const sampleID = "4XQ7MZ2KJ5T3WCVBN6RYHADPLE"

var sampleTime = time.Date(2026, time.November, 23, 14, 5, 0, 0, time.UTC)

// problemSample shows the problem that err is.
func problemSample(name, summary string, err error) sample {
	var p problem
	if known := (*problem)(nil); errors.As(err, &known) {
		p = *known
	}
	p.MessageID = sampleID
	return sample{name, summary, &p}
}

var (
	missingKeySample     = problemSample("sin_clave", "No trae clave", errMissingKey)
	wrongKeySample       = problemSample("clave_no_valida", "La clave no es ninguna de las que hay", errWrongKey)
	foreignSample        = problemSample("otro_sitio", "Sin claves, una página de otro sitio", errForeign)
	badKeySample         = problemSample("idempotency_key_no_valida", "Idempotency-Key no válida", errBadKey)
	slowBodySample       = problemSample("cuerpo_lento", "El cuerpo tarda", errSlowBody)
	largeBodySample      = problemSample("cuerpo_grande", "Más de 1 MiB", errLargeBody)
	mediaTypeSample      = problemSample("no_es_json", "Content-Type: text/plain", errNotJSON)
	internalSample       = problemSample("error_interno", "Un fallo del servicio", errPanic)
	notReadySample       = problemSample("no_listo", "Arranca o se detiene", errNotReady)
	unknownDatasetSample = problemSample("desconocido", "No hay tal conjunto", errUnknownDataset)
	busyKeySample        = failedRead(ccm.CodeKeyBusy)
	reusedKeySample      = failedRead(ccm.CodeKeyReused)
	brokenJSONSample     = problemSample("json_roto", "Una coma de más", complaint(decodeObject([]byte(`{"days_ahead": 30,}`))))
	reportFaultsSample   = faultsSample(arrivalFields, "body", map[string]any{"days_ahead": json.Number("0"), "dry_run": "quizá"})
	alertFaultsSample    = faultsSample(alertFields, "body", map[string]any{"title": "Prueba", "level": "urgente"})
	queryFaultsSample    = faultsSample(arrivalQuery, "query", map[string]any{"branch_id": "catorce", "days_ahead": "500"})
	lateReadSample       = sample{"dataset_error", "La base de datos no respondió a tiempo",
		&problem{titles[http.StatusGatewayTimeout], http.StatusGatewayTimeout, descriptions[ccm.CodeDataset], ccm.CodeDataset, sampleID, nil}}
)

func complaint(_ map[string]any, err error) error { return err }

func faultsSample(fields []field, place string, raw map[string]any) sample {
	_, faults := read(fields, raw, place)
	return problemSample("valores_no_validos", "Todos los valores no válidos a la vez", newFaults(faults))
}

// descriptions are what a person reads for each code.
var descriptions = map[ccm.Code]string{
	ccm.CodeInternal:            internalDetail,
	ccm.CodeInvalidBranch:       "La rama 99 no está entre las autorizadas (9, 14).",
	ccm.CodeMissingRows:         "No hay ningún distrito: revise la rama, y que vwFechasCCMPorDistrito tenga datos.",
	ccm.CodeMissingFields:       "Ningún registro de vwMisioneros tiene los datos obligatorios.",
	ccm.CodeDuplicateRecords:    "vwMisioneros da dos veces el mismo registro.",
	ccm.CodeInvalidTotal:        "Un distrito tiene un total de misioneros imposible.",
	ccm.CodeInvalidKPI:          "Un distrito tiene una cifra imposible.",
	ccm.CodeInvalidCount:        "Un distrito tiene un número de misioneros imposible.",
	ccm.CodeDataset:             "La base de datos no responde, y no hay datos guardados que la suplan: revise que esté en marcha y que DATABASE_URL lleve a ella.",
	ccm.CodeCache:               "Redis no responde o rechaza la orden, y «ccm-api doctor» dice por qué: los datos se quitaron de la memoria de este proceso; Redis lo sabrá en cuanto la acepte, y las demás réplicas a más tardar un minuto después.",
	ccm.CodeTelegramDisabled:    "Telegram está apagado: ponga TELEGRAM_ENABLED=true y TELEGRAM_BOT_TOKEN; dry_run funciona sin ellos.",
	ccm.CodeTelegramAPI:         "Telegram rechazó el mensaje; si no encuentra el chat, revise TELEGRAM_CHAT_ID (400: Bad Request: chat not found).",
	ccm.CodeTelegramHTTP:        "Se perdió la conexión con Telegram; el mensaje no salió. Revise la salida a api.telegram.org.",
	ccm.CodeTelegramStatus:      "Telegram respondió con el estado 502: el mensaje pudo haber llegado. Mire el chat antes de repetirlo.",
	ccm.CodeTelegramEmpty:       "La respuesta de Telegram no se pudo leer: el mensaje pudo haber llegado. Mire el chat antes de repetirlo.",
	ccm.CodeTelegramRateLimited: "Telegram pide esperar 40 s antes de enviar más a este chat.",
	ccm.CodeTelegramTimeout:     "Telegram no respondió a tiempo: el mensaje pudo haber llegado. Mire el chat antes de repetirlo.",
	ccm.CodeJournal:             "El diario de envíos no responde: revise que su servidor esté en marcha y que CCM_JOURNAL_URL lleve a él.",
	ccm.CodeKeyReused:           "Esta Idempotency-Key ya se usó con otra petición.",
	ccm.CodeKeyBusy:             "La primera petición con esta Idempotency-Key sigue en curso.",
}

// causes are what Telegram's client says beneath a code.
var causes = map[ccm.Code]error{
	ccm.CodeTelegramAPI:         &telegram.Error{Code: 400, Description: "Bad Request: chat not found", Outcome: telegram.Refused},
	ccm.CodeTelegramHTTP:        &telegram.Error{Outcome: telegram.NotSent},
	ccm.CodeTelegramStatus:      &telegram.Error{Code: 502, Outcome: telegram.Uncertain},
	ccm.CodeTelegramEmpty:       &telegram.Error{Code: 200, Outcome: telegram.Uncertain},
	ccm.CodeTelegramRateLimited: &telegram.Error{Code: 429, Description: "Too Many Requests: retry after 40", Outcome: telegram.RateLimited, RetryAfter: 40 * time.Second},
	ccm.CodeTelegramTimeout:     &telegram.Error{Outcome: telegram.Uncertain, Err: context.DeadlineExceeded},
}

var (
	telegramCodes = []ccm.Code{ccm.CodeTelegramAPI, ccm.CodeTelegramHTTP, ccm.CodeTelegramStatus, ccm.CodeTelegramEmpty}
	ruleCodes     = []ccm.Code{ccm.CodeMissingFields, ccm.CodeDuplicateRecords, ccm.CodeInvalidCount, ccm.CodeInvalidTotal, ccm.CodeInvalidKPI}
)

// datasetCodes are the rules that a report's data may break.
func datasetCodes(dataset string) []ccm.Code {
	codes := []ccm.Code{ccm.CodeMissingFields, ccm.CodeDuplicateRecords}
	if dataset == ccm.UpcomingArrivals {
		codes = append(codes, ccm.CodeInvalidCount)
	}
	return codes
}

func failedRead(code ccm.Code) sample {
	return problemSample(string(code), descriptions[code], newProblem(statuses[code], descriptions[code]).with(code))
}

func failedReads(codes ...ccm.Code) []sample {
	all := make([]sample, len(codes))
	for i, code := range codes {
		all[i] = failedRead(code)
	}
	return all
}

// failedSends are answers of an operation that failed with each of the codes.
func failedSends(dataset string, codes ...ccm.Code) []sample {
	all := make([]sample, len(codes))
	for i, code := range codes {
		meta := ccm.Meta{MessageID: sampleID}
		var parts []ccm.PartResult
		if cause := causes[code]; cause != nil {
			meta, parts = sampleMeta(dataset), []ccm.PartResult{{State: ccm.Refused}}
		}
		err := &ccm.Error{Code: code, Message: descriptions[code], Err: causes[code]}
		a := newAnswer(outcome{dataset, false, ccm.Receipt{Parts: parts, Meta: meta}, err}, sampleID, 84*time.Millisecond)
		all[i] = sample{string(code), descriptions[code], a}
	}
	return all
}

func sampleMeta(dataset string) ccm.Meta {
	if dataset == ccm.AlertID {
		return ccm.Meta{MessageID: sampleID}
	}
	branch := 14
	return ccm.Meta{
		Dataset: dataset, GeneratedAt: sampleTime, RecordCount: 1, Branch: &branch, DurationMS: 3.9, CacheHit: true,
		Cache:      &ccm.CacheMeta{Source: "memory", AgeMS: 41230},
		Parameters: map[string]any{"branch_id": branch}, MessageID: sampleID,
	}
}

// The bodies of Telegram's answers and the HTML of the messages.
const (
	arrivalsHTML  = "<b>Próximos ingresos · Rama 14</b>\n\n<b>30 nov 2026</b> · en 7 días\nDistrito A · 12 misioneros · 6 semanas"
	birthdaysHTML = "<b>Próximos cumpleaños · Rama 14</b>\n\n<b>Noviembre</b>\n28 · Elder Juan Ejemplo · 20 años"
	alertHTML     = "<b>Advertencia: Respaldo atrasado</b>\n\nEl respaldo terminó 40 minutos tarde."
)

var (
	arrivalsSent  = sentSamples(ccm.UpcomingArrivals, arrivalsHTML)
	birthdaysSent = sentSamples(ccm.UpcomingBirthdays, birthdaysHTML)
	alertsSent    = sentSamples(ccm.AlertID, alertHTML)
)

// sentSamples are what a delivery and a dry run answer.
func sentSamples(dataset, html string) []sample {
	sent := ccm.PartResult{State: ccm.Delivered, Part: telegram.Part{HTML: html}, Sent: telegram.Sent{
		ID:  481,
		Raw: json.RawMessage(`{"ok":true,"result":{"message_id":481,"date":1795442700,"chat":{"id":-1001234567890,"type":"supergroup"}}}`),
	}}
	prepared := ccm.PartResult{State: ccm.Pending, Part: sent.Part}
	answerOf := func(dryRun bool, part ccm.PartResult, took time.Duration) answer {
		receipt := ccm.Receipt{Parts: []ccm.PartResult{part}, Meta: sampleMeta(dataset)}
		return newAnswer(outcome{dataset, dryRun, receipt, nil}, sampleID, took)
	}
	return []sample{
		{"enviado", "Se entregó en un mensaje", answerOf(false, sent, 212*time.Millisecond)},
		{"dry_run", "Se preparó sin enviarlo", answerOf(true, prepared, 2*time.Millisecond)},
	}
}

var datasetSamples = []sample{
	{ccm.UpcomingArrivals, "Próximos ingresos", ccm.Dataset[ccm.Arrival]{Meta: sampleMeta(ccm.UpcomingArrivals), Records: []ccm.Arrival{{
		District: "A", RDistrict: "14A", Branch: 14, Arrival: store.Date{Year: 2026, Month: 11, Day: 30}, Departure: store.Date{Year: 2027, Month: 1, Day: 11},
		Missionaries: 12, Weeks: 6, Status: "Virtual"}}}},
	{ccm.UpcomingBirthdays, "Próximos cumpleaños", ccm.Dataset[ccm.Birthday]{Meta: sampleMeta(ccm.UpcomingBirthdays), Records: []ccm.Birthday{{
		ID: 1407, Branch: 14, District: "A", Treatment: "Elder", Name: "Juan Ejemplo", Birthday: store.Date{Year: 2026, Month: 11, Day: 28},
		Turning: 20, Status: "CCM", EmailMission: "juan.ejemplo@example.org", EmailPersonal: "", ThreeWeeks: false}}}},
	{ccm.BranchSummaryID, "Resumen por distrito", ccm.Dataset[ccm.BranchSummary]{Meta: sampleMeta(ccm.BranchSummaryID), Records: []ccm.BranchSummary{{
		Branch: 14, District: "A", FirstGeneration: store.Date{Year: 2026, Month: 11, Day: 16}, FirstArrival: store.Date{Year: 2026, Month: 11, Day: 30},
		LastDeparture: store.Date{Year: 2027, Month: 1, Day: 11}, Missionaries: 12, Elders: 8, Sisters: 4}}}},
	{ccm.DistrictKPIs, "Cifras por distrito", ccm.Dataset[ccm.KPI]{Meta: sampleMeta(ccm.DistrictKPIs), Records: []ccm.KPI{{
		Branch: 14, District: "A", Metric: "en_ccm", Value: 12, Unit: "misioneros", Week: store.Date{Year: 2026, Month: 11, Day: 23}}}}},
}

var healthSamples = []sample{
	{"sano", "Todo responde", sampleHealth(healthy, checkState{statusOK, 1.2, "responde"})},
	{"degradado", "La base de datos no responde", sampleHealth(degraded, checkState{statusDown, 2000, databaseDetail(context.DeadlineExceeded)})},
}

func sampleHealth(state string, database checkState) healthAnswer {
	return healthAnswer{Status: state, Version: "1.0.0", Service: service, UptimeSeconds: 86400.5, Checks: checkStates{
		Database: database,
		Cache:    checkState{statusOK, 0.3, "responde"},
		Telegram: checkState{statusOK, 96.1, "responde"},
		Journal:  checkState{statusOK, 1.4, "responde"},
	}}
}

var indexSample = sample{"inicio", "Direcciones relativas", indexAnswer{service, "1.0.0", "docs", "openapi.json", "health"}}

// meanings describe the fields that other packages own.
var meanings = map[string]string{
	"metadata":              "De dónde salieron los registros.",
	"records":               "Los registros.",
	"dataset_id":            "El conjunto de datos.",
	"generated_at":          "Cuándo se leyeron de la base, en UTC.",
	"record_count":          "Cuántos registros hay.",
	"records_skipped":       "Cuántos se dejaron fuera por incompletos.",
	"branch_id":             "La rama; null si son todas.",
	"duration_ms":           "Lo que tardaron los datos, en milisegundos.",
	"cache_hit":             "Si salieron de la caché.",
	"cache":                 "De dónde salieron y qué edad tienen.",
	"parameters":            "Con qué se pidieron.",
	"message_id":            "Identificador de la petición.",
	"source":                "memory, redis o source (la base de datos).",
	"age_ms":                "Edad de los datos, en milisegundos.",
	"stale":                 "Si pasaron de su tiempo o no se pudieron renovar.",
	"district":              "La letra del distrito.",
	"rdistrict":             "La rama y la letra, 14A.",
	"arrival_date":          "Cuándo llega al CCM.",
	"departure_date":        "Cuándo sale; null si no se sabe.",
	"missionaries_count":    "Misioneros del distrito.",
	"duration_weeks":        "3 o 6 semanas.",
	"status":                "Futuro, Virtual, CCM o Campo.",
	"missionary_id":         "El misionero.",
	"treatment":             "Elder o Hermana.",
	"missionary_name":       "Su nombre.",
	"birthday":              "Su próximo cumpleaños.",
	"age_turning":           "Los años que cumple.",
	"email_missionary":      "Su correo misional.",
	"email_personal":        "Su correo personal.",
	"three_weeks_program":   "Si está en el programa de tres semanas.",
	"first_generation_date": "La primera generación del distrito.",
	"first_ccm_arrival":     "La primera llegada.",
	"last_ccm_departure":    "La última salida.",
	"total_missionaries":    "Misioneros del distrito.",
	"total_companionships":  "Compañerismos; null si las vistas no lo dicen.",
	"elders_count":          "Élderes.",
	"sisters_count":         "Hermanas.",
	"metric":                "total_missionaries, en_ccm, virtuales, futuros o tres_semanas.",
	"value":                 "La cifra.",
	"unit":                  "La unidad de la cifra.",
	"generated_for_week":    "El lunes de la semana.",
}
