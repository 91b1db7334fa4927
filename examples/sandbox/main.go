// Command sandbox is the world outside of ccm-api for development: a fake
// Telegram with a page that shows the chat, and invented people in the MySQL of
// SANDBOX_DATABASE_URL (none: only the fake), with a journal in the schema of
// SANDBOX_JOURNAL_URL beside them. `docker compose --profile dev up` runs it, and
// ccm-api takes the settings that it writes.
//
//	go run ./examples/sandbox                  serve on port 8081
//	go run ./examples/sandbox -settings .env   write ccm-api's settings there too
//	go run ./examples/sandbox -once            start, say that it works, end
//	go run ./examples/sandbox -check           ask a running one; exit code 0 if it is ready
//
// Beside the Bot API it answers
//
//	GET  /                   the chats, as a person sees them
//	GET  /sandbox/messages   the same as JSON
//	GET  /sandbox/calls      the methods that were called, also those that failed
//	POST /sandbox/faults     a telegramtest.Fault as JSON: what goes wrong at the next call
//	GET  /sandbox/ready      200 once the people are loaded
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata"

	"github.com/ccmwf/ccm/ccm/delivery/migrate"
	"github.com/ccmwf/ccm/examples/internal/sample"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

const (
	// chat is the one chat of the fake.
	chat = -1001234567890
	// patience is how long a MySQL that starts for the first time may take.
	patience = 90 * time.Second
	pause    = 500 * time.Millisecond
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Environ(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args, environ []string, out io.Writer) error {
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	addr := flags.String("addr", ":8081", "dirección en que escucha")
	settings := flags.String("settings", "", "archivo en que se escriben los ajustes de ccm-api")
	once := flags.Bool("once", false, "arranca, dice que funciona y termina")
	check := flags.Bool("check", false, "pregunta a uno que está en marcha si está listo")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if *check {
		return ask(ctx, *addr)
	}
	if found := realSettings(environ); len(found) > 0 {
		return fmt.Errorf(`hay ajustes reales en .env (%s), y el perfil dev es para probar sin ellos.
  Para la pila real:    docker compose --profile dev down, y después docker compose up -d --wait
  Para la de pruebas:   otra copia del repositorio, sin .env`, strings.Join(found, ", "))
	}
	env := environment(environ)
	zone, err := time.LoadLocation(cmp.Or(env["CCM_TIMEZONE"], "America/Mexico_City"))
	if err != nil {
		return err
	}
	if *once {
		*addr = "127.0.0.1:0"
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := load(ctx, env["SANDBOX_DATABASE_URL"], zone); err != nil {
		return err
	}
	if url := env["SANDBOX_JOURNAL_URL"]; url != "" {
		if _, err := migrate.Up(ctx, url); err != nil {
			return err
		}
	}
	if *settings != "" {
		if err := os.WriteFile(*settings, []byte(settingsOf(env)), 0o644); err != nil {
			return err
		}
	}
	server := &http.Server{Handler: handler(zone), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(out, "Telegram de prueba en marcha: los chats se ven en la raíz de %s\n", listener.Addr())
	if *once {
		return errors.Join(ask(ctx, listener.Addr().String()), server.Close())
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		return server.Close() // whoever waits in a hung call is cut off
	}
}

// environment is the variables by their names in upper case.
func environment(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		env[strings.ToUpper(name)] = value
	}
	return env
}

// realSettings names the settings in the environment that lead to a database or
// a bot of somebody's.
func realSettings(environ []string) (found []string) {
	env := environment(environ)
	for _, name := range []string{"DATABASE_URL", "DB_HOST", "TELEGRAM_BOT_TOKEN"} {
		for _, form := range []string{name, name + "_FILE"} {
			if env[form] != "" {
				found = append(found, form)
			}
		}
	}
	return found
}

// settingsOf are the settings with which ccm-api plays in the sandbox; none of
// them is a secret.
func settingsOf(env map[string]string) string {
	journal := ""
	if url := env["SANDBOX_JOURNAL_URL"]; url != "" {
		journal = "CCM_JOURNAL_URL=" + url + "\n"
	}
	return journal + fmt.Sprintf(`APP_ENV=development
DATABASE_URL=%s
TELEGRAM_ENABLED=true
TELEGRAM_API_URL=%s
TELEGRAM_BOT_TOKEN=%s
TELEGRAM_CHAT_ID=%d
RAMA_ACTUAL=14
`, env["SANDBOX_DATABASE_URL"], env["SANDBOX_URL"], telegramtest.New().Token, chat)
}

// load fills the database, which may still be starting.
func load(ctx context.Context, url string, zone *time.Location) error {
	if url == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		err := sample.Load(ctx, url, store.DateOf(time.Now().In(zone)))
		// The official image makes the user a moment after it answers.
		if !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrDenied) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

// handler is the fake and what a test or a curious person asks it.
func handler(zone *time.Location) http.Handler {
	fake := telegramtest.New()
	fake.Now = func() time.Time { return time.Now().In(zone) }
	fake.AddChat(telegramtest.Chat{ID: chat, Type: "supergroup", Title: "Presidencia de la Rama 14"})
	mux := http.NewServeMux()
	mux.Handle("/", fake)
	mux.HandleFunc("GET /sandbox/ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /sandbox/messages", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, append([]telegramtest.Message{}, fake.Messages(chat)...))
	})
	mux.HandleFunc("GET /sandbox/calls", func(w http.ResponseWriter, _ *http.Request) {
		methods := []string{}
		for _, c := range fake.Calls() {
			methods = append(methods, c.Method)
		}
		writeJSON(w, methods)
	})
	mux.HandleFunc("POST /sandbox/faults", func(w http.ResponseWriter, r *http.Request) {
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		var fault telegramtest.Fault
		if err := decoder.Decode(&fault); err != nil {
			http.Error(w, "el fallo no se entiende: "+err.Error(), http.StatusUnprocessableEntity)
			return
		}
		fake.Script(fault)
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a reader that left gets nothing more
}

// ask says whether a sandbox on this machine is ready.
func ask(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	url := "http://" + net.JoinHostPort(cmp.Or(host, "127.0.0.1"), port) + "/sandbox/ready"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no responde: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("no está listo (%d)", resp.StatusCode)
	}
	return nil
}
