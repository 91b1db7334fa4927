// Package drivetest is a fake of Google Drive for tests: files in folders, in
// pages, in shared drives, with downloads by range, and faults when asked.
//
//	fake := drivetest.New()
//	fake.Add(drivetest.File{ID: "libro", Folder: "carpeta", Name: "20261127.xlsx", Content: data})
//	fake.Script(drivetest.Fault{Op: drivetest.Download, Status: 503})
//	server := httptest.NewServer(fake)
//	// the base URL is server.URL + drivetest.Path
//
// It answers what the load asks for, and no more:
// https://developers.google.com/workspace/drive/api/reference/rest/v3/files
package drivetest

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Path is where the API is below the server's address.
const Path = "/drive/v3/"

// Kinds of files, as Drive names them.
const (
	XLSX   = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	XLS    = "application/vnd.ms-excel"
	Sheet  = "application/vnd.google-apps.spreadsheet"
	Folder = "application/vnd.google-apps.folder"

	Shortcut = "application/vnd.google-apps.shortcut"
)

// File is a file or a folder.
type File struct {
	ID, Name string
	Folder   string // the id of the folder that it is in
	MIME     string // zero: XLSX
	Target   string // of a Shortcut: the MIME of what it leads to
	Content  []byte
	Modified time.Time
	MD5      string // what Drive says of Content; zero: the truth
	Shared   bool   // in a shared drive: shown only to who asks for these
	Trashed  bool
}

// Op is what a request asks for.
type Op string

// The operations.
const (
	List     Op = "list"
	Get      Op = "get"
	Download Op = "download"
)

// Fault is what happens to the next request of an operation.
type Fault struct {
	Op         Op
	Status     int    // instead of the answer; 0: the answer
	Reason     string // of Status, such as rateLimitExceeded
	RetryAfter string
	Cut        int  // the connection breaks after so many bytes of a download; 0: it does not
	Spoil      bool // a byte of a download is another one
	Whole      bool // a range that was asked for is ignored
}

// Call is a request that came.
type Call struct {
	Op    Op
	ID    string // of the file, or of the folder that is listed
	Range string
}

// Server is the fake, an http.Handler. Its fields are set before it is used.
type Server struct {
	Allow    func(*http.Request) bool // whether a request is authorised; nil: every one is
	PageSize int                      // files of a page; 0: 100

	mu     sync.Mutex
	files  []File
	faults []Fault
	calls  []Call
}

// New returns a Drive without files.
func New() *Server { return &Server{} }

// Add puts files there.
func (s *Server) Add(files ...File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range files {
		if f.MIME == "" {
			f.MIME = XLSX
		}
		s.files = append(s.files, f)
	}
}

// Script makes the next requests fail, one fault each, in order for each
// operation.
func (s *Server) Script(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Calls are the requests that came, in order.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

var folderQuery = regexp.MustCompile(`^'([^']+)' in parents and trashed = false$`)

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ours := strings.CutPrefix(r.URL.Path, Path+"files")
	if !ours || r.Method != http.MethodGet {
		refuse(w, http.StatusNotFound, "notFound", "")
		return
	}
	call := Call{Op: Get, ID: strings.TrimPrefix(path, "/"), Range: r.Header.Get("Range")}
	switch {
	case call.ID == "":
		call.Op = List
		if m := folderQuery.FindStringSubmatch(r.FormValue("q")); m != nil {
			call.ID = m[1]
		}
	case r.FormValue("alt") == "media":
		call.Op = Download
	}
	fault := s.begin(call)
	switch {
	case s.Allow != nil && !s.Allow(r):
		refuse(w, http.StatusUnauthorized, "authError", "")
	case fault.Status != 0:
		refuse(w, fault.Status, fault.Reason, fault.RetryAfter)
	case call.Op == List:
		s.list(w, r, call.ID)
	default:
		s.file(w, r, call, fault)
	}
}

// begin notes a call and takes its fault.
func (s *Server) begin(call Call) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call)
	i := slices.IndexFunc(s.faults, func(f Fault) bool { return f.Op == call.Op })
	if i < 0 {
		return Fault{}
	}
	fault := s.faults[i]
	s.faults = slices.Delete(s.faults, i, i+1)
	return fault
}

func (s *Server) list(w http.ResponseWriter, r *http.Request, folder string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in []File
	for _, f := range s.files {
		if f.Folder == folder && !f.Trashed && (!f.Shared || everywhere(r)) {
			in = append(in, f)
		}
	}
	from, _ := strconv.Atoi(r.FormValue("pageToken"))
	size := s.PageSize
	if size == 0 {
		size = 100
	}
	answer := map[string]any{"kind": "drive#fileList"}
	if from+size < len(in) {
		answer["nextPageToken"] = strconv.Itoa(from + size)
		in = in[:from+size]
	}
	files := []any{}
	for _, f := range in[min(from, len(in)):] {
		files = append(files, f.resource())
	}
	answer["files"] = files
	write(w, answer)
}

// everywhere reports whether a request is for shared drives too.
func everywhere(r *http.Request) bool {
	return r.FormValue("supportsAllDrives") == "true" && (r.FormValue("includeItemsFromAllDrives") == "true" || !strings.HasSuffix(r.URL.Path, "/files"))
}

func (s *Server) file(w http.ResponseWriter, r *http.Request, call Call, fault Fault) {
	s.mu.Lock()
	i := slices.IndexFunc(s.files, func(f File) bool { return f.ID == call.ID && (!f.Shared || everywhere(r)) })
	if i < 0 {
		s.mu.Unlock()
		refuse(w, http.StatusNotFound, "notFound", "")
		return
	}
	f := s.files[i]
	s.mu.Unlock()
	if call.Op == Get {
		write(w, f.resource())
		return
	}
	content := slices.Clone(f.Content)
	if fault.Spoil && len(content) > 0 {
		content[len(content)/2] ^= 1
	}
	if fault.Whole {
		r.Header.Del("Range")
	}
	w.Header().Set("Content-Type", f.MIME)
	to := w
	if fault.Cut > 0 {
		to = &cutWriter{w, fault.Cut}
	}
	http.ServeContent(to, r, "", f.Modified, bytes.NewReader(content))
}

// cutWriter breaks the connection after some bytes.
type cutWriter struct {
	http.ResponseWriter
	left int
}

// Write writes until enough was written.
func (c *cutWriter) Write(p []byte) (int, error) {
	if len(p) < c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	_, _ = c.ResponseWriter.Write(p[:c.left])
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

func (f File) resource() map[string]any {
	r := map[string]any{"kind": "drive#file", "id": f.ID, "name": f.Name, "mimeType": f.MIME, "trashed": f.Trashed, "modifiedTime": f.Modified.UTC().Format(time.RFC3339Nano)}
	if f.MIME == Shortcut {
		r["shortcutDetails"] = map[string]any{"targetMimeType": f.Target}
	}
	if f.MIME != Folder && f.MIME != Sheet && f.MIME != Shortcut {
		sum := md5.Sum(f.Content)
		r["size"], r["md5Checksum"] = strconv.Itoa(len(f.Content)), hex.EncodeToString(sum[:])
	}
	if f.MD5 != "" {
		r["md5Checksum"] = f.MD5
	}
	return r
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// refuse answers an error as Google's APIs do.
func refuse(w http.ResponseWriter, status int, reason, retryAfter string) {
	if retryAfter != "" {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":{"code":%d,"message":%q,"errors":[{"domain":"usageLimits","reason":%q}]}}`, status, http.StatusText(status), reason)
}
