package httpapi

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/ccmwf/ccm/ccm"
)

var idempotencyParam = &huma.Param{
	Name: "Idempotency-Key", In: "header",
	Description: "De 1 a 255 caracteres ASCII visibles, con comillas o sin ellas. La misma clave con el mismo cuerpo da otra vez la primera respuesta " +
		"(Idempotent-Replayed: true) y no envía nada; vale 24 h, por clave de API y dirección. Con otro cuerpo es 422; mientras la primera sigue en curso, 409. Con CCM_JOURNAL_URL vale entre réplicas y tras reiniciar. " +
		"Tras un rechazo definitivo la clave queda libre; un envío parcial sigue con la parte que falta. dry_run no la usa.",
	Schema: &huma.Schema{Type: huma.TypeString},
}

func replayedHeader() map[string]*huma.Param {
	return map[string]*huma.Param{"Idempotent-Replayed": {
		Description: "true si es la primera respuesta otra vez.", Schema: &huma.Schema{Type: huma.TypeString},
	}}
}

func retryHeader() map[string]*huma.Param {
	return map[string]*huma.Param{"Retry-After": {
		Description: "Segundos hasta poder repetir, con telegram_rate_limited.", Schema: &huma.Schema{Type: huma.TypeInteger},
	}}
}

// sendOperation is what the three POSTs share.
func (d *describer) sendOperation(op huma.Operation, sent []sample) *huma.Operation {
	op.Tags = []string{tagTelegram}
	op.Parameters = []*huma.Param{idempotencyParam}
	op.Responses = responses{
		"200": d.answer("El mensaje se entregó, o se preparó con dry_run", sent...),
		"400": d.problem(brokenJSONSample, badKeySample),
		"408": d.problem(slowBodySample),
		"409": d.problem(busyKeySample),
		"413": d.problem(largeBodySample),
		"415": d.problem(mediaTypeSample),
		"422": d.problem(reusedKeySample),
		"500": d.failure(500, failedSends(ccm.AlertID, ccm.CodeInternal), internalSample),
		"502": d.failure(502, failedSends(ccm.AlertID, telegramCodes...)),
		"503": d.failure(503, failedSends(ccm.AlertID, ccm.CodeTelegramDisabled, ccm.CodeTelegramRateLimited)),
		"504": d.failure(504, failedSends(ccm.AlertID, ccm.CodeTelegramTimeout)),
	}
	op.Responses["200"].Headers = replayedHeader()
	op.Responses["503"].Headers = retryHeader()
	return &op
}

// reportOperation adds what a report has and an alert has not: a dataset.
func (d *describer) reportOperation(op huma.Operation, dataset string, sent []sample) *huma.Operation {
	whole := d.sendOperation(op, sent)
	failed := func(codes ...ccm.Code) []sample { return failedSends(dataset, codes...) }
	whole.Responses["403"] = d.failure(403, failed(ccm.CodeInvalidBranch), foreignSample)
	whole.Responses["422"] = d.problem(reportFaultsSample, reusedKeySample)
	whole.Responses["500"] = d.failure(500, failed(ccm.CodeInternal), internalSample)
	whole.Responses["502"] = d.failure(502, append(failed(telegramCodes...), failed(datasetCodes(dataset)...)...))
	whole.Responses["503"] = d.failure(503, failed(ccm.CodeTelegramDisabled, ccm.CodeTelegramRateLimited, ccm.CodeDataset, ccm.CodeJournal))
	whole.Responses["503"].Headers = retryHeader()
	whole.Responses["504"] = d.failure(504, failed(ccm.CodeTelegramTimeout, ccm.CodeDataset))
	return whole
}

func describeArrivals(d *describer) *huma.Operation {
	return d.reportOperation(huma.Operation{
		OperationID: "enviarProximosIngresos",
		Summary:     "Envía el reporte de próximos ingresos",
		Description: "Los distritos que entran al CCM en los próximos días, por fecha. Si no hay ninguno se envía un mensaje que lo dice.",
		RequestBody: d.body(arrivalFields, false,
			sample{"usual", "Sesenta días de la rama 14", map[string]any{"branch_id": 14, "days_ahead": 60}},
			sample{"vista_previa", "Prepara el mensaje sin enviarlo", map[string]any{"branch_id": 14, "days_ahead": 30, "dry_run": true}},
			sample{"vacio", "Todo por omisión", map[string]any{}}),
	}, ccm.UpcomingArrivals, arrivalsSent)
}

func describeBirthdays(d *describer) *huma.Operation {
	return d.reportOperation(huma.Operation{
		OperationID: "enviarProximosCumpleanos",
		Summary:     "Envía el reporte de próximos cumpleaños",
		Description: "Los misioneros que cumplen años en los próximos días, por mes y día.",
		RequestBody: d.body(birthdayFields, false,
			sample{"usual", "Noventa días de la rama 14", map[string]any{"branch_id": 14, "days_ahead": 90}},
			sample{"actualizar", "Lee la base aunque la caché esté fresca", map[string]any{"branch_id": 14, "force_refresh": true}},
			sample{"vacio", "Todo por omisión", map[string]any{}}),
	}, ccm.UpcomingBirthdays, birthdaysSent)
}

func describeAlert(d *describer) *huma.Operation {
	op := d.sendOperation(huma.Operation{
		OperationID: "enviarAlerta",
		Summary:     "Envía una alerta",
		Description: "Un mensaje con encabezado, texto y gravedad. La rama solo se muestra.",
		RequestBody: d.body(alertFields, true,
			sample{"aviso", "Una advertencia de la rama 14", map[string]any{"title": "Respaldo atrasado", "body": "El respaldo terminó 40 minutos tarde.", "level": "warning", "branch_id": 14}},
			sample{"minima", "Solo lo obligatorio", map[string]any{"title": "Prueba", "body": "Hola"}}),
	}, alertsSent)
	op.Responses["403"] = d.problem(foreignSample)
	op.Responses["422"] = d.problem(alertFaultsSample, reusedKeySample)
	return op
}

func describeDatasets(d *describer) *huma.Operation {
	ids := &huma.Schema{Type: huma.TypeString, Enum: []any{
		ccm.UpcomingArrivals, ccm.UpcomingBirthdays, ccm.BranchSummaryID, ccm.DistrictKPIs, oldDistrictKPIs}}
	id := &huma.Param{Name: "dataset_id", In: "path", Required: true, Schema: ids,
		Description: "Qué datos; district_kpi es el nombre anterior de district_kpis."}
	window := queryFields(ccm.MaxBirthdayDays, 0)
	window[1].zero = nil
	window[1].doc = "Los días de la ventana: upcoming_arrivals de 1 a 180 (60), upcoming_birthdays de 1 a 365 (90); en los demás no tiene efecto."
	return &huma.Operation{
		OperationID: "leerDatos",
		Summary:     "Lee un conjunto de datos",
		Description: "Los registros y de dónde salieron: caché, edad, cuántos se dejaron fuera.",
		Tags:        []string{tagData},
		Parameters:  append([]*huma.Param{id}, d.query(window)...),
		Responses: responses{
			"200": d.datasets(),
			"403": d.problem(failedRead(ccm.CodeInvalidBranch)),
			"404": d.problem(unknownDatasetSample, failedRead(ccm.CodeMissingRows)),
			"422": d.problem(queryFaultsSample),
			"502": d.problem(failedReads(ruleCodes...)...),
			"503": d.problem(failedRead(ccm.CodeDataset)),
			"504": d.problem(lateReadSample),
		},
	}
}

// datasets is the answer of any of the four.
func (d *describer) datasets() *huma.Response {
	any4 := &huma.Schema{}
	for _, s := range datasetSamples {
		any4.AnyOf = append(any4.AnyOf, d.schema(s.value))
	}
	response := d.answer("Los registros y sus metadatos", datasetSamples...)
	response.Content[jsonType[0]].Schema = any4
	return response
}

func describeHealth(d *describer) *huma.Operation {
	return &huma.Operation{
		OperationID: "salud",
		Summary:     "Estado del servicio y de lo que usa",
		Description: "Siempre 200 mientras el proceso atiende. Lo observado se recuerda unos segundos (Telegram, un minuto).",
		Tags:        []string{tagService},
		Responses:   responses{"200": d.answer("El servicio atiende", healthSamples...)},
	}
}

func describeReady(d *describer) *huma.Operation {
	return &huma.Operation{
		OperationID: "listo",
		Summary:     "Si puede recibir peticiones",
		Description: "503 mientras arranca o se detiene. Que falte una dependencia no lo cambia: los datos en caché y las alertas siguen saliendo.",
		Tags:        []string{tagService},
		Responses: responses{
			"200": d.answer("Listo", sample{"listo", "Listo", readyAnswer{"ready"}}),
			"503": d.problem(notReadySample),
		},
	}
}

func describeIndex(d *describer) *huma.Operation {
	return &huma.Operation{
		OperationID: "inicio",
		Summary:     "Qué servicio es y dónde está lo demás",
		Tags:        []string{tagService},
		Responses:   responses{"200": d.answer("Direcciones relativas a esta", indexSample)},
	}
}

func describeMetrics(*describer) *huma.Operation {
	return &huma.Operation{
		OperationID: "metricas",
		Summary:     "Métricas para Prometheus",
		Tags:        []string{tagService},
		Responses: responses{"200": rawContent("text/plain", "El formato de texto de Prometheus",
			"# TYPE go_goroutines gauge\ngo_goroutines 12\n")},
	}
}

func describeOpenAPI(*describer) *huma.Operation {
	return &huma.Operation{
		OperationID: "openapi",
		Summary:     "Este documento",
		Tags:        []string{tagService},
		Responses: responses{"200": {Description: "OpenAPI 3.1", Content: map[string]*huma.MediaType{
			jsonType[0]: {Schema: &huma.Schema{Type: huma.TypeObject}, Examples: map[string]*huma.Example{
				"documento": {Summary: "El principio", Value: map[string]any{"openapi": "3.1.0"}},
			}},
		}}},
	}
}

func describeDocs(*describer) *huma.Operation {
	return &huma.Operation{
		OperationID: "documentacion",
		Summary:     "La página de documentación",
		Description: "Swagger UI, servida por el propio binario: no necesita internet.",
		Tags:        []string{tagService},
		Responses:   responses{"200": rawContent("text/html", "La página", "<!doctype html>…")},
	}
}
