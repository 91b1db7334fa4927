package oauth

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/url"
	"slices"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google/externalaccount"
	"golang.org/x/oauth2/jwt"
)

// Google's endpoints, for a file that names none.
// https://developers.google.com/identity/protocols/oauth2/web-server
const (
	googleAuthURL  = "https://accounts.google.com/o/oauth2/v2/auth"
	googleTokenURL = "https://oauth2.googleapis.com/token" //nolint:gosec // an address, no secret
)

// loaded is what was read of a file. What is secret in it is held by functions,
// so that no printing shows it.
type loaded struct {
	kind    Kind
	account string // "": the file does not say
	files   []seen
	fetch   func(ctx context.Context) (*oauth2.Token, error)
	rotate  func(refresh string) (*seen, error) // keeps a new refresh token; nil: there is none
}

// document is what a file of Google's may hold.
type document struct {
	Type         string `json:"type"`
	ClientEmail  string `json:"client_email"`
	PrivateKey   string `json:"private_key"`
	PrivateKeyID string `json:"private_key_id"`
	TokenURI     string `json:"token_uri"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	RefreshToken string `json:"refresh_token"`
	Account      string `json:"account"`

	Installed *clientDocument `json:"installed"`
	Web       *clientDocument `json:"web"`

	externalDocument
}

type clientDocument struct {
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret"`
	AuthURI      string   `json:"auth_uri"`
	TokenURI     string   `json:"token_uri"`
	RedirectURIs []string `json:"redirect_uris"`
}

type externalDocument struct {
	Audience          string                            `json:"audience"`
	SubjectTokenType  string                            `json:"subject_token_type"`
	TokenURL          string                            `json:"token_url"`
	ImpersonationURL  string                            `json:"service_account_impersonation_url"`
	CredentialSource  *externalaccount.CredentialSource `json:"credential_source"`
	WorkforceProject  string                            `json:"workforce_pool_user_project"`
	UniverseDomain    string                            `json:"universe_domain"`
	QuotaProjectID    string                            `json:"quota_project_id"`
	ImpersonationLife struct {
		Seconds int `json:"token_lifetime_seconds"`
	} `json:"service_account_impersonation"`
}

func (d *document) kind() Kind {
	switch k := Kind(d.Type); {
	case d.Installed != nil || d.Web != nil:
		return DesktopClient
	case k == ServiceAccount || k == AuthorizedUser || k == ExternalAccount:
		return k
	}
	return ""
}

// readDocument reads Config.JSON or Config.File.
func readDocument(cfg Config) (*document, error) {
	data := cfg.JSON
	if len(data) == 0 {
		var err error
		if data, err = readFile(cfg.File); err != nil {
			return nil, err
		}
	}
	var d document
	if err := decode(cfg.File, data, &d); err != nil {
		return nil, err
	}
	kind := d.kind()
	fault := func(hint string, cause error) (*document, error) {
		return nil, &Error{File: cfg.File, Kind: kind, Hint: hint, Err: cause}
	}
	switch {
	case kind == "":
		return fault(hintForeign, errForeign)
	case !cfg.allows(kind):
		return fault(hintNotAllowed, errNotAllowed)
	case cfg.Subject != "" && kind != ServiceAccount:
		return fault(hintSubject, errSubject)
	}
	return &d, nil
}

// load reads the credentials that a located Config names.
func load(cfg Config) (*loaded, error) {
	var files []seen
	if cfg.File != "" {
		files = append(files, see(cfg.File)) // before it is read: what comes later is a replacement
	}
	d, err := readDocument(cfg)
	if err != nil {
		return nil, err
	}
	var l *loaded
	switch d.kind() {
	case ServiceAccount:
		l, err = d.serviceAccount(cfg)
	case AuthorizedUser:
		l, err = d.authorizedUser(cfg)
	case DesktopClient:
		files = append(files, see(cfg.TokenFile))
		l, err = d.desktopClient(cfg)
	case ExternalAccount:
		l, err = d.externalAccount(cfg)
	}
	if err != nil {
		return nil, err
	}
	l.kind, l.files = d.kind(), files
	return l, nil
}

// lacking says that a file does not have what its kind needs.
func (d *document) lacking(cfg Config, fields ...string) error {
	if !slices.Contains(fields, "") {
		return nil
	}
	return &Error{File: cfg.File, Kind: d.kind(), Hint: "al archivo le faltan campos: descárguelo otra vez de la consola de Google Cloud", Err: errForeign}
}

func (d *document) serviceAccount(cfg Config) (*loaded, error) {
	fault := func(hint string, cause error) (*loaded, error) {
		return nil, &Error{File: cfg.File, Kind: ServiceAccount, Hint: hint, Err: cause}
	}
	if err := d.lacking(cfg, d.ClientEmail, d.PrivateKey); err != nil {
		return nil, err
	}
	if len(cfg.Scopes) == 0 {
		return fault(hintScopes, errNoScopes)
	}
	if !isKey(d.PrivateKey) {
		return fault(hintKey, errForeign)
	}
	endpoint, ok := secureURL(d.TokenURI, googleTokenURL)
	if !ok {
		return fault(hintEndpoint, errForeign)
	}
	conf := &jwt.Config{
		Email: d.ClientEmail, PrivateKey: []byte(d.PrivateKey), PrivateKeyID: d.PrivateKeyID,
		Scopes: cfg.Scopes, TokenURL: endpoint, Subject: cfg.Subject,
	}
	return &loaded{
		account: d.ClientEmail,
		fetch:   func(ctx context.Context) (*oauth2.Token, error) { return conf.TokenSource(ctx).Token() },
	}, nil
}

// isKey reports whether text is a private key as Google gives them.
func isKey(text string) bool {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return false
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		_, ok := key.(*rsa.PrivateKey)
		return ok
	}
	_, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	return err == nil
}

func (d *document) authorizedUser(cfg Config) (*loaded, error) {
	if err := d.lacking(cfg, d.ClientID, d.ClientSecret, d.RefreshToken); err != nil {
		return nil, err
	}
	conf, err := (&clientDocument{ClientID: d.ClientID, ClientSecret: d.ClientSecret, TokenURI: d.TokenURI}).config(cfg, AuthorizedUser)
	if err != nil {
		return nil, err
	}
	return refreshing(conf, d.RefreshToken, cfg.File, d.Account), nil
}

func (d *document) desktopClient(cfg Config) (*loaded, error) {
	conf, err := d.client().config(cfg, DesktopClient)
	if err != nil {
		return nil, err
	}
	refresh, err := readTokenFile(cfg, conf.ClientID)
	if err != nil {
		return nil, err
	}
	return refreshing(conf, refresh, cfg.TokenFile, ""), nil
}

// client is the OAuth client of a DesktopClient's file.
func (d *document) client() *clientDocument {
	if d.Installed != nil {
		return d.Installed
	}
	return d.Web
}

// config makes x/oauth2's of a client.
func (c *clientDocument) config(cfg Config, kind Kind) (*oauth2.Config, error) {
	d := &document{Type: string(kind)}
	if kind == DesktopClient {
		d.Installed = c
	}
	if err := d.lacking(cfg, c.ClientID, c.ClientSecret); err != nil {
		return nil, err
	}
	token, ok := secureURL(c.TokenURI, googleTokenURL)
	auth, authOK := secureURL(c.AuthURI, googleAuthURL)
	if !ok || !authOK {
		return nil, &Error{File: cfg.File, Kind: kind, Hint: hintEndpoint, Err: errForeign}
	}
	return &oauth2.Config{
		ClientID: c.ClientID, ClientSecret: c.ClientSecret, Scopes: cfg.Scopes,
		// Google takes both; to guess would cost a failed call each time.
		Endpoint: oauth2.Endpoint{AuthURL: auth, TokenURL: token, AuthStyle: oauth2.AuthStyleInParams},
	}, nil
}

// refreshing is what fetches tokens with a refresh token, which may rotate. The
// file is where a new one is kept; "": nowhere. What could not be written is
// tried again after the next fetch. Fetches do not overlap.
func refreshing(conf *oauth2.Config, refresh, file, account string) *loaded {
	l := &loaded{
		account: account,
		fetch: func(ctx context.Context) (*oauth2.Token, error) {
			return conf.TokenSource(ctx, &oauth2.Token{RefreshToken: refresh}).Token()
		},
	}
	kept := refresh // in the file
	l.rotate = func(rotated string) (*seen, error) {
		if refresh = cmp.Or(rotated, refresh); file == "" || refresh == kept {
			return nil, nil
		}
		written, err := saveRefreshToken(file, kept, refresh)
		if err == nil {
			kept = refresh
		}
		return written, err
	}
	return l
}

func (d *document) externalAccount(cfg Config) (*loaded, error) {
	if err := d.lacking(cfg, d.Audience, d.SubjectTokenType, d.TokenURL); err != nil {
		return nil, err
	}
	if len(cfg.Scopes) == 0 {
		return nil, &Error{File: cfg.File, Kind: ExternalAccount, Hint: hintScopes, Err: errNoScopes}
	}
	conf := externalaccount.Config{
		Audience: d.Audience, SubjectTokenType: d.SubjectTokenType, TokenURL: d.TokenURL, Scopes: cfg.Scopes,
		ServiceAccountImpersonationURL: d.ImpersonationURL, ServiceAccountImpersonationLifetimeSeconds: d.ImpersonationLife.Seconds,
		ClientID: d.ClientID, ClientSecret: d.ClientSecret, CredentialSource: d.CredentialSource,
		QuotaProjectID: d.QuotaProjectID, WorkforcePoolUserProject: d.WorkforceProject, UniverseDomain: d.UniverseDomain,
	}
	return &loaded{fetch: func(ctx context.Context) (*oauth2.Token, error) {
		source, err := externalaccount.NewTokenSource(ctx, conf)
		if err != nil {
			return nil, err
		}
		return source.Token()
	}}, nil
}

// secureURL returns raw, or zero where there is none. It must be https, or on
// this machine.
func secureURL(raw, zero string) (string, bool) {
	if raw == "" {
		return zero, true
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil {
		return "", false
	}
	return raw, isSecure(u)
}

func isSecure(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
