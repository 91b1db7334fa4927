package telegram

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config is what a Bot needs: a token; the zero value of the rest works.
// However it is printed or logged, the token is not shown.
type Config struct {
	// Token as @BotFather gave it. White space around it is ignored.
	Token string `json:"-"`
	// TokenFile is the path of a file that holds the token instead, such as a
	// mounted secret. It is read by New, and again for each request, so that a
	// token may be rotated while the program runs; while the file is empty, as
	// in the middle of a rewrite, the last token is used. Excludes Token.
	TokenFile string `json:"-"`
	// BaseURL of a Bot API server of one's own, or of a fake one. Zero:
	// https://api.telegram.org. A path in it is kept.
	BaseURL string
	// Timeout of one request, from the first byte to the last of the answer; a
	// context may end it earlier. One with a [File] has as much again at each
	// step of the upload, which may take long as long as it moves. Zero: 15 s.
	Timeout time.Duration
	// HTTP sends the requests. Zero: a client with a transport of its own, that
	// honours HTTPS_PROXY and NO_PROXY. Of one that is given the transport, jar
	// and time-out are used, but no redirect is ever followed: it would carry
	// the token elsewhere. Tracing in its transport sees the token in the URL.
	HTTP *http.Client
	// Gate holds deliveries back to Telegram's rates. Zero: one in memory, of
	// this Bot: about 1 message a second in a chat, 20 a minute in a group, 30 a
	// second altogether.
	Gate Gate
}

const (
	defaultBaseURL = "https://api.telegram.org"
	defaultTimeout = 15 * time.Second
)

// Format prints c without its token, whatever the verb and whichever the field.
func (c Config) Format(f fmt.State, _ rune) {
	const hidden = "***"
	shown, file := "", c.TokenFile
	if c.Token != "" {
		shown = hidden
	}
	if holdsToken(file) {
		file = hidden
	}
	fmt.Fprintf(f, "telegram.Config{Token:%q TokenFile:%q BaseURL:%q Timeout:%v}", shown, file, c.BaseURL, c.Timeout)
}

// Bot sends messages for one token. It is made by New, once, is safe for
// concurrent use, and needs no closing.
type Bot struct {
	token   tokenSource
	base    string
	timeout time.Duration
	http    *http.Client
	traces  bool // http's transport is net/http's, which tells of each write
	gate    Gate
}

// New makes a Bot and sends nothing. Its errors, all of a wrong cfg joined, are
// [ErrInvalid]; they name the field and never show the token.
func New(cfg Config) (*Bot, error) {
	source, tokenErr := newTokenSource(cfg)
	base, baseErr := parseBase(cmp.Or(cfg.BaseURL, defaultBaseURL))
	var timeoutErr error
	if cfg.Timeout < 0 {
		timeoutErr = invalid("Config.Timeout", "%v is negative; 0 means %v", cfg.Timeout, defaultTimeout)
	}
	if err := errors.Join(tokenErr, baseErr, timeoutErr); err != nil {
		return nil, err
	}
	b := &Bot{
		token:   source,
		base:    base,
		timeout: cmp.Or(cfg.Timeout, defaultTimeout),
		http:    newHTTPClient(cfg.HTTP),
		gate:    cfg.Gate,
	}
	switch b.http.Transport.(type) {
	case nil, *http.Transport:
		b.traces = true
	}
	if b.gate == nil {
		b.gate = newMemoryGate()
	}
	return b, nil
}

// parseBase checks the URL of a server. Its errors do not show it, as it may
// hold a password.
func parseBase(raw string) (string, error) {
	const field = "Config.BaseURL"
	raw = strings.TrimSpace(raw)
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "", invalid(field, "it is not a URL; an example is %s", defaultBaseURL)
	case u.Scheme != "http" && u.Scheme != "https":
		return "", invalid(field, "it must begin with https:// or http://, as %s does", defaultBaseURL)
	case u.Hostname() == "":
		return "", invalid(field, "it names no host; an example is %s", defaultBaseURL)
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return "", invalid(field, "it may have a path, but no user, query or fragment")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// newHTTPClient is a client that follows no redirect.
func newHTTPClient(given *http.Client) *http.Client {
	client := &http.Client{}
	if given != nil {
		*client = *given
	} else {
		client.Transport = newTransport()
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

// newTransport speaks HTTP/1.1, where it can be told exactly what was written,
// and has no time-out for the answer: that is Config.Timeout's. An idle
// connection is given up long before the server would close it: a request that
// meets that closing would be uncertain, for nothing.
func newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:               proxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		Protocols:           protocols,
		TLSHandshakeTimeout: 5 * time.Second,
		MaxIdleConns:        16,
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     30 * time.Second,
	}
}

// proxyFromEnvironment drops the cause of an error: it holds the proxy's URL,
// which may hold a password.
func proxyFromEnvironment(r *http.Request) (*url.URL, error) {
	proxy, err := http.ProxyFromEnvironment(r)
	if err != nil {
		return nil, errors.New("HTTP_PROXY or HTTPS_PROXY is not the URL of a proxy")
	}
	return proxy, nil
}
