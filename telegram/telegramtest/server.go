package telegramtest

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// defaultToken has the form that BotFather gives, which clients check: 35
// characters behind the colon. It is nobody's.
const defaultToken = "123456789:AAFakeTokenForTestsOnly_0123456789a"

// Server is a fake Bot API server, made by New or NewServer. Its fields may be set
// until the first request; its methods are safe for concurrent use.
type Server struct {
	// URL is the base URL for a client; "" for a Server of New.
	URL string
	// Token is the one token it accepts; the bot's id is in it.
	Token string
	// Now is the clock of dates, rates and the age of updates.
	Now func() time.Time
	// After is the timer of long polls, webhooks' repeats and slow answers.
	After func(time.Duration) <-chan time.Time
	// HTTP delivers updates to webhooks. Nil: over the network, with any
	// certificate accepted. Redirects are never followed.
	HTTP *http.Client
	// Strict counts the 4096 of a message and the 1024 of a caption in UTF-16
	// units, as clients should split, not in code points, as the server does.
	Strict bool

	methods map[string]method
	done    chan struct{} // closed by Close: who waits returns

	mu         sync.Mutex
	changed    chan struct{} // closed at each change
	chats      []*chat
	people     map[int64]Person
	files      map[string]*File // by file_id
	faults     []Fault
	calls      []Call
	limits     *limits
	updates    []update
	lastUpdate int64
	allowed    []string      // allowed_updates; empty: the usual
	poll       chan *failure // ends the getUpdates that waits
	queries    map[string]bool
	lastQuery  int64
	hook       *hook
	nextHook   time.Time
	delivering sync.WaitGroup
	closed     bool
}

// New makes a server that listens nowhere: it is an http.Handler. Close it if
// webhooks or long polls are in use.
func New() *Server {
	return &Server{
		Token: defaultToken, Now: time.Now, After: time.After, methods: methods(),
		changed: make(chan struct{}), done: make(chan struct{}),
		people: map[int64]Person{}, files: map[string]*File{}, queries: map[string]bool{},
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

// Close ends what waits: long polls, hung calls and the webhook.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	s.dropHook(&request{})
	s.mu.Unlock()
	s.delivering.Wait()
}
