package main

import (
	"errors"
	"os"
	"strings"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/redisgate"
)

// shareGate has the replicas that share a Redis keep to Telegram's rates
// together, through the connections of the cache. The caller ends it once the
// Client is closed.
func shareGate(cfg *ccm.Config) (end func() error, err error) {
	bot := botID(cfg.Telegram)
	if cfg.Cache.URL == "" || bot == "" {
		return func() error { return nil }, nil
	}
	client, err := cache.Dial(cfg.Cache.URL, 0)
	if err != nil {
		return nil, err
	}
	gate, err := redisgate.Open(redisgate.Config{Redis: client, Bot: bot})
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	cfg.Telegram.Gate = gate
	cfg.Cache.Redis, cfg.Cache.URL = client, ""
	return func() error { return errors.Join(gate.Close(), client.Close()) }, nil
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
