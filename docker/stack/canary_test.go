package stack_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// awkward has what URLs, JSON, YAML and shells escape.
const awkward = `p@ss/w#rd?"\%`

// canary is a secret that is nobody's: it is searched for where it must not be.
// Its two words look the same in every way of escaping, so that a text which
// shows it, or one half of it, shows a word.
type canary struct {
	of         string // the setting
	head, tail string // words of letters and digits
	middle     string
}

func (c canary) String() string { return c.head + c.middle + c.tail }

var (
	databaseCanary = canary{"DATABASE_URL", "canarioBase1", "canarioBase2", awkward}
	botCanary      = canary{"TELEGRAM_BOT_TOKEN", "canarioBot1", "canarioBot2", "_0123456789-"} // a token's form allows no more
	keyCanary      = canary{"CCM_API_KEYS", "canarioClave1", "canarioClave2", awkward}
	redisCanary    = canary{"REDIS_PASSWORD", "canarioRedis1", "canarioRedis2", awkward}
	canaries       = []canary{databaseCanary, botCanary, keyCanary, redisCanary}
)

// leaks names the canaries that data show, whole or in part: as text, in base64
// or in hexadecimal.
func leaks(data []byte) (found []string) {
	lower := bytes.ToLower(data)
	for _, c := range canaries {
		for _, word := range []string{c.head, c.tail} {
			if bytes.Contains(data, []byte(word)) {
				found = append(found, fmt.Sprintf("%s: %s", c.of, word))
			}
			if bytes.Contains(lower, fmt.Appendf(nil, "%x", word)) {
				found = append(found, fmt.Sprintf("%s: %s in hexadecimal", c.of, word))
			}
			for before := range 3 {
				if bytes.Contains(data, []byte(inBase64(word, before))) {
					found = append(found, fmt.Sprintf("%s: %s in base64", c.of, word))
				}
			}
		}
	}
	return found
}

// inBase64 is the part of a word's base64 that stays the same whatever stands
// behind it, and whatever stands before it in so many bytes. That part has no
// character in which the alphabets of base64 differ.
func inBase64(word string, before int) string {
	whole := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("-", before) + word))
	first, last := (before*8+5)/6, (before+len(word))*8/6
	return whole[first:last]
}

// noLeaks fails where data show a canary, or are not there at all: then nothing
// was searched.
func noLeaks(tb testing.TB, what string, data []byte) {
	tb.Helper()
	if len(data) == 0 {
		tb.Errorf("%s: there is nothing to search", what)
	}
	for _, leak := range leaks(data) {
		tb.Errorf("%s shows %s", what, leak)
	}
}

func TestSearchFindsEverySpellingOfASecret(t *testing.T) {
	is := is.New(t)
	asJSON := func(v any) string {
		text, err := json.Marshal(v)
		is.NoErr(err)
		return string(text)
	}
	for _, c := range canaries {
		secret := c.String()
		for name, text := range map[string]string{
			"raw":                    "x" + secret + "x",
			"in a query":             "?clave=" + url.QueryEscape(secret),
			"in a path":              "/bot" + url.PathEscape(secret) + "/getMe",
			"in the user info":       (&url.URL{Scheme: "redis", User: url.UserPassword("u", secret), Host: "h"}).String(),
			"as JSON":                asJSON(map[string]string{"error": secret}),
			"as JSON in JSON":        asJSON(asJSON(secret)),
			"as Go":                  fmt.Sprintf("%q", secret),
			"in YAML":                strings.ReplaceAll(secret, "$", "$$"),
			"up to a character":      secret[:strings.IndexAny(secret, "@_")],
			"from a character":       secret[strings.LastIndexAny(secret, "%-"):],
			"as bytes":               fmt.Sprintf("%X", secret),
			"in base64":              base64.StdEncoding.EncodeToString([]byte(secret)),
			"in base64 with a user":  base64.StdEncoding.EncodeToString([]byte("u:" + secret)),
			"in base64 with another": base64.URLEncoding.EncodeToString([]byte("u:" + secret + ":")),
		} {
			if len(leaks([]byte(text))) == 0 {
				t.Errorf("%s %s is not found: %s", c.of, name, text)
			}
		}
	}
	is.Equal(leaks([]byte("canario, canarioBase, Y2FuYXJpb0Jhc2U=, p@ss/w#rd")), nil)
}
