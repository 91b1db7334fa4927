package oauth

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"
)

type Config struct {
	File      string
	JSON      []byte
	TokenFile string
	Scopes    []string
	Allow     []Kind
}
type Kind string

const (
	ServiceAccount  Kind = "service_account"
	AuthorizedUser  Kind = "authorized_user"
	DesktopClient   Kind = "desktop_client"
	ExternalAccount Kind = "external_account"
)

type Credentials struct{}

func Find(ctx context.Context, cfg Config) (*Credentials, error) { return &Credentials{}, nil }
func Authorize(ctx context.Context, cfg Config, show func(url string) error) error {
	return nil
}
func (c *Credentials) Kind() Kind                                       { return "" }
func (c *Credentials) Token(ctx context.Context) (*oauth2.Token, error) { return nil, nil }
func (c *Credentials) Client() *http.Client                             { return nil }

type Error struct {
	File string
	Kind Kind
	Hint string
	Err  error
}

func (e *Error) Error() string { return "" }
func (e *Error) Unwrap() error { return e.Err }
