package telegramtest

import (
	"context"
	"net/url"
	"strings"
	"time"
)

// hook is a webhook that is set.
type hook struct {
	url, secret string
	connections int
	lastError   string
	lastErrorAt time.Time
	stop        context.CancelFunc
}

// webhookPause is how long a changed webhook must stay; kept with LimitRates.
const webhookPause = time.Second

func (s *Server) setWebhook(r *request) (any, *failure) {
	target, secret := r.arg("url"), r.arg("secret_token")
	if target == "" {
		return s.deleteWebhook(r)
	}
	if s.limits != nil && s.Now().Before(s.nextHook) {
		return nil, tooMany(1)
	}
	s.nextHook = s.Now().Add(webhookPause)
	if u, err := url.Parse(target); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, badRequest("invalid webhook URL specified")
	}
	if len(secret) > 256 {
		return nil, badRequest("secret token is too long")
	}
	if strings.ContainsFunc(secret, func(r rune) bool { return r >= 0x80 || !isAlnum(byte(r)) && r != '_' && r != '-' }) {
		return nil, badRequest("secret token contains unallowed characters")
	}
	connections := r.int("max_connections", 40, 1, 100)
	s.allow(r)
	if s.hook != nil && s.hook.url == target && s.hook.secret == secret && s.hook.connections == connections && !r.flag("drop_pending_updates") {
		return described{true, "Webhook is already set"}, nil
	}
	s.abortPoll("terminated by setWebhook request")
	s.dropHook(r)
	ctx, cancel := context.WithCancel(context.Background())
	h := &hook{url: target, secret: secret, connections: connections, stop: cancel}
	s.hook = h
	s.delivering.Go(func() { s.deliver(ctx, h) })
	return described{true, "Webhook was set"}, nil
}

func (s *Server) deleteWebhook(r *request) (any, *failure) {
	text := "Webhook is already deleted"
	if s.hook != nil {
		text = "Webhook was deleted"
	}
	s.dropHook(r)
	return described{true, text}, nil
}

// dropHook ends the webhook that is there. The lock is held.
func (s *Server) dropHook(r *request) {
	if s.hook != nil {
		s.hook.stop()
		s.hook = nil
	}
	if r.flag("drop_pending_updates") {
		s.updates = nil
	}
}

func (s *Server) getWebhookInfo(*request) (any, *failure) {
	info := map[string]any{"url": "", "has_custom_certificate": false, "pending_update_count": len(s.updates)}
	if len(s.allowed) > 0 {
		info["allowed_updates"] = s.allowed
	}
	if h := s.hook; h != nil {
		info["url"], info["max_connections"], info["ip_address"] = h.url, h.connections, "127.0.0.1"
		if h.lastError != "" {
			info["last_error_date"], info["last_error_message"] = h.lastErrorAt.Unix(), h.lastError
		}
	}
	return info, nil
}
