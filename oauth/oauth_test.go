package oauth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"
	"golang.org/x/oauth2"

	"github.com/ccmwf/ccm/oauth"
	"github.com/ccmwf/ccm/oauth/oauthtest"
)

func TestFindGoesByItsOrder(t *testing.T) {
	is := is.New(t)
	fake := oauthtest.NewServer(t)
	home, sdk := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("CLOUDSDK_CONFIG", "")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
	_, err := oauth.Find(t.Context(), oauth.Config{Scopes: drive})
	says(t, err, "ponga en GOOGLE_APPLICATION_CREDENTIALS")

	const name = "application_default_credentials.json"
	gcloud := filepath.Join(home, ".config", "gcloud", name)
	is.NoErr(os.MkdirAll(filepath.Dir(gcloud), 0o700))
	overwrite(t, gcloud, fake.AuthorizedUser())
	is.Equal(find(t, oauth.Config{}).File(), gcloud)

	t.Setenv("CLOUDSDK_CONFIG", sdk)
	_, err = oauth.Find(t.Context(), oauth.Config{Scopes: drive}) // there, and only there
	says(t, err, "ponga en GOOGLE_APPLICATION_CREDENTIALS")
	overwrite(t, filepath.Join(sdk, name), fake.AuthorizedUser())
	is.Equal(find(t, oauth.Config{}).File(), filepath.Join(sdk, name))

	named := oauthtest.WriteFile(t, fake.ServiceAccount())
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", named)
	c := find(t, oauth.Config{})
	is.Equal(c.File(), named)
	is.Equal(c.Account(), oauthtest.Robot)

	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/hay")
	_, err = oauth.Find(t.Context(), oauth.Config{Scopes: drive}) // it is the first there is: no other takes its place
	says(t, err, "no existe")

	own := oauthtest.WriteFile(t, fake.AuthorizedUser())
	c = find(t, oauth.Config{File: own})
	is.Equal(c.File(), own)
	is.Equal(c.Kind(), oauth.AuthorizedUser)

	c = find(t, oauth.Config{JSON: fake.AuthorizedUser()})
	is.Equal(c.File(), "")
	_, err = oauth.Find(t.Context(), oauth.Config{JSON: []byte("{}"), File: own})
	is.True(strings.Contains(err.Error(), "exclude each other"))
	is.Equal(len(fake.Calls()), 0) // no network
}

func TestTokenOfEveryKind(t *testing.T) {
	fake := oauthtest.NewServer(t)
	fake.Subjects = []string{"jefe@example.org"}
	for name, c := range map[string]struct {
		cfg   oauth.Config
		kind  oauth.Kind
		grant string
		want  oauthtest.Access
	}{
		"a service account signs": {oauth.Config{File: oauthtest.WriteFile(t, fake.ServiceAccount())},
			oauth.ServiceAccount, oauthtest.GrantJWT, oauthtest.Access{Account: oauthtest.Robot, Scopes: drive}},
		"a service account acts for a user": {oauth.Config{JSON: fake.ServiceAccount(), Subject: "jefe@example.org"},
			oauth.ServiceAccount, oauthtest.GrantJWT, oauthtest.Access{Account: oauthtest.Robot, Subject: "jefe@example.org", Scopes: drive}},
		"a user refreshes": {oauth.Config{File: oauthtest.WriteFile(t, fake.AuthorizedUser(drive...))},
			oauth.AuthorizedUser, oauthtest.GrantRefresh, oauthtest.Access{Account: oauthtest.Person, Scopes: drive}},
		"a desktop client refreshes with its token": {desktop(t, fake),
			oauth.DesktopClient, oauthtest.GrantRefresh, oauthtest.Access{Account: oauthtest.Person, Scopes: drive}},
		"an external account goes where its file says": {oauth.Config{File: oauthtest.WriteFile(t, fake.ExternalAccount(write(t, "ajeno"))), Allow: []oauth.Kind{oauth.ExternalAccount}},
			oauth.ExternalAccount, oauthtest.GrantExchange, oauthtest.Access{Scopes: drive}},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			found := find(t, c.cfg)
			is.Equal(found.Kind(), c.kind)
			var got oauthtest.Access
			api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, _ = fake.Bearer(r) }))
			t.Cleanup(api.Close)
			response, err := found.Client().Get(api.URL)
			is.NoErr(err)
			is.NoErr(response.Body.Close())
			got.Expiry = time.Time{}
			is.Equal(got, c.want)
			calls := fake.Calls()
			is.Equal(calls[len(calls)-1].Grant, c.grant)
		})
	}
}

// TestTokenThatPythonWroteServes reads what google-auth's Credentials.to_json
// writes, and leaves the rest of it there when the token rotates.
func TestTokenThatPythonWroteServes(t *testing.T) {
	is := is.New(t)
	fake := oauthtest.NewServer(t)
	fake.Rotate = true
	cfg := desktop(t, fake)
	refresh := field(t, cfg.TokenFile, "refresh_token")
	cfg.TokenFile = write(t, `{"token": "ya29.viejo", "refresh_token": "`+refresh+`", "token_uri": "https://oauth2.googleapis.com/token", "client_id": "`+oauthtest.Client+`",
		"client_secret": "x", "scopes": ["`+oauth.DriveReadonly+`"], "universe_domain": "googleapis.com", "account": "", "expiry": "2025-01-31T05:04:03.000000Z"}`)
	_, err := find(t, cfg).Token(t.Context())
	is.NoErr(err)
	is.True(field(t, cfg.TokenFile, "refresh_token") != refresh)
	is.Equal(field(t, cfg.TokenFile, "universe_domain"), "googleapis.com")
}

// TestTokenIsFetchedOnce holds one refresh for a hundred callers, one of whom
// goes away: where there is no token yet, and where the one at hand ends.
func TestTokenIsFetchedOnce(t *testing.T) {
	for name, file := range map[string]func(*oauthtest.Server) []byte{
		"service account": (*oauthtest.Server).ServiceAccount,
		"authorized user": func(s *oauthtest.Server) []byte { return s.AuthorizedUser() },
	} {
		for _, had := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s that had %d", name, had), func(t *testing.T) {
				is := is.New(t)
				fake := oauthtest.NewServer(t)
				c := find(t, oauth.Config{JSON: file(fake)})
				fake.Lifetime = 30 * time.Second // within the minute
				for range had {
					_, err := c.Token(t.Context())
					is.NoErr(err)
				}
				fake.Lifetime = time.Hour
				begun, release := make(chan struct{}, 1000), make(chan time.Time)
				fake.After = func(time.Duration) <-chan time.Time { begun <- struct{}{}; return release }
				fake.Script(oauthtest.Fault{Slow: time.Hour, Times: 1000})
				hundredCallers(t, c, begun, release)
				is.Equal(fake.Issued(), had+1)
				is.Equal(len(fake.Calls()), had+1)
			})
		}
	}
}

// hundredCallers ask for a token while one is being fetched.
func hundredCallers(t *testing.T, c *oauth.Credentials, begun <-chan struct{}, release chan time.Time) {
	is := is.New(t)
	gone, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { _, err := c.Token(gone); left <- err }()
	<-begun // for who then goes
	cancel()
	is.True(errors.Is(<-left, context.Canceled))

	var all, asking sync.WaitGroup
	tokens := make([]string, 100)
	for i := range tokens {
		asking.Add(1)
		all.Go(func() {
			asking.Done()
			token, err := c.Token(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			tokens[i] = token.AccessToken
			token.AccessToken = "mine" // and nobody else's
		})
	}
	asking.Wait()
	close(release)
	all.Wait()
	for _, token := range tokens {
		is.Equal(token, tokens[0])
		is.True(strings.Contains(token, secret))
	}
}

func TestTokenIsReplacedBeforeItEnds(t *testing.T) {
	is := is.New(t)
	fake := oauthtest.NewServer(t)
	fake.Lifetime = 30 * time.Second // within the minute
	c := find(t, oauth.Config{JSON: fake.AuthorizedUser()})
	first, err := c.Token(t.Context())
	is.NoErr(err)
	second, err := c.Token(t.Context())
	is.NoErr(err)
	is.True(first.AccessToken != second.AccessToken)
	fake.Script(oauthtest.Fault{Status: 503})
	token, err := c.Token(t.Context()) // the old one still works
	is.NoErr(err)
	is.Equal(token.AccessToken, second.AccessToken)
}

func TestRotatedTokenIsKept(t *testing.T) {
	for name, kind := range map[string]func(*oauthtest.Server) (oauth.Config, string){
		"desktop client": func(fake *oauthtest.Server) (oauth.Config, string) {
			cfg := desktop(t, fake)
			return cfg, cfg.TokenFile
		},
		"authorized user": func(fake *oauthtest.Server) (oauth.Config, string) {
			file := oauthtest.WriteFile(t, fake.AuthorizedUser())
			return oauth.Config{File: file}, file
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			fake := oauthtest.NewServer(t)
			fake.Rotate, fake.Lifetime = true, 30*time.Second
			cfg, file := kind(fake)
			is.NoErr(os.Chmod(file, 0o644))
			c := find(t, cfg)
			for range 3 {
				before := field(t, file, "refresh_token")
				token, err := c.Token(t.Context())
				is.NoErr(err)
				is.Equal(token.RefreshToken, "") // not the caller's business
				is.NoErr(c.Unsaved())
				is.True(field(t, file, "refresh_token") != before)
			}
			is.Equal(field(t, file, "client_id"), oauthtest.Client) // the rest stays
			info, err := os.Stat(file)
			is.NoErr(err)
			is.Equal(info.Mode().Perm(), os.FileMode(0o600))
			is.Equal(len(leftovers(t, file)), 0)

			_, err = find(t, cfg).Token(t.Context()) // another process takes it up
			is.NoErr(err)
			_, err = c.Token(t.Context()) // and the first one sees what that wrote
			is.NoErr(err)
		})
	}
}

func TestRotatedTokenIsWrittenWhereALinkLeads(t *testing.T) {
	is := is.New(t)
	fake := oauthtest.NewServer(t)
	fake.Rotate = true
	file := oauthtest.WriteFile(t, fake.AuthorizedUser())
	link := filepath.Join(t.TempDir(), "enlace.json")
	is.NoErr(os.Symlink(file, link))
	before := field(t, file, "refresh_token")
	c := find(t, oauth.Config{File: link})
	_, err := c.Token(t.Context())
	is.NoErr(err)
	is.NoErr(c.Unsaved())
	is.True(field(t, file, "refresh_token") != before)
	info, err := os.Lstat(link)
	is.NoErr(err)
	is.True(info.Mode()&os.ModeSymlink != 0)
}

// slowly lets a file be replaced while a token is fetched with the old one.
func slowly(fake *oauthtest.Server, meanwhile func()) {
	fake.Script(oauthtest.Fault{Slow: time.Hour})
	fake.After = func(time.Duration) <-chan time.Time {
		meanwhile()
		over := make(chan time.Time)
		close(over)
		return over
	}
}

func TestRotatedTokenThatCannotBeKeptIsReported(t *testing.T) {
	is := is.New(t)
	fake := oauthtest.NewServer(t)
	fake.Rotate, fake.Lifetime = true, 30*time.Second
	file := oauthtest.WriteFile(t, fake.AuthorizedUser())
	slowly(fake, func() { is.NoErr(os.Remove(file)) })
	c := find(t, oauth.Config{File: file})
	_, err := c.Token(t.Context())
	is.NoErr(err)
	is.True(c.Unsaved() != nil)
	is.True(!strings.Contains(c.Unsaved().Error(), secret))
	_, err = c.Token(t.Context()) // this process can go on
	is.NoErr(err)
}

func TestFileReplacedDuringARefreshIsReadAgain(t *testing.T) {
	for _, rotate := range []bool{false, true} {
		t.Run(fmt.Sprintf("rotate %t", rotate), func(t *testing.T) {
			is := is.New(t)
			fake := oauthtest.NewServer(t)
			fake.Rotate = rotate
			file := oauthtest.WriteFile(t, fake.AuthorizedUser())
			other := fake.AuthorizedUser()
			slowly(fake, func() { overwrite(t, file, other) })
			c := find(t, oauth.Config{File: file})
			_, err := c.Token(t.Context())
			is.NoErr(err)
			is.NoErr(c.Unsaved())
			is.True(bytes.Equal(other, read(t, file))) // nobody wrote over it
			_, err = c.Token(t.Context())
			is.NoErr(err)
			calls := fake.Calls()
			is.Equal(len(calls), 2)
			is.True(bytes.Contains(other, []byte(calls[1].Params["refresh_token"])))
		})
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	is.New(t).NoErr(err)
	return data
}

func TestReplacedFileIsReadAgain(t *testing.T) {
	is := is.New(t)
	fake := oauthtest.NewServer(t)
	file := oauthtest.WriteFile(t, fake.AuthorizedUser())
	c := find(t, oauth.Config{File: file})
	first, err := c.Token(t.Context())
	is.NoErr(err)

	overwrite(t, file, []byte(`{"type": "auth`)) // half written
	token, err := c.Token(t.Context())
	is.NoErr(err) // the token at hand still works
	is.Equal(token.AccessToken, first.AccessToken)

	overwrite(t, file, fake.ServiceAccount())
	second, err := c.Token(t.Context())
	is.NoErr(err)
	is.True(second.AccessToken != first.AccessToken)
	is.Equal(c.Kind(), oauth.ServiceAccount)

	is.NoErr(os.Remove(file)) // gone for a moment
	token, err = c.Token(t.Context())
	is.NoErr(err)
	is.Equal(token.AccessToken, second.AccessToken)
}

func TestARevokedKeyIsReplacedWithoutARestart(t *testing.T) {
	is := is.New(t)
	fake := oauthtest.NewServer(t)
	fake.Lifetime = time.Nanosecond // over at once
	file := oauthtest.WriteFile(t, fake.ServiceAccount())
	c := find(t, oauth.Config{File: file})
	fake.Revoke()
	_, err := c.Token(t.Context())
	says(t, err, "descargue una clave nueva")
	overwrite(t, file, fake.ServiceAccount())
	_, err = c.Token(t.Context())
	is.NoErr(err)
}

func TestClientSendsTheToken(t *testing.T) {
	is := is.New(t)
	fake := oauthtest.NewServer(t)
	client := find(t, oauth.Config{JSON: fake.ServiceAccount()}).Client()
	var seen []bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization") != "")
		if r.URL.Path == "/again" {
			return
		}
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	t.Cleanup(elsewhere.Close)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, ok := fake.Bearer(r)
		seen = append(seen, ok)
		http.Redirect(w, r, elsewhere.URL, http.StatusFound)
	}))
	t.Cleanup(api.Close)
	get := func(url string) error {
		response, err := client.Get(url)
		if err == nil {
			is.NoErr(response.Body.Close())
		}
		return err
	}
	is.NoErr(get(api.URL))
	is.Equal(seen, []bool{true, false, false}) // to no other host
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
	is := is.New(t)
	fake := oauthtest.NewServer(t)
	user, robot := oauth.Config{JSON: fake.AuthorizedUser()}, oauth.Config{JSON: fake.ServiceAccount(), Scopes: drive}
	var values []any
	for _, cfg := range []oauth.Config{user, robot} {
		c := find(t, cfg)
		_, err := c.Token(t.Context())
		is.NoErr(err)
		values = append(values, cfg, &cfg, c, c.Client(), struct{ C *oauth.Credentials }{c}, struct{ C oauth.Config }{cfg})
	}
	fake.Script(oauthtest.Fault{Error: "invalid_grant", Description: secret, Times: 2})
	for _, cfg := range []oauth.Config{user, robot} {
		_, err := find(t, cfg).Token(t.Context())
		answer, ok := errors.AsType[*oauth2.RetrieveError](err)
		is.True(ok)
		is.Equal(answer.ErrorCode, "invalid_grant")
		values = append(values, err)
	}
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			shows(t, fmt.Sprintf(verb, value))
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		shows(t, log.String())
	}
}

// shows fails if a text shows a secret, in any of the ways that fmt and JSON
// write bytes.
func shows(t *testing.T, text string) {
	t.Helper()
	for _, hidden := range []string{secret, "PRIVATE KEY"} {
		decimals := strings.Trim(fmt.Sprintf("%d", []byte(hidden)), "[]")
		for _, form := range []string{hidden, fmt.Sprintf("%x", hidden), decimals, strings.ReplaceAll(decimals, " ", ", ")} {
			if strings.Contains(text, form) {
				t.Errorf("a secret is shown: %s", text)
			}
		}
	}
	if strings.Contains(text, "eyJ") || strings.Contains(text, "ewogIC") { // «{"» and «{\n  » in base64
		t.Errorf("a document is shown in base64: %s", text)
	}
}
