package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/ccmwf/ccm/oauth/oauthtest"
)

// fakeFolder is the one folder of the fake Drive.
const fakeFolder = "carpeta-de-prueba"

// fakes are Google's token endpoint and a Drive that lists one folder.
type fakes struct {
	*oauthtest.Server
	drive string // its address
	stop  func()
}

func startFakes() *fakes {
	f := &fakes{Server: oauthtest.New()}
	tokens, files := httptest.NewServer(f.Server), httptest.NewServer(http.HandlerFunc(f.list))
	f.URL, f.drive = tokens.URL, files.URL
	f.stop = func() {
		f.Close()
		tokens.Close()
		files.Close()
	}
	return f
}

// pages are what the folder holds, by page token.
var pages = map[string]string{
	"": `{"nextPageToken": "2", "files": [
		{"name": "2026-11-13.xlsx", "modifiedTime": "2026-11-13T15:04:05Z", "size": "48211"},
		{"name": "2026-11-20.xlsx", "modifiedTime": "2026-11-20T15:11:40Z", "size": "51870"}]}`,
	"2": `{"files": [{"name": "2026-11-27.xlsx", "modifiedTime": "2026-11-24T18:30:00Z", "size": "50022"}]}`,
}

// list is the method files.list.
func (f *fakes) list(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, known := f.Bearer(r)
	page, ok := pages[r.FormValue("pageToken")]
	switch {
	case !known:
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error": {"code": 401, "message": "Invalid Credentials"}}`)
	case !ok || r.FormValue("q") != "'"+fakeFolder+"' in parents and trashed = false":
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error": {"code": 404, "message": "File not found"}}`)
	default:
		fmt.Fprint(w, page)
	}
}
