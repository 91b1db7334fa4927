package oauth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Authorize asks a person for the token of a [DesktopClient] and writes it to
// Config.TokenFile, from where [Find] takes it. It gives show the address that
// the person opens in a browser on this machine, listens on the loop-back
// interface for the answer, and returns when it came or ctx ended. To use a
// browser elsewhere, forward the port of the address's redirect_uri:
// ssh -L PORT:127.0.0.1:PORT.
//
// It is the flow of RFC 8252 with PKCE:
// https://developers.google.com/identity/protocols/oauth2/native-app
func Authorize(ctx context.Context, cfg Config, show func(url string) error) error {
	conf, cfg, err := authorizable(cfg)
	if err != nil {
		return err
	}
	fault := func(hint string, cause error) error {
		return &Error{File: cfg.File, Kind: DesktopClient, Hint: hint, Err: cause}
	}
	listener, err := listen(ctx, conf)
	if err != nil {
		return fault(hintPort, err)
	}
	state, verifier := rand.Text(), oauth2.GenerateVerifier()
	answers := make(chan answer, 1)
	server := &http.Server{
		Handler:           callback(state, answers),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { _ = server.Serve(listener) }() // ends by Shutdown
	defer func() {                             // the person still reads the page
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = server.Shutdown(ending) // at worst the page is cut
	}()

	// Without consent Google leaves the refresh token out the second time.
	if err := show(conf.AuthCodeURL(state, oauth2.AccessTypeOffline, oauth2.ApprovalForce, oauth2.S256ChallengeOption(verifier))); err != nil {
		return err
	}
	var got answer
	select {
	case got = <-answers:
	case <-ctx.Done():
		return fmt.Errorf("oauth: nobody authorised: %w", ctx.Err())
	}
	if got.code == "" {
		return fault(hintDenied, errNotGranted)
	}
	w := &wire{base: transportOf(ctx)}
	token, err := conf.Exchange(w.context(ctx), got.code, oauth2.VerifierOption(verifier))
	if err != nil {
		return refusal(cfg.File, DesktopClient, err, w)
	}
	return saveToken(cfg, conf, token)
}

// authorizable returns the client that a Config names.
func authorizable(cfg Config) (*oauth2.Config, Config, error) {
	cfg, err := cfg.located()
	if err != nil {
		return nil, cfg, err
	}
	fault := func(kind Kind, hint string, cause error) (*oauth2.Config, Config, error) {
		return nil, cfg, &Error{File: cfg.File, Kind: kind, Hint: hint, Err: cause}
	}
	d, err := readDocument(cfg)
	if err != nil {
		return nil, cfg, err
	}
	switch {
	case d.kind() != DesktopClient:
		return fault(d.kind(), "estas credenciales no se autorizan: sirven como están", errNotAllowed)
	case cfg.TokenFile == "":
		return fault(DesktopClient, hintTokenFile, errNoRefresh)
	case len(cfg.Scopes) == 0:
		return fault(DesktopClient, hintScopes, errNoScopes)
	}
	conf, err := d.client().config(cfg, DesktopClient)
	if err != nil {
		return nil, cfg, err
	}
	if err := checkWritable(cfg.TokenFile); err != nil { // before somebody is asked in vain
		return nil, cfg, &Error{File: cfg.TokenFile, Kind: DesktopClient, Hint: hintUnsaved, Err: err}
	}
	conf.RedirectURL = "http://127.0.0.1:0" // any port, which only a desktop client may
	if d.Installed == nil {
		if conf.RedirectURL = loopbackOf(d.Web.RedirectURIs); conf.RedirectURL == "" {
			return fault(DesktopClient, hintRedirect, errForeign)
		}
	}
	return conf, cfg, nil
}

// loopbackOf returns the first address of this machine with a port; "" if there
// is none.
func loopbackOf(addresses []string) string {
	for _, a := range addresses {
		if u, err := url.Parse(a); err == nil && u.Scheme == "http" && isLoopback(u.Hostname()) && u.Port() != "" {
			return a
		}
	}
	return ""
}

// listen opens the port of the answer and, if it was any, puts it into conf.
func listen(ctx context.Context, conf *oauth2.Config) (net.Listener, error) {
	u, err := url.Parse(conf.RedirectURL)
	if err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	if u.Port() == "0" {
		conf.RedirectURL = "http://" + listener.Addr().String()
	}
	return listener, nil
}

// answer is what the browser brought: a code, or none if the person refused.
type answer struct{ code string }

// callback takes the answer that has our state, once, and sends all else away.
func callback(state string, answers chan<- answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		h := w.Header()
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		if q.Get("state") != state || r.Method != http.MethodGet {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, "Esta página solo recibe la respuesta de Google.\n") // the browser went: nothing to do
			return
		}
		text := "Listo. Puede cerrar esta página y volver a la terminal.\n"
		if q.Get("code") == "" {
			text = "No se dio el permiso. Puede cerrar esta página.\n"
		}
		_, _ = io.WriteString(w, text) // the same
		select {
		case answers <- answer{q.Get("code")}:
		default: // it was answered
		}
	})
}

// saveToken writes what Authorize got.
func saveToken(cfg Config, conf *oauth2.Config, token *oauth2.Token) error {
	fault := func(hint string, cause error) error {
		return &Error{File: cfg.TokenFile, Kind: DesktopClient, Hint: hint, Err: cause}
	}
	scopes, _ := token.Extra("scope").(string)
	have := strings.Fields(scopes)
	if len(have) == 0 { // all that was asked for: RFC 6749, section 5.1
		have = cfg.Scopes
	}
	if !granted(have, cfg.Scopes) {
		return fault(hintGranted, errNotGranted)
	}
	if token.RefreshToken == "" {
		return fault(hintNoRefresh, errNoRefresh)
	}
	_, err := saveJSON(cfg.TokenFile, tokenFile{ClientID: conf.ClientID, RefreshToken: token.RefreshToken, Scopes: have})
	if e, ok := errors.AsType[*Error](err); ok {
		e.Kind = DesktopClient
	}
	return err
}
