package oauthtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// The accounts of a Server. They are nobody's.
const (
	Robot  = "robot@proyecto.iam.gserviceaccount.com" // the service account
	Person = "persona@example.org"                    // who allows the client
	Client = "123-abc.apps.googleusercontent.com"     // the id of the OAuth client
)

const clientSecret = "GOCSPX-" + Secret

// keyBits is the size of Google's keys.
const keyBits = 2048

// ServiceAccount makes the JSON file of the service account [Robot] with a new
// key, as the console does. Earlier keys serve too, until Revoke.
func (s *Server) ServiceAccount() []byte {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		panic(err) // rand.Reader does not fail
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err) // an RSA key can be marshalled
	}
	s.mu.Lock()
	s.made++
	id := fmt.Sprintf("%040x", s.made)
	s.keys[id] = &key.PublicKey
	s.mu.Unlock()
	return document(map[string]any{
		"type": "service_account", "project_id": "proyecto", "client_email": Robot, "client_id": "1234567890", "private_key_id": id,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"auth_uri":    s.URL + "/auth", "token_uri": s.tokenURL(), "universe_domain": "googleapis.com",
	})
}

// AuthorizedUser makes the JSON file that gcloud leaves of a person, who allowed
// the scopes, or, if there are none, all that are ever asked for.
func (s *Server) AuthorizedUser(scopes ...string) []byte {
	return document(map[string]any{
		"type": "authorized_user", "client_id": Client, "client_secret": clientSecret,
		"refresh_token": s.allowed(scopes), "token_uri": s.tokenURL(), "universe_domain": "googleapis.com",
	})
}

// DesktopClient makes the JSON file of the OAuth client [Client], of the type
// "installed".
func (s *Server) DesktopClient() []byte {
	return document(map[string]any{"installed": map[string]any{
		"client_id": Client, "client_secret": clientSecret, "project_id": "proyecto",
		"auth_uri": s.URL + "/auth", "token_uri": s.tokenURL(), "redirect_uris": []string{"http://localhost"},
	}})
}

// Token makes the JSON file of a DesktopClient's token, as package oauth and
// google-auth for Python write it. It is of a person who allowed the scopes; see
// AuthorizedUser.
func (s *Server) Token(scopes ...string) []byte {
	fields := map[string]any{"client_id": Client, "refresh_token": s.allowed(scopes)}
	if len(scopes) > 0 {
		fields["scopes"] = scopes
	}
	return document(fields)
}

// ExternalAccount makes the JSON file of an account that signs in with another
// provider's token, which is in the file that is named.
func (s *Server) ExternalAccount(tokenFile string) []byte {
	return document(map[string]any{
		"type": "external_account", "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a/providers/b",
		"subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": s.tokenURL(),
		"credential_source": map[string]any{"file": tokenFile}, "universe_domain": "googleapis.com",
	})
}

// allowed makes the refresh token of what a person allowed.
func (s *Server) allowed(scopes []string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keep(grant{scopes: scopes})
}

func (s *Server) tokenURL() string { return s.URL + "/token" }

func document(fields map[string]any) []byte {
	data, err := json.MarshalIndent(fields, "", "  ")
	if err != nil {
		panic(err) // it is made of texts
	}
	return append(data, '\n')
}

// WriteFile writes credentials to a new file that only this user can read, and
// returns its path. It ends with the test.
func WriteFile(tb testing.TB, credentials []byte) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "google.json")
	if err := os.WriteFile(file, credentials, 0o600); err != nil {
		tb.Fatal(err)
	}
	return file
}
