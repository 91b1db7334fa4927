package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/ccmwf/ccm/oauth"
)

const authorizeLong = `Pide a una persona, una sola vez, el permiso para un cliente OAuth de escritorio
(GOOGLE_APPLICATION_CREDENTIALS) y guarda su token en GOOGLE_TOKEN_PATH.

Imprime una dirección que se abre en un navegador de esta misma máquina y espera
la respuesta. Desde un VPS sin navegador, abra antes en la suya el túnel que se
imprime.`

func (a *app) googleCommand() *cobra.Command {
	cmd := group(&cobra.Command{Use: "google", Short: "Las credenciales de Google"})
	cmd.AddCommand(a.googleCheckCommand())
	cmd.AddCommand(&cobra.Command{
		Use:     "authorize",
		Aliases: []string{"autorizar"},
		Short:   "Pide el permiso para un cliente OAuth y guarda su token",
		Long:    authorizeLong,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.library()
			if err != nil {
				return err
			}
			if cfg.Google.File == "" {
				return settingsError{errors.New("GOOGLE_APPLICATION_CREDENTIALS: falta, y dice qué cliente OAuth autorizar")}
			}
			if err := oauth.Authorize(cmd.Context(), cfg.Google, a.showAddress); err != nil {
				return googleError(err)
			}
			fmt.Fprintf(a.out, "Listo: el token quedó en %s.\n", cfg.Google.TokenFile)
			return nil
		},
	})
	return cmd
}

// showAddress tells a person where to give the permission.
func (a *app) showAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	back, err := url.Parse(u.Query().Get("redirect_uri"))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "Abra esta dirección en un navegador de esta máquina:\n\n  %s\n\nSi el navegador está en otra, abra allí primero el túnel:\n\n  ssh -L %[2]s:127.0.0.1:%[2]s usuario@este-servidor\n\nEsperando la respuesta (Ctrl-C la cancela)…\n", address, back.Port())
	return err
}

// googleError says what to mend in the credentials.
func googleError(err error) error {
	e, ok := errors.AsType[*oauth.Error](err)
	switch {
	case !ok && errors.Is(err, context.Canceled):
		return errors.New("se canceló; no cambió nada")
	case !ok && errors.Is(err, context.DeadlineExceeded):
		return errors.New("no hubo respuesta de Google a tiempo: revise la red y el proxy de esta máquina")
	case !ok:
		return err
	case e.File == "":
		return errors.New(e.Hint)
	}
	return fmt.Errorf("%s: %s", e.File, e.Hint)
}
