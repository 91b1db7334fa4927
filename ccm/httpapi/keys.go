package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// keyring knows the API keys by their hashes, so that comparing takes as long
// for a key of any length.
type keyring []apiKey

type apiKey struct {
	name string
	sum  [sha256.Size]byte
}

func newKeyring(keys map[string]string) keyring {
	var ring keyring
	for name, key := range keys {
		if key != "" {
			ring = append(ring, apiKey{name, sha256.Sum256([]byte(key))})
		}
	}
	return ring
}

// owner names whose key it is. It always looks at all of them.
func (ring keyring) owner(key string) (name string, ok bool) {
	sum := sha256.Sum256([]byte(key))
	for _, k := range ring {
		if subtle.ConstantTimeCompare(k.sum[:], sum[:]) == 1 {
			name, ok = k.name, true
		}
	}
	return name, ok
}

var (
	errMissingKey = newProblem(http.StatusUnauthorized, "Falta la clave de la API: envíela como «Authorization: Bearer CLAVE» o «X-API-Key: CLAVE».")
	errWrongKey   = newProblem(http.StatusUnauthorized, "La clave de la API no es válida; las que valen son las de CCM_API_KEYS.")
	errForeign    = newProblem(http.StatusForbidden, "La petición viene de una página de otro sitio; sin claves de API solo se atienden las propias.")
)

// authorize lets a request pass with one of the API keys. Where there are none
// it still keeps out what a foreign web page makes a browser send.
func (h *Handler) authorize(x *exchange, r *http.Request) error {
	if len(h.cfg.Keys) == 0 {
		if h.foreign.Check(r) != nil {
			return errForeign
		}
		return nil
	}
	presented := credentials(r.Header)
	for _, key := range presented {
		if name, ok := h.keys.owner(key); ok {
			x.client = name
			return nil
		}
	}
	if len(presented) == 0 {
		x.Header().Set("WWW-Authenticate", `Bearer realm="ccm"`)
		return errMissingKey
	}
	x.Header().Set("WWW-Authenticate", `Bearer realm="ccm", error="invalid_token"`)
	return errWrongKey
}

// credentials are the keys that a request presents. Both headers count: a proxy
// may use Authorization for itself.
func credentials(header http.Header) []string {
	var keys []string
	if key := strings.TrimSpace(header.Get("X-Api-Key")); key != "" {
		keys = append(keys, key)
	}
	scheme, key, _ := strings.Cut(header.Get("Authorization"), " ")
	if key = strings.TrimSpace(key); strings.EqualFold(scheme, "Bearer") && key != "" {
		keys = append(keys, key)
	}
	return keys
}
