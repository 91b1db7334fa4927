package httpapi_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/httpapi"
	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/store"
)

const extraction = "/extraccion_generacion"

// loads is a Load that answers so.
func loads(report intake.Report, err error) httpapi.Load {
	return func(context.Context, string, ccm.Date, intake.Options) (intake.Report, error) { return report, err }
}

func TestExtractionIsAskedFor(t *testing.T) {
	is := is.New(t)
	var folder string
	var generation ccm.Date
	var options intake.Options
	h := api(t, httpapi.Config{Folder: "de-costumbre", Load: func(_ context.Context, f string, g ccm.Date, o intake.Options) (intake.Report, error) {
		folder, generation, options = f, g, o
		return intake.Report{Generation: "20261127", Inserted: 3, Files: []intake.FileReport{}, Errors: []intake.Issue{}}, nil
	}})
	r := call(t, h, http.MethodPost, extraction, `{"fecha_generacion": "20261127", "drive_folder_id": "otra", "force": "si", "dry_run": true, "algo": 1}`)
	is.Equal(r.Code, http.StatusOK)
	is.Equal(r.object()["success"], true)
	report := r.object()["report"].(map[string]any)
	is.Equal(report["inserted_count"], 3.0)
	for _, name := range []string{"fecha_generacion", "drive_folder_id", "processed_files", "inserted_count", "skipped_count", "updated_count", "errors", "duration_seconds", "continuation_token"} {
		_, there := report[name]
		is.True(there) // as the Python service had it
	}
	is.Equal(report["continuation_token"], nil)
	is.Equal(folder, "otra")
	is.Equal(generation, ccm.Date{Year: 2026, Month: time.November, Day: 27})
	is.True(options.Force && options.DryRun)
	call(t, h, http.MethodPost, extraction, `{"fecha_generacion": "20261127"}`)
	is.Equal(folder, "de-costumbre")
	is.True(!options.Force && !options.DryRun)
}

func TestExtractionRefusesWhatItCannotMean(t *testing.T) {
	is := is.New(t)
	h := api(t, httpapi.Config{Load: loads(intake.Report{}, nil)})
	is.Equal(call(t, h, http.MethodPost, extraction, `{"force": "quizá"}`).locations(), []string{"body.fecha_generacion", "body.force"})
	for _, generation := range []string{`"20261332"`, `"2026-11-27"`, `"27 de noviembre"`, `""`, `20261127`} {
		r := call(t, h, http.MethodPost, extraction, `{"fecha_generacion": `+generation+`, "drive_folder_id": "x"}`)
		is.Equal(r.locations(), []string{"body.fecha_generacion"})
		is.True(strings.Contains(r.Body.String(), "debe ser una fecha AAAAMMDD, como 20261127"))
	}
	is.Equal(call(t, h, http.MethodPost, extraction, `{"fecha_generacion": "20261127"}`).locations(), []string{"body.drive_folder_id"})
	noFolder := api(t, httpapi.Config{Load: loads(intake.Report{}, &intake.Error{Code: intake.CodeFolder, Message: "no es una carpeta"})})
	is.Equal(call(t, noFolder, http.MethodPost, extraction, `{"fecha_generacion": "20261127", "drive_folder_id": "¿cuál?"}`).locations(), []string{"body.drive_folder_id"})
	is.Equal(call(t, h, http.MethodPost, extraction, `{`).Code, http.StatusBadRequest)
	r := call(t, api(t, httpapi.Config{Folder: "x"}), http.MethodPost, extraction, `{"fecha_generacion": "20261127"}`)
	is.Equal(r.Code, http.StatusServiceUnavailable)
	is.Equal(r.problem()["error_code"], "dataset_error")
}

func TestExtractionTellsWhatFailed(t *testing.T) {
	for _, c := range []struct {
		name    string
		report  intake.Report
		err     error
		status  int
		problem string // its error_code
	}{
		{"something was left out", intake.Report{ErrorCount: 1, LeftOut: 1}, nil, 200, ""},
		{"a workbook was not loaded", intake.Report{Failed: 1, ErrorCount: 1}, nil, 502, ""},
		{"Drive could not be read", intake.Report{ErrorCount: 1}, &intake.Error{Code: "drive_listing_failed", Message: "no se pudo leer"}, 502, ""},
		{"no credentials", intake.Report{ErrorCount: 1}, &intake.Error{Code: intake.CodeCredentials, Message: "faltan"}, 503, ""},
		{"no workbooks", intake.Report{ErrorCount: 1}, &intake.Error{Code: "no_workbooks", Message: "ninguno", Err: intake.ErrNone}, 404, ""},
		{"the database is away", intake.Report{ErrorCount: 1}, &intake.Error{Code: "db_insert_failed", Message: "no está", Err: store.ErrUnavailable}, 503, ""},
		{"a right is missing", intake.Report{ErrorCount: 1}, &intake.Error{Code: "db_insert_failed", Message: "GRANT", Err: store.ErrDenied}, 503, ""},
		{"another one is under way", intake.Report{}, &intake.Error{Code: "load_busy", Message: "otra", Err: intake.ErrBusy}, 409, "load_busy"},
		{"a fault of ours", intake.Report{}, errors.New("s3creto"), 500, "internal_error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			h := api(t, httpapi.Config{Folder: "x", Load: loads(c.report, c.err)})
			r := call(t, h, http.MethodPost, extraction, `{"fecha_generacion": "20261127"}`)
			is.Equal(r.Code, c.status)
			is.True(!strings.Contains(r.Body.String(), "s3creto"))
			if c.problem != "" {
				is.Equal(r.problem()["error_code"], c.problem)
				return
			}
			is.Equal(r.object()["success"], c.status == http.StatusOK)
			legacy := api(t, httpapi.Config{Folder: "x", Legacy: true, Load: loads(c.report, c.err)})
			r = call(t, legacy, http.MethodPost, extraction, `{"fecha_generacion": "20261127"}`)
			is.Equal(r.Code, http.StatusOK)
			is.Equal(r.object()["success"], c.status == http.StatusOK)
		})
	}
}

// TestExtractionOutlivesItsCaller has one who hangs up, and one for whom the
// request's time is up.
func TestExtractionOutlivesItsCaller(t *testing.T) {
	for _, c := range []struct {
		name    string
		timeout time.Duration
		hangUp  bool
	}{{"who hangs up", 0, true}, {"whose time is up", time.Millisecond, false}} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			began, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			h := api(t, httpapi.Config{Folder: "x", Timeout: c.timeout, Load: func(ctx context.Context, _ string, _ ccm.Date, _ intake.Options) (intake.Report, error) {
				close(began)
				<-goOn
				_, bounded := ctx.Deadline()
				is.True(bounded)
				is.Equal(ccm.MessageID(ctx), "mio")
				ended <- ctx.Err()
				return intake.Report{}, nil
			}})
			ctx, cancel := context.WithCancel(t.Context())
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, extraction, strings.NewReader(`{"fecha_generacion": "20261127"}`))
			r.Header.Set("X-Request-ID", "mio")
			w := httptest.NewRecorder()
			if c.hangUp {
				go func() {
					<-began
					cancel()
				}()
			}
			h.ServeHTTP(w, r)
			cancel()
			is.Equal(w.Code, http.StatusGatewayTimeout)
			is.Equal(reply{w, t}.problem()["error_code"], "load_under_way")
			close(goOn)
			is.NoErr(<-ended) // the load was not told to stop
		})
	}
}

func TestExtractionSurvivesAPanic(t *testing.T) {
	is := is.New(t)
	log := new(journal)
	h := api(t, httpapi.Config{Folder: "x", Logger: log.logger(slog.LevelInfo), Load: func(context.Context, string, ccm.Date, intake.Options) (intake.Report, error) { panic("s3creto") }})
	r := call(t, h, http.MethodPost, extraction, `{"fecha_generacion": "20261127"}`)
	is.Equal(r.Code, http.StatusInternalServerError)
	is.Equal(len(log.lines(t, "pánico en una carga")), 1)
	is.True(!strings.Contains(log.String()+r.Body.String(), "s3creto"))
}
