package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/httpapi"
)

// Time-outs of a connection, each for one of its phases. What the body may take
// is the API's own matter, and so is the whole request; an answer is small.
const (
	headerTimeout  = 5 * time.Second
	idleTimeout    = 2 * time.Minute
	answerTimeout  = 15 * time.Second
	maxHeaderBytes = 32 << 10
)

const serveLong = `Atiende la API HTTP hasta que recibe SIGTERM o Ctrl-C. Entonces deja de estar
lista (/ready responde 503), termina las peticiones en curso y sale con 0; una
segunda señal la corta. SIGHUP no hace nada, salvo en una terminal que se cierra.

No espera a nada para arrancar: con la base de datos, Redis o Telegram caídos
atiende lo que puede, y /health lo dice. Ya listo examina cada dependencia, como
«ccm-api doctor», y los registros dicen lo que falla y cómo arreglarlo.

La base de datos solo se cambia con CCM_MIGRATE=true: antes de atender hace lo que
«ccm-api migrate up»; si no responde lo reintenta mientras atiende, y si no es
posible sale con 1. Una base ajena, con sus propias vistas, no se toca; el diario
(CCM_JOURNAL_URL) se migra también, en su propio esquema.

Los códigos de salida están en «ccm-api --help».`

func (a *app) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "serve",
		Aliases: []string{"servir"},
		Short:   "Atiende la API HTTP",
		Long:    serveLong,
		Example: "  ccm-api serve\n  API_PORT=9000 ccm-api serve --env-file /etc/ccm/.env",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context()) },
	}
}

func (a *app) serve(ctx context.Context) error {
	a.keepAlive()
	cfg, err := a.service()
	if err != nil {
		return err
	}
	lines, endLog, err := logWriter(cfg.process, a.out)
	if err != nil {
		return err
	}
	defer endLog()
	logger := newLogger(lines, cfg.process.level, a.secrets())
	slog.SetDefault(logger)
	redis.SetLogger(redisLogger{logger})
	cfg.library.Logger, cfg.api.Logger = logger, logger
	a.warnOfFiles(cfg, logger)

	listener, err := listen(ctx, cfg.process)
	if err != nil {
		logger.Log(ctx, levelCritical, "no se pudo arrancar", keyStage, stageService, "reason", err.Error())
		return err
	}
	defer listener.Close() // the server has done it, if it came to that
	return a.serveOn(ctx, listener, cfg, logger)
}

// serveOn opens what the service is made of, and serves it.
func (a *app) serveOn(ctx context.Context, listener net.Listener, cfg serviceConfig, logger *slog.Logger) (err error) {
	beside, err := prepare(ctx, cfg, logger)
	if err != nil {
		return err
	}
	client, err := connect(cfg.library)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	endLoads, err := a.serveLoads(ctx, client.Client, &cfg)
	if err != nil {
		return err
	}
	defer endLoads()
	m := newMetrics(client.Client)
	cfg.api.Metrics = m.handler()
	api := httpapi.New(client.Client, cfg.api)
	longest := cfg.api.Timeout + ccm.FinishTimeout // of one request
	tick := time.NewTicker(watchPause)
	defer tick.Stop()
	beside = append(beside, client.KeepWarm,
		func(ctx context.Context) { watch(ctx, logger, watchedOf(client.Client, client.journal), tick.C) },
		func(ctx context.Context) { recoverLoop(ctx, logger, client.Recover) })
	if client.journal != nil {
		beside = append(beside, func(ctx context.Context) { purgeLoop(ctx, logger, client.journal.Purge) })
	}
	s := &server{
		api: api,
		log: logger,
		http: &http.Server{
			Handler:           m.measure(api),
			ReadHeaderTimeout: headerTimeout,
			WriteTimeout:      longest + answerTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeaderBytes,
			ErrorLog:          log.New(httpErrors{logger}, "", 0),
		},
		drain:   longest,
		journal: journalName(client.journal),
		beside:  beside,
	}
	return s.run(ctx, listener)
}

// prepare migrates where CCM_MIGRATE asks for it, and returns what runs beside
// the service.
func prepare(ctx context.Context, cfg serviceConfig, logger *slog.Logger) ([]func(context.Context), error) {
	all := []func(context.Context){func(ctx context.Context) {
		examineAtStart(ctx, logger, dependencies, cfg)
	}}
	if !cfg.process.migrate {
		return all, nil
	}
	var faults []error
	for _, m := range migrations(cfg.library, logger) {
		again, err := m.first(ctx)
		if again {
			all = append(all, m.retry)
		}
		faults = append(faults, err)
	}
	return all, errors.Join(faults...)
}

// migrations are those of the schemas that the settings name.
func migrations(cfg ccm.Config, logger *slog.Logger) (all []*migration) {
	if cfg.Store.URL != "" {
		all = append(all, newMigration(cfg.Store.URL, logger))
	}
	if cfg.JournalURL != "" {
		all = append(all, newJournalMigration(cfg.JournalURL, logger))
	}
	return all
}

// listen takes the port, and says whose fault it is if it cannot.
func listen(ctx context.Context, cfg processConfig) (net.Listener, error) {
	address := net.JoinHostPort(cfg.host, strconv.Itoa(cfg.port))
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("el puerto %d ya está en uso: ¿hay otro ccm-api en marcha? Ponga otro en %s", cfg.port, envPort)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("no hay permiso de escuchar en el puerto %d: ponga en %s uno de 1024 o mayor", cfg.port, envPort)
	case err != nil:
		return nil, fmt.Errorf("no se puede escuchar en %s: revise %s: %w", address, envHost, err)
	}
	return listener, nil
}

// server is the API while it is served.
type server struct {
	api   *httpapi.Handler
	http  *http.Server
	log   *slog.Logger
	drain time.Duration // how long requests under way may go on at the end

	journal string                  // what the start line calls it
	beside  []func(context.Context) // what runs from when it is ready until it ends
}

// run serves until ctx ends, then lets what is under way finish.
func (s *server) run(ctx context.Context, listener net.Listener) error {
	served := make(chan error, 1)
	s.api.SetReady(true) // first: nobody can ask before Serve, nor be told that it starts still
	go func() { served <- s.http.Serve(listener) }()
	s.log.Info("servicio listo", keyStage, stageService, "tiempo_arranque_ms", sinceStart(),
		"direccion", listener.Addr().String(), "version", version(), "diario", s.journal)
	defer s.startBeside(ctx)()
	select {
	case err := <-served:
		return fmt.Errorf("el servidor HTTP terminó: %w", err)
	case <-ctx.Done():
	}
	began := time.Now()
	s.api.SetReady(false)
	s.log.Info("servicio deteniéndose: termina las peticiones en curso", keyStage, stageService)
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.drain)
	defer cancel()
	if err := s.http.Shutdown(patience); err != nil {
		s.log.Error("quedaron peticiones sin terminar", keyStage, stageService, "reason", err.Error())
		return errors.Join(fmt.Errorf("quedaron peticiones sin terminar después de %v: mire el chat antes de repetirlas", s.drain), s.http.Close())
	}
	s.log.Info("servicio detenido", keyStage, stageService, "duration_ms", milliseconds(time.Since(began)))
	return nil
}

// startBeside starts what runs beside the service. It returns what ends it, and
// waits until it has.
func (s *server) startBeside(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	for _, do := range s.beside {
		running.Go(func() { do(ctx) })
	}
	return func() {
		cancel()
		running.Wait()
	}
}
