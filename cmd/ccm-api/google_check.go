package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/oauth"
)

const checkLong = `Examina las credenciales de Google: qué archivo, de qué tipo y cuenta, con qué
permisos, cuándo caduca el token, y si se ve la carpeta de Drive
(GOOGLE_DRIVE_ATTACHMENTS_FOLDER_ID). Pide un token; no cambia nada en Drive.

Sale con 1 si algo falla; un aviso no es un fallo.`

func (a *app) googleCheckCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "check",
		Aliases: []string{"comprobar"},
		Short:   "Examina las credenciales, y si ven la carpeta de Drive",
		Long:    checkLong,
		Example: "  ccm-api google comprobar\n  ccm-api google check -o json",
		Args:    noArgs,
	}
	output := cmd.Flags().StringP("output", "o", asTable, "tabla o json (--formato)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkOutput(*output, asTable, asJSON); err != nil {
			return err
		}
		return a.googleCheck(cmd.Context(), *output)
	}
	return cmd
}

func (a *app) googleCheck(ctx context.Context, form string) error {
	cfg, err := a.library()
	env := ccm.NewEnv(a.lookup)
	e := examination{drive: parseDrive(env)}
	if err = errors.Join(err, env.Err()); err != nil {
		return settingsError{err}
	}
	stop := a.progress("examinando Google")
	bounded, cancel := context.WithTimeout(ctx, dependencyTimeout)
	defer cancel()
	found := e.google(bounded, cfg)
	stop()
	if found.Account != "" {
		e.add(finding{Name: "cuenta", Status: fine, Detail: found.Account})
	}
	if form == asJSON {
		err = writeJSON(a.out, map[string]any{"ok": e.ok(), "version": version(), "google": found, "checks": e.findings})
	} else {
		e.print(a.out) // with the address of the account, which is what to share with
	}
	if err == nil && !e.ok() {
		return errReported
	}
	return err
}

// googleFound is what is known of the credentials, for a program.
type googleFound struct {
	File      string       `json:"file"`       // "": there is none
	TokenFile string       `json:"token_file"` // of a desktop client; "" for others
	Kind      oauth.Kind   `json:"kind"`
	Account   string       `json:"account"`
	Scopes    []string     `json:"scopes"`
	Expires   *time.Time   `json:"expires"` // of the token at hand; null: there is none
	Folder    *driveFolder `json:"folder"`  // null: it was not seen
}

type driveFolder struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// kindNames are the kinds of credentials as a person reads them.
var kindNames = map[oauth.Kind]string{
	oauth.ServiceAccount: "cuenta de servicio", oauth.AuthorizedUser: "usuario autorizado",
	oauth.DesktopClient: "cliente OAuth de escritorio", oauth.ExternalAccount: "cuenta externa",
}

// examineGoogle looks whether the credentials serve, and see the folder.
func examineGoogle(ctx context.Context, e *examination, cfg ccm.Config) {
	if cfg.Google.File == "" {
		e.add(finding{Name: "Google", Status: off, Detail: "no hay GOOGLE_APPLICATION_CREDENTIALS; los reportes no lo necesitan"})
		return
	}
	e.google(ctx, cfg)
}

// google examines one thing after the other, until one fails.
func (e *examination) google(ctx context.Context, cfg ccm.Config) googleFound {
	found := googleFound{File: cfg.Google.File, Scopes: []string{}}
	c, err := oauth.Find(ctx, cfg.Google)
	if err != nil {
		e.add(finding{Name: "Google", Status: failed, Detail: "las credenciales no sirven (GOOGLE_APPLICATION_CREDENTIALS, GOOGLE_TOKEN_PATH)", Fix: []string{googleError(err).Error()}})
		return found
	}
	found.File, found.Kind, found.Account = c.File(), c.Kind(), c.Account()
	detail := kindNames[found.Kind] + ", en " + found.File
	if found.Kind == oauth.DesktopClient {
		found.TokenFile = cfg.Google.TokenFile
		detail += "; su token, en " + found.TokenFile
	}
	e.add(finding{Name: "Google", Status: fine, Detail: detail})
	if e.googleToken(ctx, cfg, c, &found) {
		e.googleDrive(ctx, c, &found)
	}
	return found
}

// googleToken asks for a token; false: there is none.
func (e *examination) googleToken(ctx context.Context, cfg ccm.Config, c *oauth.Credentials, found *googleFound) bool {
	const name = "token"
	began := time.Now()
	token, err := c.Token(ctx)
	if err != nil {
		e.add(finding{Name: name, Status: failed, Detail: "Google no da un token", Fix: []string{googleError(err).Error()}})
		return false
	}
	latency := time.Since(began)
	if scopes, _ := token.Extra("scope").(string); scopes != "" {
		found.Scopes = strings.Fields(scopes)
	} else if found.Kind == oauth.ServiceAccount {
		found.Scopes = cfg.Google.Scopes // what it asks for, it gets whole or not at all
	}
	detail := "no caduca"
	if !token.Expiry.IsZero() {
		found.Expires = &token.Expiry
		detail = "caduca " + e.when(cfg, token.Expiry) + " y se renueva solo"
	}
	e.add(finding{Name: name, Status: fine, Detail: detail, LatencyMS: milliseconds(latency)})
	e.googleConsent(cfg, token.Extra("refresh_token_expires_in"))
	if err := c.Unsaved(); err != nil {
		e.add(finding{Name: name, Status: warned, Detail: "Google lo cambió por otro, que no se pudo guardar: al reiniciar habrá que autorizar otra vez", Fix: []string{googleError(err).Error()}})
	}
	if len(found.Scopes) > 0 {
		e.add(finding{Name: "permisos", Status: fine, Detail: strings.Join(found.Scopes, " ")})
	}
	return true
}

// googleConsent warns of a permission that ends: such is that of a client in
// tests, or what a person gave for a time.
// https://developers.google.com/identity/protocols/oauth2#expiration
func (e *examination) googleConsent(cfg ccm.Config, seconds any) {
	left, ok := seconds.(float64)
	if !ok || left <= 0 {
		return
	}
	e.add(finding{Name: "permiso", Status: warned, Detail: "caduca " + e.when(cfg, time.Now().Add(time.Duration(left)*time.Second)),
		Fix: []string{"publique el cliente OAuth en la consola de Google Cloud (los que están en pruebas caducan a los 7 días), y autorice otra vez con «ccm-api google authorize»"}})
}

// when is a moment at the centre.
func (*examination) when(cfg ccm.Config, t time.Time) string {
	if cfg.Location != nil {
		t = t.In(cfg.Location)
	}
	return t.Format("a las 15:04 del 2006-01-02 (MST)")
}

// googleDrive looks whether Drive lets the token in, and shows the folder.
func (e *examination) googleDrive(ctx context.Context, c *oauth.Credentials, found *googleFound) {
	service, err := e.drive.service(ctx, c.Client())
	if err != nil {
		e.add(driveFault("Drive", e.drive, found.Kind, err))
		return
	}
	began := time.Now()
	about, err := service.About.Get().Fields("user(emailAddress)").Context(ctx).Do()
	latency := time.Since(began)
	if err != nil {
		e.add(driveFault("Drive", e.drive, found.Kind, err))
		return
	}
	if about.User != nil {
		found.Account = about.User.EmailAddress
	}
	e.add(finding{Name: "Drive", Status: fine, Detail: "deja entrar a la cuenta", LatencyMS: milliseconds(latency)})
	const name = "carpeta"
	if e.drive.folder == "" {
		e.add(finding{Name: name, Status: off, Detail: "no hay " + envDriveFolder})
		return
	}
	folder, err := service.Files.Get(e.drive.folder).SupportsAllDrives(true).Fields("id,name,mimeType,trashed").Context(ctx).Do()
	switch {
	case err != nil:
		e.add(driveFault(name, e.drive, found.Kind, err))
	case folder.MimeType != folderType:
		e.add(finding{Name: name, Status: failed, Detail: "lo que nombra " + envDriveFolder + " no es una carpeta",
			Fix: []string{"abra la carpeta en Drive y ponga su dirección en " + envDriveFolder}})
	case folder.Trashed:
		e.add(finding{Name: name, Status: failed, Detail: fmt.Sprintf("«%s» está en la papelera", folder.Name), Fix: []string{"restáurela en Drive, o ponga otra en " + envDriveFolder}})
	default:
		found.Folder = &driveFolder{folder.Id, folder.Name}
		e.add(finding{Name: name, Status: fine, Detail: fmt.Sprintf("se ve: «%s»", folder.Name)})
	}
}

// driveFault is the finding about a Drive that does not let the token in, or does
// not show it the folder.
func driveFault(name string, cfg driveConfig, kind oauth.Kind, err error) finding {
	f := finding{Name: name, Status: failed}
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		f.Detail, f.Fix = "Google no da un token", []string{googleError(e).Error()}
		return f
	}
	status, reasons, ok := driveReasons(err)
	if !ok {
		why, fix := unreachable(err, cfg.host(), envDriveURL)
		if fix == "" {
			why, fix = "no responde como se espera", "revise la salida a Internet, el proxy y "+envDriveURL
		}
		if cfg.url == defaultDriveURL {
			fix = "revise el DNS, el cortafuegos, el proxy y la salida a Internet de esta máquina o contenedor"
		}
		f.Detail, f.Fix = "Drive no se alcanza: "+why, []string{fix}
		return f
	}
	for _, known := range driveRefusals {
		if slices.ContainsFunc(reasons, func(reason string) bool { return slices.Contains(known.reasons, reason) }) {
			f.Detail, f.Fix = known.detail, []string{known.fix}
			if known.scope {
				f.Fix = []string{widen(kind)}
			}
			return f
		}
	}
	f.Detail, f.Fix = fmt.Sprintf("lo que contesta no es Drive (estado %d)", status), []string{"revise " + envDriveURL + "; quizá contesta un proxy"}
	return f
}

// driveRefusals are why Drive refuses, by the reasons of its answers.
// https://developers.google.com/workspace/drive/api/guides/handle-errors
var driveRefusals = []struct {
	reasons     []string
	detail, fix string
	scope       bool // the cure depends on the kind of credentials
}{
	{reasons: []string{"accessNotConfigured", "SERVICE_DISABLED"}, detail: "la API de Drive está apagada en el proyecto de estas credenciales",
		fix: "actívela en https://console.cloud.google.com/apis/library/drive.googleapis.com y espere unos minutos"},
	{reasons: []string{"insufficientPermissions", "insufficientScopes", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}, detail: "al token le falta el permiso de leer Drive", scope: true},
	{reasons: []string{"domainPolicy", "appNotAuthorizedToDomain", "cannotAccessDomain"}, detail: "el dominio de la cuenta no deja entrar a esta aplicación",
		fix: "pida al administrador de Google Workspace que la permita (Seguridad, Control de acceso a las API)"},
	{reasons: []string{"rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded", "RATE_LIMIT_EXCEEDED", "backendError", "internalError"},
		detail: "Drive no puede atender ahora", fix: "vuelva a intentarlo en unos minutos"},
	{reasons: []string{"notFound"}, detail: "la cuenta de estas credenciales no ve la carpeta",
		fix: "compártala en Drive, como lector, con la cuenta que dice «ccm-api google check», o corrija " + envDriveFolder},
	{reasons: []string{"insufficientFilePermissions", "forbidden"}, detail: "la cuenta de estas credenciales no puede leerlo", fix: "compártalo en Drive con ella, como lector"},
	{reasons: []string{"authError", "required", "ACCESS_TOKEN_EXPIRED", "CREDENTIALS_MISSING"}, detail: "Drive no acepta el token",
		fix: "vuelva a intentarlo; si sigue, descargue las credenciales otra vez"},
}

// widen says how credentials of a kind get the permission that they lack.
func widen(kind oauth.Kind) string {
	switch kind {
	case oauth.DesktopClient:
		return "autorice otra vez con «ccm-api google authorize» y deje marcadas todas las casillas"
	case oauth.AuthorizedUser:
		return "pídalo con «gcloud auth application-default login --scopes=" + oauth.DriveReadonly + ",https://www.googleapis.com/auth/cloud-platform»"
	}
	return "dé a la cuenta el permiso " + oauth.DriveReadonly
}
