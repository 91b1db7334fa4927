package httpapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
)

// service is the name under which /health and / present themselves.
const service = "ccm-api"

// How long a dependency may take to answer a check, and how long what it
// answered stands: probes come often, and Telegram is not ours to poll.
const (
	checkTimeout = 2 * time.Second
	checkTTL     = 5 * time.Second
	telegramTTL  = time.Minute
)

// The words of the answers, which programs read.
const (
	statusOK   = "ok"
	statusDown = "down"
	statusOff  = "off"
	healthy    = "healthy"
	degraded   = "degraded"
)

// healthAnswer is the body of GET /health.
type healthAnswer struct {
	Status        string      `json:"status" enum:"healthy,degraded" doc:"degraded si alguna dependencia está caída; el servicio atiende igual."`
	Version       string      `json:"version" doc:"La versión del servicio."`
	Service       string      `json:"service" doc:"El nombre del servicio."`
	UptimeSeconds float64     `json:"uptime_seconds" doc:"Segundos desde que arrancó."`
	Checks        checkStates `json:"checks" doc:"Cada dependencia."`
}

type checkStates struct {
	Database checkState `json:"database" doc:"La base de datos MySQL."`
	Cache    checkState `json:"cache" doc:"La caché, en memoria o en Redis."`
	Telegram checkState `json:"telegram" doc:"El bot de Telegram."`
	Journal  checkState `json:"journal" doc:"El diario de envíos, en MySQL; off: en la memoria de este proceso."`
}

// checkState is what is known of one dependency.
type checkState struct {
	Status    string  `json:"status" enum:"ok,down,off" doc:"off: no está configurada."`
	LatencyMS float64 `json:"latency_ms" doc:"Lo que tardó en responder, en milisegundos."`
	Detail    string  `json:"detail" doc:"Qué se observó."`
}

// check asks one dependency how it is, and remembers the answer for a while.
type check struct {
	ask    func(context.Context) error // nil: not configured
	detail func(error) string          // Spanish, without hosts or secrets
	ttl    time.Duration               // of a good answer; a bad one stands for checkTTL
	off    string                      // the detail where it is not configured; "": that it is not
	now    func() time.Time

	mu    sync.Mutex
	state checkState
	until time.Time
}

// newChecks are database, cache, Telegram and the journal, in the order of checkStates.
func newChecks(c *ccm.Client, now func() time.Time) []*check {
	database := &check{detail: databaseDetail, ttl: checkTTL, now: now}
	if s := c.Store(); s != nil {
		database.ask = s.Ping
	}
	redis := &check{ask: c.Cache().Ping, detail: redisDetail, ttl: checkTTL, now: now}
	bot := &check{detail: telegramDetail, ttl: telegramTTL, now: now}
	if b := c.Telegram(); b != nil {
		bot.ask = func(ctx context.Context) error { return b.Call(ctx, "getMe", nil, nil) }
	}
	journal := &check{detail: messageOf, ttl: checkTTL, now: now, off: "en memoria: solo este proceso"}
	if c.Journal() != nil {
		journal.ask = c.CheckJournal
	}
	return []*check{database, redis, bot, journal}
}

func redisDetail(err error) string {
	if errors.Is(err, cache.ErrDeaf) {
		return "Redis no deja oír a las demás réplicas; cada petición le pregunta si sus datos aún valen"
	}
	return "Redis falla; atiende la memoria de este proceso"
}

// get is the remembered state, or a fresh one. Whoever comes meanwhile waits
// for the one who asks.
func (c *check) get(ctx context.Context) checkState {
	if c.ask == nil {
		return checkState{Status: statusOff, Detail: cmp.Or(c.off, "no está configurada")}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now().Before(c.until) {
		return c.state
	}
	// A probe that hangs up must not be remembered as a dependency that is down.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	began := c.now()
	err := c.ask(ctx)
	ended := c.now()
	c.state = checkState{Status: statusOK, LatencyMS: milliseconds(ended.Sub(began)), Detail: "responde"}
	c.until = ended.Add(c.ttl)
	if err != nil {
		c.state.Status, c.state.Detail = statusDown, c.detail(err)
		c.until = ended.Add(min(c.ttl, checkTTL))
	}
	return c.state
}

func databaseDetail(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no respondió a tiempo"
	case errors.Is(err, store.ErrDenied):
		return "rechazó el usuario, la contraseña o sus permisos"
	case errors.Is(err, store.ErrSchema):
		return "le faltan vistas o columnas"
	}
	return "no hay conexión"
}

func telegramDetail(err error) string {
	var refused *telegram.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no respondió a tiempo"
	case errors.As(err, &refused) && refused.BadToken():
		return "rechazó el token del bot"
	case errors.As(err, &refused) && refused.Code != 0:
		return "respondió con un error"
	}
	return "no hay conexión"
}

// healthReport answers GET /health: always 200 while the process serves.
func (h *Handler) healthReport(x *exchange, r *http.Request) error {
	states := make([]checkState, len(h.checks))
	var all sync.WaitGroup
	for i, c := range h.checks {
		all.Go(func() { states[i] = c.get(r.Context()) })
	}
	all.Wait()
	body := healthAnswer{
		Status:        healthy,
		Version:       h.cfg.Version,
		Service:       service,
		UptimeSeconds: h.cfg.Now().Sub(h.started).Seconds(),
		Checks:        checkStates{states[0], states[1], states[2], states[3]},
	}
	for _, s := range states {
		if s.Status == statusDown {
			body.Status = degraded
		}
	}
	return x.json(http.StatusOK, jsonType, &body)
}

// readyAnswer is the body of GET /ready.
type readyAnswer struct {
	Status string `json:"status" enum:"ready" doc:"Listo para recibir peticiones."`
}

var errNotReady = newProblem(http.StatusServiceUnavailable, "El servicio aún arranca o ya se está deteniendo.")

func (h *Handler) readiness(x *exchange, _ *http.Request) error {
	if !h.ready.Load() {
		return errNotReady
	}
	return x.json(http.StatusOK, jsonType, &readyAnswer{"ready"})
}
