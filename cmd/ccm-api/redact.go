package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/ccmwf/ccm/ccm"
)

// redacted is what is shown in the place of a secret.
const redacted = "[oculto]"

// shortestSecret is the length from which a secret is looked for in the log: one
// that is shorter would hide innocent words.
const shortestSecret = 6

// redactor is the last defence of the log: errors and lines hold no secret to
// begin with. It hides the secrets of the settings, however they are escaped,
// and what has the form of one: a bot's token, a password in a URL, an e-mail
// address. It expects a whole line at each Write.
type redactor struct {
	to     io.Writer
	hidden *strings.Replacer
}

func newRedactor(to io.Writer, secrets []string) *redactor {
	var pairs []string
	for _, secret := range secrets {
		if len(secret) < shortestSecret {
			continue
		}
		for _, form := range spellings(secret) {
			pairs = append(pairs, form, redacted)
		}
	}
	return &redactor{to, strings.NewReplacer(pairs...)}
}

// spellings are the ways in which a secret may stand in a line of JSON.
func spellings(secret string) []string {
	forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), url.UserPassword("", secret).String()[1:]}
	for _, form := range slices.Clone(forms) {
		var quoted bytes.Buffer
		enc := json.NewEncoder(&quoted)
		enc.SetEscapeHTML(false) // nor does slog
		if enc.Encode(form) == nil {
			forms = append(forms, string(quoted.Bytes()[1:quoted.Len()-2]))
		}
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// The forms of secrets. A token's is all that hides one that took the place of
// the first in its file; its secret is as short as package telegram lets it be.
// https://core.telegram.org/bots/api#authorizing-your-bot
var (
	tokenForm    = regexp.MustCompile(`[0-9]{5,}(:|%3[Aa])[A-Za-z0-9_-]{20,}`)
	passwordForm = regexp.MustCompile(`(://[^/:@\s"]*):[^@/\s"]+@`)
	addressForm  = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}`)
)

// Write writes a line without its secrets.
func (r *redactor) Write(line []byte) (int, error) {
	clean := []byte(r.hidden.Replace(string(line)))
	if mayHoldToken(clean) {
		clean = tokenForm.ReplaceAll(clean, []byte(redacted))
	}
	if bytes.IndexByte(clean, '@') >= 0 {
		clean = passwordForm.ReplaceAll(clean, []byte("$1:"+redacted+"@"))
		clean = addressForm.ReplaceAll(clean, []byte(redacted))
	}
	if _, err := r.to.Write(clean); err != nil {
		return 0, err
	}
	return len(line), nil
}

// mayHoldToken spares nearly every line the search: a token has five digits or
// more before its colon, and a time of day has not.
func mayHoldToken(line []byte) bool {
	for i, c := range line {
		if (c == ':' || c == '%') && i >= 5 && !bytes.ContainsFunc(line[i-5:i], func(r rune) bool { return r < '0' || r > '9' }) {
			return true
		}
	}
	return false
}

// secretValues are the values of all settings that are secret, whole and the
// passwords and keys in them. What cannot be read is none.
func secretValues(lookup func(string) (string, bool)) []string {
	env := ccm.NewEnv(lookup) // its faults are told elsewhere
	var values []string
	for _, setting := range allSettings() {
		if !setting.Secret {
			continue
		}
		value := env.String(setting.Name, "")
		if value == "" {
			continue
		}
		values = append(values, value)
		if _, rest, found := strings.Cut(value, "://"); found {
			values = append(values, passwordOf(rest)...)
			continue
		}
		for entry := range strings.SplitSeq(value, ",") {
			if _, key, found := strings.Cut(entry, "="); found {
				values = append(values, strings.TrimSpace(key))
			}
		}
	}
	return values
}

// passwordOf is the password in what follows the :// of a URL, as it is written
// and decoded.
func passwordOf(rest string) []string {
	user, _, found := strings.Cut(rest, "@")
	if !found {
		return nil
	}
	_, password, _ := strings.Cut(user, ":")
	values := []string{password}
	if decoded, err := url.PathUnescape(password); err == nil {
		values = append(values, decoded)
	}
	return values
}
