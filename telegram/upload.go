package telegram

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/textproto"
	"path"
	"sync"
	"sync/atomic"
	"time"
)

// upload is a multipart body: pieces of the form, and the content of files
// between them. The transport reads it once.
type upload struct {
	contentType string
	size        int64
	unsized     bool // size is not all of it

	form   bytes.Buffer // what was written of the form since the last file
	pieces []io.Reader
	whole  atomic.Bool // the end of the form was given out

	body   *io.PipeReader // of what pump reads
	pipe   *io.PipeWriter
	start  func()        // pump
	pumped chan struct{} // pump has ended
	moved  func()        // is called at each Read
}

// addFile goes on with the content of f, as the argument of that name.
func (u *upload) addFile(form *multipart.Writer, name string, f File) {
	f.Name = cmp.Or(f.Name, name)
	_, _ = form.CreatePart(textproto.MIMEHeader{ // a Buffer does not fail
		"Content-Disposition": {multipart.FileContentDisposition(name, f.Name)},
		"Content-Type":        {cmp.Or(f.Type, mime.TypeByExtension(path.Ext(f.Name)), "application/octet-stream")},
	})
	u.addForm()
	size, known := sizeOf(f.Reader)
	u.size += size
	u.unsized = u.unsized || !known
	u.pieces = append(u.pieces, &content{name: name, from: f.Reader, left: size, known: known})
}

// addForm goes on with what was written of the form.
func (u *upload) addForm() {
	piece := bytes.Clone(u.form.Bytes())
	u.form.Reset()
	u.size += int64(len(piece))
	u.pieces = append(u.pieces, bytes.NewReader(piece))
}

// end goes on with the end of the form.
func (u *upload) end(form *multipart.Writer) {
	_ = form.Close()
	u.addForm()
	last := len(u.pieces) - 1
	u.pieces[last] = noted{u.pieces[last], &u.whole}
	u.contentType = form.FormDataContentType()
	if u.unsized {
		u.size = -1
	}
	u.pump()
}

// pump makes the body, which reads the files in a goroutine of its own: net/http
// waits for a Read that hangs, whatever the context says.
func (u *upload) pump() {
	u.body, u.pipe = io.Pipe()
	u.pumped = make(chan struct{})
	u.start = sync.OnceFunc(func() {
		go func() {
			defer close(u.pumped)
			_, err := io.Copy(u.pipe, io.MultiReader(u.pieces...))
			u.pipe.CloseWithError(err) // nil: io.EOF
		}()
	})
}

// Read is the transport's.
func (u *upload) Read(p []byte) (int, error) {
	u.start()
	n, err := u.body.Read(p)
	u.moved()
	return n, err
}

// Close is the transport's. The files' Readers are the caller's, and stay open.
func (u *upload) Close() error { return u.body.Close() }

// patience is how long a Read that is under way may take when the request is over.
const patience = time.Second

// breakOff has the transport read err.
func (u *upload) breakOff(err error) { u.pipe.CloseWithError(err) }

// stop ends the reading of the files, before the caller gets them back.
func (u *upload) stop() {
	_ = u.Close() // a pipe does not fail
	u.start()     // so that it ends
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-u.pumped:
	case <-timer.C:
	}
}

// noted notes that it is read.
type noted struct {
	io.Reader
	begun *atomic.Bool
}

func (n noted) Read(p []byte) (int, error) {
	n.begun.Store(true)
	return n.Reader.Read(p)
}

// content is what a File holds. Of a known size it gives neither more nor less.
type content struct {
	name  string // of the argument
	from  io.Reader
	known bool
	left  int64 // of a known size
}

func (c *content) Read(p []byte) (int, error) {
	if c.known {
		if c.left == 0 {
			return 0, io.EOF
		}
		p = p[:min(int64(len(p)), c.left)]
	}
	n, err := c.from.Read(p)
	c.left -= int64(n)
	switch {
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF):
		return n, fmt.Errorf("the Reader of the File %q failed: %w", c.name, err)
	case c.known && c.left > 0:
		return n, fmt.Errorf("the Reader of the File %q ended %d bytes before its length: %w", c.name, c.left, io.ErrUnexpectedEOF)
	}
	return n, io.EOF
}

// sizeOf is how much r still gives, where that can be known.
func sizeOf(r io.Reader) (size int64, known bool) {
	switch r := r.(type) {
	case interface{ Len() int }:
		return int64(r.Len()), true
	case interface {
		io.Seeker
		Stat() (fs.FileInfo, error)
	}:
		info, err := r.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return 0, false
		}
		at, err := r.Seek(0, io.SeekCurrent)
		return max(0, info.Size()-at), err == nil
	}
	return 0, false
}
