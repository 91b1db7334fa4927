package oauth_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"
	"golang.org/x/oauth2"

	"github.com/ccmwf/ccm/oauth"
	"github.com/ccmwf/ccm/oauth/oauthtest"
)

// httpClient is where x/oauth2, and package oauth, look for a client.
var httpClient = oauth2.HTTPClient

func tlsServer(t testing.TB, h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of clients that do not trust it
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// browse opens an address, goes where it leads, and returns what is shown there.
func browse(t testing.TB, address string) string {
	t.Helper()
	is := is.New(t)
	response, err := http.Get(address)
	is.NoErr(err)
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	is.NoErr(err)
	return string(page)
}

// unauthorized is a client that has no token yet.
func unauthorized(t testing.TB, fake *oauthtest.Server) oauth.Config {
	t.Helper()
	return oauth.Config{File: oauthtest.WriteFile(t, fake.DesktopClient()), TokenFile: filepath.Join(t.TempDir(), "token.json"), Scopes: drive}
}

func TestAuthorizeWritesTheToken(t *testing.T) {
	is := is.New(t)
	fake := oauthtest.NewServer(t)
	cfg := unauthorized(t, fake)
	is.NoErr(oauth.Authorize(t.Context(), cfg, func(address string) error {
		u, err := url.Parse(address)
		is.NoErr(err)
		q := u.Query()
		is.Equal(q.Get("code_challenge_method"), "S256")
		is.Equal(q.Get("scope"), oauth.DriveReadonly)
		back := q.Get("redirect_uri")
		is.True(strings.HasPrefix(back, "http://127.0.0.1:"))
		is.True(strings.Contains(browse(t, back+"?state=ajeno&code=robado"), "solo recibe")) // somebody else's
		is.True(strings.Contains(browse(t, address), "Listo"))
		return nil
	}))
	is.Equal(len(fake.Calls()), 1) // the stolen code went nowhere
	is.Equal(fake.Calls()[0].Grant, oauthtest.GrantCode)

	info, err := os.Stat(cfg.TokenFile)
	is.NoErr(err)
	is.Equal(info.Mode().Perm(), os.FileMode(0o600))
	is.Equal(len(leftovers(t, cfg.TokenFile)), 0)
	_, err = find(t, cfg).Token(t.Context())
	is.NoErr(err)

	is.NoErr(oauth.Authorize(t.Context(), cfg, func(address string) error { browse(t, address); return nil })) // once more, over the first
	_, err = find(t, cfg).Token(t.Context())
	is.NoErr(err)
}

func TestAuthorizeOfAWebClientUsesItsAddress(t *testing.T) {
	is := is.New(t)
	fake := oauthtest.NewServer(t)
	free := httptest.NewServer(nil)
	free.Close() // its port is free now
	cfg := unauthorized(t, fake)
	overwrite(t, cfg.File, web(t, fake, "https://example.org/", free.URL+"/volver"))
	is.NoErr(oauth.Authorize(t.Context(), cfg, func(address string) error {
		u, err := url.Parse(address)
		is.NoErr(err)
		is.Equal(u.Query().Get("redirect_uri"), free.URL+"/volver")
		browse(t, address)
		return nil
	}))
	_, err := find(t, cfg).Token(t.Context())
	is.NoErr(err)
}

// web is the file of a client of the type "web".
func web(t testing.TB, fake *oauthtest.Server, redirects ...string) []byte {
	t.Helper()
	changed := with(t, fake.DesktopClient(), "installed.redirect_uris", redirects)
	return []byte(strings.Replace(string(changed), `"installed"`, `"web"`, 1))
}

func TestAuthorizeSaysWhatToMend(t *testing.T) {
	fake := oauthtest.NewServer(t)
	for name, c := range map[string]struct {
		spoil func(cfg *oauth.Config)
		hint  string
		early bool // nobody is asked
	}{
		"a person who says no":       {func(*oauth.Config) { fake.Deny = true }, "no dio el permiso", false},
		"a person who ticks nothing": {func(*oauth.Config) { fake.Scopes = []string{"openid"} }, "no dio el permiso", false},
		"a box left out": {func(cfg *oauth.Config) {
			fake.Scopes, cfg.Scopes = []string{"openid"}, append([]string{"openid"}, drive...)
		}, "falta un permiso", false},
		"no refresh token": {func(*oauth.Config) {
			fake.Script(oauthtest.Fault{Fields: map[string]any{"refresh_token": nil}})
		}, "no puede renovarse", false},
		"a code that Google does not take": {func(*oauth.Config) { fake.Script(oauthtest.Fault{Error: "invalid_grant"}) }, "autorice otra vez", false},
		"nowhere to write":                 {func(cfg *oauth.Config) { cfg.TokenFile = "/no/hay/token.json" }, "no se puede guardar", true},
		"no token's file":                  {func(cfg *oauth.Config) { cfg.TokenFile = "" }, "GOOGLE_TOKEN_PATH", true},
		"no scopes":                        {func(cfg *oauth.Config) { cfg.Scopes = nil }, "diga para qué", true},
		"a service account":                {func(cfg *oauth.Config) { overwrite(t, cfg.File, fake.ServiceAccount()) }, "sirven como están", true},
		"a web client of nowhere":          {func(cfg *oauth.Config) { overwrite(t, cfg.File, web(t, fake, "https://example.org/")) }, "localhost:8085", true},
		"a port in use":                    {func(cfg *oauth.Config) { overwrite(t, cfg.File, web(t, fake, fake.URL)) }, "no se puede escuchar", true},
	} {
		t.Run(name, func(t *testing.T) {
			fake.Deny, fake.Scopes = false, nil
			cfg := unauthorized(t, fake)
			c.spoil(&cfg)
			asked := false
			err := oauth.Authorize(t.Context(), cfg, func(address string) error {
				asked = true
				browse(t, address)
				return nil
			})
			says(t, err, c.hint)
			is.New(t).Equal(asked, !c.early)
		})
	}
	t.Run("nobody answers", func(t *testing.T) {
		is := is.New(t)
		ctx, cancel := context.WithCancel(t.Context())
		cfg := unauthorized(t, fake)
		err := oauth.Authorize(ctx, cfg, func(string) error { cancel(); return nil })
		is.True(errors.Is(err, context.Canceled))
		_, err = os.Stat(cfg.TokenFile)
		is.True(errors.Is(err, os.ErrNotExist))
		is.Equal(len(leftovers(t, cfg.TokenFile)), 0)
	})
}
