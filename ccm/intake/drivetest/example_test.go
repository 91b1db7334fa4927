package drivetest_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/ccmwf/ccm/ccm/intake/drive"
	"github.com/ccmwf/ccm/ccm/intake/drivetest"
	"github.com/ccmwf/ccm/store"
)

// The workbooks of a generation, as they are found in a folder.
func Example() {
	fake := drivetest.New()
	fake.Add(
		drivetest.File{ID: "carpeta", Name: "Adjuntos", MIME: drivetest.Folder},
		drivetest.File{ID: "uno", Folder: "carpeta", Name: "20261127_rama14.xlsx", Content: []byte("…")},
		drivetest.File{ID: "dos", Folder: "carpeta", Name: "20261127_rama9.xls", MIME: drivetest.XLS},
		drivetest.File{ID: "tres", Folder: "carpeta", Name: "20261120_rama14.xlsx"},
	)
	server := httptest.NewServer(fake)
	defer server.Close()
	ctx := context.Background()
	source, err := drive.Open(ctx, drive.Config{HTTP: server.Client(), BaseURL: server.URL + drivetest.Path})
	if err != nil {
		fmt.Println(err)
		return
	}
	books, leftOut, err := source.Workbooks(ctx, "carpeta", store.Date{Year: 2026, Month: time.November, Day: 27})
	for _, b := range books {
		fmt.Println(b.Name)
	}
	for _, o := range leftOut {
		fmt.Printf("%s: %s\n", o.File, o.Message)
	}
	fmt.Println(err)
	// Output:
	// 20261127_rama14.xlsx
	// 20261127_rama9.xls: es un .xls antiguo: guárdelo como .xlsx y súbalo a la carpeta
	// <nil>
}
