package main

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

// keepAlive lets the service outlive who reads its log: without it a write to a
// stdout that nobody reads would end it (SIGPIPE). SIGHUP, which tools send that
// rotate logs, has nothing to do here; from a terminal it says that this was
// closed, and then it ends the service as it always did.
func (a *app) keepAlive() {
	signal.Ignore(syscall.SIGPIPE)
	if stdout, ok := a.out.(*os.File); !ok || !term.IsTerminal(int(stdout.Fd())) {
		signal.Ignore(syscall.SIGHUP)
	}
}
