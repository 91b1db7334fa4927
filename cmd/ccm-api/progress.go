package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// progress says on a terminal what takes over a second, and for how long. It
// returns what ends it and leaves the line as if it had not been there.
func (a *app) progress(what string) (stop func()) {
	terminal, ok := a.err.(*os.File)
	if !ok || a.verbose || !term.IsTerminal(int(terminal.Fd())) {
		return func() {}
	}
	done := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		began := time.Now()
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprintf(terminal, "\r\033[K%s… %.0f s", what, time.Since(began).Seconds())
			case <-done:
				fmt.Fprint(terminal, "\r\033[K")
				return
			}
		}
	})
	return func() {
		close(done)
		ended.Wait()
	}
}
