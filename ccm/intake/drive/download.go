package drive

import (
	"context"
	"crypto/md5" // Drive's checksum
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/ccmwf/ccm/ccm/intake"
)

// Download brings a workbook and checks that it is the one that Drive lists.
func (d *Drive) Download(ctx context.Context, w intake.Workbook, to *os.File) error {
	if w.Size > intake.MaxFile {
		return tooLarge()
	}
	f := fetch{drive: d, book: w, to: to, sum: md5.New()}
	if err := d.retry(ctx, f.attempt); err != nil {
		return downloadError(err)
	}
	return nil
}

func tooLarge() error {
	return &intake.Error{Code: codeDownload, Message: fmt.Sprintf("el archivo pasa de %d MiB: divídalo, o quítele las imágenes", intake.MaxFile>>20)}
}

// fetch is a download, which may take several attempts.
type fetch struct {
	drive *Drive
	book  intake.Workbook
	to    *os.File
	sum   hash.Hash
	at    int64 // how much is here
}

// errCut is of a download that is not whole, and goes on at the next attempt.
var errCut = errors.New("drive: the download was cut")

// attempt brings what is missing.
func (f *fetch) attempt(ctx context.Context) error {
	call := f.drive.files.Get(f.book.ID).Context(ctx).SupportsAllDrives(true)
	if f.at > 0 {
		call.Header().Set("Range", fmt.Sprintf("bytes=%d-", f.at))
	}
	resp, err := call.Download()
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if f.at > 0 && !f.continues(resp) {
		if err := f.restart(); err != nil {
			return err
		}
	}
	n, err := io.Copy(io.MultiWriter(f.to, f.sum), io.LimitReader(resp.Body, intake.MaxFile-f.at+1))
	f.at += n
	switch {
	case f.at > intake.MaxFile:
		return tooLarge()
	case err != nil:
		return fmt.Errorf("%w: %w", errCut, err)
	case f.book.Size > 0 && f.at < f.book.Size:
		return errCut
	}
	return f.check()
}

// continues reports whether an answer begins where the file ends.
func (f *fetch) continues(resp *http.Response) bool {
	return resp.StatusCode == http.StatusPartialContent && strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", f.at))
}

// check compares with what Drive lists. What differs is brought again.
func (f *fetch) check() error {
	whole := (f.book.Size == 0 || f.at == f.book.Size) && (f.book.MD5 == "" || strings.EqualFold(hex.EncodeToString(f.sum.Sum(nil)), f.book.MD5))
	if whole {
		return nil
	}
	if err := f.restart(); err != nil {
		return err
	}
	return fmt.Errorf("%w: it differs from what Drive lists", errCut)
}

func (f *fetch) restart() error {
	f.at = 0
	f.sum.Reset()
	_, err := f.to.Seek(0, io.SeekStart)
	if err := errors.Join(err, f.to.Truncate(0)); err != nil {
		return &intake.Error{Code: codeDownload, Message: "no se puede escribir en la carpeta temporal", Err: err}
	}
	return nil
}
