package oauthtest

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Secret is a part of all secrets that a Server gives and takes, but private
// keys.
const Secret = "s3creto"

// The grants, as grant_type names them.
const (
	GrantJWT      = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	GrantRefresh  = "refresh_token"
	GrantCode     = "authorization_code"
	GrantExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
)

// defaultLifetime is how long Google's tokens live.
const defaultLifetime = time.Hour

// Server is a fake token endpoint. It is safe for concurrent use.
type Server struct {
	// URL is where it listens, without a slash at the end. A Server of New has
	// none: set it before credentials are made.
	URL string
	// Now is the clock of the server.
	Now func() time.Time
	// After is the timer of slow answers.
	After func(time.Duration) <-chan time.Time
	// Lifetime is how long a token lives; zero: an hour.
	Lifetime time.Duration
	// Rotate gives a new refresh token with each refresh.
	Rotate bool
	// Scopes are those that a client may get; nil: what it asks for. A person
	// allows no others, and a service account that asks for more is refused.
	Scopes []string
	// Subjects are the users whom a service account may act for.
	Subjects []string
	// Deny makes the person say no.
	Deny bool
	// All of the above, but Scopes, Rotate and Deny between calls, must be set
	// before the first request.

	done chan struct{} // closed by Close: who waits returns

	mu        sync.Mutex
	keys      map[string]*rsa.PublicKey // of the service account, by key id
	codes     map[string]code
	refreshes map[string]grant // by refresh token
	spent     map[string]bool  // refresh tokens that once were good
	accesses  map[string]Access
	consented bool
	faults    []Fault
	calls     []Call
	made      int // of names for secrets
	issued    int
}

// New makes a server that listens nowhere: it is an http.Handler.
func New() *Server {
	return &Server{
		Now: time.Now, After: time.After, done: make(chan struct{}),
		keys: map[string]*rsa.PublicKey{}, codes: map[string]code{},
		refreshes: map[string]grant{}, spent: map[string]bool{}, accesses: map[string]Access{},
	}
}

// NewServer starts a server on a loopback port that ends with the test.
func NewServer(tb testing.TB) *Server {
	tb.Helper()
	s := New()
	listening := httptest.NewServer(s)
	s.URL = listening.URL
	tb.Cleanup(func() {
		s.Close()
		listening.CloseClientConnections()
		listening.Close()
	})
	return s
}

// Close ends hung and slow answers. It is called once.
func (s *Server) Close() { close(s.done) }

// Call is one request that reached the token endpoint.
type Call struct {
	Grant  string            // grant_type
	Params map[string]string // the whole form, secrets included
}

// Calls returns the requests to the token endpoint, oldest first. Each is there
// as soon as it was read, whatever became of it.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Issued returns how many access tokens were made, those of answers that a fault
// lost included.
func (s *Server) Issued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issued
}

// Revoke ends all keys and refresh tokens that were handed out. Access tokens
// live on, as Google's do for a deleted key.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.keys)
	for token := range s.refreshes {
		s.spent[token] = true
	}
	clear(s.refreshes)
}

// ServeHTTP is the token endpoint at /token and the page for a person at /auth.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.Now().UTC().Format(http.TimeFormat))
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/token":
		s.serveToken(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/auth":
		s.serveConsent(w, r)
	default:
		http.NotFound(w, r)
	}
}

// maxBody is far over any request for a token.
const maxBody = 64 << 10

func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		refuse(http.StatusBadRequest, "invalid_request", "Bad Request").write(w)
		return
	}
	form := r.PostForm
	if id, secret, ok := r.BasicAuth(); ok { // the other way that RFC 6749 knows
		form.Set("client_id", unescaped(id))
		form.Set("client_secret", unescaped(secret))
	}
	fault := s.record(form)
	if fault == nil || fault.runs() {
		honest := s.token(form)
		if fault == nil {
			honest.write(w)
			return
		}
		fault.answer(s, w, r, honest)
		return
	}
	fault.answer(s, w, r, answer{})
}

func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// record keeps a call, and takes the fault that meets it, if any.
func (s *Server) record(form url.Values) *Fault {
	c := Call{Grant: form.Get("grant_type"), Params: map[string]string{}}
	for name := range maps.Keys(form) {
		c.Params[name] = form.Get(name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	return s.takeFault(c.Grant)
}

// answer is what the token endpoint says.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// refuse is an error in the form of RFC 6749, section 5.2.
func refuse(status int, code, description string) answer {
	return object(status, map[string]any{"error": code, "error_description": description})
}

func object(status int, fields map[string]any) answer {
	body, err := json.MarshalIndent(fields, "", "  ")
	if err != nil {
		panic(err) // it is made of texts and numbers
	}
	return answer{status: status, header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body: body}
}

func (a answer) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client went: nothing to do
}

// secret makes a new secret of a kind. The lock is held.
func (s *Server) secret(kind string) string {
	s.made++
	return fmt.Sprintf("%s-%d-%s", kind, s.made, Secret)
}

// Access is what an access token is good for.
type Access struct {
	Account string   // the service account or the person; "" for an external one
	Subject string   // whom a service account acts for
	Scopes  []string // what was granted
	Expiry  time.Time
}

// Bearer returns whose access token a request has in its Authorization header;
// false where it has none of this server's, or one whose time is over.
func (s *Server) Bearer(r *http.Request) (Access, bool) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	a, known := s.accesses[token]
	return a, ok && known && s.Now().Before(a.Expiry)
}
