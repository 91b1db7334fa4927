package main

import (
	"strings"
	"testing"

	"github.com/matryer/is"
)

func TestRunPrintsEveryDataset(t *testing.T) {
	is := is.New(t)
	var out strings.Builder
	is.NoErr(run(t.Context(), []string{"-days", "60"}, func(string) (string, bool) { return "", false }, &out))
	for _, title := range []string{"Ingresos: ", "Cumpleaños: ", "Distritos: ", "Indicadores: "} {
		_, rest, found := strings.Cut(out.String(), title)
		is.True(found)
		is.True(!strings.HasPrefix(rest, "0 "))
	}
	is.True(strings.Contains(out.String(), "(source)"))
}

func TestRunNamesWhatIsWrong(t *testing.T) {
	is := is.New(t)
	err := run(t.Context(), nil, func(name string) (string, bool) { return "9999999", name == "DB_PORT" }, &strings.Builder{})
	is.True(strings.Contains(err.Error(), "DB_PORT"))
}
