package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/delivery"
	"github.com/ccmwf/ccm/telegram"
)

// The exit codes, which scripts and timers read; main.go and the help say what
// they mean.
const (
	exitOK = iota
	exitFailed
	exitUsage
	exitUncertain
)

// app is one run of the command.
type app struct {
	environ   []string                    // «NAME=value»
	file      map[string]string           // the .env in use
	filePath  string                      // where that is
	lookup    func(string) (string, bool) // settings: environ, then file
	secretEnv string                      // the .env in use, if it holds a secret
	out       io.Writer
	err       io.Writer
	verbose   bool // logs of a tool go to err
}

// run is the whole command: what main does, without a process of its own. environ
// is as os.Environ returns it.
func run(ctx context.Context, args []string, environ []string, stdout, stderr io.Writer) int {
	a := &app{environ: environ, lookup: environment(environ), out: stdout, err: stderr}
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	called, err := root.ExecuteContextC(ctx)
	return a.explain(called, err)
}

// usageError is a command line that cannot be understood.
type usageError struct{ error }

func misused(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// settingsError joins all faults of the settings, one a line.
type settingsError struct{ error }

// errReported fails the command without another word: its output said it all.
var errReported = errors.New("already reported")

// explain prints an error for a person, and says which exit code it is.
func (a *app) explain(called *cobra.Command, err error) int {
	var usage usageError
	var settings settingsError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported):
		return exitFailed
	case errors.As(err, &usage):
		fmt.Fprintf(a.err, "ccm-api: %v\nLa ayuda: %s --help\n", err, called.CommandPath())
		return exitUsage
	case errors.As(err, &settings):
		faults := strings.Split(err.Error(), "\n")
		fmt.Fprintf(a.err, "ccm-api: %s que corregir:\n", plural(len(faults), "ajuste", "ajustes"))
		for _, fault := range faults {
			fmt.Fprintln(a.err, "  -", fault)
		}
		return exitUsage
	}
	fmt.Fprintln(a.err, "ccm-api:", inShort(err))
	if sent, ok := errors.AsType[*telegram.Error](err); ok && sent.Outcome == telegram.Uncertain {
		return exitUncertain
	}
	switch ccm.CodeOf(err) { // to repeat it is of no use
	case ccm.CodeInvalidRequest, ccm.CodeInvalidKey, ccm.CodeKeyReused,
		ccm.CodeUnknownDelivery, ccm.CodeDeliverySent, ccm.CodeDeliveryPurged:
		return exitUsage
	}
	return exitFailed
}

// inShort says a failure of the journal once: the Client and the journal both
// say what to do.
func inShort(err error) string {
	known, ok := errors.AsType[*ccm.Error](err)
	cause, fromJournal := errors.AsType[*delivery.Error](err)
	if !ok || !fromJournal {
		return err.Error()
	}
	return fmt.Sprintf("%s (%v)", known.Message, cause.Err)
}

// plural counts things in Spanish.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
