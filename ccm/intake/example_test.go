package intake_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/store"
)

// What stops a load is told in Spanish, with its code and its kind. Here nobody
// listens where the database should be.
func Example() {
	l, err := intake.Open(intake.Config{Store: store.Config{URL: "mysql://carga:clave@127.0.0.1:1/ccm"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	report, err := l.Files(context.Background(), intake.Options{DryRun: true}, "20261127.xlsx")
	fmt.Println(err)
	fmt.Println(report.Errors[0].Code, errors.Is(err, store.ErrUnavailable))
	// Output:
	// no se llega a la base de datos, o se cortó la conexión: revise que esté en marcha y repita la carga
	// db_insert_failed true
}
