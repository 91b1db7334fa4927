package telegramtest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	_ "image/gif" // the formats of photos, for their size
	_ "image/jpeg"
	_ "image/png"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strings"
)

// https://core.telegram.org/bots/api#sending-files and #getfile
const (
	maxDownload = 20 << 20
	maxDocument = 50 << 20
	maxPhoto    = 10 << 20
)

// File is a document or photo that was uploaded.
type File struct {
	ID     string // file_id
	Kind   string // "document" or "photo"
	Name   string
	MIME   string // by the name, else as the client said
	Size   int64
	SHA256 string // of all bytes, in hex
	Data   []byte `json:"-"` // nil over 20 MB, which no bot can download
}

// readFile takes an upload, and no more of it into memory than can be asked for.
func readFile(part *multipart.Part) (*File, error) {
	f := &File{Name: path.Base(part.FileName())}
	f.MIME = cmp.Or(mime.TypeByExtension(path.Ext(f.Name)), part.Header.Get("Content-Type"), "application/octet-stream")
	var kept bytes.Buffer
	hash := sha256.New()
	first, err := io.Copy(io.MultiWriter(hash, &kept), io.LimitReader(part, maxDownload))
	if err != nil {
		return nil, err
	}
	rest, err := io.Copy(hash, part)
	if err != nil {
		return nil, err
	}
	if f.Size, f.SHA256 = first+rest, hex.EncodeToString(hash.Sum(nil)); rest == 0 {
		f.Data = kept.Bytes()
	}
	return f, nil
}

// sendFile is sendDocument or sendPhoto.
func sendFile(kind string) method {
	return func(s *Server, r *request) (any, *failure) {
		f, failed := s.input(r, kind)
		if failed != nil {
			return nil, failed
		}
		m, failed := r.caption()
		if failed != nil {
			return nil, failed
		}
		m.File = f
		o, failed := s.send(r, m)
		if failed == nil {
			s.files[f.ID] = f
		}
		return o, failed
	}
}

// input is the file of an argument: an upload in the field of that name, or in
// the one that attach:// names, or a file_id. The fake loads nothing by URL.
func (s *Server) input(r *request, kind string) (*File, *failure) {
	given := r.arg(kind)
	field, attached := strings.CutPrefix(given, "attach://")
	if given != "" && !attached {
		if strings.Contains(given, "://") {
			return nil, badRequest("failed to get HTTP URL content")
		}
		f, known := s.files[given]
		if !known {
			return nil, badRequest("wrong file identifier/HTTP URL specified")
		}
		if f.Kind != kind {
			return nil, badRequest("can't use file of type %s as %s", f.Kind, kind)
		}
		return f, nil
	}
	if !attached {
		field = kind
	}
	f := r.files[field]
	switch {
	case f == nil:
		return nil, badRequest("there is no %s in the request", kind)
	case f.Size == 0:
		return nil, badRequest("file must be non-empty")
	case kind == "photo" && f.Size > maxPhoto:
		return nil, badRequest("too big file size")
	case f.Size > maxDocument:
		return nil, &failure{code: http.StatusRequestEntityTooLarge, description: "Request Entity Too Large"}
	case kind == "photo" && !strings.HasPrefix(http.DetectContentType(f.Data), "image/"):
		return nil, badRequest("IMAGE_PROCESS_FAILED")
	}
	f.Kind, f.ID = kind, fmt.Sprintf("%s-%d-%.12s", kind, len(s.files)+1, f.SHA256)
	return f, nil
}

// object is the Document, or the one PhotoSize, of the Bot API.
func (f *File) object() any {
	o := map[string]any{"file_id": f.ID, "file_unique_id": f.SHA256[:16], "file_size": f.Size}
	if f.Kind == "document" {
		o["file_name"], o["mime_type"] = f.Name, f.MIME
		return o
	}
	size, _, _ := image.DecodeConfig(bytes.NewReader(f.Data))
	o["width"], o["height"] = max(size.Width, 1), max(size.Height, 1)
	return []any{o}
}

func (s *Server) getFile(r *request) (any, *failure) {
	id := r.arg("file_id")
	if id == "" {
		return nil, badRequest("file_id not specified")
	}
	f, known := s.files[id]
	if !known {
		return nil, badRequest("invalid file_id")
	}
	if f.Data == nil {
		return nil, badRequest("file is too big")
	}
	return map[string]any{"file_id": f.ID, "file_unique_id": f.SHA256[:16], "file_size": f.Size, "file_path": f.path()}, nil
}

func (f *File) path() string { return f.Kind + "s/" + f.ID + path.Ext(f.Name) }

// download serves what getFile named.
func (s *Server) download(w http.ResponseWriter, name string) {
	a := errNotFound.answer()
	s.mu.Lock()
	for _, f := range s.files {
		if f.path() == name && f.Data != nil {
			a = answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/octet-stream"}}, body: f.Data}
		}
	}
	s.mu.Unlock() // before a slow client reads
	a.write(w)
}
