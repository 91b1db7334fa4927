package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ccmwf/ccm/ccm"
)

const doctorLong = `Examina los ajustes y cada dependencia: si se alcanza, su versión, permisos,
columnas, índices y latencia, y dice qué corregir. No envía ni cambia nada.

Sale con 1 si algo falla; un aviso no es un fallo.`

func (a *app) doctorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "doctor",
		Aliases: []string{"diagnostico", "diagnóstico"},
		Short:   "Examina ajustes y dependencias, y dice qué corregir",
		Long:    doctorLong,
		Example: "  ccm-api diagnostico\n  ccm-api doctor -o json",
		Args:    noArgs,
	}
	output := cmd.Flags().StringP("output", "o", asTable, "tabla o json (--formato)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkOutput(*output, asTable, asJSON); err != nil {
			return err
		}
		return a.doctor(cmd.Context(), *output)
	}
	return cmd
}

// verdict is what an examination came to.
type verdict string

const (
	fine   verdict = "bien"
	warned verdict = "aviso"
	failed verdict = "fallo"
	off    verdict = "apagado"
)

// finding is one thing that was examined.
type finding struct {
	Name      string   `json:"name"`
	Status    verdict  `json:"status"`
	Detail    string   `json:"detail"`
	Fix       []string `json:"fix"`                  // what to do, or what to run
	LatencyMS float64  `json:"latency_ms,omitempty"` // of one round trip

	advice bool // a warning about speed, or about what could not be looked at
}

// examination collects findings.
type examination struct {
	findings []finding
	migrates bool        // CCM_MIGRATE: the user of the database must be able to write
	drive    driveConfig // what Google's credentials are for
}

// dependency is what a service depends on, and who examines it.
type dependency struct {
	what string
	do   func(context.Context, *examination, ccm.Config)
}

// dependencies are what doctor and the start of serve examine.
var dependencies = []dependency{
	{"la base de datos", examineDatabase}, {"la caché", examineCache}, {"Telegram", examineTelegram}, {"el diario", examineJournal}, {"Google", examineGoogle},
}

func (e *examination) add(f finding) {
	if f.Fix == nil {
		f.Fix = []string{}
	}
	e.findings = append(e.findings, f)
}

func (e *examination) ok() bool {
	for _, f := range e.findings {
		if f.Status == failed {
			return false
		}
	}
	return true
}

// dependencyTimeout bounds the examination of one dependency.
const dependencyTimeout = 15 * time.Second

func (a *app) doctor(ctx context.Context, form string) error {
	cfg, err := a.service()
	e := examination{migrates: cfg.process.migrate, drive: cfg.process.drive}
	e.settings(cfg, err)
	e.secretFiles(a.secretFiles(cfg.library))
	a.hiddenSecrets(&e)
	a.toolLogger() // go-redis would write to stderr
	for _, d := range dependencies {
		stop := a.progress("examinando " + d.what)
		bounded, cancel := context.WithTimeout(ctx, dependencyTimeout)
		d.do(bounded, &e, cfg.library)
		cancel()
		stop()
	}
	if form == asJSON {
		if err := writeJSON(newRedactor(a.out, a.secrets()), map[string]any{"ok": e.ok(), "version": version(), "checks": e.findings}); err != nil {
			return err
		}
	} else {
		e.print(newRedactor(a.out, a.secrets()))
	}
	if !e.ok() {
		return errReported
	}
	return nil
}

// settings examines what needs no network.
func (e *examination) settings(cfg serviceConfig, err error) {
	var faults settingsError
	if errors.As(err, &faults) {
		e.add(finding{Name: "ajustes", Status: failed, Detail: "hay ajustes que corregir", Fix: strings.Split(err.Error(), "\n")})
	} else {
		e.add(finding{Name: "ajustes", Status: fine, Detail: "se entienden todos"})
	}
	if zone := cfg.library.Location; zone != nil {
		e.add(finding{Name: "hoy", Status: fine, Detail: fmt.Sprintf("en el centro son las %s", time.Now().In(zone).Format("15:04 del 2006-01-02 (MST)"))})
	}
	switch {
	case len(cfg.api.Keys) > 0:
		e.add(finding{Name: "claves", Status: fine, Detail: plural(len(cfg.api.Keys), "clave", "claves")})
	case !blames(err, "CCM_API_KEYS"):
		e.add(finding{Name: "claves", Status: warned, Detail: "la API atiende sin clave a cualquiera que llegue a su puerto",
			Fix: []string{"ponga CCM_API_KEYS=nombre=clave (openssl rand -hex 24 hace una buena)"}})
	}
}

// print writes the findings for a person.
func (e *examination) print(out io.Writer) {
	for _, f := range e.findings {
		latency := ""
		if f.LatencyMS > 0 {
			latency = fmt.Sprintf(" · %.1f ms", f.LatencyMS)
		}
		fmt.Fprintf(out, "%-8s %-14s %s%s\n", f.Status, f.Name, f.Detail, latency)
		for _, fix := range f.Fix {
			fmt.Fprintf(out, "%24s→ %s\n", "", fix)
		}
	}
	if e.ok() {
		fmt.Fprintln(out, "\nTodo lo necesario funciona.")
	} else {
		fmt.Fprintln(out, "\nHay fallos que corregir.")
	}
}
