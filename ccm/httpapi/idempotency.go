package httpapi

import (
	"net/http"
	"net/url"
	"strings"
)

// maxKey is the most characters of an Idempotency-Key.
const maxKey = 255

// idempotencyKey is the key of the header Idempotency-Key, without its quotes;
// "" where there is none.
func idempotencyKey(header http.Header) (string, error) {
	given := header["Idempotency-Key"]
	if len(given) == 0 {
		return "", nil
	}
	key := strings.TrimSpace(given[0])
	if len(key) >= 2 && key[0] == '"' && key[len(key)-1] == '"' {
		key = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(key[1 : len(key)-1])
	}
	if len(given) > 1 || key == "" || len(key) > maxKey || !printable(key) {
		return "", errBadKey
	}
	return key, nil
}

func printable(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// sendKey is the journal's key of a request: one caller's keys are nobody
// else's, nor another route's. The first two parts hold no blank, so that no
// two requests share one.
func sendKey(route, client, key string) string {
	return route + " " + url.QueryEscape(client) + " " + key
}
