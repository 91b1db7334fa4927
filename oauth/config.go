package oauth

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// Config says which credentials to find. The zero Config looks for them where
// Google's own libraries do, but has no scopes.
type Config struct {
	// File is the path of a JSON file of Google's. Zero: see the package.
	File string
	// JSON is what such a file holds, for credentials that are in no file. It
	// excludes File. No log shows it.
	JSON []byte `json:"-"`
	// TokenFile is where a desktop client's token is: JSON, written by
	// [Authorize]. A [DesktopClient] needs it, the other kinds do not read it.
	TokenFile string
	// Scopes is what the token shall be good for:
	// https://developers.google.com/identity/protocols/oauth2/scopes
	// A ServiceAccount, an ExternalAccount and Authorize need at least one; the
	// tokens of the other kinds have the scopes that a person granted.
	Scopes []string
	// Subject is the user whom a service account acts for (domain-wide
	// delegation). Zero: itself. Other kinds refuse it.
	Subject string
	// Allow lists the kinds that are taken. Nil: ServiceAccount, AuthorizedUser
	// and DesktopClient.
	Allow []Kind
}

// DriveReadonly is the scope to see and download files of Google Drive.
// https://developers.google.com/workspace/drive/api/guides/api-specific-auth
const DriveReadonly = "https://www.googleapis.com/auth/drive.readonly"

// Kind is what sort of credentials a file has.
type Kind string

// The kinds of credentials that Find knows.
const (
	// ServiceAccount signs in with a private key of its own.
	ServiceAccount Kind = "service_account"
	// AuthorizedUser is a person's refresh token with its client, as gcloud
	// leaves it.
	AuthorizedUser Kind = "authorized_user"
	// DesktopClient is the secret of an OAuth client ("installed" or "web" in
	// its file), whose token is in Config.TokenFile.
	DesktopClient Kind = "desktop_client"
	// ExternalAccount gets its token from another provider's, which it fetches
	// as its file says (workload identity federation).
	ExternalAccount Kind = "external_account"
)

// Format prints a Config without its JSON, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "oauth.Config{File: %q, JSON: %d bytes, TokenFile: %q, Scopes: %q, Allow: %q}", c.File, len(c.JSON), c.TokenFile, c.Scopes, c.Allow)
}

func (c Config) allows(k Kind) bool {
	if c.Allow == nil {
		return k == ServiceAccount || k == AuthorizedUser || k == DesktopClient
	}
	return slices.Contains(c.Allow, k)
}

// located returns the Config with File set, unless it has JSON.
func (c Config) located() (Config, error) {
	switch {
	case c.File != "" && len(c.JSON) > 0:
		return c, errors.New("oauth: Config.File and Config.JSON exclude each other; give one of them")
	case c.File != "" || len(c.JSON) > 0:
		return c, nil
	}
	//nolint:forbidigo // the order is defined by the environment: https://google.aip.dev/auth/4110
	if c.File = os.Getenv("GOOGLE_APPLICATION_CREDENTIALS"); c.File != "" {
		return c, nil
	}
	if file := gcloudFile(); file != "" {
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			c.File = file
			return c, nil
		}
	}
	return c, &Error{Hint: hintNone, Err: errNone}
}

// gcloudFile is where gcloud leaves credentials; "" if nobody knows.
func gcloudFile() string {
	const name = "application_default_credentials.json"
	//nolint:forbidigo // gcloud's own setting: https://cloud.google.com/sdk/docs/configurations
	if dir := os.Getenv("CLOUDSDK_CONFIG"); dir != "" {
		return filepath.Join(dir, name)
	}
	if runtime.GOOS == "windows" {
		if dir, err := os.UserConfigDir(); err == nil {
			return filepath.Join(dir, "gcloud", name)
		}
		return ""
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".config", "gcloud", name)
	}
	return ""
}
