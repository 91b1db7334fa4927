package telegram

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"sync"
)

// token is a bot's, in its valid form.
type token struct{ id, secret string }

// tokenForm is "<bot id>:<secret>". The secret has 35 characters today; one of
// fewer than 20 was cut when it was copied.
// https://core.telegram.org/bots/features#botfather
var tokenForm = regexp.MustCompile(`^([0-9]{1,20}):([A-Za-z0-9_-]{20,256})$`)

// tokenBegins is how a token begins, or one that is within another text.
var tokenBegins = regexp.MustCompile(`^[0-9]+:|[0-9]{6,}:[A-Za-z0-9_-]{20}`)

// holdsToken says that where a path belongs there is a token, whole or cut.
func holdsToken(path string) bool {
	return tokenBegins.MatchString(strings.Join(strings.Fields(path), ""))
}

// parseToken reads a token that stood in field. Its error does not show it.
func parseToken(field, raw string) (token, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return token{}, invalid(field, "it is empty; @BotFather gives tokens")
	}
	m := tokenForm.FindStringSubmatch(raw)
	if m == nil {
		return token{}, invalid(field, "it does not look like a token, which is digits, a colon and at least 20 letters, digits, - or _ (%d bytes were given); copy it again from @BotFather", len(raw))
	}
	return token{m[1], m[2]}, nil
}

func (t token) String() string { return t.id + ":" + t.secret }

// redact takes the secret out of a text. It has no character that a URL or
// JSON would escape, so that it is found in every form of the token.
func (t token) redact(text string) string {
	if t.secret == "" {
		return text
	}
	return strings.ReplaceAll(text, t.secret, "***")
}

// tokenSource gives the token of the moment. It is a function so that no
// printing of what holds it can show a value.
type tokenSource func() (token, error)

func newTokenSource(cfg Config) (tokenSource, error) {
	if cfg.Token != "" && cfg.TokenFile != "" {
		return nil, invalid("Config.TokenFile", "Config.Token is set too; give one of them")
	}
	if holdsToken(cfg.TokenFile) {
		return nil, invalid("Config.TokenFile", "it holds a token, not the path of a file; give that as Config.Token")
	}
	if cfg.TokenFile != "" {
		f := &tokenFile{path: cfg.TokenFile}
		_, err := f.token()
		return f.token, err
	}
	t, err := parseToken("Config.Token", cfg.Token)
	return func() (token, error) { return t, nil }, err
}

// tokenFile is a file that holds a token, and may be written while it is read.
type tokenFile struct {
	path string

	mu   sync.Mutex // reads one after the other, so that last is of the latest
	last token
}

// token is the file's. Who writes a file in place empties it first: one that is
// empty for now still means its last token.
func (f *tokenFile) token() (token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	raw, err := readToken(f.path)
	switch {
	case err != nil:
		return token{}, unreadable(f.path, err)
	case strings.TrimSpace(raw) == "" && f.last != (token{}):
		return f.last, nil
	}
	t, err := parseToken("Config.TokenFile", raw)
	if err == nil {
		f.last = t
	}
	return t, err
}

// maxTokenFile is far over any token: who names a wrong file shall not have it read.
const maxTokenFile = 4096

func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxTokenFile))
	return string(raw), err
}

func unreadable(file string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return invalid("Config.TokenFile", "%s cannot be read: %v", file, err)
}
