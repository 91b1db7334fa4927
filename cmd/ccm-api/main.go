// Command ccm-api is the service and its tools: it serves the HTTP API, and
// from a terminal, cron or a systemd timer it sends, shows and examines the
// same reports. `ccm-api --help` (in Spanish) lists what it can do; the
// settings are in README.md.
//
// Exit codes: 0 done; 1 it failed, and nothing is in doubt; 2 wrong usage or
// settings; 3 sent, but Telegram never said whether it arrived: look at the chat
// before repeating it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // the image has no zones of its own
)

// started is as near to the start of the process as Go code gets.
var started = time.Now()

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
