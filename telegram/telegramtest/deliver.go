package telegramtest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// How long a webhook has to answer, and the pauses between repeats.
// tdlib/telegram-bot-api, WebhookActor.cpp: at once, then 2 s, 4 s, … up to a
// random time over a minute; a Retry-After of at most an hour is honoured.
const (
	hookTimeout    = 60 * time.Second
	maxHookPause   = 60 * time.Second
	maxHookRetryIn = time.Hour
)

// hookClient delivers unless Server.HTTP is set. Telegram takes the certificate
// that setWebhook uploads; the fake takes any.
func hookClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	transport.Proxy = nil
	return &http.Client{Transport: transport}
}

// deliver posts updates to h, one after the other, until ctx ends. An update
// stays the first until it was taken, or is a day old.
func (s *Server) deliver(ctx context.Context, h *hook) {
	client := hookClient()
	defer client.CloseIdleConnections()
	if s.HTTP != nil {
		client = s.HTTP
	}
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for fails := 0; ; {
		u, ok := s.first(ctx)
		if !ok {
			return
		}
		retryIn, err := s.post(ctx, &own, h, u)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			fails = 0
			s.taken(u.id)
			continue
		}
		pause := pauseAfter(fails, retryIn)
		fails++
		s.mu.Lock()
		h.lastError, h.lastErrorAt = err.Error(), s.Now()
		s.touch()
		late := s.Now().Add(pause).Sub(u.at) > kept
		s.mu.Unlock()
		if late {
			s.taken(u.id)
			continue
		}
		select {
		case <-s.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// pauseAfter is how long to wait after a failure that fails others came before.
func pauseAfter(fails int, retryIn time.Duration) time.Duration {
	switch {
	case retryIn > 0:
		return min(retryIn, maxHookRetryIn)
	case fails == 0:
		return 0
	}
	return min(time.Second<<min(fails, 10), maxHookPause)
}

// first waits for an update.
func (s *Server) first(ctx context.Context) (update, bool) {
	for {
		s.mu.Lock()
		changed := s.changed
		waiting := s.updates
		s.mu.Unlock()
		if ctx.Err() == nil && len(waiting) > 0 {
			return waiting[0], true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return update{}, false
		}
	}
}

func (s *Server) taken(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.confirm(int(id)+1, 0)
	s.touch()
}

// post delivers once. An answer of any 2xx may name a method to call.
func (s *Server) post(ctx context.Context, client *http.Client, h *hook, u update) (retryIn time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	body, _ := json.Marshal(u)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	if h.secret != "" {
		r.Header.Set("X-Telegram-Bot-Api-Secret-Token", h.secret)
	}
	resp, err := client.Do(r)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return 0, errors.New("Connection refused")
	case errors.Is(err, context.DeadlineExceeded):
		return 0, errors.New("Read timeout expired")
	case err != nil:
		return 0, errors.New("Webhook connection closed")
	}
	defer resp.Body.Close()
	answered, _ := io.ReadAll(io.LimitReader(resp.Body, maxField))
	if resp.StatusCode/100 != 2 {
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return time.Duration(max(seconds, 0)) * time.Second,
			fmt.Errorf("Wrong response from the webhook: %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	s.callBack(ctx, resp.Header.Get("Content-Type"), answered)
	return 0, nil
}

// callBack runs the method that a webhook's answer names; nobody sees the result.
func (s *Server) callBack(ctx context.Context, contentType string, body []byte) {
	r := &request{params: map[string]string{}, files: map[string]*File{}}
	if r.read(bytes.NewReader(body), contentType) != nil || r.arg("method") == "" {
		return
	}
	r.method = r.arg("method")
	switch name := strings.ToLower(r.method); {
	case strings.HasPrefix(name, "get"), strings.HasSuffix(name, "webhook"):
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record(Call{Method: r.method, Params: r.params, Header: http.Header{}})
	s.run(ctx, r)
}
