// Command demo shows the main job of CCM with nothing installed: an embedded
// MySQL with invented people, a fake Telegram, the HTTP API and a page that
// shows the chat. It sends an arrivals report, a birthdays report and an alert,
// then serves until Ctrl-C.
//
//	go run ./examples/demo          serve on 127.0.0.1:8000, or a free port
//	go run ./examples/demo -once    send the three messages, print them, end
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/httpapi"
	"github.com/ccmwf/ccm/examples/internal/embedded"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// chat is where the demo's messages go: an invented group.
const chat = -1001234567890

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:8000", "dirección; si está ocupada se toma un puerto libre")
	once := flags.Bool("once", false, "envía los tres mensajes, los imprime y termina")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	listener, err := listen(*addr)
	if err != nil {
		return err
	}
	d, err := start(ctx, listener)
	if err != nil {
		listener.Close()
		return err
	}
	defer d.close()
	if err := d.sendAll(ctx); err != nil {
		return err
	}
	if *once {
		d.printChat(out)
		return nil
	}
	d.welcome(out)
	<-ctx.Done()
	fmt.Fprintln(out, "\nAdiós.")
	return nil
}

// listen takes addr, or a free port beside it when somebody else has it.
func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		host, _, _ := net.SplitHostPort(addr)
		return net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	return l, err
}

// demo is the whole service on embedded parts.
type demo struct {
	url    string
	db     *embedded.Server
	fake   *telegramtest.Server
	client *ccm.Client
	server *http.Server
}

func start(ctx context.Context, listener net.Listener) (_ *demo, err error) {
	zone, err := time.LoadLocation("America/Mexico_City")
	if err != nil {
		return nil, err
	}
	d := &demo{url: "http://" + listener.Addr().String(), fake: telegramtest.New()}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	d.fake.Now = func() time.Time { return time.Now().In(zone) }
	d.fake.AddChat(telegramtest.Chat{ID: chat, Type: "supergroup", Title: "Presidencia de la Rama 14"})

	if d.db, err = embedded.StartSample(ctx, store.DateOf(time.Now().In(zone))); err != nil {
		return nil, err
	}
	d.client, err = ccm.Open(ccm.Config{
		Store:    store.Config{URL: d.db.URL(), Location: zone},
		Telegram: telegram.Config{Token: d.fake.Token, BaseURL: d.url + "/chat"},
		Chat:     telegram.Target{Chat: fmt.Sprint(chat)},
		Branch:   14,
		Location: zone,
	})
	if err != nil {
		return nil, err
	}
	api := httpapi.New(d.client, httpapi.Config{Version: "demo"})
	api.SetReady(true)
	mux := http.NewServeMux()
	mux.Handle("/chat/", http.StripPrefix("/chat", d.fake))
	mux.Handle("/", api)
	d.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = d.server.Serve(listener) }() // it ends with Shutdown
	return d, nil
}

// sendAll sends one message of each kind.
func (d *demo) sendAll(ctx context.Context) error {
	if _, err := d.client.SendArrivals(ctx, ccm.Query{}, ccm.SendOptions{}); err != nil {
		return err
	}
	if _, err := d.client.SendBirthdays(ctx, ccm.Query{Days: 30}, ccm.SendOptions{}); err != nil {
		return err
	}
	_, err := d.client.SendAlert(ctx, ccm.Alert{
		Title: "Respaldo nocturno atrasado",
		Body:  "El respaldo de la base de datos terminó 40 minutos tarde.\nEspacio libre en el disco: 12 %.",
		Level: ccm.Warning, Branch: 14,
	}, ccm.SendOptions{})
	return err
}

func (d *demo) printChat(out io.Writer) {
	for _, m := range d.fake.Messages(chat) {
		fmt.Fprintf(out, "── mensaje %d ──\n%s\n\n", m.ID, m.Text)
	}
}

func (d *demo) welcome(out io.Writer) {
	fmt.Fprintf(out, `CCM está en marcha con datos inventados (Ctrl-C termina).

  Abra   %[1]s/chat/   el chat, con los tres mensajes ya enviados
         %[1]s/docs    la API

  Escriba en otra terminal:

  curl -X POST %[1]s/telegram/proximos-ingresos -H 'Content-Type: application/json' -d '{"days_ahead": 30}'
  curl -X POST %[1]s/telegram/proximos-cumpleanos -H 'Content-Type: application/json' -d '{"days_ahead": 60}'
  curl -X POST %[1]s/telegram/alerta -H 'Content-Type: application/json' -d '{"title": "Prueba", "body": "Hola", "level": "success"}'
  curl '%[1]s/datasets/branch_summary?branch_id=14'
`, d.url)
}

// close ends what start began, in reverse order.
func (d *demo) close() {
	if d.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		_ = d.server.Shutdown(ctx) // whoever still asks is cut off
	}
	if d.client != nil {
		d.client.Close()
	}
	if d.db != nil {
		d.db.Close()
	}
}
