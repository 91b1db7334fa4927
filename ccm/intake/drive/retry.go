package drive

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/oauth"
)

// Of every question to Drive.
// https://developers.google.com/workspace/drive/api/guides/limits
const (
	attempts       = 5
	firstPause     = time.Second
	longestPause   = time.Minute // also of a Retry-After
	attemptTimeout = 2 * time.Minute
)

const (
	codeListing  = "drive_listing_failed"
	codeDownload = "drive_download_failed"
)

// retry asks until there is an answer that another attempt would not change.
func (d *Drive) retry(ctx context.Context, ask func(context.Context) error) error {
	for n := 1; ; n++ {
		err := once(ctx, ask)
		if err == nil || n == attempts || !passing(ctx, err) {
			return err
		}
		if err := d.wait(ctx, pause(n, err)); err != nil {
			return err
		}
	}
}

func once(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return ask(ctx)
}

// rates are Google's reasons for a 403 that is a 429.
// https://developers.google.com/workspace/drive/api/guides/handle-errors
var rates = []string{"rateLimitExceeded", "userRateLimitExceeded", "sharingRateLimitExceeded"}

// passing reports whether an error may be gone in a while.
func passing(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	if refused, ok := errors.AsType[*googleapi.Error](err); ok {
		limited := refused.Code == http.StatusForbidden && slices.ContainsFunc(refused.Errors, func(e googleapi.ErrorItem) bool { return slices.Contains(rates, e.Reason) })
		return limited || refused.Code == http.StatusTooManyRequests || refused.Code >= http.StatusInternalServerError
	}
	_, credentials := errors.AsType[*oauth.Error](err)
	_, ours := errors.AsType[*intake.Error](err)
	return !credentials && !ours // the network
}

// pause is how long to wait after the nth failure: what Retry-After asks, or
// twice as long each time; a bit more or less, so that not all come back at once.
func pause(n int, err error) time.Duration {
	p := firstPause << (n - 1)
	if refused, ok := errors.AsType[*googleapi.Error](err); ok {
		if asked := retryAfter(refused.Header); asked > 0 {
			return min(asked, longestPause) + rand.N(firstPause)
		}
	}
	return p/2 + rand.N(p)
}

// retryAfter reads seconds or a date; 0: it does not say.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if n, err := strconv.Atoi(value); err == nil && n > 0 {
		return time.Duration(min(n, 3600)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return time.Until(at)
	}
	return 0
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func listingError(err error) error { return explain(codeListing, "no se pudo leer la carpeta", err) }
func downloadError(err error) error {
	return explain(codeDownload, "no se pudo descargar el libro", err)
}

// explain says what to mend.
func explain(code, what string, err error) error {
	if known, ok := errors.AsType[*intake.Error](err); ok {
		return known
	}
	why := "no se llega a Google: revise la red y repita"
	if credentials, ok := errors.AsType[*oauth.Error](err); ok {
		why = "las credenciales de Google no sirven: " + credentials.Hint
	}
	if refused, ok := errors.AsType[*googleapi.Error](err); ok {
		why = reason(refused)
	}
	if errors.Is(err, errCut) {
		why = "llega cortado, o distinto de lo que Drive dice que es: repita la carga"
	}
	if errors.Is(err, context.Canceled) {
		why = "la carga se interrumpió"
	}
	return &intake.Error{Code: code, Message: what + ": " + why, Err: err}
}

func reason(refused *googleapi.Error) string {
	disabled := slices.ContainsFunc(refused.Errors, func(e googleapi.ErrorItem) bool { return e.Reason == "accessNotConfigured" })
	switch {
	case refused.Code == http.StatusNotFound:
		return "no existe, o no está compartida con la cuenta de las credenciales: compártala con ella como lector"
	case refused.Code == http.StatusUnauthorized:
		return "Google no acepta las credenciales: «ccm-api google check» dice por qué"
	case disabled:
		return "la API de Drive está apagada en el proyecto de Google de las credenciales: actívela en su consola"
	case refused.Code == http.StatusForbidden:
		return "la cuenta de las credenciales no tiene permiso, o falta el alcance drive.readonly"
	case refused.Code == http.StatusTooManyRequests:
		return "Google limita las peticiones: espere unos minutos y repita"
	}
	return fmt.Sprintf("Google respondió %d: espere y repita", refused.Code)
}
