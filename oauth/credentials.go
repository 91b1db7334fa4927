package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// Credentials is a token that stays fresh. It is safe for concurrent use.
type Credentials struct {
	cfg  Config
	base http.RoundTripper

	mu      sync.Mutex
	now     *loaded
	stale   error // why now is not what the file holds
	token   *oauth2.Token
	flight  *flight
	unsaved error
}

// flight is a refresh under way.
type flight struct {
	done  chan struct{} // closed when token and err are set
	token *oauth2.Token
	err   error
}

// Find finds credentials, in the order that the package lists. It reads files
// and needs no network: whether Google takes the credentials, the first Token
// says. Credentials that are there and do not serve are an [Error].
//
// An HTTP client in ctx under [oauth2.HTTPClient] gives its transport to all
// calls. Otherwise they use [http.DefaultTransport].
func Find(ctx context.Context, cfg Config) (*Credentials, error) {
	cfg, err := cfg.located()
	if err != nil {
		return nil, err
	}
	now, err := load(cfg)
	if err != nil {
		return nil, err
	}
	return &Credentials{cfg: cfg, base: transportOf(ctx), now: now}, nil
}

func transportOf(ctx context.Context) http.RoundTripper {
	if client, ok := ctx.Value(oauth2.HTTPClient).(*http.Client); ok && client != nil && client.Transport != nil {
		return client.Transport
	}
	return http.DefaultTransport
}

// Kind returns what sort of credentials they are.
func (c *Credentials) Kind() Kind {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now.kind
}

// File returns the file that they were found in; "" if they came as JSON.
func (c *Credentials) File() string { return c.cfg.File }

// Account returns the e-mail address of a service account, with which files are
// shared; "" where the file does not say whose the credentials are.
func (c *Credentials) Account() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now.account
}

// Format prints the kind and the file, whatever the verb.
func (c *Credentials) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "oauth.Credentials{%s %q}", c.Kind(), c.cfg.File)
}

const (
	// fetchTimeout bounds one refresh.
	fetchTimeout = 30 * time.Second
	// early is how long before its end a token is replaced, so that a call that
	// begins with it can end with it.
	early = time.Minute
)

// Token returns a token that is good for a minute at least, or for as long as
// the server gives them. It is fetched when the one at hand ends, once for all
// who ask: a caller whose ctx ends goes, and the fetch goes on for the others.
// It takes at most 30 s.
//
// Where a refresh fails, a token that still works is returned. Otherwise the
// error is an [Error].
func (c *Credentials) Token(ctx context.Context) (*oauth2.Token, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.reload()
	if isFresh(c.token) {
		defer c.mu.Unlock()
		return copyOf(c.token), nil
	}
	if c.stale != nil && !c.token.Valid() {
		defer c.mu.Unlock()
		return nil, c.stale
	}
	f := c.flight
	if f == nil {
		f = &flight{done: make(chan struct{})}
		c.flight = f
		go c.refresh(context.WithoutCancel(ctx), f, c.now)
	}
	c.mu.Unlock()
	select {
	case <-f.done:
		return copyOf(f.token), f.err
	case <-ctx.Done():
		return nil, fmt.Errorf("oauth: no token yet: %w", ctx.Err())
	}
}

// isFresh reports whether a token needs no refresh. One without an end has none.
func isFresh(t *oauth2.Token) bool {
	return t.Valid() && (t.Expiry.IsZero() || time.Until(t.Expiry) > early)
}

// copyOf keeps callers from changing each other's token.
func copyOf(t *oauth2.Token) *oauth2.Token {
	if t == nil {
		return nil
	}
	own := *t
	own.RefreshToken = "" // nobody else's business
	return &own
}

// reload reads the files again if one was replaced. What cannot be read, half
// written perhaps, is tried again at the next call.
func (c *Credentials) reload() {
	if !slices.ContainsFunc(c.now.files, seen.replaced) {
		return
	}
	now, err := load(c.cfg)
	if c.stale = err; err != nil {
		return
	}
	c.now, c.token, c.flight, c.unsaved = now, nil, nil, nil
}

// refresh fetches a token with l and ends the flight.
func (c *Credentials) refresh(ctx context.Context, f *flight, l *loaded) {
	token, err := c.fetch(ctx, l)
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(f.done)
	current := c.flight == f // else the files were replaced meanwhile
	if current {
		c.flight = nil
	}
	switch {
	case err == nil:
		f.token = token
		if current {
			c.token = token
		}
		c.keep(l, token.RefreshToken)
	case current && c.token.Valid():
		f.token = c.token
	default:
		f.err = err
	}
}

// keep writes a rotated refresh token down.
func (c *Credentials) keep(l *loaded, rotated string) {
	if l.rotate == nil {
		return
	}
	var written *seen
	if written, c.unsaved = l.rotate(rotated); written == nil {
		return
	}
	for i := range l.files { // our own writing is no replacement
		if l.files[i].file == written.file {
			l.files[i] = *written
		}
	}
}

// Unsaved returns why a rotated refresh token could not be written back, for a
// log or a diagnosis: it works as long as this process lives, and after that a
// person must authorise again. Nil: nothing was lost.
func (c *Credentials) Unsaved() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unsaved
}

// fetch asks the token endpoint.
func (c *Credentials) fetch(ctx context.Context, l *loaded) (*oauth2.Token, error) {
	w := &wire{base: c.base}
	token, err := l.fetch(w.context(ctx))
	if err == nil {
		return token, c.inspect(l, token)
	}
	file := c.cfg.File
	if l.kind == DesktopClient {
		file = c.cfg.TokenFile
	}
	return nil, refusal(file, l.kind, err, w)
}

// context makes x/oauth2 use w. It follows no redirect, which would carry the
// secrets of the request to somewhere else.
func (w *wire) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, &http.Client{
		Transport:     w,
		Timeout:       fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
}

// inspect looks whether a token is good for what it was asked for.
func (c *Credentials) inspect(l *loaded, token *oauth2.Token) error {
	e := &Error{File: c.cfg.File, Kind: l.kind, Hint: hintProxy, Err: errNotGoogle}
	if token.AccessToken == "" {
		return e
	}
	scopes, _ := token.Extra("scope").(string)
	if l.kind == DesktopClient && scopes != "" && !granted(strings.Fields(scopes), c.cfg.Scopes) {
		e.File, e.Hint, e.Err = c.cfg.TokenFile, hintGranted, errNotGranted
		return e
	}
	return nil
}

// Client returns an http.Client that sends the token with each request. It has
// no time-out of its own: give each request a context. The token goes out over
// https only (or to this machine), and never to another host that a redirect
// names.
func (c *Credentials) Client() *http.Client {
	return &http.Client{Transport: &bearer{c}}
}

// bearer is the transport that adds a token.
type bearer struct{ c *Credentials }

// RoundTrip sends a request with a token, or without one where a redirect led
// it to another host.
func (b *bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if !isSecure(r.URL) {
		closeBody(r)
		return nil, errors.New("oauth: a token is not sent over plain http")
	}
	if redirected(r) {
		return b.c.base.RoundTrip(r)
	}
	token, err := b.c.Token(r.Context())
	if err != nil {
		closeBody(r)
		return nil, err
	}
	r = r.Clone(r.Context())
	token.SetAuthHeader(r)
	return b.c.base.RoundTrip(r)
}

// closeBody does what a RoundTripper owes a request that it does not send.
func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close() // nothing was read of it
	}
}

// redirected reports whether a redirect led the request to another host than
// the first one.
func redirected(r *http.Request) bool {
	first := r
	for first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
	}
	return first.URL.Host != r.URL.Host
}
