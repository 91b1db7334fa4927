package main

import (
	"os"
	"strings"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/redisgate"
)

// shareGate has the replicas that share a Redis keep to Telegram's rates
// together. The caller ends it once the Client is closed.
func shareGate(cfg *ccm.Config) (end func() error, err error) {
	bot := botID(cfg.Telegram)
	if cfg.Cache.URL == "" || bot == "" {
		return func() error { return nil }, nil
	}
	gate, err := redisgate.Open(redisgate.Config{URL: cfg.Cache.URL, Bot: bot})
	if err != nil {
		return nil, err
	}
	cfg.Telegram.Gate = gate
	return gate.Close, nil
}

// botID is what a token begins with, which is no secret and stays when the token
// is rotated; "" if there is none, and then telegram.New says why.
func botID(cfg telegram.Config) string {
	token := cfg.Token
	if cfg.TokenFile != "" {
		raw, _ := os.ReadFile(cfg.TokenFile)
		token = string(raw)
	}
	id, _, found := strings.Cut(strings.TrimSpace(token), ":")
	if !found || len(id) > 20 || strings.Trim(id, "0123456789") != "" {
		return ""
	}
	return id
}
