package httpapi

import (
	"embed"
	"net/http"

	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"
)

// The docs page is Swagger UI with a start of our own: nothing inline, so that
// its policy allows no script but the binary's, and every address relative, so
// that it works under a host's prefix.
//
//go:embed page/index.html page/init.js
var pageFiles embed.FS

var swaggerUI = v5emb.NewHandlerWithConfig(swgui.Config{InternalBasePath: "/docs"})

// docsPolicy lets Swagger UI work: its styles and icons are inline.
var docsPolicy = []string{"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}

// assets lets a browser keep the docs page's files for an hour.
var assets = []string{"public, max-age=3600"}

func docsPage(x *exchange, _ *http.Request) error {
	x.Header()["Content-Security-Policy"] = docsPolicy
	return x.file("page/index.html", "text/html; charset=utf-8")
}

func docsAsset(x *exchange, r *http.Request) error {
	switch r.PathValue("asset") {
	case "": // relative addresses need /docs without its slash
		x.Header().Set("Location", "../docs")
		x.WriteHeader(http.StatusPermanentRedirect)
	case "init.js":
		return x.file("page/init.js", "text/javascript; charset=utf-8")
	case "swagger-ui.css", "swagger-ui-bundle.js", "favicon-16x16.png", "favicon-32x32.png":
		x.Header()["Cache-Control"] = assets
		swaggerUI.ServeHTTP(x, r)
	default:
		return notFound(x, r)
	}
	return nil
}

// file answers one of the embedded files.
func (x *exchange) file(name, contentType string) error {
	content, err := pageFiles.ReadFile(name)
	if err != nil {
		return err
	}
	x.bytes(http.StatusOK, []string{contentType}, content)
	return nil
}

// openAPIDocument answers GET /openapi.json.
func (h *Handler) openAPIDocument(x *exchange, _ *http.Request) error {
	document, err := h.OpenAPI()
	if err != nil {
		return err
	}
	x.bytes(http.StatusOK, jsonType, document)
	return nil
}

// indexAnswer is the body of GET /. Its addresses are relative to it.
type indexAnswer struct {
	Service string `json:"service" doc:"El nombre del servicio."`
	Version string `json:"version" doc:"La versión del servicio."`
	Docs    string `json:"docs,omitempty" doc:"La página de documentación."`
	OpenAPI string `json:"openapi,omitempty" doc:"El documento OpenAPI."`
	Health  string `json:"health" doc:"El estado del servicio."`
}

func (h *Handler) index(x *exchange, _ *http.Request) error {
	body := indexAnswer{Service: service, Version: h.cfg.Version, Docs: "docs", OpenAPI: "openapi.json", Health: "health"}
	if h.cfg.NoDocs {
		body.Docs, body.OpenAPI = "", ""
	}
	return x.json(http.StatusOK, jsonType, &body)
}

// metrics answers GET /metrics with the host's handler.
func (h *Handler) metrics(x *exchange, r *http.Request) error {
	h.cfg.Metrics.ServeHTTP(x, r)
	return nil
}
