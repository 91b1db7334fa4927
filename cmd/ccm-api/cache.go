package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/httpapi"
)

const cacheLong = `Pregunta a un servicio en marcha, por su API: el de esta máquina, en API_HOST y
API_PORT, u otro con --url. La clave es una de CCM_API_KEYS.

Lo invalidado vale para todas las réplicas; las cuentas son de una sola.`

const cacheExample = `  ccm-api cache stats
  ccm-api cache invalidate --branch 14
  ccm-api cache preparar --url https://ccm.example.org`

// serviceFlag says which service is asked.
const serviceFlag = "url"

// cacheTimeout is more than a request may take by default.
const cacheTimeout = 90 * time.Second

func (a *app) cacheCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:     "cache",
		Aliases: []string{"caché"},
		Short:   "La caché de un servicio en marcha",
		Long:    cacheLong,
		Example: cacheExample,
	})
	cmd.PersistentFlags().String(serviceFlag, "", "el servicio; sin ella, el de esta máquina")
	cmd.AddCommand(a.cacheStatsCommand(), a.cacheInvalidateCommand(), a.cacheWarmCommand())
	return cmd
}

func (a *app) cacheStatsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "stats", Aliases: []string{"cuentas", "estado"},
		Short: "Aciertos, lecturas, fallos y lo que ocupa, desde que el servicio arrancó",
		Args:  noArgs,
	}
	output := cmd.Flags().StringP("output", "o", asTable, "tabla o json (--formato)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkOutput(*output, asTable, asJSON); err != nil {
			return err
		}
		raw, err := a.askService(cmd, http.MethodGet, "/cache", nil)
		if err != nil {
			return err
		}
		if *output == asJSON {
			return writeJSON(a.out, json.RawMessage(raw))
		}
		return writeCacheStats(a.out, raw)
	}
	return cmd
}

func (a *app) cacheInvalidateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "invalidate", Aliases: []string{"invalidar", "vaciar"},
		Short: "Quita los datos de una rama, o todos: la siguiente petición lee la base",
		Long: `Quita los datos de una rama, o todos, de todas las réplicas: la siguiente petición
lee la base de datos. Si esta no responde, no quedan datos que la suplan.`,
		Args: noArgs,
	}
	branch := cmd.Flags().Int("branch", 0, "la rama; sin ella, todas (--rama)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		body := map[string]any{}
		if cmd.Flags().Changed("branch") {
			if !isBranch(*branch) {
				return misused("la rama debe ser un número de 1 a %d; sin la opción son todas", ccm.MaxBranch)
			}
			body["branch_id"] = *branch
		}
		if _, err := a.askService(cmd, http.MethodPost, "/cache/invalidate", body); err != nil {
			return err
		}
		which := "los datos de todas las ramas"
		if *branch != 0 {
			which = fmt.Sprintf("los datos de la rama %d", *branch)
		}
		fmt.Fprintln(a.out, "se quitaron", which)
		return nil
	}
	return cmd
}

func (a *app) cacheWarmCommand() *cobra.Command {
	return &cobra.Command{
		Use: "warm", Aliases: []string{"preparar"},
		Short: "Lee los datos de las ramas configuradas que falten",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			stop := a.progress("preparando los datos")
			raw, err := a.askService(cmd, http.MethodPost, "/cache/warm", map[string]any{})
			stop()
			if err != nil {
				return err
			}
			var w struct{ Datasets, Failed int }
			if err := json.Unmarshal(raw, &w); err != nil {
				return errForeignService
			}
			if w.Datasets == 0 && w.Failed == 0 {
				fmt.Fprintln(a.out, "el servicio tiene la caché apagada (REPORT_CACHE_TTL_MINUTES=0): no hay nada que preparar")
				return nil
			}
			fmt.Fprintf(a.out, "%s en la caché\n", plural(w.Datasets, "conjunto de datos", "conjuntos de datos"))
			if w.Failed > 0 {
				return fmt.Errorf("%s; el registro del servicio dice por qué", plural(w.Failed, "conjunto no se pudo leer", "conjuntos no se pudieron leer"))
			}
			return nil
		},
	}
}

// cacheTitles are the figures of GET /cache as a person reads them, in order.
var cacheTitles = []struct{ name, title string }{
	{"memory_hits", "servidos de la memoria"}, {"redis_hits", "servidos de Redis"}, {"misses", "no estaban"},
	{"loads", "lecturas de la base"}, {"load_errors", "lecturas que fallaron"}, {"stale_served", "datos anteriores servidos"},
	{"refreshes", "lecturas adelantadas"}, {"evictions", "no cupieron"}, {"entries", "entradas en la memoria"}, {"bytes", "bytes que ocupan"},
	{"redis_errors", "fallos de Redis"}, {"unreadable", "entradas ilegibles"}, {"pending", "invalidaciones pendientes"}, {"redis", "Redis"},
}

var redisStates = map[any]any{"none": "no hay", "closed": "se usa", "open": "falla", "half-open": "falla; se está probando"}

func writeCacheStats(out io.Writer, raw []byte) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var figures map[string]any
	if err := dec.Decode(&figures); err != nil {
		return errForeignService
	}
	if state, known := redisStates[figures["redis"]]; known {
		figures["redis"] = state
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, t := range cacheTitles {
		fmt.Fprintf(w, "%s\t%v\n", t.title, figures[t.name])
	}
	return w.Flush()
}

var errForeignService = errors.New("lo que respondió no es ccm-api, o es de otra versión: revise --url, API_HOST y API_PORT")

// askService asks a running service, and returns its answer.
func (a *app) askService(cmd *cobra.Command, method, path string, body any) ([]byte, error) {
	service, key, err := a.runningService(cmd)
	if err != nil {
		return nil, err
	}
	var payload io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(raw)
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), cacheTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, service+path, payload)
	if err != nil {
		return nil, err // service was parsed
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	client := &http.Client{ // the key goes nowhere else
		Transport:     &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, unserved(req.URL, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("el servicio no terminó de responder: %w", err)
	}
	switch {
	case resp.StatusCode == http.StatusUnauthorized && key == "":
		return nil, errors.New("el servicio pide una clave: ponga una de las suyas en CCM_API_KEYS, como nombre=clave")
	case resp.StatusCode == http.StatusUnauthorized:
		return nil, errors.New("el servicio no acepta la clave de CCM_API_KEYS: ponga una de las suyas; de varias se usa la primera por nombre")
	case resp.StatusCode != http.StatusOK:
		return nil, refusal(resp.StatusCode, raw)
	}
	return raw, nil
}

// unserved says why there was no answer.
func unserved(at *url.URL, err error) error {
	const setting = "--url, o en API_HOST y API_PORT"
	why, fix := unreachable(err, at.Host, setting)
	switch text := err.Error(); {
	case strings.Contains(text, "server gave HTTP response to HTTPS client"):
		why, fix = "ese puerto no usa TLS", "escriba http://"
	case strings.Contains(text, "malformed HTTP response"), strings.HasSuffix(text, "EOF"):
		why, fix = "cortó la conexión o no habla HTTP", "revise que siga en marcha, el puerto en "+setting+", y si es https://"
	case strings.Contains(text, "x509:"):
		why, fix = "su certificado no se da por bueno", "revise el nombre del host, y que su autoridad sea conocida (SSL_CERT_FILE)"
	case why == "":
		why, fix = "no responde como se espera", "revise que esté en marcha"
	}
	return fmt.Errorf("el servicio no atiende en %s: %s; %s", at.Redacted(), why, fix)
}

// refusal is a problem of the service as an error.
func refusal(status int, raw []byte) error {
	var problem struct {
		Detail string   `json:"detail"`
		Code   ccm.Code `json:"error_code"`
	}
	if json.Unmarshal(raw, &problem) != nil || problem.Detail == "" {
		return fmt.Errorf("%w (%d)", errForeignService, status)
	}
	return &ccm.Error{Code: problem.Code, Message: problem.Detail}
}

// runningService is where the service is, and a key of it.
func (a *app) runningService(cmd *cobra.Command) (address, key string, err error) {
	cfg, err := httpapi.ParseEnv(a.lookup)
	if err != nil {
		return "", "", settingsError{err}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Keys)) {
		key = cfg.Keys[name]
		break
	}
	if flag := cmd.Flags().Lookup(serviceFlag); flag.Changed {
		u, err := url.Parse(flag.Value.String())
		if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "http" && u.Scheme != "https" {
			return "", "", misused("--url no es una dirección como http://127.0.0.1:8000")
		}
		return strings.TrimSuffix(u.String(), "/"), key, nil
	}
	address, err = a.localService()
	return address, key, err
}

// localService is the address of the service on this machine.
func (a *app) localService() (string, error) {
	env := ccm.NewEnv(a.lookup)
	host := env.String(envHost, defaultHost)
	port := env.Int(envPort, defaultPort, 1, math.MaxUint16)
	if err := env.Err(); err != nil {
		return "", settingsError{err}
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(port)), nil
}
