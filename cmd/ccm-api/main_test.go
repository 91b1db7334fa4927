package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes ccm-api a command of the scripts: the same main, run in a
// process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ccm-api": main})
}

// TestScripts runs each script of testdata/script with an empty environment; see
// script_test.go for what a script has beside testscript's own commands.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setupScript,
		Cmds:                scriptCommands,
	})
}

// TestRunNeedsNoProcess holds what main leaves to run.
func TestRunNeedsNoProcess(t *testing.T) {
	is := is.New(t)
	var out bytes.Buffer
	code := run(context.Background(), []string{"version"}, nil, &out, os.Stderr)
	is.Equal(code, exitOK)
	is.True(strings.HasPrefix(out.String(), "ccm-api "))
}
