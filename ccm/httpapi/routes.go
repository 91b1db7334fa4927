package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// route is one endpoint: where it is, what it needs, what it does and how the
// OpenAPI document describes it.
type route struct {
	method, path string
	open         bool // needs no API key
	quiet        bool // logged at DEBUG: probes would drown the rest
	handle       func(*exchange, *http.Request) error
	describe     func(*describer) *huma.Operation // nil: not in the document
}

// routes lists every endpoint with what it needs. A GET answers HEAD too.
func (h *Handler) routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	list := []route{
		{method: post, path: "/telegram/proximos-ingresos", handle: h.sendArrivals, describe: describeArrivals},
		{method: post, path: "/telegram/proximos-cumpleanos", handle: h.sendBirthdays, describe: describeBirthdays},
		{method: post, path: "/telegram/alerta", handle: h.sendAlert, describe: describeAlert},
		{method: post, path: "/extraccion_generacion", handle: h.extract, describe: describeExtraction},
		{method: get, path: "/datasets/{dataset_id}", handle: h.dataset, describe: describeDatasets},
		{method: get, path: "/deliveries", handle: h.listDeliveries, describe: describeDeliveries},
		{method: get, path: "/deliveries/{delivery_id}", handle: h.showDelivery, describe: describeDelivery},
		{method: post, path: "/deliveries/{delivery_id}/resend", handle: h.resendDelivery, describe: describeResend},
		{method: post, path: "/deliveries/{delivery_id}/discard", handle: h.discardDelivery, describe: describeDiscard},
		{method: get, path: "/cache", handle: h.cacheStats, describe: describeCache},
		{method: post, path: "/cache/invalidate", handle: h.cacheInvalidate, describe: describeInvalidate},
		{method: post, path: "/cache/warm", handle: h.cacheWarm, describe: describeWarm},
		{method: get, path: "/health", open: true, quiet: true, handle: h.healthReport, describe: describeHealth},
		{method: get, path: "/ready", open: true, quiet: true, handle: h.readiness, describe: describeReady},
		{method: get, path: "/{$}", open: true, handle: h.index, describe: describeIndex},
	}
	if h.cfg.Metrics != nil {
		list = append(list, route{method: get, path: "/metrics", quiet: true, handle: h.metrics, describe: describeMetrics})
	}
	if !h.cfg.NoDocs {
		list = append(list,
			route{method: get, path: "/openapi.json", open: true, handle: h.openAPIDocument, describe: describeOpenAPI},
			route{method: get, path: "/docs", open: true, handle: docsPage, describe: describeDocs},
			route{method: get, path: "/docs/{asset...}", open: true, handle: docsAsset},
		)
	}
	return list
}

// mount puts the routes into the mux, and beside each path what answers its
// other methods.
func (h *Handler) mount(routes []route) {
	allowed := map[string][]string{}
	for _, rt := range routes {
		h.mux.HandleFunc(rt.method+" "+rt.path, h.serve(rt))
		allowed[rt.path] = append(allowed[rt.path], rt.method)
		if rt.method == http.MethodGet {
			allowed[rt.path] = append(allowed[rt.path], http.MethodHead)
		}
	}
	for path, methods := range allowed {
		slices.Sort(methods)
		h.mux.HandleFunc(path, h.serve(route{path: path, open: true, handle: methodNotAllowed(methods)}))
	}
	h.mux.HandleFunc("/", h.serve(route{open: true, handle: notFound}))
}

// serve makes a route an http.HandlerFunc: what goes wrong becomes a problem.
func (h *Handler) serve(rt route) http.HandlerFunc {
	name := strings.TrimSuffix(rt.path, "{$}")
	return func(w http.ResponseWriter, r *http.Request) {
		x := w.(*exchange) // ServeHTTP made it
		x.route, x.quiet = name, rt.quiet
		var err error
		if !rt.open {
			err = h.authorize(x, r)
		}
		if err == nil {
			err = rt.handle(x, r)
		}
		if err != nil {
			h.fail(x, r, err)
		}
	}
}

func methodNotAllowed(methods []string) func(*exchange, *http.Request) error {
	allow := strings.Join(methods, ", ")
	return func(x *exchange, _ *http.Request) error {
		x.Header().Set("Allow", allow)
		return newProblem(http.StatusMethodNotAllowed, "Esta dirección solo admite "+allow+".")
	}
}

func notFound(*exchange, *http.Request) error {
	return newProblem(http.StatusNotFound, "Esta dirección no existe en la API.")
}
