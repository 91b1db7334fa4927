package oauth_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/oauth"
)

// quiet drops what a server says of clients that do not trust it.
var quiet = log.New(io.Discard, "", 0)

func tlsServer(t testing.TB, h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = quiet
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// browser opens an address of Google's, where a person says yes, and goes where
// Google sends it. It returns what it was shown there.
func browser(t testing.TB, address string, answer url.Values) string {
	t.Helper()
	is := is.New(t)
	asked, err := url.Parse(address)
	is.NoErr(err)
	back, err := url.Parse(asked.Query().Get("redirect_uri"))
	is.NoErr(err)
	answer = maps.Clone(answer)
	if !answer.Has("state") {
		answer.Set("state", asked.Query().Get("state"))
	}
	back.RawQuery = answer.Encode()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, back.String(), nil)
	is.NoErr(err)
	response, err := http.DefaultClient.Do(request)
	is.NoErr(err)
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	is.NoErr(err)
	return string(page)
}

func TestAuthorizeWritesTheToken(t *testing.T) {
	is := is.New(t)
	e := newEndpoint(t)
	e.answers(func(form map[string]string) (int, any) {
		answer := granted(1, 3600)
		answer["refresh_token"], answer["scope"] = "primero-"+secret, oauth.DriveReadonly
		return http.StatusOK, answer
	})
	cfg := oauth.Config{File: write(t, e.desktopClient()), TokenFile: filepath.Join(t.TempDir(), "token.json"), Scopes: drive}
	var challenge string
	is.NoErr(oauth.Authorize(t.Context(), cfg, func(address string) error {
		u, err := url.Parse(address)
		is.NoErr(err)
		q := u.Query()
		challenge = q.Get("code_challenge")
		is.Equal(q.Get("code_challenge_method"), "S256")
		is.Equal(q.Get("access_type"), "offline")
		is.Equal(q.Get("prompt"), "consent")
		is.Equal(q.Get("scope"), oauth.DriveReadonly)
		is.True(strings.HasPrefix(q.Get("redirect_uri"), "http://127.0.0.1:"))
		page := browser(t, address, url.Values{"state": {"ajeno"}, "code": {"robado"}}) // of somebody else
		is.True(strings.Contains(page, "solo recibe"))
		page = browser(t, address, url.Values{"code": {"código"}})
		is.True(strings.Contains(page, "Listo"))
		return nil
	}))
	calls := e.seen()
	is.Equal(len(calls), 1)
	is.Equal(calls[0]["code"], "código")
	sum := sha256.Sum256([]byte(calls[0]["code_verifier"]))
	is.Equal(base64.RawURLEncoding.EncodeToString(sum[:]), challenge)

	info, err := os.Stat(cfg.TokenFile)
	is.NoErr(err)
	is.Equal(info.Mode().Perm(), os.FileMode(0o600))
	_, err = find(t, cfg).Token(t.Context())
	is.NoErr(err)
	is.Equal(e.seen()[1]["refresh_token"], "primero-"+secret)
}

func TestAuthorizeSaysWhatToMend(t *testing.T) {
	e := newEndpoint(t)
	web := func(redirects ...string) string {
		document := e.desktopClient()
		client := document["installed"].(map[string]any)
		client["redirect_uris"] = redirects
		return write(t, map[string]any{"web": client})
	}
	taken := newEndpoint(t)
	desktop := write(t, e.desktopClient())
	tokens := filepath.Join(t.TempDir(), "token.json")
	yes := url.Values{"code": {"x"}}
	for name, c := range map[string]struct {
		cfg    oauth.Config
		answer url.Values
		grant  map[string]any
		hint   string
	}{
		"a person who says no":    {oauth.Config{File: desktop, TokenFile: tokens}, url.Values{"error": {"access_denied"}}, nil, "no dio el permiso"},
		"a box left out":          {oauth.Config{File: desktop, TokenFile: tokens}, yes, map[string]any{"scope": "openid", "refresh_token": "x"}, "falta un permiso"},
		"no refresh token":        {oauth.Config{File: desktop, TokenFile: tokens}, yes, map[string]any{}, "no puede renovarse"},
		"nowhere to write":        {oauth.Config{File: desktop, TokenFile: "/no/hay/token.json"}, yes, map[string]any{"refresh_token": "x"}, "no se puede guardar"},
		"no token's file":         {oauth.Config{File: desktop}, nil, nil, "GOOGLE_TOKEN_PATH"},
		"a service account":       {oauth.Config{File: write(t, e.serviceAccount()), TokenFile: tokens}, nil, nil, "sirven como están"},
		"a web client of nowhere": {oauth.Config{File: web("https://example.org/"), TokenFile: tokens}, nil, nil, "localhost:8085"},
		"a port in use":           {oauth.Config{File: web(taken.URL), TokenFile: tokens}, nil, nil, "no se puede escuchar"},
	} {
		t.Run(name, func(t *testing.T) {
			e.answers(func(map[string]string) (int, any) {
				answer := granted(1, 3600)
				for k, v := range c.grant {
					answer[k] = v
				}
				return http.StatusOK, answer
			})
			c.cfg.Scopes = drive
			err := oauth.Authorize(t.Context(), c.cfg, func(address string) error {
				browser(t, address, c.answer)
				return nil
			})
			says(t, err, c.hint)
		})
	}
	t.Run("nobody answers", func(t *testing.T) {
		is := is.New(t)
		ctx, cancel := context.WithCancel(t.Context())
		err := oauth.Authorize(ctx, oauth.Config{File: desktop, TokenFile: tokens, Scopes: drive}, func(string) error { cancel(); return nil })
		is.True(errors.Is(err, context.Canceled))
		_, err = os.Stat(tokens)
		is.True(errors.Is(err, os.ErrNotExist))
	})
}
