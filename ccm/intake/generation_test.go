package intake_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/ccm/intake/internal/books"
	"github.com/ccmwf/ccm/store"
)

// shelf is a Source of files, by id; one that is not there cannot be brought.
type shelf struct {
	books   []intake.Workbook
	leftOut []intake.Issue
	err     error
	paths   map[string]string
}

func (s shelf) Workbooks(context.Context, string, store.Date) ([]intake.Workbook, []intake.Issue, error) {
	return s.books, s.leftOut, s.err
}

func (s shelf) Download(_ context.Context, w intake.Workbook) ([]byte, error) {
	data, err := os.ReadFile(s.paths[w.ID])
	if err != nil {
		return nil, errors.New("s3creto")
	}
	return data, nil
}

func TestLoadsAGeneration(t *testing.T) { onEach(t, testLoadsAGeneration) }

func testLoadsAGeneration(t *testing.T, address string) {
	is := is.New(t)
	l := open(t, intake.Config{Store: store.Config{URL: address}})
	day := store.Date{Year: 2026, Month: time.November, Day: 27}
	source := shelf{
		books:   []intake.Workbook{{ID: "a", Name: "a.xlsx"}, {ID: "no", Name: "no.xlsx"}, {ID: "b", Name: "b.xlsx"}},
		leftOut: []intake.Issue{{Code: "unsupported_workbook", Message: "es un .xls", File: "c.xls"}},
		paths:   map[string]string{"a": books.People(t, "a.xlsx", 1, 5), "b": books.People(t, "b.xlsx", 4, 9)},
	}
	done, err := l.Generation(t.Context(), intake.Options{}, source, "carpeta", day)
	is.NoErr(err)
	is.Equal([]string{done.Generation, done.Folder}, []string{"20261127", "carpeta"})
	is.Equal([]int{done.Inserted, done.Skipped, done.Failed, done.ErrorCount}, []int{9, 2, 2, 2})
	is.Equal(done.Files[1].ID, "b")
	is.Equal(done.Errors[1], intake.Issue{Code: "drive_download_failed", Message: "no se pudo leer de donde están los libros", File: "no.xlsx"})

	_, err = l.Generation(t.Context(), intake.Options{}, shelf{}, "carpeta", day)
	is.True(errors.Is(err, intake.ErrNone))
	failed, err := l.Generation(t.Context(), intake.Options{}, shelf{err: errors.New("s3creto")}, "carpeta", day)
	known, ok := errors.AsType[*intake.Error](err)
	is.True(ok)
	is.Equal(known.Code, "drive_listing_failed")
	is.Equal(failed.Errors[0].Message, "no se pudo leer de donde están los libros")
}
