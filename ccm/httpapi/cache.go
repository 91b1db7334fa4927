package httpapi

import (
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/ccm"
)

// cacheReport is what GET /cache answers, since the start of this process.
type cacheReport struct {
	MemoryHits  int64  `json:"memory_hits" doc:"Datos servidos de la memoria."`
	RedisHits   int64  `json:"redis_hits" doc:"Datos servidos de Redis."`
	Misses      int64  `json:"misses" doc:"Datos que no estaban en la caché, o ya no valían."`
	Loads       int64  `json:"loads" doc:"Lecturas de la base de datos."`
	LoadErrors  int64  `json:"load_errors" doc:"Lecturas que fallaron."`
	StaleServed int64  `json:"stale_served" doc:"Datos anteriores que suplieron a la base de datos."`
	Refreshes   int64  `json:"refreshes" doc:"Lecturas antes de que los datos caducaran: pedidas, o en segundo plano."`
	Evictions   int64  `json:"evictions" doc:"Datos que no cupieron en la memoria."`
	RedisErrors int64  `json:"redis_errors" doc:"Consultas a Redis sin respuesta, o rechazadas."`
	Unreadable  int64  `json:"unreadable" doc:"Entradas de Redis que no se pudieron leer."`
	Entries     int64  `json:"entries" doc:"Entradas en la memoria."`
	Bytes       int64  `json:"bytes" doc:"Lo que ocupan."`
	Redis       string `json:"redis" enum:"none,closed,open,half-open" doc:"none: no hay; closed: se usa; open: falla y se le deja en paz; half-open: se le está probando."`
	Pending     int64  `json:"pending" doc:"Invalidaciones que Redis aún no sabe."`
}

func newCacheReport(s cache.Stats) cacheReport {
	return cacheReport{
		s.MemoryHits, s.RedisHits, s.Misses, s.Loads, s.LoadErrors, s.StaleServed, s.Refreshes, s.Evictions,
		s.RedisErrors, s.Unreadable, s.Entries, s.Bytes, s.Breaker.String(), s.Pending,
	}
}

// forgotten is what POST /cache/invalidate answers.
type forgotten struct {
	Branch *int `json:"branch_id" doc:"La rama cuyos datos se quitaron; null: todas."`
}

// warmed is what POST /cache/warm answers.
type warmed struct {
	Datasets int `json:"datasets" doc:"Conjuntos de datos que están en la caché, de cada rama."`
	Failed   int `json:"failed" doc:"Los que no se pudieron leer; el registro dice por qué."`
}

var forgetFields = []field{
	{name: "branch_id", kind: integer, min: 1, max: ccm.MaxBranch, doc: "La rama; sin ella, todas."},
}

// cacheStats answers GET /cache.
func (h *Handler) cacheStats(x *exchange, r *http.Request) error {
	if _, err := readQuery(r, nil); err != nil {
		return err
	}
	report := newCacheReport(h.client.Cache().Stats())
	return x.json(http.StatusOK, jsonType, &report)
}

// cacheInvalidate answers POST /cache/invalidate.
func (h *Handler) cacheInvalidate(x *exchange, r *http.Request) error {
	in, err := readStrictBody(x, r, forgetFields)
	if err != nil {
		return err
	}
	branch := in.int("branch_id")
	x.note(slog.Int("branch_id", branch))
	if err := h.client.Invalidate(r.Context(), branch); err != nil {
		return err
	}
	done := forgotten{}
	if branch != 0 {
		done.Branch = &branch
	}
	return x.json(http.StatusOK, jsonType, &done)
}

// cacheWarm answers POST /cache/warm.
func (h *Handler) cacheWarm(x *exchange, r *http.Request) error {
	if _, err := readStrictBody(x, r, nil); err != nil {
		return err
	}
	w, err := h.client.Warm(r.Context())
	x.note(slog.Int("datasets", w.Datasets), slog.Int("failed", w.Failed))
	if err != nil && w.Datasets == 0 {
		return err
	}
	return x.json(http.StatusOK, jsonType, &warmed{w.Datasets, w.Failed})
}

func describeCache(d *describer) *huma.Operation {
	return &huma.Operation{
		OperationID: "cache",
		Summary:     "Qué ha hecho la caché",
		Description: "De este proceso, desde que arrancó; cada réplica tiene su cuenta.",
		Tags:        []string{tagService},
		Responses: responses{"200": d.answer("Las cuentas", sample{"cache", "Una mañana", newCacheReport(cache.Stats{
			MemoryHits: 1840, RedisHits: 12, Misses: 9, Loads: 9, Refreshes: 14, Entries: 8, Bytes: 91_240, Breaker: cache.BreakerClosed,
		})})},
	}
}

func describeInvalidate(d *describer) *huma.Operation {
	fourteen := 14
	return &huma.Operation{
		OperationID: "invalidarCache",
		Summary:     "Quita de la caché los datos de una rama, o todos",
		Description: "En todas las réplicas: la siguiente petición lee la base de datos. Si Redis no responde o lo rechaza es 503: se quitaron de este proceso, Redis lo sabrá en cuanto lo acepte, y las demás réplicas a más tardar un minuto después.",
		Tags:        []string{tagService},
		RequestBody: d.strictBody(forgetFields,
			sample{"rama", "Los de la rama 14", map[string]any{"branch_id": 14}},
			sample{"todo", "Todos", map[string]any{}}),
		Responses: responses{
			"200": d.answer("Ya no están", sample{"rama", "Los de la rama 14", forgotten{&fourteen}}),
			"400": d.problem(brokenJSONSample),
			"403": d.problem(failedRead(ccm.CodeInvalidBranch)),
			"408": d.problem(slowBodySample),
			"413": d.problem(largeBodySample),
			"415": d.problem(mediaTypeSample),
			"422": d.problem(faultsSample(forgetFields, "body", map[string]any{"branch_id": "catorce"})),
			"503": d.problem(failedRead(ccm.CodeCache)),
		},
	}
}

func describeWarm(d *describer) *huma.Operation {
	return &huma.Operation{
		OperationID: "prepararCache",
		Summary:     "Pone en la caché los datos de las ramas configuradas",
		Description: "Lo que ya está fresco no se lee otra vez. Si no se pudo leer nada, dice el primer porqué; con la caché apagada (REPORT_CACHE_TTL_MINUTES=0) no hace nada. El servicio lo hace solo al arrancar y después de cada medianoche.",
		Tags:        []string{tagService},
		Responses: responses{
			"200": d.answer("Lo que hay", sample{"preparados", "Dos ramas", warmed{Datasets: 8}}),
			"404": d.problem(failedRead(ccm.CodeMissingRows)),
			"502": d.problem(failedReads(ruleCodes...)...),
			"503": d.problem(failedRead(ccm.CodeDataset)),
		},
	}
}
