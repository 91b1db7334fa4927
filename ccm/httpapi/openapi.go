package httpapi

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/store"
)

const introduction = `Reportes y alertas de un Centro de Capacitación Misional por Telegram, y los datos de que salen.

* **Claves.** ` + "`Authorization: Bearer CLAVE` o `X-API-Key: CLAVE`" + `. Sin clave: /health, /ready, /docs, /openapi.json y /.
* **Lectura tolerante.** Los campos desconocidos se ignoran; "14" y 45.0 valen como enteros, "on" como true, null como el valor por omisión.
* **Errores.** Una operación que falló responde con su mismo cuerpo y un status que le corresponde (200 con CCM_LEGACY_STATUS). Una petición que no llegó a ser operación, y todo fallo de un GET, responde application/problem+json.
* **Identificador.** ` + "`X-Request-ID`" + ` (1 a 128 de A-Z a-z 0-9 . _ -) se conserva o se genera; vuelve en el encabezado, en message_id y en los registros.
* **Repetir sin duplicar.** Con ` + "`Idempotency-Key`" + ` la misma petición da otra vez la primera respuesta y no envía nada: en todas las réplicas y tras reiniciar con CCM_JOURNAL_URL, y sin ella mientras el proceso viva.
* **Lo incierto.** Una parte que pudo haber llegado no se repite sola: GET /deliveries la muestra, y una persona la reenvía o la descarta.`

// Tags of the operations.
const (
	tagTelegram   = "Telegram"
	tagDeliveries = "Envíos"
	tagData       = "Datos"
	tagService    = "Servicio"
)

// describer makes the OpenAPI document. The Go types of the answers, the field
// tables of the requests and the samples are its only sources.
type describer struct{ schemas huma.Registry }

// describe is the OpenAPI 3.1 document of the routes.
func describe(routes []route, version string) ([]byte, error) {
	d := &describer{huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)}
	d.schemas.RegisterTypeAlias(reflect.TypeFor[store.Date](), reflect.TypeFor[civilDate]())
	document := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title:       "CCM",
			Version:     version,
			Description: introduction,
			License:     &huma.License{Name: "MIT", Identifier: "MIT"},
		},
		// Relative to the document itself, so that it holds under any prefix.
		Servers: []*huma.Server{{URL: ".", Description: "Donde está este documento"}},
		Components: &huma.Components{
			Schemas: d.schemas,
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"bearer": {Type: "http", Scheme: "bearer", Description: "Authorization: Bearer CLAVE"},
				"apiKey": {Type: "apiKey", In: "header", Name: "X-API-Key", Description: "X-API-Key: CLAVE"},
			},
		},
		Tags: []*huma.Tag{
			{Name: tagTelegram, Description: "Envía reportes y alertas al chat."},
			{Name: tagDeliveries, Description: "Lo que se envió, y lo que una persona decide de lo incierto."},
			{Name: tagData, Description: "Los datos de los reportes, en JSON."},
			{Name: tagLoad, Description: "La carga semanal, de Google Drive a la base de datos."},
			{Name: tagService, Description: "Estado, métricas y documentación."},
		},
	}
	for _, rt := range routes {
		if rt.describe != nil {
			document.AddOperation(d.operation(rt))
		}
	}
	d.refine()
	return json.Marshal(document)
}

// operation describes a route: what it says itself, and what all share.
func (d *describer) operation(rt route) *huma.Operation {
	op := rt.describe(d)
	op.Method, op.Path = rt.method, strings.TrimSuffix(rt.path, "{$}")
	op.Parameters = append(op.Parameters, requestIDParam)
	if !rt.open {
		op.Security = []map[string][]string{{"bearer": {}}, {"apiKey": {}}}
		op.Responses["401"] = d.problem(missingKeySample, wrongKeySample)
	}
	if op.Responses["500"] == nil {
		op.Responses["500"] = d.problem(internalSample)
	}
	for _, response := range op.Responses {
		if response.Headers == nil {
			response.Headers = map[string]*huma.Param{}
		}
		response.Headers["X-Request-ID"] = &huma.Param{
			Description: "El identificador de la petición.", Schema: &huma.Schema{Type: huma.TypeString}}
	}
	return op
}

var requestIDParam = &huma.Param{
	Name: "X-Request-ID", In: "header",
	Description: "Identificador de quien llama, para seguir la petición en los registros; otro valor se sustituye.",
	Schema:      &huma.Schema{Type: huma.TypeString, Pattern: "^[A-Za-z0-9._-]{1,128}$"},
}

// sample is one example of an answer, or of a request.
type sample struct {
	name, summary string
	value         any
}

func examples(samples []sample) map[string]*huma.Example {
	all := make(map[string]*huma.Example, len(samples))
	for _, s := range samples {
		all[s.name] = &huma.Example{Summary: s.summary, Value: s.value}
	}
	return all
}

// schema refers to the schema of v's type, which joins the components.
func (d *describer) schema(v any) *huma.Schema {
	return d.schemas.Schema(reflect.TypeOf(v), true, "")
}

// answer is a JSON response whose samples are all of one type.
func (d *describer) answer(description string, samples ...sample) *huma.Response {
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{
		jsonType[0]: {Schema: d.schema(samples[0].value), Examples: examples(samples)},
	}}
}

// problem is a problem response.
func (d *describer) problem(samples ...sample) *huma.Response {
	first := samples[0].value.(*problem)
	return &huma.Response{Description: first.Title, Content: map[string]*huma.MediaType{
		problemType[0]: {Schema: d.schema(problem{}), Examples: examples(samples)},
	}}
}

// failure is the response of an operation that failed: its usual body. Some
// statuses may also answer a problem.
func (d *describer) failure(status int, failed []sample, problems ...sample) *huma.Response {
	response := d.answer(titles[status], failed...)
	if len(problems) > 0 {
		response.Content[problemType[0]] = d.problem(problems...).Content[problemType[0]]
	}
	return response
}

// body is the request body that fields make up.
//
// Other fields are passed over; see strictBody.
func (d *describer) body(fields []field, required bool, samples ...sample) *huma.RequestBody {
	object := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Properties: map[string]*huma.Schema{}}
	for _, f := range fields {
		object.Properties[f.name] = f.schema()
		if f.required {
			object.Required = append(object.Required, f.name)
		}
	}
	return &huma.RequestBody{Required: required, Content: map[string]*huma.MediaType{
		jsonType[0]: {Schema: object, Examples: examples(samples)},
	}}
}

// strictBody is body of what readStrictBody reads.
func (d *describer) strictBody(fields []field, samples ...sample) *huma.RequestBody {
	b := d.body(fields, false, samples...)
	b.Content[jsonType[0]].Schema.AdditionalProperties = false
	return b
}

// query are the parameters that fields make up.
func (d *describer) query(fields []field) []*huma.Param {
	var all []*huma.Param
	for _, f := range fields {
		s := f.schema()
		s.Description, s.Nullable = "", false
		all = append(all, &huma.Param{Name: f.name, In: "query", Description: f.doc, Schema: s})
	}
	return all
}

// civilDate describes store.Date, which knows nothing of OpenAPI.
type civilDate struct{}

// Schema makes civilDate a huma.SchemaProvider.
func (civilDate) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date", Nullable: true}
}

// refine adds what Go types cannot say: that answers may grow, what the fields
// of other packages mean, and that a cache may be null.
func (d *describer) refine() {
	for _, s := range d.schemas.Map() {
		if s.Type != huma.TypeObject {
			continue
		}
		s.AdditionalProperties = true
		for name, property := range s.Properties {
			if property.Description == "" {
				property.Description = meanings[name]
			}
			if name == "cache" && property.Ref == d.schema(ccm.CacheMeta{}).Ref {
				s.Properties[name] = nullable(property)
			}
		}
	}
}

func nullable(s *huma.Schema) *huma.Schema {
	return &huma.Schema{Description: s.Description, AnyOf: []*huma.Schema{{Ref: s.Ref}, {Type: "null"}}}
}

// responses of an operation, by status.
type responses = map[string]*huma.Response

// rawContent is a response that is not JSON of ours.
func rawContent(contentType, description, example string) *huma.Response {
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{
		contentType: {Schema: &huma.Schema{Type: huma.TypeString}, Examples: map[string]*huma.Example{
			"respuesta": {Summary: description, Value: example},
		}},
	}}
}
