package oauth_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/matryer/is"
)

// secret is part of all that nobody may see.
const secret = "s3creto"

// privateKey is made once: it takes a while.
var privateKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// endpoint is Google's token endpoint.
type endpoint struct {
	*httptest.Server
	mu      sync.Mutex
	calls   []map[string]string
	answer  func(form map[string]string) (status int, body any)
	headers http.Header
}

func newEndpoint(t testing.TB) *endpoint {
	e := &endpoint{}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ParseForm() != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	form := map[string]string{}
	for k := range r.PostForm {
		form[k] = r.PostForm.Get(k)
	}
	e.mu.Lock()
	e.calls = append(e.calls, form)
	n, answer := len(e.calls), e.answer
	for k := range e.headers {
		w.Header().Set(k, e.headers.Get(k))
	}
	e.mu.Unlock()
	status, body := http.StatusOK, any(granted(n, 3600))
	if answer != nil {
		status, body = answer(form)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if text, ok := body.(string); ok {
		fmt.Fprint(w, text)
		return
	}
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(err)
	}
}

// granted is the answer with the n-th token.
func granted(n, seconds int) map[string]any {
	return map[string]any{"access_token": fmt.Sprintf("token-%d-%s", n, secret), "token_type": "Bearer", "expires_in": seconds}
}

// refuse makes the endpoint answer with an error.
func (e *endpoint) refuse(status int, code, description string) {
	e.answers(func(map[string]string) (int, any) {
		return status, map[string]string{"error": code, "error_description": description + secret}
	})
}

func (e *endpoint) answers(f func(map[string]string) (int, any)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = f
}

func (e *endpoint) seen() []map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]map[string]string(nil), e.calls...)
}

// The files of Google, for an endpoint.

func (e *endpoint) serviceAccount() map[string]any {
	der, err := x509.MarshalPKCS8PrivateKey(privateKey())
	if err != nil {
		panic(err)
	}
	return map[string]any{
		"type": "service_account", "client_email": "robot@proyecto.iam.gserviceaccount.com", "private_key_id": "k1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": e.URL,
	}
}

func (e *endpoint) authorizedUser() map[string]any {
	return map[string]any{"type": "authorized_user", "client_id": "cliente", "client_secret": secret, "refresh_token": "viejo-" + secret, "token_uri": e.URL}
}

func (e *endpoint) desktopClient() map[string]any {
	return map[string]any{"installed": map[string]any{"client_id": "cliente", "client_secret": secret, "token_uri": e.URL, "auth_uri": e.URL + "/auth"}}
}

func tokenFile() map[string]any {
	return map[string]any{"client_id": "cliente", "refresh_token": "viejo-" + secret, "note": "queda"}
}

// write puts a document, or a text, into a new file.
func write(t testing.TB, document any) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "google.json")
	overwrite(t, file, document)
	return file
}

// overwrite replaces a file at once.
func overwrite(t testing.TB, file string, document any) {
	t.Helper()
	is := is.New(t)
	data, ok := document.(string)
	if !ok {
		encoded, err := json.Marshal(document)
		is.NoErr(err)
		data = string(encoded)
	}
	is.NoErr(os.WriteFile(file+".new", []byte(data), 0o600))
	is.NoErr(os.Rename(file+".new", file))
}

func readJSON(t testing.TB, file string) map[string]any {
	t.Helper()
	is := is.New(t)
	data, err := os.ReadFile(file)
	is.NoErr(err)
	var document map[string]any
	is.NoErr(json.Unmarshal(data, &document))
	return document
}

// claims checks the signature of an assertion and returns what it claims.
func claims(t testing.TB, assertion string) map[string]any {
	t.Helper()
	is := is.New(t)
	parts := strings.Split(assertion, ".")
	is.Equal(len(parts), 3)
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	is.NoErr(err)
	is.NoErr(rsa.VerifyPKCS1v15(&privateKey().PublicKey, crypto.SHA256, sum[:], signature))
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	is.NoErr(err)
	var claimed map[string]any
	is.NoErr(json.Unmarshal(payload, &claimed))
	return claimed
}
