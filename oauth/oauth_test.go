package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/matryer/is"
	"golang.org/x/oauth2"

	"github.com/ccmwf/ccm/oauth"
)

var drive = []string{oauth.DriveReadonly}

func find(t testing.TB, cfg oauth.Config) *oauth.Credentials {
	t.Helper()
	if cfg.Scopes == nil {
		cfg.Scopes = drive
	}
	c, err := oauth.Find(t.Context(), cfg)
	is.New(t).NoErr(err)
	return c
}

func TestFindGoesByItsOrder(t *testing.T) {
	e := newEndpoint(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("CLOUDSDK_CONFIG", "")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
	_, err := oauth.Find(t.Context(), oauth.Config{Scopes: drive})
	is := is.New(t)
	is.True(strings.Contains(hint(err), "ponga en GOOGLE_APPLICATION_CREDENTIALS"))

	gcloud := filepath.Join(home, ".config", "gcloud", "application_default_credentials.json")
	is.NoErr(os.MkdirAll(filepath.Dir(gcloud), 0o700))
	overwrite(t, gcloud, e.authorizedUser())
	is.Equal(find(t, oauth.Config{}).File(), gcloud)

	named := write(t, e.serviceAccount())
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", named)
	c := find(t, oauth.Config{})
	is.Equal(c.File(), named)
	is.Equal(c.Account(), "robot@proyecto.iam.gserviceaccount.com")

	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/hay")
	_, err = oauth.Find(t.Context(), oauth.Config{Scopes: drive}) // it is the first there is: no other takes its place
	is.True(strings.Contains(hint(err), "no existe"))

	own := write(t, e.authorizedUser())
	c = find(t, oauth.Config{File: own})
	is.Equal(c.File(), own)
	is.Equal(c.Kind(), oauth.AuthorizedUser)

	c = find(t, oauth.Config{JSON: []byte(`{"type":"authorized_user","client_id":"a","client_secret":"b","refresh_token":"c"}`)})
	is.Equal(c.File(), "")
	_, err = oauth.Find(t.Context(), oauth.Config{JSON: []byte("{}"), File: own})
	is.True(strings.Contains(err.Error(), "exclude each other"))
	is.Equal(len(e.seen()), 0) // no network
}

func TestTokenOfEveryKind(t *testing.T) {
	t.Run("a service account signs", func(t *testing.T) {
		is := is.New(t)
		e := newEndpoint(t)
		token, err := find(t, oauth.Config{File: write(t, e.serviceAccount()), Subject: "jefe@example.org"}).Token(t.Context())
		is.NoErr(err)
		is.Equal(token.AccessToken, "token-1-"+secret)
		claimed := claims(t, e.seen()[0]["assertion"])
		is.Equal(claimed["iss"], "robot@proyecto.iam.gserviceaccount.com")
		is.Equal(claimed["sub"], "jefe@example.org")
		is.Equal(claimed["scope"], oauth.DriveReadonly)
	})
	t.Run("a user refreshes", func(t *testing.T) {
		is := is.New(t)
		e := newEndpoint(t)
		_, err := find(t, oauth.Config{File: write(t, e.authorizedUser())}).Token(t.Context())
		is.NoErr(err)
		is.Equal(e.seen()[0], map[string]string{"grant_type": "refresh_token", "refresh_token": "viejo-" + secret, "client_id": "cliente", "client_secret": secret})
	})
	t.Run("a desktop client refreshes with its token", func(t *testing.T) {
		is := is.New(t)
		e := newEndpoint(t)
		c := find(t, oauth.Config{File: write(t, e.desktopClient()), TokenFile: write(t, tokenFile())})
		_, err := c.Token(t.Context())
		is.NoErr(err)
		is.Equal(e.seen()[0]["refresh_token"], "viejo-"+secret)
		is.Equal(c.Kind(), oauth.DesktopClient)
	})
	t.Run("an external account goes where its file says", func(t *testing.T) {
		is := is.New(t)
		e := newEndpoint(t)
		file := write(t, map[string]any{
			"type": "external_account", "audience": "//iam.googleapis.com/x", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
			"token_url": e.URL, "credential_source": map[string]any{"file": write(t, "ajeno")},
		})
		_, err := oauth.Find(t.Context(), oauth.Config{File: file, Scopes: drive})
		is.True(strings.Contains(hint(err), "no se aceptan"))
		_, err = find(t, oauth.Config{File: file, Allow: []oauth.Kind{oauth.ExternalAccount}}).Token(t.Context())
		is.NoErr(err)
		is.Equal(e.seen()[0]["subject_token"], "ajeno")
	})
}

func TestTokenIsFetchedOnce(t *testing.T) {
	is := is.New(t)
	e := newEndpoint(t)
	begun, release := make(chan struct{}), make(chan struct{})
	e.answers(func(map[string]string) (int, any) {
		close(begun) // twice would panic
		<-release
		return http.StatusOK, granted(1, 3600)
	})
	c := find(t, oauth.Config{File: write(t, e.serviceAccount())})

	gone, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { _, err := c.Token(gone); left <- err }()
	<-begun // for who then goes
	cancel()
	is.True(errors.Is(<-left, context.Canceled))

	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			token, err := c.Token(t.Context())
			is.NoErr(err)
			is.Equal(token.AccessToken, "token-1-"+secret)
			token.AccessToken = "mine" // and nobody else's
		})
	}
	close(release)
	all.Wait()
	is.Equal(len(e.seen()), 1)
}

func TestTokenIsReplacedBeforeItEnds(t *testing.T) {
	is := is.New(t)
	e := newEndpoint(t)
	e.answers(func(map[string]string) (int, any) { return http.StatusOK, granted(len(e.seen()), 30) }) // within the minute
	c := find(t, oauth.Config{File: write(t, e.authorizedUser())})
	for n := 1; n <= 2; n++ {
		token, err := c.Token(t.Context())
		is.NoErr(err)
		is.Equal(token.AccessToken, fmt.Sprintf("token-%d-%s", n, secret))
	}
	e.refuse(http.StatusServiceUnavailable, "backend_error", "")
	token, err := c.Token(t.Context()) // the old one still works
	is.NoErr(err)
	is.Equal(token.AccessToken, "token-2-"+secret)
}

func TestRotatedTokenIsKept(t *testing.T) {
	for name, kind := range map[string]func(*endpoint) (oauth.Config, string){
		"desktop client": func(e *endpoint) (oauth.Config, string) {
			tokens := write(t, tokenFile())
			return oauth.Config{File: write(t, e.desktopClient()), TokenFile: tokens}, tokens
		},
		"authorized user": func(e *endpoint) (oauth.Config, string) {
			file := write(t, e.authorizedUser())
			return oauth.Config{File: file}, file
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			e := newEndpoint(t)
			e.answers(func(map[string]string) (int, any) {
				answer := granted(1, 30)
				answer["refresh_token"] = "nuevo-" + secret
				return http.StatusOK, answer
			})
			cfg, file := kind(e)
			is.NoErr(os.Chmod(file, 0o644))
			c := find(t, cfg)
			token, err := c.Token(t.Context())
			is.NoErr(err)
			is.Equal(token.RefreshToken, "") // not the caller's business
			_, err = c.Token(t.Context())
			is.NoErr(err)
			is.NoErr(c.Unsaved())
			is.Equal(e.seen()[1]["refresh_token"], "nuevo-"+secret)

			kept := readJSON(t, file)
			is.Equal(kept["refresh_token"], "nuevo-"+secret)
			is.Equal(kept["client_id"], "cliente") // the rest stays
			info, err := os.Stat(file)
			is.NoErr(err)
			is.Equal(info.Mode().Perm(), os.FileMode(0o600))
			left, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".*"))
			is.NoErr(err)
			is.Equal(len(left), 0)
		})
	}
}

func TestRotatedTokenThatCannotBeKeptIsReported(t *testing.T) {
	is := is.New(t)
	e := newEndpoint(t)
	file := write(t, e.authorizedUser())
	e.answers(func(map[string]string) (int, any) {
		is.NoErr(os.Remove(file))
		answer := granted(1, 3600)
		answer["refresh_token"] = "nuevo-" + secret
		return http.StatusOK, answer
	})
	c := find(t, oauth.Config{File: file})
	_, err := c.Token(t.Context())
	is.NoErr(err) // this process can go on
	is.True(c.Unsaved() != nil)
	is.True(!strings.Contains(c.Unsaved().Error(), secret))
}

func TestReplacedFileIsReadAgain(t *testing.T) {
	is := is.New(t)
	e := newEndpoint(t)
	file := write(t, e.authorizedUser())
	c := find(t, oauth.Config{File: file})
	_, err := c.Token(t.Context())
	is.NoErr(err)

	overwrite(t, file, `{"type": "auth`) // half written
	token, err := c.Token(t.Context())
	is.NoErr(err) // the token at hand still works
	is.Equal(token.AccessToken, "token-1-"+secret)

	overwrite(t, file, e.serviceAccount())
	token, err = c.Token(t.Context())
	is.NoErr(err)
	is.Equal(token.AccessToken, "token-2-"+secret)
	is.Equal(c.Kind(), oauth.ServiceAccount)

	is.NoErr(os.Remove(file)) // gone for a moment
	token, err = c.Token(t.Context())
	is.NoErr(err)
	is.Equal(token.AccessToken, "token-2-"+secret)
}

func TestClientSendsTheToken(t *testing.T) {
	is := is.New(t)
	e := newEndpoint(t)
	client := find(t, oauth.Config{File: write(t, e.serviceAccount())}).Client()
	var seen []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		if r.URL.Path == "/again" {
			return
		}
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	t.Cleanup(elsewhere.Close)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		http.Redirect(w, r, elsewhere.URL, http.StatusFound)
	}))
	t.Cleanup(api.Close)
	get := func(url string) error {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		is.NoErr(err)
		response, err := client.Do(request)
		if err == nil {
			is.NoErr(response.Body.Close())
		}
		return err
	}
	is.NoErr(get(api.URL))
	is.Equal(seen, []string{"Bearer token-1-" + secret, "", ""}) // to no other host
	is.True(strings.Contains(get("http://192.0.2.1/").Error(), "not sent over plain http"))
	body := &closed{Reader: strings.NewReader("x")}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://192.0.2.1/", body)
	is.NoErr(err)
	_, err = client.Do(request)
	is.True(err != nil)
	is.True(body.closed)
}

type closed struct {
	io.Reader
	closed bool
}

func (c *closed) Close() error { c.closed = true; return nil }

func TestNothingPrintsASecret(t *testing.T) {
	e := newEndpoint(t)
	cfg := oauth.Config{JSON: []byte(`{"type":"authorized_user","client_id":"a","client_secret":"` + secret + `","refresh_token":"` + secret + `","token_uri":"` + e.URL + `"}`)}
	c := find(t, cfg)
	_, err := c.Token(t.Context())
	is.New(t).NoErr(err)
	e.refuse(http.StatusBadRequest, "invalid_grant", "")
	_, err = find(t, cfg).Token(t.Context())
	for _, value := range []any{cfg, &cfg, c, c.Client(), err, struct{ C *oauth.Credentials }{c}, struct{ C oauth.Config }{cfg}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) || strings.Contains(text, fmt.Sprintf("%d", []byte(secret))[1:10]) {
				t.Errorf("%s of %T shows a secret: %s", verb, value, text)
			}
		}
	}
	var answer *oauth2.RetrieveError
	is.New(t).True(errors.As(err, &answer))
	is.New(t).Equal(answer.ErrorCode, "invalid_grant")
}

// hint is what an Error tells an operator.
func hint(err error) string {
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		return e.Hint
	}
	return ""
}
