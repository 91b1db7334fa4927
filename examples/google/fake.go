package main

import (
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/ccmwf/ccm/ccm/intake/drivetest"
	"github.com/ccmwf/ccm/oauth/oauthtest"
)

// fakeFolder is the one folder of the fake Drive.
const fakeFolder = "carpeta-de-prueba"

// fakes are Google's token endpoint, and a Drive that asks it whose token comes.
type fakes struct {
	*oauthtest.Server
	drive string // its address
	stop  func()
}

func startFakes() *fakes {
	f := &fakes{Server: oauthtest.New()}
	folder := drivetest.New()
	folder.PageSize = 2
	for _, day := range []int{13, 20, 27} {
		date := time.Date(2026, time.November, day, 15, 4, 5, 0, time.UTC)
		folder.Add(drivetest.File{ID: date.Format("libro-20060102"), Folder: fakeFolder, Name: date.Format("2006-01-02.xlsx"), Modified: date, Content: []byte("PK…")})
	}
	tokens := httptest.NewServer(f.Server)
	drive := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, known := f.Bearer(r); !known {
			http.Error(w, `{"error": {"code": 401, "message": "Invalid Credentials"}}`, http.StatusUnauthorized)
			return
		}
		folder.ServeHTTP(w, r)
	}))
	f.URL, f.drive = tokens.URL, drive.URL+drivetest.Path
	f.stop = func() {
		f.Close()
		tokens.Close()
		drive.Close()
	}
	return f
}
