package httpapi

import (
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ccmwf/ccm/ccm"
)

// DefaultTimeout bounds a whole request when Config.Timeout is zero.
const DefaultTimeout = 60 * time.Second

// Config says how the API behaves. Its zero value works: no authentication,
// docs served, 60 s a request, nothing logged.
type Config struct {
	// Keys are the API keys by name. The name goes into the logs, the key never.
	// Empty: no authentication, which New logs as a WARNING. A name with an
	// empty key lets nobody in.
	Keys map[string]string
	// Legacy answers 200 where an operation failed, as the Python service did;
	// the body still says success=false (CCM_LEGACY_STATUS).
	Legacy bool
	// NoDocs makes /docs and /openapi.json answer 404 (ENABLE_SWAGGER=false).
	NoDocs bool
	// Development is APP_ENV=development, for a caller who is stricter elsewhere;
	// New does not look at it. Zero: elsewhere.
	Development bool
	// Timeout bounds a whole request. Zero: DefaultTimeout.
	Timeout time.Duration
	// Version is what /, /health and the OpenAPI document say. Zero: "dev".
	Version string
	// Metrics serves GET /metrics. Nil: 404.
	Metrics http.Handler
	// Load does what POST /extraccion_generacion asks for. Nil: it answers 503.
	Load Load
	// Folder is the folder of Drive where a load names none. Empty: it must.
	Folder string
	// Logger gets one line a request. Nil: discard.
	Logger *slog.Logger
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

func (cfg Config) withDefaults() Config {
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.Version == "" {
		cfg.Version = "dev"
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return cfg
}

// Handler is the API. It is safe for concurrent use; make it with New.
type Handler struct {
	client  *ccm.Client
	cfg     Config
	keys    keyring
	foreign *http.CrossOriginProtection
	mux     *http.ServeMux
	openAPI func() ([]byte, error)
	checks  []*check
	started time.Time
	ready   atomic.Bool
}

// New makes the API over an open client, which stays the caller's to close.
// The Handler is not ready until SetReady(true).
func New(c *ccm.Client, cfg Config) *Handler {
	h := &Handler{
		client:  c,
		cfg:     cfg.withDefaults(),
		keys:    newKeyring(cfg.Keys),
		foreign: http.NewCrossOriginProtection(),
		mux:     http.NewServeMux(),
	}
	h.started = h.cfg.Now()
	h.checks = newChecks(c, h.cfg.Now)
	routes := h.routes()
	h.mount(routes)
	h.openAPI = sync.OnceValues(func() ([]byte, error) { return describe(routes, h.cfg.Version) })
	if len(cfg.Keys) == 0 {
		h.cfg.Logger.Warn("la API atiende sin clave: cualquiera que llegue a su puerto puede usarla", "etapa", "http")
	}
	return h
}

// SetReady says whether GET /ready answers 200 or 503.
func (h *Handler) SetReady(ready bool) { h.ready.Store(ready) }

// OpenAPI is the OpenAPI 3.1 document of the API, as JSON. The caller must not
// change it. It is made at the first call.
func (h *Handler) OpenAPI() ([]byte, error) { return h.openAPI() }
