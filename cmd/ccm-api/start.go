package main

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// stageStart is the "etapa" of what is looked at when the service starts.
const stageStart = "arranque"

// examineAtStart tells the log once what doctor would find in the dependencies.
// The service does not wait for it, nor does it outlive ctx.
func examineAtStart(ctx context.Context, log *slog.Logger, all []dependency, cfg serviceConfig) {
	began := time.Now()
	e := examination{migrates: cfg.process.migrate, drive: cfg.process.drive}
	for _, d := range all {
		bounded, cancel := context.WithTimeout(ctx, dependencyTimeout)
		d.do(bounded, &e, cfg.library)
		cancel()
		if ctx.Err() != nil {
			return // what was cut off is no finding
		}
	}
	if told := e.log(ctx, log); told == 0 {
		log.InfoContext(ctx, "dependencias comprobadas", keyStage, stageStart, "duration_ms", milliseconds(time.Since(began)))
	}
}

// log writes a line for each finding that somebody should look at, and counts
// the warnings among them.
func (e *examination) log(ctx context.Context, log *slog.Logger) (warnings int) {
	for _, f := range e.findings {
		level, message := f.line()
		if message == "" {
			continue
		}
		log.Log(ctx, level, message, keyStage, stageStart, "revisar", f.Name, "detalle", f.Detail, "arreglo", strings.Join(f.Fix, "; "))
		if level == slog.LevelWarn {
			warnings++
		}
	}
	return warnings
}

// line says how a finding is logged; no message: it is not.
func (f finding) line() (slog.Level, string) {
	switch {
	case f.Name == findingURL:
		return slog.LevelDebug, "" // the client said it when it was opened
	case f.Status == failed:
		return slog.LevelWarn, "una dependencia falla"
	case f.Status == warned && f.advice:
		return slog.LevelInfo, "consejo sobre una dependencia"
	case f.Status == warned:
		return slog.LevelWarn, "una dependencia tiene un aviso"
	case f.Status == off && len(f.Fix) > 0:
		return slog.LevelWarn, "una dependencia está apagada"
	}
	return slog.LevelDebug, ""
}
