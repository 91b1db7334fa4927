package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/store"
)

// Load brings the workbooks of a generation from a folder of Drive into the
// database. Its context outlives the request; the caller of New says when the
// service ends.
type Load func(ctx context.Context, folder string, generation ccm.Date, o intake.Options) (intake.Report, error)

// longestLoad bounds a load whose caller has left.
const longestLoad = 30 * time.Minute

const generationForm = "20060102"

const folderPlace = "body.drive_folder_id"

var extractionFields = []field{
	{name: "fecha_generacion", kind: generation, required: true, doc: "La generación que se carga, AAAAMMDD."},
	{name: "drive_folder_id", kind: text, max: 300, doc: "La carpeta de Drive, su ID o su dirección; sin ella, GOOGLE_DRIVE_ATTACHMENTS_FOLDER_ID."},
	{name: "force", kind: boolean, zero: false, doc: "Cambia también las personas que ya están y difieren."},
	{name: "dry_run", kind: boolean, zero: false, doc: "Dice qué pasaría y no escribe nada."},
}

// extraction is the answer of POST /extraccion_generacion.
type extraction struct {
	Success   bool          `json:"success" doc:"Drive se pudo leer y todos los libros se cargaron; lo que se dejó fuera de ellos está en report.errors."`
	Report    intake.Report `json:"report" doc:"Qué se hizo."`
	MessageID string        `json:"message_id" doc:"Identificador de la petición, también en X-Request-ID y en los registros."`
}

var (
	errNoDatabase = newProblem(http.StatusServiceUnavailable, "No hay base de datos configurada: falta DATABASE_URL.").with(ccm.CodeDataset)
	errLoadBusy   = newProblem(http.StatusConflict, "Ya hay otra carga en curso: espere a que termine.").with(codeLoadBusy)
	errLoadGoesOn = newProblem(http.StatusGatewayTimeout, "La carga no terminó en el tiempo de una petición y sigue: el registro con este message_id dirá su resultado.").with(codeLoadGoesOn)
)

const (
	codeLoadBusy   ccm.Code = "load_busy"
	codeLoadGoesOn ccm.Code = "load_under_way"
)

// extract answers POST /extraccion_generacion. The load goes on when its caller
// leaves, or the request runs out of time.
func (h *Handler) extract(x *exchange, r *http.Request) error {
	in, err := readBody(x, r, extractionFields)
	if err != nil {
		return err
	}
	folder := cmp.Or(in.string("drive_folder_id"), h.cfg.Folder)
	if folder == "" {
		return newFaults([]fault{{folderPlace, "es obligatorio: el servicio no tiene GOOGLE_DRIVE_ATTACHMENTS_FOLDER_ID"}})
	}
	day := in.time("fecha_generacion")
	if h.cfg.Load == nil {
		return errNoDatabase
	}
	x.note(slog.String("fecha_generacion", day.Format(generationForm)), slog.String("drive_folder_id", folder))
	type outcome struct {
		report intake.Report
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), longestLoad)
		defer cancel()
		report, err := h.load(ctx, folder, store.DateOf(day), intake.Options{Force: in.bool("force"), DryRun: in.bool("dry_run")})
		done <- outcome{report, err}
	}()
	select {
	case <-r.Context().Done():
		return errLoadGoesOn
	case o := <-done:
		return h.answerExtraction(x, in, o.report, o.err)
	}
}

// load calls Config.Load; a panic there is an error, for nobody else would catch
// it.
func (h *Handler) load(ctx context.Context, folder string, generation ccm.Date, o intake.Options) (report intake.Report, err error) {
	defer func() {
		if v := recover(); v != nil {
			h.cfg.Logger.LogAttrs(ctx, slog.LevelError, "pánico en una carga", slog.String("etapa", "carga"), slog.String("message_id", ccm.MessageID(ctx)),
				slog.String("reason", fmt.Sprintf("%T", v)), slog.String("stack", string(debug.Stack())))
			err = errPanic
		}
	}()
	return h.cfg.Load(ctx, folder, generation, o)
}

func (h *Handler) answerExtraction(x *exchange, in values, report intake.Report, err error) error {
	stopped, ours := errors.AsType[*intake.Error](err)
	switch {
	case errors.Is(err, intake.ErrBusy):
		return errLoadBusy
	case err != nil && !ours:
		return err
	case err != nil && stopped.Code == intake.CodeFolder && in.string("drive_folder_id") != "":
		return newFaults([]fault{{folderPlace, stopped.Message}})
	}
	status := http.StatusOK
	switch {
	case err != nil:
		x.note(slog.String("error_code", stopped.Code))
		status = extractionStatus(stopped)
	case report.Failed > 0:
		status = http.StatusBadGateway
	}
	answer := extraction{status == http.StatusOK, report, x.id}
	if h.cfg.Legacy {
		status = http.StatusOK
	}
	return x.json(status, jsonType, &answer)
}

// extractionStatus is the status of what stopped a load.
func extractionStatus(err *intake.Error) int {
	switch {
	case errors.Is(err, intake.ErrNone):
		return http.StatusNotFound
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrDenied), errors.Is(err, store.ErrSchema), errors.Is(err, store.ErrReadOnly), errors.Is(err, store.ErrFull),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), err.Code == intake.CodeCredentials:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadGateway
}
