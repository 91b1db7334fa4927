package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
)

// findingURL is the name of what is odd in the URL itself.
const findingURL = "DATABASE_URL"

// examineDatabase looks at everything that reports need of the database.
func examineDatabase(ctx context.Context, e *examination, cfg ccm.Config) {
	const name = "base de datos"
	if cfg.Store.URL == "" {
		e.add(finding{Name: name, Status: failed, Detail: "no está configurada: solo se pueden enviar alertas", Fix: []string{"ponga DATABASE_URL, o DB_HOST, DB_USER, DB_PASSWORD y DB_NAME"}})
		return
	}
	db, err := store.Open(cfg.Store)
	if err != nil {
		e.add(finding{Name: name, Status: failed, Detail: "no se puede usar", Fix: []string{err.Error()}})
		return
	}
	defer db.Close()
	found, err := db.Inspect(ctx)
	if err != nil {
		e.add(databaseFault(name, err))
		return
	}
	e.add(finding{Name: name, Status: fine, Detail: found.Server + " " + found.Version, LatencyMS: milliseconds(found.Latency)})
	for _, w := range db.Warnings() {
		e.add(finding{Name: findingURL, Status: warned, Detail: w})
	}
	e.rights(found)
	if !e.views(ctx, db, found) {
		return // of what is not there nothing more can be said
	}
	e.indexes(found)
	for _, note := range found.Notes {
		e.add(finding{Name: "nota", Status: warned, Detail: note, advice: true})
	}
}

// views examines what the queries rely on, and who is in it; false: it is not
// all there.
func (e *examination) views(ctx context.Context, db *store.Store, found store.Inspection) bool {
	const name = "vistas"
	if len(found.Missing) > 0 {
		e.add(finding{Name: name, Status: failed, Detail: "a la base de datos le falta algo",
			Fix: append(found.Missing, "si lo tiene otra base de datos, ponga su nombre en DATABASE_URL o en DB_NAME")})
		return false
	}
	if err := db.Check(ctx); err != nil {
		e.add(finding{Name: name, Status: failed, Detail: "una consulta no se puede hacer", Fix: []string{err.Error()}})
		return false
	}
	e.add(finding{Name: name, Status: fine, Detail: "están todas, con sus columnas"})
	var counts []string
	for _, status := range slices.Sorted(maps.Keys(found.Statuses)) {
		label := status
		if label == "" {
			label = "(sin estado)"
		}
		counts = append(counts, fmt.Sprintf("%s %d", label, found.Statuses[status]))
	}
	if len(counts) == 0 {
		e.add(finding{Name: "personas", Status: warned, Detail: "vwMisioneros no tiene ninguna",
			Fix: []string{"cargue la lista, o corrija DATABASE_URL si es de otra base de datos"}})
		return true
	}
	e.add(finding{Name: "personas", Status: fine, Detail: strings.Join(counts, ", ")})
	return true
}

func (e *examination) rights(found store.Inspection) {
	loads := e.drive.folder != ""
	switch {
	case found.CanWrite && e.migrates:
		e.add(finding{Name: "permisos", Status: fine, Detail: "el usuario puede escribir, como pide CCM_MIGRATE"})
	case found.CanWrite && loads:
		e.add(finding{Name: "permisos", Status: fine, Detail: "el usuario puede escribir, como pide la carga semanal"})
	case found.CanWrite:
		e.add(finding{Name: "permisos", Status: warned, Detail: "el usuario puede escribir, y los reportes solo leen",
			Fix: []string{"use uno que solo tenga SELECT sobre vwMisioneros y vwFechasCCMPorDistrito"}})
	case loads:
		e.add(finding{Name: "permisos", Status: warned, Detail: "el usuario solo lee: los reportes salen, y la carga semanal (" + envDriveFolder + ") no podrá escribir",
			Fix: []string{"GRANT SELECT, INSERT, UPDATE ON BASE.ccm_generaciones TO 'USUARIO'@'HOST';"}})
	default:
		e.add(finding{Name: "permisos", Status: fine, Detail: "el usuario solo lee"})
	}
	if !found.TLS {
		e.add(finding{Name: "TLS", Status: warned, Detail: "la conexión va sin cifrar",
			Fix: []string{"fuera de una red propia, active TLS en el servidor y añada ?ssl_ca=/ruta/ca.pem a DATABASE_URL"}})
	} else {
		e.add(finding{Name: "TLS", Status: fine, Detail: "la conexión va cifrada"})
	}
}

func (e *examination) indexes(found store.Inspection) {
	const name = "índices"
	switch {
	case len(found.MissingIndexes) > 0:
		e.add(finding{Name: name, Status: warned, Detail: "faltan, y con muchas filas las consultas son lentas", Fix: found.MissingIndexes, advice: true})
	case found.CanShowView:
		e.add(finding{Name: name, Status: fine, Detail: "los que hacen falta están"})
	default:
		e.add(finding{Name: name, Status: warned, Detail: "no se pudo ver de qué tablas salen las vistas", advice: true,
			Fix: []string{"para verlo, conceda SHOW VIEW sobre las dos vistas; no hace falta para los reportes"}})
	}
}

// doctorPatience is how long Redis may take: longer than the cache itself gives it.
const doctorPatience = 3 * time.Second

// examineCache looks whether Redis is there and lets us do what we do there.
func examineCache(ctx context.Context, e *examination, cfg ccm.Config) {
	const name = "caché"
	if cfg.Cache.URL == "" {
		e.add(finding{Name: name, Status: fine, Detail: "en la memoria de cada proceso" + uncached(cfg)})
		return
	}
	client, err := cache.Dial(cfg.Cache.URL, doctorPatience)
	if err != nil {
		e.add(finding{Name: name, Status: failed, Detail: "REDIS_URL no se entiende", Fix: []string{"la forma es «redis://usuario@host:6379/0», con la contraseña en REDIS_PASSWORD"}})
		return
	}
	defer client.Close()
	defer context.AfterFunc(ctx, func() { client.Close() })() // go-redis does not look at a ctx that is cancelled
	began := time.Now()
	err = client.Ping(ctx).Err()
	latency := time.Since(began)
	if err == nil {
		err = tryRedis(ctx, client)
	}
	if err != nil {
		e.add(redisFault(name, addressOf(cfg.Cache.URL), err))
		return
	}
	e.add(finding{Name: name, Status: fine, Detail: "Redis " + redisVersion(ctx, client) + uncached(cfg), LatencyMS: milliseconds(latency)})
}

// uncached tells that nothing is kept.
func uncached(cfg ccm.Config) string {
	if cfg.Fresh >= 0 {
		return ""
	}
	return "; apagada con REPORT_CACHE_TTL_MINUTES=0: cada petición lee la base de datos"
}

// addressOf is where a Redis URL leads, without its user; "" where it leads to
// several, or on.
func addressOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Query().Has("addr") || u.Query().Has("master_name") {
		return ""
	}
	return cmp.Or(u.Host, u.Path)
}

// tryRedis does what the cache and the gate do, with keys of our own.
func tryRedis(ctx context.Context, client redis.UniversalClient) error {
	backend, err := cache.Open(cache.Config{Redis: client, Patience: doctorPatience})
	if err != nil {
		return err
	}
	defer backend.Close()
	return errors.Join(
		backend.Ping(ctx),
		client.Eval(ctx, "return redis.call('TIME')[1]", []string{"ccm:doctor"}).Err(),
	)
}

// redisVersion asks politely: a user without +info is no fault.
func redisVersion(ctx context.Context, client redis.UniversalClient) string {
	info, err := client.Info(ctx, "server").Result()
	if err != nil {
		return "(de versión desconocida)"
	}
	for line := range strings.Lines(info) {
		if v, found := strings.CutPrefix(line, "redis_version:"); found {
			return strings.TrimSpace(v)
		}
	}
	return "(de versión desconocida)"
}

// examineTelegram looks whether the bot and the chat exist; it sends nothing.
func examineTelegram(ctx context.Context, e *examination, cfg ccm.Config) {
	if cfg.Telegram.Token == "" && cfg.Telegram.TokenFile == "" {
		e.add(finding{Name: "Telegram", Status: off, Detail: "no se envía nada: falta TELEGRAM_BOT_TOKEN o TELEGRAM_ENABLED es false",
			Fix: []string{"para enviar, ponga TELEGRAM_BOT_TOKEN y TELEGRAM_CHAT_ID, y quite TELEGRAM_ENABLED=false"}})
		return
	}
	bot, err := telegram.New(cfg.Telegram)
	if err != nil {
		e.add(botFault(cfg.Telegram, err))
		return
	}
	var me struct {
		Username string `json:"username"`
	}
	began := time.Now()
	if err := bot.Call(ctx, "getMe", nil, &me); err != nil {
		e.add(botFault(cfg.Telegram, err))
		return
	}
	e.add(finding{Name: "bot", Status: fine, Detail: "@" + me.Username, LatencyMS: milliseconds(time.Since(began))})
	if cfg.Chat.Chat == "" {
		return // a fault of the settings
	}
	var chat struct {
		Type  string `json:"type"`
		Title string `json:"title"`
	}
	if err := bot.Call(ctx, "getChat", map[string]any{"chat_id": cfg.Chat.Chat}, &chat); err != nil {
		e.add(chatFault(cfg, err))
		return
	}
	e.add(finding{Name: "chat", Status: fine, Detail: strings.TrimSpace(chatTypes[chat.Type] + " " + quoted(chat.Title))})
}

var chatTypes = map[string]string{"private": "privado", "group": "grupo", "supergroup": "supergrupo", "channel": "canal"}

// quoted shows a title; a private chat has a person's name instead, which it hides.
func quoted(title string) string {
	if title == "" {
		return ""
	}
	return "«" + title + "»"
}
