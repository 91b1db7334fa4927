package oauth_test

import (
	"context"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/oauth"
)

// TestFindSaysWhatToMend provokes each fault of a file.
func TestFindSaysWhatToMend(t *testing.T) {
	e := newEndpoint(t)
	with := func(document map[string]any, field string, value any) map[string]any {
		changed := maps.Clone(document)
		changed[field] = value
		return changed
	}
	folder := filepath.Join(t.TempDir(), "carpeta.json")
	is.New(t).NoErr(os.Mkdir(folder, 0o700))
	desktop := write(t, e.desktopClient())
	for name, c := range map[string]struct {
		cfg  oauth.Config
		hint string
	}{
		"no file":           {oauth.Config{File: "/no/hay"}, "no existe: revise la ruta"},
		"a folder":          {oauth.Config{File: folder}, "es un directorio"},
		"not JSON":          {oauth.Config{File: write(t, secret)}, "no es JSON"},
		"empty":             {oauth.Config{File: write(t, "")}, "no es JSON"},
		"a pickle":          {oauth.Config{File: write(t, "\x80\x04\x95"+secret)}, "ccm-api google authorize"},
		"too long":          {oauth.Config{File: write(t, strings.Repeat(secret, 20_000))}, "demasiado grande"},
		"of no kind":        {oauth.Config{File: write(t, map[string]any{"type": secret})}, "no es de una cuenta de servicio"},
		"not allowed":       {oauth.Config{File: write(t, e.authorizedUser()), Allow: []oauth.Kind{oauth.ServiceAccount}}, "no se aceptan credenciales de este tipo"},
		"without an e-mail": {oauth.Config{File: write(t, with(e.serviceAccount(), "client_email", ""))}, "le faltan campos"},
		"with no key":       {oauth.Config{File: write(t, with(e.serviceAccount(), "private_key", secret))}, "la clave privada no se entiende"},
		"to plain http":     {oauth.Config{File: write(t, with(e.serviceAccount(), "token_uri", "http://example.org/"+secret))}, "no es https"},
		"a user for others": {oauth.Config{File: write(t, e.authorizedUser()), Subject: "x"}, "solo una cuenta de servicio"},
		"no token's file":   {oauth.Config{File: desktop}, "le hace falta GOOGLE_TOKEN_PATH"},
		"no token yet":      {oauth.Config{File: desktop, TokenFile: "/no/hay"}, "aún no se autorizó"},
		"a pickled token":   {oauth.Config{File: desktop, TokenFile: write(t, "\x80\x04\x95"+secret)}, "es un pickle de Python"},
		"a broken token":    {oauth.Config{File: desktop, TokenFile: write(t, secret)}, "no es JSON: autorice otra vez"},
		"no refresh token":  {oauth.Config{File: desktop, TokenFile: write(t, with(tokenFile(), "refresh_token", ""))}, "no puede renovarse"},
		"another's token":   {oauth.Config{File: desktop, TokenFile: write(t, with(tokenFile(), "client_id", "otro"))}, "es de otro cliente"},
		"a narrow token":    {oauth.Config{File: desktop, TokenFile: write(t, with(tokenFile(), "scopes", []string{"openid"}))}, "falta un permiso"},
	} {
		t.Run(name, func(t *testing.T) {
			c.cfg.Scopes = drive
			_, err := oauth.Find(t.Context(), c.cfg)
			says(t, err, c.hint)
		})
	}
	t.Run("no scopes", func(t *testing.T) {
		_, err := oauth.Find(t.Context(), oauth.Config{File: write(t, e.serviceAccount())})
		says(t, err, "diga para qué")
	})
	t.Run("no right to read", func(t *testing.T) {
		file := write(t, e.serviceAccount())
		is.New(t).NoErr(os.Chmod(file, 0))
		if os.Getuid() == 0 {
			t.Skip("root may read everything")
		}
		_, err := oauth.Find(t.Context(), oauth.Config{File: file})
		says(t, err, "no puede leerlo")
	})
	is.New(t).NoErr(func() error { // a wider scope covers a narrower
		_, err := oauth.Find(t.Context(), oauth.Config{File: desktop, Scopes: drive, TokenFile: write(t, with(tokenFile(), "scopes", []string{"https://www.googleapis.com/auth/drive"}))})
		return err
	}())
}

// TestTokenSaysWhatToMend provokes each refusal of the token endpoint.
func TestTokenSaysWhatToMend(t *testing.T) {
	for name, c := range map[string]struct {
		status      int
		code        string
		description string
		service     string // hint for a service account
		user        string // hint for a user; "": the same
	}{
		"revoked":     {400, "invalid_grant", "Token has been expired or revoked.", "fue borrada o desactivada", "fue revocado"},
		"a bad clock": {400, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.", "el reloj", ""},
		"no client":   {401, "invalid_client", "", "no acepta el cliente OAuth", ""},
		"no scope":    {400, "invalid_scope", "", "no da estos permisos", ""},
		"delegation":  {401, "unauthorized_client", "", "delegación", ""},
		"busy":        {503, "backend_error", "", "no puede atender ahora", ""},
		"too many":    {429, "rate_limit_exceeded", "", "no puede atender ahora", ""},
		"something":   {400, "something_else", "", "no dio un token", ""},
		"secret code": {400, secret + "!", "", "no es Google", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(t)
			e.refuse(c.status, c.code, c.description)
			_, err := find(t, oauth.Config{File: write(t, e.serviceAccount())}).Token(t.Context())
			says(t, err, c.service)
			_, err = find(t, oauth.Config{File: write(t, e.authorizedUser())}).Token(t.Context())
			if c.user == "" {
				c.user = c.service
			}
			says(t, err, c.user)
		})
	}
	for name, answer := range map[string]struct {
		status int
		body   any
	}{
		"HTML":              {200, "<html>" + secret},
		"HTML, refused":     {403, "<html>" + secret},
		"a redirect":        {302, "<html>" + secret},
		"without a token":   {200, map[string]any{"expires_in": 1}},
		"with an empty one": {200, map[string]any{"access_token": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(t)
			e.headers = http.Header{"Location": {"/" + secret}}
			e.answers(func(map[string]string) (int, any) { return answer.status, answer.body })
			for _, file := range []map[string]any{e.serviceAccount(), e.authorizedUser()} {
				before := len(e.seen())
				_, err := find(t, oauth.Config{File: write(t, file)}).Token(t.Context())
				says(t, err, "no es Google")
				is.New(t).Equal(len(e.seen())-before, 1) // and went nowhere else
			}
		})
	}
	t.Run("the clock of the server is another", func(t *testing.T) {
		e := newEndpoint(t)
		e.headers = http.Header{"Date": {"Mon, 02 Jan 2006 15:04:05 GMT"}}
		e.refuse(400, "invalid_grant", "Invalid JWT Signature.")
		_, err := find(t, oauth.Config{File: write(t, e.serviceAccount())}).Token(t.Context())
		says(t, err, "el reloj")
	})
	t.Run("no network", func(t *testing.T) {
		e := newEndpoint(t)
		e.Close()
		for _, file := range []map[string]any{e.serviceAccount(), e.authorizedUser()} {
			_, err := find(t, oauth.Config{File: write(t, file)}).Token(t.Context())
			says(t, err, "no se alcanza")
		}
	})
	t.Run("a certificate of nobody", func(t *testing.T) {
		e := newEndpoint(t)
		e.Config.ErrorLog = quiet
		e.Close()
		e.Server = tlsServer(t, e)
		_, err := find(t, oauth.Config{File: write(t, e.serviceAccount())}).Token(t.Context())
		says(t, err, "no se confía en el certificado")
	})
	t.Run("a scope that was not granted", func(t *testing.T) {
		e := newEndpoint(t)
		e.answers(func(map[string]string) (int, any) {
			answer := granted(1, 3600)
			answer["scope"] = "openid"
			return 200, answer
		})
		_, err := find(t, oauth.Config{File: write(t, e.desktopClient()), TokenFile: write(t, tokenFile())}).Token(t.Context())
		says(t, err, "falta un permiso")
	})
	t.Run("nobody waits", func(t *testing.T) {
		is := is.New(t)
		e := newEndpoint(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := find(t, oauth.Config{File: write(t, e.serviceAccount())}).Token(ctx)
		is.Equal(err, context.Canceled)
		is.Equal(len(e.seen()), 0)
	})
}

// says checks the hint of an error, and that the error shows nothing secret.
func says(t testing.TB, err error, want string) {
	t.Helper()
	if !strings.Contains(hint(err), want) {
		t.Errorf("%v does not say %q", err, want)
	}
	if err != nil && strings.Contains(err.Error(), secret) {
		t.Errorf("%v shows a secret", err)
	}
}
