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
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // the image has no zones of its own
)

// started is as near to the start of the process as Go code gets.
var started = time.Now()

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], environment(os.Environ()), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// environment looks variables up by their names in upper case, however the
// process was given them; one that is in upper case itself comes first.
func environment(environ []string) func(string) (string, bool) {
	values := make(map[string]string, len(environ))
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		upper := strings.ToUpper(name)
		if _, known := values[upper]; !known || name == upper {
			values[upper] = value
		}
	}
	return func(name string) (string, bool) {
		value, ok := values[strings.ToUpper(name)]
		return value, ok
	}
}
