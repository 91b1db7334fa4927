package drive

import (
	"bytes"
	"context"
	"crypto/md5" // Drive's checksum
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/ccmwf/ccm/ccm/intake"
)

// Download brings a workbook and checks that it is the one that Drive lists.
func (d *Drive) Download(ctx context.Context, w intake.Workbook) ([]byte, error) {
	if w.Size > intake.MaxFile {
		return nil, tooLarge()
	}
	f := fetch{drive: d, book: w}
	f.got.Grow(int(w.Size) + bytes.MinRead) // once
	if err := d.retry(ctx, f.attempt); err != nil {
		return nil, downloadError(err)
	}
	return f.got.Bytes(), nil
}

func tooLarge() error {
	return &intake.Error{Code: codeDownload, Message: fmt.Sprintf("el archivo pasa de %d MiB: divídalo, o quítele las imágenes", intake.MaxFile>>20)}
}

// fetch is a download, which may take several attempts.
type fetch struct {
	drive *Drive
	book  intake.Workbook
	got   bytes.Buffer
}

// errCut is of a download that is not whole, and goes on at the next attempt.
var errCut = errors.New("drive: the download was cut")

// attempt brings what is missing.
func (f *fetch) attempt(ctx context.Context) error {
	call := f.drive.files.Get(f.book.ID).Context(ctx).SupportsAllDrives(true)
	if f.got.Len() > 0 {
		call.Header().Set("Range", fmt.Sprintf("bytes=%d-", f.got.Len()))
	}
	resp, err := call.Download()
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if !f.continues(resp) {
		f.got.Reset()
	}
	_, err = f.got.ReadFrom(io.LimitReader(resp.Body, intake.MaxFile-int64(f.got.Len())+1))
	switch {
	case f.got.Len() > intake.MaxFile:
		return tooLarge()
	case err != nil:
		return fmt.Errorf("%w: %w", errCut, err)
	case int64(f.got.Len()) < f.book.Size:
		return errCut
	}
	return f.check()
}

// continues reports whether an answer begins where what is here ends.
func (f *fetch) continues(resp *http.Response) bool {
	return resp.StatusCode == http.StatusPartialContent && strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", f.got.Len()))
}

// check compares with what Drive lists. What differs is brought again.
func (f *fetch) check() error {
	sum := md5.Sum(f.got.Bytes())
	if (f.book.Size == 0 || int64(f.got.Len()) == f.book.Size) && (f.book.MD5 == "" || strings.EqualFold(hex.EncodeToString(sum[:]), f.book.MD5)) {
		return nil
	}
	f.got.Reset()
	return fmt.Errorf("%w: it differs from what Drive lists", errCut)
}
