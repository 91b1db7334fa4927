package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

const healthcheckLong = `Pregunta a un ccm-api de esta máquina si está listo, en API_HOST y API_PORT:
0 si lo está, 1 si no. Es para el HEALTHCHECK del contenedor, que no tiene curl.
No mira las dependencias: con una caída el servicio atiende lo que puede; eso lo
dicen /health y «ccm-api doctor».`

// healthcheckTimeout is under that of a container's HEALTHCHECK.
const healthcheckTimeout = 3 * time.Second

func (a *app) healthcheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "healthcheck",
		Aliases: []string{"salud"},
		Short:   "Dice si el servicio de esta máquina está listo",
		Long:    healthcheckLong,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.healthcheck(cmd.Context()) },
	}
}

func (a *app) healthcheck(ctx context.Context) error {
	service, err := a.localService()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, healthcheckTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, service+"/ready", nil)
	if err != nil {
		return settingsError{fmt.Errorf("%s: no es una dirección", envHost)}
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("el servicio no respondió en %v", healthcheckTimeout)
	case err != nil:
		return fmt.Errorf("el servicio no atiende en %s", service)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<10))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("el servicio no está listo (%d)", resp.StatusCode)
	}
	fmt.Fprintln(a.out, "listo")
	return nil
}
