package oauth_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/oauth"
	"github.com/ccmwf/ccm/oauth/oauthtest"
)

// secret is part of all that nobody may see.
const secret = oauthtest.Secret

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

// write puts a text into a new file.
func write(t testing.TB, text string) string {
	t.Helper()
	return oauthtest.WriteFile(t, []byte(text))
}

// overwrite replaces a file at once.
func overwrite(t testing.TB, file string, data []byte) {
	t.Helper()
	is := is.New(t)
	is.NoErr(os.WriteFile(file+".new", data, 0o600))
	is.NoErr(os.Rename(file+".new", file))
}

// with puts another value into a document, at «a» or «a.b».
func with(t testing.TB, document []byte, field string, value any) []byte {
	t.Helper()
	is := is.New(t)
	var all map[string]any
	is.NoErr(json.Unmarshal(document, &all))
	inside := all
	if outer, inner, nested := strings.Cut(field, "."); nested {
		inside, field = all[outer].(map[string]any), inner
	}
	inside[field] = value
	data, err := json.Marshal(all)
	is.NoErr(err)
	return data
}

// field is a text in a file of JSON.
func field(t testing.TB, file, name string) string {
	t.Helper()
	is := is.New(t)
	data, err := os.ReadFile(file)
	is.NoErr(err)
	var all map[string]any
	is.NoErr(json.Unmarshal(data, &all))
	text, _ := all[name].(string)
	return text
}

// desktop is a client with its token, in files.
func desktop(t testing.TB, fake *oauthtest.Server) oauth.Config {
	t.Helper()
	return oauth.Config{File: oauthtest.WriteFile(t, fake.DesktopClient()), TokenFile: oauthtest.WriteFile(t, fake.Token(drive...)), Scopes: drive}
}

// leftovers are the temporary files beside a file.
func leftovers(t testing.TB, file string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".*"))
	is.New(t).NoErr(err)
	return found
}

// hint is what an Error tells an operator.
func hint(err error) string {
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		return e.Hint
	}
	return ""
}

// says checks the hint of an error, and that the error shows nothing secret.
func says(t testing.TB, err error, want string) {
	t.Helper()
	if !strings.Contains(hint(err), want) {
		t.Errorf("%v does not say %q", err, want)
	}
	if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "PRIVATE KEY")) {
		t.Errorf("%v shows a secret", err)
	}
}
