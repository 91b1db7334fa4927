// Command embed is a service of somebody else's that has CCM's API inside:
// its own mux, its own middleware and its own pages, and everything of CCM
// under /ccm/.
//
//	go run ./examples/embed          serve on 127.0.0.1:8080, with invented people
//	go run ./examples/embed -once    ask it for one dataset, print it, end
//
// With DATABASE_URL set it reads that database, with the settings that ccm-api
// has; otherwise it starts an embedded one.
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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

// newService is the host: these lines are all that embedding CCM takes.
func newService(client *ccm.Client, cfg httpapi.Config) http.Handler {
	api := httpapi.New(client, cfg)
	api.SetReady(true)

	mux := http.NewServeMux()
	mux.Handle("/ccm/", http.StripPrefix("/ccm", api))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "La API del CCM está en /ccm/docs")
	})
	return branded(mux)
}

// branded is the host's own middleware; CCM's API runs inside it as all else does.
func branded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Powered-By-Host", "embed")
		next.ServeHTTP(w, r)
	})
}

func run(ctx context.Context, args []string, lookup func(string) (string, bool), out io.Writer) error {
	flags := flag.NewFlagSet("embed", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:8080", "dirección en que atiende")
	once := flags.Bool("once", false, "pide un conjunto de datos, lo imprime y termina")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *once {
		*addr = "127.0.0.1:0"
	}
	cfg, err := httpapi.ParseEnv(lookup)
	if err != nil {
		return err
	}
	client, closeAll, err := openClient(ctx, lookup)
	if err != nil {
		return err
	}
	defer closeAll()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: newService(client, cfg), ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()

	url := "http://" + listener.Addr().String()
	if *once {
		err = printDataset(ctx, url, out)
	} else {
		fmt.Fprintf(out, "Abra %s/ccm/docs (Ctrl-C termina)\n", url)
		select {
		case <-ctx.Done():
		case err = <-ended:
		}
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, server.Shutdown(stopping))
}

// openClient opens CCM on the database of DATABASE_URL, or on an embedded one.
func openClient(ctx context.Context, lookup func(string) (string, bool)) (*ccm.Client, func(), error) {
	cfg, err := ccm.ParseEnv(lookup)
	if err != nil {
		return nil, nil, err
	}
	closeDB := func() {}
	if cfg.Store.URL == "" {
		db, err := embedded.StartSample(ctx, store.DateOf(time.Now().In(cfg.Location)))
		if err != nil {
			return nil, nil, err
		}
		closeDB = func() { db.Close() }
		cfg.Store.URL, cfg.Branch = db.URL(), 14
	}
	client, err := ccm.Open(cfg)
	if err != nil {
		closeDB()
		return nil, nil, err
	}
	return client, func() { client.Close(); closeDB() }, nil
}

// printDataset asks the service for a dataset, as a browser or a script would.
func printDataset(ctx context.Context, url string, out io.Writer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/ccm/datasets/branch_summary?branch_id=14", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("la API respondió %s", response.Status)
	}
	_, err = io.Copy(out, response.Body)
	return err
}
