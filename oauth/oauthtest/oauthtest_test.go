package oauthtest_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"

	"github.com/ccmwf/ccm/oauth/oauthtest"
)

const (
	readonly = "https://www.googleapis.com/auth/drive.readonly"
	full     = "https://www.googleapis.com/auth/drive"
)

// robot is x/oauth2's client for a service account's file.
func robot(t testing.TB, file []byte) *jwt.Config {
	t.Helper()
	var d struct {
		Email string `json:"client_email"`
		Key   string `json:"private_key"`
		ID    string `json:"private_key_id"`
		Token string `json:"token_uri"`
	}
	is.New(t).NoErr(json.Unmarshal(file, &d))
	return &jwt.Config{Email: d.Email, PrivateKey: []byte(d.Key), PrivateKeyID: d.ID, TokenURL: d.Token, Scopes: []string{readonly}}
}

// client is x/oauth2's client for a desktop client's file.
func client(t testing.TB, s *oauthtest.Server) *oauth2.Config {
	t.Helper()
	var d struct {
		Installed struct {
			ID     string `json:"client_id"`
			Secret string `json:"client_secret"`
			Auth   string `json:"auth_uri"`
			Token  string `json:"token_uri"`
		}
	}
	is.New(t).NoErr(json.Unmarshal(s.DesktopClient(), &d))
	return &oauth2.Config{
		ClientID: d.Installed.ID, ClientSecret: d.Installed.Secret, Scopes: []string{readonly, full}, RedirectURL: "http://127.0.0.1:9/volver",
		Endpoint: oauth2.Endpoint{AuthURL: d.Installed.Auth, TokenURL: d.Installed.Token},
	}
}

// refreshToken is that of a token's file.
func refreshToken(t testing.TB, file []byte) *oauth2.Token {
	t.Helper()
	var d struct {
		Refresh string `json:"refresh_token"`
	}
	is.New(t).NoErr(json.Unmarshal(file, &d))
	return &oauth2.Token{RefreshToken: d.Refresh}
}

// refused is the error code and the description of a refusal.
func refused(err error) (code, description string) {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return "", ""
	}
	var d struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(answer.Body, &d) // HTML has no code
	return d.Error, d.Description
}

// request is one with a token, for Bearer.
func request(token *oauth2.Token) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/drive/v3/files", nil)
	token.SetAuthHeader(r)
	return r
}

func TestAnAssertionIsChecked(t *testing.T) {
	s := oauthtest.NewServer(t)
	s.Subjects = []string{"jefe@example.org"}
	s.Scopes = []string{readonly}
	file := s.ServiceAccount()
	foreign := robot(t, oauthtest.NewServer(t).ServiceAccount())

	t.Run("an honest one is taken", func(t *testing.T) {
		is := is.New(t)
		token, err := robot(t, file).TokenSource(t.Context()).Token()
		is.NoErr(err)
		a, ok := s.Bearer(request(token))
		is.True(ok)
		is.Equal(a.Account, oauthtest.Robot)
		is.Equal(a.Scopes, []string{readonly})
		is.True(strings.Contains(token.AccessToken, oauthtest.Secret))
	})
	t.Run("for whom it may act", func(t *testing.T) {
		is := is.New(t)
		c := robot(t, file)
		c.Subject = "jefe@example.org"
		token, err := c.TokenSource(t.Context()).Token()
		is.NoErr(err)
		a, ok := s.Bearer(request(token))
		is.True(ok)
		is.Equal(a.Subject, "jefe@example.org")
	})
	for name, c := range map[string]struct {
		spoil       func(c *jwt.Config)
		code        string
		description string
	}{
		"another's key":          {func(c *jwt.Config) { c.PrivateKey = foreign.PrivateKey }, "invalid_grant", "Signature"},
		"a key that is unknown":  {func(c *jwt.Config) { c.PrivateKeyID = "otra" }, "invalid_grant", "Signature"},
		"another account":        {func(c *jwt.Config) { c.Email = "otro@x.iam.gserviceaccount.com" }, "invalid_grant", "account not found"},
		"another audience":       {func(c *jwt.Config) { c.Audience = "https://example.org/token" }, "invalid_grant", "right audience is " + s.URL},
		"too long a life":        {func(c *jwt.Config) { c.Expires = 2 * time.Hour }, "invalid_grant", "timeframe"},
		"no scope":               {func(c *jwt.Config) { c.Scopes = nil }, "invalid_scope", "missing scope"},
		"a scope too many":       {func(c *jwt.Config) { c.Scopes = []string{readonly, full} }, "invalid_scope", "Invalid OAuth scope"},
		"somebody else's master": {func(c *jwt.Config) { c.Subject = "otro@example.org" }, "unauthorized_client", "unauthorized"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			before := s.Issued()
			wrong := robot(t, file)
			c.spoil(wrong)
			_, err := wrong.TokenSource(t.Context()).Token()
			code, description := refused(err)
			is.Equal(code, c.code)
			is.True(strings.Contains(description, c.description))
			is.Equal(s.Issued(), before)
		})
	}
	for name, off := range map[string]time.Duration{"a clock that is ahead": -10 * time.Minute, "a clock that is behind": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			s := oauthtest.NewServer(t)
			s.Now = func() time.Time { return time.Now().Add(off) }
			_, err := robot(t, s.ServiceAccount()).TokenSource(t.Context()).Token()
			code, description := refused(err)
			is.Equal(code, "invalid_grant")
			is.True(strings.Contains(description, "timeframe"))
		})
	}
	t.Run("base64 with padding, as old clients write it", func(t *testing.T) {
		is := is.New(t)
		block, _ := pem.Decode(robot(t, file).PrivateKey)
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		is.NoErr(err)
		padded := base64.URLEncoding
		now := time.Now().Unix()
		text := padded.EncodeToString(fmt.Appendf(nil, `{"alg": "RS256", "kid": %q}`, robot(t, file).PrivateKeyID)) + "." +
			padded.EncodeToString(fmt.Appendf(nil, `{"iss": %q, "scope": %q, "aud": "%s/token", "iat": %d, "exp": %d}`, oauthtest.Robot, readonly, s.URL, now, now+600))
		is.True(strings.Contains(text, "="))
		sum := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(nil, key.(*rsa.PrivateKey), crypto.SHA256, sum[:])
		is.NoErr(err)
		answer, err := http.PostForm(s.URL+"/token", url.Values{"grant_type": {oauthtest.GrantJWT}, "assertion": {text + "." + padded.EncodeToString(signature)}})
		is.NoErr(err)
		is.NoErr(answer.Body.Close())
		is.Equal(answer.StatusCode, http.StatusOK)
	})
	t.Run("what is no assertion", func(t *testing.T) {
		is := is.New(t)
		for _, text := range []string{"", "a.b", "a.b.c", "e30.e30.!"} {
			answer, err := http.PostForm(s.URL+"/token", url.Values{"grant_type": {oauthtest.GrantJWT}, "assertion": {text}})
			is.NoErr(err)
			is.NoErr(answer.Body.Close())
			is.Equal(answer.StatusCode, http.StatusBadRequest)
		}
	})
}

func TestRevokedKeysAndTokensAreRefused(t *testing.T) {
	is := is.New(t)
	s := oauthtest.NewServer(t)
	key, user := robot(t, s.ServiceAccount()), refreshToken(t, s.Token())
	token, err := key.TokenSource(t.Context()).Token()
	is.NoErr(err)
	s.Revoke()
	_, err = key.TokenSource(t.Context()).Token()
	code, _ := refused(err)
	is.Equal(code, "invalid_grant")
	_, err = client(t, s).TokenSource(t.Context(), user).Token()
	_, description := refused(err)
	is.Equal(description, "Token has been expired or revoked.")
	_, ok := s.Bearer(request(token)) // lives on
	is.True(ok)
	_, err = robot(t, s.ServiceAccount()).TokenSource(t.Context()).Token() // a new key serves
	is.NoErr(err)
}

func TestARefreshTokenIsChecked(t *testing.T) {
	is := is.New(t)
	s := oauthtest.NewServer(t)
	first := refreshToken(t, s.Token(readonly))
	token, err := client(t, s).TokenSource(t.Context(), first).Token()
	is.NoErr(err)
	is.Equal(token.Extra("scope"), readonly)
	is.Equal(token.RefreshToken, first.RefreshToken)

	s.Rotate = true
	token, err = client(t, s).TokenSource(t.Context(), first).Token()
	is.NoErr(err)
	is.True(token.RefreshToken != first.RefreshToken)
	_, err = client(t, s).TokenSource(t.Context(), first).Token() // it is spent
	code, _ := refused(err)
	is.Equal(code, "invalid_grant")
	_, err = client(t, s).TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	is.NoErr(err)

	_, err = client(t, s).TokenSource(t.Context(), &oauth2.Token{RefreshToken: "ajeno"}).Token()
	code, _ = refused(err)
	is.Equal(code, "invalid_grant")
	for _, spoil := range []func(c *oauth2.Config){func(c *oauth2.Config) { c.ClientID = "otro" }, func(c *oauth2.Config) { c.ClientSecret = "otro" }} {
		c := client(t, s)
		spoil(c)
		_, err = c.TokenSource(t.Context(), first).Token()
		code, _ = refused(err)
		is.Equal(code, "invalid_client")
	}
	is.Equal(s.Issued(), 3)
}

// visit opens the page and returns where it leads, and what it says where it
// leads nowhere.
func visit(t testing.TB, address string) (*url.URL, string) {
	t.Helper()
	is := is.New(t)
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := browser.Get(address)
	is.NoErr(err)
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	is.NoErr(err)
	to, err := answer.Location()
	if err != nil {
		return nil, string(page)
	}
	return to, ""
}

func TestACodeIsForOneClientOnce(t *testing.T) {
	is := is.New(t)
	s := oauthtest.NewServer(t)
	s.Scopes = []string{readonly} // of the two, the person ticks one
	c, verifier := client(t, s), oauth2.GenerateVerifier()
	ask := func(more ...oauth2.AuthCodeOption) url.Values {
		to, page := visit(t, c.AuthCodeURL("estado", append(more, oauth2.S256ChallengeOption(verifier))...))
		is.Equal(page, "")
		is.Equal(to.Host, "127.0.0.1:9")
		return to.Query()
	}
	got := ask(oauth2.AccessTypeOffline)
	is.Equal(got.Get("state"), "estado")
	is.Equal(got.Get("scope"), readonly)
	token, err := c.Exchange(t.Context(), got.Get("code"), oauth2.VerifierOption(verifier))
	is.NoErr(err)
	is.Equal(token.Extra("scope"), readonly)
	_, err = c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	is.NoErr(err)

	_, err = c.Exchange(t.Context(), got.Get("code"), oauth2.VerifierOption(verifier)) // again
	code, _ := refused(err)
	is.Equal(code, "invalid_grant")
	for name, spoiled := range map[string][]oauth2.AuthCodeOption{
		"Invalid code verifier.": {oauth2.VerifierOption(oauth2.GenerateVerifier())},
		"Missing code verifier.": nil,
		"Bad Request":            {oauth2.VerifierOption(verifier), oauth2.SetAuthURLParam("redirect_uri", "http://127.0.0.1:10")},
	} {
		_, err = c.Exchange(t.Context(), ask().Get("code"), spoiled...)
		_, description := refused(err)
		is.Equal(description, name)
	}
	for _, c := range []struct {
		options []oauth2.AuthCodeOption
		renewed bool
	}{{nil, false}, {[]oauth2.AuthCodeOption{oauth2.AccessTypeOffline}, false}, {[]oauth2.AuthCodeOption{oauth2.AccessTypeOffline, oauth2.ApprovalForce}, true}} {
		token, err := client(t, s).Exchange(t.Context(), ask(c.options...).Get("code"), oauth2.VerifierOption(verifier))
		is.NoErr(err)
		is.Equal(token.RefreshToken != "", c.renewed)
	}

	s.Deny = true
	is.Equal(ask().Get("error"), "access_denied")
	is.Equal(ask().Get("code"), "")
}

func TestAWrongPageIsNoPage(t *testing.T) {
	s := oauthtest.NewServer(t)
	challenge := oauth2.S256ChallengeOption(oauth2.GenerateVerifier())
	for name, spoil := range map[string]func(c *oauth2.Config) []oauth2.AuthCodeOption{
		"invalid_client": func(c *oauth2.Config) []oauth2.AuthCodeOption {
			c.ClientID = "otro"
			return []oauth2.AuthCodeOption{challenge}
		},
		"redirect_uri_mismatch": func(c *oauth2.Config) []oauth2.AuthCodeOption {
			c.RedirectURL = "http://example.org"
			return []oauth2.AuthCodeOption{challenge}
		},
		"invalid_request": func(*oauth2.Config) []oauth2.AuthCodeOption { return nil }, // without PKCE
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, s)
			options := spoil(c)
			to, page := visit(t, c.AuthCodeURL("estado", options...))
			is := is.New(t)
			is.True(to == nil)
			is.True(strings.Contains(page, name))
		})
	}
}

func TestATokenEndsAtItsTime(t *testing.T) {
	is := is.New(t)
	s := oauthtest.NewServer(t)
	now := time.Now()
	s.Now, s.Lifetime = func() time.Time { return now }, time.Minute
	token, err := robot(t, s.ServiceAccount()).TokenSource(t.Context()).Token()
	is.NoErr(err)
	_, ok := s.Bearer(request(token))
	is.True(ok)
	now = now.Add(time.Minute)
	_, ok = s.Bearer(request(token))
	is.True(!ok)
	_, ok = s.Bearer(request(&oauth2.Token{AccessToken: "ajeno"}))
	is.True(!ok)
}

func TestFaults(t *testing.T) {
	user := func(t testing.TB, faults ...oauthtest.Fault) (*oauthtest.Server, func(context.Context) (*oauth2.Token, error)) {
		s := oauthtest.NewServer(t)
		s.Script(faults...)
		refresh := refreshToken(t, s.Token())
		c := client(t, s)
		c.Endpoint.AuthStyle = oauth2.AuthStyleInParams // one call, not two
		return s, func(ctx context.Context) (*oauth2.Token, error) { return c.TokenSource(ctx, refresh).Token() }
	}
	t.Run("an answer of its own", func(t *testing.T) {
		for want, f := range map[string]oauthtest.Fault{
			"invalid_scope":                        {Error: "invalid_scope"},
			"backend_error":                        {Status: 503},
			"502 Bad Gateway":                      {Status: 502, Body: "<html>"},
			"302 Found":                            {Redirect: "/otra"},
			"cannot parse json":                    {Body: `{"access_token":`},
			"server response missing access_token": {Fields: map[string]any{"access_token": nil}},
		} {
			is := is.New(t)
			_, ask := user(t, f)
			_, err := ask(context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}))
			is.True(err != nil)
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not say %q", err, want)
			}
			_, err = ask(t.Context()) // once
			is.NoErr(err)
		}
	})
	t.Run("no answer", func(t *testing.T) {
		for name, f := range map[string]oauthtest.Fault{"cut": {Cut: true}, "half": {Truncate: true}} {
			t.Run(name, func(t *testing.T) {
				is := is.New(t)
				s, ask := user(t, f)
				_, err := ask(t.Context())
				is.True(err != nil)
				code, _ := refused(err)
				is.Equal(code, "")
				is.Equal(len(s.Calls()), 1)
			})
		}
	})
	t.Run("a hung call ends with its client", func(t *testing.T) {
		is := is.New(t)
		ctx, cancel := context.WithCancel(t.Context())
		s, ask := user(t, oauthtest.Fault{Hang: true})
		ended := make(chan error, 1)
		go func() { _, err := ask(ctx); ended <- err }()
		for len(s.Calls()) == 0 {
			select {
			case err := <-ended:
				t.Fatalf("it did not hang: %v", err)
			case <-time.After(time.Millisecond): // a poll
			}
		}
		cancel()
		is.True(errors.Is(<-ended, context.Canceled))
	})
	t.Run("a slow answer is the true one", func(t *testing.T) {
		is := is.New(t)
		s, ask := user(t, oauthtest.Fault{Slow: time.Hour})
		over := make(chan time.Time)
		close(over)
		s.After = func(d time.Duration) <-chan time.Time { is.Equal(d, time.Hour); return over }
		_, err := ask(t.Context())
		is.NoErr(err)
	})
	t.Run("an answer that is lost after the token rotated", func(t *testing.T) {
		is := is.New(t)
		s, ask := user(t, oauthtest.Fault{Cut: true, Accept: true})
		s.Rotate = true
		_, err := ask(t.Context())
		is.True(err != nil)
		is.Equal(s.Issued(), 1)
		_, err = ask(t.Context())
		code, _ := refused(err)
		is.Equal(code, "invalid_grant")
	})
	t.Run("it meets the calls that it names", func(t *testing.T) {
		is := is.New(t)
		_, ask := user(t, oauthtest.Fault{Grant: oauthtest.GrantJWT, Status: 500}, oauthtest.Fault{Grant: oauthtest.GrantRefresh, After: 1, Times: 2, Status: 500})
		for _, fails := range []bool{false, true, true, false} {
			_, err := ask(t.Context())
			is.Equal(err != nil, fails)
		}
	})
}

func TestWriteFileIsForItsUserAlone(t *testing.T) {
	is := is.New(t)
	s := oauthtest.NewServer(t)
	info, err := os.Stat(oauthtest.WriteFile(t, s.ServiceAccount()))
	is.NoErr(err)
	is.Equal(info.Mode().Perm(), os.FileMode(0o600))
}
