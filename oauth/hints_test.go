package oauth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/oauth"
	"github.com/ccmwf/ccm/oauth/oauthtest"
)

// TestFindSaysWhatToMend provokes each fault of a file.
func TestFindSaysWhatToMend(t *testing.T) {
	fake := oauthtest.NewServer(t)
	file := func(data []byte) string { return oauthtest.WriteFile(t, data) }
	folder := filepath.Join(t.TempDir(), "carpeta.json")
	is.New(t).NoErr(os.Mkdir(folder, 0o700))
	robot, client, token := fake.ServiceAccount(), file(fake.DesktopClient()), fake.Token()
	for name, c := range map[string]struct {
		cfg  oauth.Config
		hint string
	}{
		"no file":             {oauth.Config{File: "/no/hay"}, "no existe: revise la ruta"},
		"a folder":            {oauth.Config{File: folder}, "es un directorio"},
		"a file in a file":    {oauth.Config{File: client + "/x"}, "no se puede leer: revise el archivo y su montaje"},
		"not JSON":            {oauth.Config{File: write(t, secret)}, "no es JSON: descárguelo"},
		"empty":               {oauth.Config{File: write(t, "")}, "no es JSON"},
		"a pickle":            {oauth.Config{File: write(t, "\x80\x04\x95"+secret)}, "es un pickle de Python, que no se abre porque puede ejecutar código; autorice otra vez con «ccm-api google authorize»"},
		"too long":            {oauth.Config{File: write(t, strings.Repeat(secret, 20_000))}, "demasiado grande"},
		"of no kind":          {oauth.Config{File: write(t, `{"type": "`+secret+`"}`)}, "no es de una cuenta de servicio"},
		"not allowed":         {oauth.Config{File: file(fake.AuthorizedUser()), Allow: []oauth.Kind{oauth.ServiceAccount}}, "no se aceptan credenciales de este tipo"},
		"from elsewhere":      {oauth.Config{File: file(fake.ExternalAccount("/x"))}, "no se aceptan credenciales de este tipo"},
		"without an e-mail":   {oauth.Config{File: file(with(t, robot, "client_email", ""))}, "le faltan campos"},
		"a user's gap":        {oauth.Config{File: file(with(t, fake.AuthorizedUser(), "refresh_token", ""))}, "le faltan campos"},
		"a client's gap":      {oauth.Config{File: file(with(t, fake.DesktopClient(), "installed.client_secret", "")), TokenFile: file(token)}, "le faltan campos"},
		"with no key":         {oauth.Config{File: file(with(t, robot, "private_key", secret))}, "la clave privada no se entiende"},
		"to plain http":       {oauth.Config{File: file(with(t, robot, "token_uri", "http://example.org/"+secret))}, "no es https"},
		"a client's, too":     {oauth.Config{File: file(with(t, fake.DesktopClient(), "installed.auth_uri", "http://example.org/"+secret)), TokenFile: file(token)}, "no es https"},
		"a user for others":   {oauth.Config{File: file(fake.AuthorizedUser()), Subject: "x"}, "solo una cuenta de servicio"},
		"no token's file":     {oauth.Config{File: client}, "le hace falta GOOGLE_TOKEN_PATH"},
		"no token yet":        {oauth.Config{File: client, TokenFile: "/no/hay"}, "aún no se autorizó a este cliente: hágalo con «ccm-api google authorize»"},
		"a pickled token":     {oauth.Config{File: client, TokenFile: write(t, "\x80\x04\x95"+secret)}, "es un pickle de Python"},
		"a broken token":      {oauth.Config{File: client, TokenFile: write(t, secret)}, "no es JSON: autorice otra vez"},
		"no refresh token":    {oauth.Config{File: client, TokenFile: file(with(t, token, "refresh_token", ""))}, "no puede renovarse"},
		"another's token":     {oauth.Config{File: client, TokenFile: file(with(t, token, "client_id", "otro"))}, "es de otro cliente"},
		"a narrow token":      {oauth.Config{File: client, TokenFile: file(fake.Token("openid"))}, "falta un permiso"},
		"a key for no scopes": {oauth.Config{File: file(robot), Scopes: []string{}}, "diga para qué"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.cfg.Scopes == nil {
				c.cfg.Scopes = drive
			}
			_, err := oauth.Find(t.Context(), c.cfg)
			says(t, err, c.hint)
		})
	}
	t.Run("an external account for no scopes", func(t *testing.T) {
		_, err := oauth.Find(t.Context(), oauth.Config{File: file(fake.ExternalAccount("/x")), Allow: []oauth.Kind{oauth.ExternalAccount}})
		says(t, err, "diga para qué")
	})
	t.Run("a wider scope covers a narrower", func(t *testing.T) {
		find(t, oauth.Config{File: client, TokenFile: file(fake.Token("https://www.googleapis.com/auth/drive"))})
	})
	is.New(t).Equal(len(fake.Calls()), 0) // no network
}

// refusals are what Google's token endpoint says, and what is told of it.
var refusals = map[string]struct {
	fault   oauthtest.Fault
	service string // hint for a service account
	user    string // hint for a user; "": the same
}{
	"a bad clock": {oauthtest.Fault{Error: "invalid_grant", Description: "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."}, "el reloj de esta máquina está mal", ""},
	"no client":   {oauthtest.Fault{Status: 401, Error: "invalid_client"}, "fue borrada o desactivada", "no acepta el cliente OAuth"},
	"deleted":     {oauthtest.Fault{Status: 401, Error: "deleted_client"}, "fue borrada o desactivada", "no acepta el cliente OAuth"},
	"disabled":    {oauthtest.Fault{Status: 401, Error: "disabled_client"}, "fue borrada o desactivada", "no acepta el cliente OAuth"},
	"no scope":    {oauthtest.Fault{Error: "invalid_scope"}, "no da estos permisos", ""},
	"policy":      {oauthtest.Fault{Error: "admin_policy_enforced"}, "no da estos permisos", ""},
	"delegation":  {oauthtest.Fault{Status: 401, Error: "unauthorized_client"}, "delegación", ""},
	"revoked":     {oauthtest.Fault{Error: "invalid_grant"}, "fue borrada o desactivada", "fue revocado"},
	"busy":        {oauthtest.Fault{Status: 503}, "no puede atender ahora", ""},
	"too many":    {oauthtest.Fault{Status: 429, Error: "rate_limit_exceeded"}, "no puede atender ahora", ""},
	"something":   {oauthtest.Fault{Error: "something_else"}, "no dio un token", ""},
	"secret code": {oauthtest.Fault{Error: secret + "!"}, "no es Google", ""},
	"HTML":        {oauthtest.Fault{Body: "<html>" + secret}, "no es Google", ""},
	"HTML's no":   {oauthtest.Fault{Status: 403, Body: "<html>" + secret}, "no es Google", ""},
	"a redirect":  {oauthtest.Fault{Redirect: "/" + secret}, "no es Google", ""},
	"no token":    {oauthtest.Fault{Fields: map[string]any{"access_token": nil}}, "no es Google", ""},
	"an empty":    {oauthtest.Fault{Fields: map[string]any{"access_token": ""}}, "no es Google", ""},
	"cut off":     {oauthtest.Fault{Cut: true}, "no se alcanza", ""},
	"cut short":   {oauthtest.Fault{Truncate: true}, "no se alcanza", ""},
}

func TestTokenSaysWhatToMend(t *testing.T) {
	fake := oauthtest.NewServer(t)
	robot := oauth.Config{File: oauthtest.WriteFile(t, fake.ServiceAccount())}
	user := oauth.Config{File: oauthtest.WriteFile(t, fake.AuthorizedUser())}
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			if c.user == "" {
				c.user = c.service
			}
			for _, one := range []struct {
				cfg  oauth.Config
				hint string
			}{{robot, c.service}, {user, c.user}, {desktop(t, fake), c.user}} {
				c.fault.Description += secret
				fake.Script(c.fault)
				before := len(fake.Calls())
				_, err := find(t, one.cfg).Token(t.Context())
				says(t, err, one.hint)
				is.New(t).Equal(len(fake.Calls())-before, 1) // and went nowhere else
			}
		})
	}
}

// TestTokenSaysWhatIsSo provokes what needs no script.
func TestTokenSaysWhatIsSo(t *testing.T) {
	token := func(t *testing.T, cfg oauth.Config) error {
		_, err := find(t, cfg).Token(t.Context())
		return err
	}
	t.Run("a key that was deleted", func(t *testing.T) {
		fake := oauthtest.NewServer(t)
		cfg := oauth.Config{JSON: fake.ServiceAccount()}
		fake.Revoke()
		says(t, token(t, cfg), "fue borrada o desactivada; descargue una clave nueva")
	})
	t.Run("a token that was revoked", func(t *testing.T) {
		fake := oauthtest.NewServer(t)
		cfg := desktop(t, fake)
		fake.Revoke()
		err := token(t, cfg)
		says(t, err, "fue revocado")
		says(t, err, "«ccm-api google authorize»")
		says(t, err, "7 días")
	})
	t.Run("a user of gcloud who was revoked", func(t *testing.T) {
		fake := oauthtest.NewServer(t)
		cfg := oauth.Config{JSON: fake.AuthorizedUser()}
		fake.Revoke()
		err := token(t, cfg)
		says(t, err, "fue revocado")
		says(t, err, "«gcloud auth application-default login»") // google authorize has nothing to authorise
	})
	for name, off := range map[string]time.Duration{"a clock that is behind": time.Hour, "a clock that is ahead": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			fake := oauthtest.NewServer(t)
			fake.Now = func() time.Time { return time.Now().Add(off) }
			says(t, token(t, oauth.Config{JSON: fake.ServiceAccount()}), "el reloj de esta máquina está mal: póngalo en hora")
		})
	}
	t.Run("a user who does not exist", func(t *testing.T) {
		fake := oauthtest.NewServer(t)
		fake.Script(oauthtest.Fault{Error: "invalid_grant", Description: "Invalid email or User ID"})
		says(t, token(t, oauth.Config{JSON: fake.ServiceAccount(), Subject: "nadie@example.org"}), "el usuario por el que se actúa no existe")
	})
	t.Run("a user it may not act for", func(t *testing.T) {
		fake := oauthtest.NewServer(t)
		says(t, token(t, oauth.Config{JSON: fake.ServiceAccount(), Subject: "otro@example.org"}), "la delegación en todo el dominio")
	})
	t.Run("a scope that was not granted", func(t *testing.T) {
		fake := oauthtest.NewServer(t)
		cfg := desktop(t, fake)
		cfg.TokenFile = oauthtest.WriteFile(t, with(t, fake.Token("openid"), "scopes", drive)) // the file says otherwise
		says(t, token(t, cfg), "falta un permiso")
		fake.Scopes = []string{"openid"}
		says(t, token(t, oauth.Config{JSON: fake.ServiceAccount()}), "no da estos permisos")
	})
	t.Run("no network", func(t *testing.T) {
		fake := oauthtest.New()
		server := httptest.NewServer(fake)
		fake.URL = server.URL
		server.Close()
		for _, file := range [][]byte{fake.ServiceAccount(), fake.AuthorizedUser()} {
			says(t, token(t, oauth.Config{JSON: file}), "no se alcanza el servidor de Google: revise la red, el DNS y el proxy")
		}
	})
	t.Run("a server that never answers", func(t *testing.T) {
		fake := oauthtest.NewServer(t)
		fake.Script(oauthtest.Fault{Hang: true})
		impatient := context.WithValue(t.Context(), httpClient, &http.Client{Transport: &http.Transport{ResponseHeaderTimeout: time.Millisecond}})
		c, err := oauth.Find(impatient, oauth.Config{JSON: fake.AuthorizedUser()})
		is.New(t).NoErr(err)
		_, err = c.Token(t.Context())
		says(t, err, "no se alcanza")
	})
	t.Run("a certificate of nobody", func(t *testing.T) {
		fake := oauthtest.New()
		fake.URL = tlsServer(t, fake).URL
		says(t, token(t, oauth.Config{JSON: fake.ServiceAccount()}), "no se confía en el certificado")
	})
	t.Run("another provider's fault", func(t *testing.T) {
		fake := oauthtest.NewServer(t)
		cfg := oauth.Config{JSON: fake.ExternalAccount("/no/hay"), Allow: []oauth.Kind{oauth.ExternalAccount}}
		says(t, token(t, cfg), "el otro proveedor no dio su token")
	})
	t.Run("nobody waits", func(t *testing.T) {
		is := is.New(t)
		fake := oauthtest.NewServer(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := find(t, oauth.Config{JSON: fake.ServiceAccount()}).Token(ctx)
		is.Equal(err, context.Canceled)
		is.Equal(len(fake.Calls()), 0)
	})
}
