package main

import (
	"net/http/httptest"

	"github.com/ccmwf/ccm/telegram"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// listen serves the fake on a loopback port and points cfg at it.
func listen(fake *telegramtest.Server, cfg *telegram.Config) (stop func()) {
	server := httptest.NewServer(fake)
	cfg.BaseURL, cfg.Token = server.URL, fake.Token
	return server.Close
}
