package drive_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/ccm/intake/drive"
	"github.com/ccmwf/ccm/ccm/intake/drivetest"
	"github.com/ccmwf/ccm/store"
)

var generation = store.Date{Year: 2026, Month: time.November, Day: 27}

// pauses are how long the client would have waited.
type pauses []time.Duration

// start serves a fake Drive with a folder named so, and returns a client that
// waits for nothing.
func start(t *testing.T, folder string) (*drivetest.Server, *drive.Drive, *pauses) {
	t.Helper()
	fake := drivetest.New()
	fake.Allow = func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer ficha" }
	fake.PageSize = 2
	fake.Add(drivetest.File{ID: "carpeta", Name: folder, MIME: drivetest.Folder})
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	d, err := drive.Open(t.Context(), drive.Config{HTTP: &http.Client{Transport: bearer("ficha")}, BaseURL: server.URL + drivetest.Path})
	if err != nil {
		t.Fatal(err)
	}
	waited := &pauses{}
	d.SetWait(func(_ context.Context, p time.Duration) error {
		*waited = append(*waited, p)
		return nil
	})
	return fake, d, waited
}

// bearer authorises requests, as package oauth's client does.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// TestListsAGeneration takes what belongs to it, over pages and shared drives.
func TestListsAGeneration(t *testing.T) {
	is := is.New(t)
	fake, d, _ := start(t, "Adjuntos")
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	fake.Add(
		drivetest.File{ID: "b", Folder: "carpeta", Name: "20261127_B.xlsx", Modified: day(9)},
		drivetest.File{ID: "a", Folder: "carpeta", Name: "distrito 2026-11-27 A.XLSX", Modified: day(8), Shared: true},
		drivetest.File{ID: "otra", Folder: "carpeta", Name: "20261120_A.xlsx"},
		drivetest.File{ID: "sin", Folder: "carpeta", Name: "sin fecha.xlsx"},
		drivetest.File{ID: "larga", Folder: "carpeta", Name: "120261127.xlsx"},
		drivetest.File{ID: "foto", Folder: "carpeta", Name: "20261127.jpg", MIME: "image/jpeg"},
		drivetest.File{ID: "borrado", Folder: "carpeta", Name: "20261127.xlsx", Trashed: true},
		drivetest.File{ID: "viejo", Folder: "carpeta", Name: "20261127.xls", MIME: drivetest.XLS},
		drivetest.File{ID: "hoja", Folder: "carpeta", Name: "20261127", MIME: drivetest.Sheet},
		drivetest.File{ID: "atajo", Folder: "carpeta", Name: "20261127 rama 9", MIME: drivetest.Shortcut, Target: drivetest.XLSX},
		drivetest.File{ID: "atajo2", Folder: "carpeta", Name: "20261127 todo", MIME: drivetest.Shortcut, Target: drivetest.Folder},
		drivetest.File{ID: "atajo3", Folder: "carpeta", Name: "20261127 foto", MIME: drivetest.Shortcut, Target: "image/jpeg"},
		drivetest.File{ID: "d", Folder: "carpeta", Name: "20261127.xlsm", MIME: "application/octet-stream", Modified: day(10)},
		drivetest.File{ID: "sub", Folder: "carpeta", Name: "Generación 20261127", MIME: drivetest.Folder},
		drivetest.File{ID: "sub2", Folder: "carpeta", Name: "Generación 20261120", MIME: drivetest.Folder},
		drivetest.File{ID: "c", Folder: "sub", Name: "rama 14.xlsx", Modified: day(7), Shared: true},
		drivetest.File{ID: "ajeno", Folder: "sub", Name: "20261120.xlsx"},
		drivetest.File{ID: "hondo", Folder: "sub", Name: "20261127 más", MIME: drivetest.Folder},
		drivetest.File{ID: "nunca", Folder: "hondo", Name: "20261127.xlsx"},
		drivetest.File{ID: "nunca2", Folder: "sub2", Name: "rama 14.xlsx"},
	)
	books, leftOut, err := d.Workbooks(t.Context(), "https://drive.google.com/drive/u/0/folders/carpeta?usp=sharing", generation)
	is.NoErr(err)
	var ids []string
	for _, b := range books {
		ids = append(ids, b.ID)
		is.True(b.MD5 != "")
	}
	is.Equal(ids, []string{"c", "a", "b", "d"}) // the last change comes last
	var names []string
	for _, left := range leftOut {
		is.Equal(left.Code, "unsupported_workbook")
		names = append(names, left.File)
	}
	is.Equal(names, []string{"20261127.xls", "20261127", "20261127 rama 9", "20261127 todo"})
}

func TestTakesAllOfAFolderOfTheGeneration(t *testing.T) {
	is := is.New(t)
	fake, d, _ := start(t, "20261127")
	fake.Add(drivetest.File{ID: "a", Folder: "carpeta", Name: "rama 14.xlsx"}, drivetest.File{ID: "b", Folder: "carpeta", Name: "20261120.xlsx"})
	books, _, err := d.Workbooks(t.Context(), "carpeta", generation)
	is.NoErr(err)
	is.Equal(len(books), 1)
	is.Equal(books[0].ID, "a")
}

// TestTriesAgain has each passing fault once, and waits as it was asked to.
func TestTriesAgain(t *testing.T) {
	is := is.New(t)
	fake, d, waited := start(t, "20261127")
	fake.Add(drivetest.File{ID: "a", Folder: "carpeta", Name: "a.xlsx"})
	fake.Script(
		drivetest.Fault{Op: drivetest.Get, Status: 500},
		drivetest.Fault{Op: drivetest.List, Status: 429, RetryAfter: "7"},
		drivetest.Fault{Op: drivetest.List, Status: 503, RetryAfter: "3600"},
		drivetest.Fault{Op: drivetest.List, Status: 403, Reason: "userRateLimitExceeded"},
	)
	books, _, err := d.Workbooks(t.Context(), "carpeta", generation)
	is.NoErr(err)
	is.Equal(len(books), 1)
	is.Equal(len(*waited), 4)
	is.True((*waited)[1] >= 7*time.Second && (*waited)[1] < 9*time.Second)
	is.True((*waited)[2] >= time.Minute && (*waited)[2] < 62*time.Second) // no longer than that
	is.True((*waited)[3] >= 2*time.Second && (*waited)[3] < 6*time.Second)
}

// TestSaysWhatToMend has each fault that another attempt would not change.
func TestSaysWhatToMend(t *testing.T) {
	for _, c := range []struct {
		name, folder, says string
		faults             []drivetest.Fault
		asks               int
	}{
		{"a folder that is not there", "ninguna", "no existe, o no está compartida", nil, 1},
		{"no folder at all", "¿cuál?", "no es el ID de una carpeta", nil, 0},
		{"a file", "libro", "es de un archivo y no de una carpeta", nil, 1},
		{"no right", "carpeta", "no tiene permiso, o falta el alcance drive.readonly", []drivetest.Fault{{Op: drivetest.Get, Status: 403, Reason: "insufficientPermissions"}}, 1},
		{"an API that is off", "carpeta", "la API de Drive está apagada", []drivetest.Fault{{Op: drivetest.Get, Status: 403, Reason: "accessNotConfigured"}}, 1},
		{"a token that is refused", "carpeta", "Google no acepta las credenciales", []drivetest.Fault{{Op: drivetest.Get, Status: 401}}, 1},
		{"always busy", "carpeta", "Google limita las peticiones", manyOf(drivetest.Fault{Op: drivetest.Get, Status: 429}), 5},
		{"always broken", "carpeta", "Google respondió 502", manyOf(drivetest.Fault{Op: drivetest.Get, Status: 502}), 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			fake, d, _ := start(t, "20261127")
			fake.Add(drivetest.File{ID: "libro", Folder: "carpeta", Name: "a.xlsx"})
			fake.Script(c.faults...)
			_, _, err := d.Workbooks(t.Context(), c.folder, generation)
			known, ok := errors.AsType[*intake.Error](err)
			is.True(ok)
			is.Equal(known.Code == intake.CodeFolder, c.asks == 0)
			is.True(c.asks == 0 || known.Code == "drive_listing_failed")
			is.True(strings.Contains(known.Message, c.says))
			is.Equal(len(fake.Calls()), c.asks)
		})
	}
}

func manyOf(f drivetest.Fault) []drivetest.Fault {
	return []drivetest.Fault{f, f, f, f, f, f, f, f}
}

// TestDownloads brings a workbook whole, whatever happens on the way.
func TestDownloads(t *testing.T) {
	content := []byte(strings.Repeat("0123456789abcdef", 1<<14))
	for _, c := range []struct {
		name   string
		faults []drivetest.Fault
		ranges string
		fails  string
	}{
		{"at once", nil, "", ""},
		{"cut twice, and goes on", []drivetest.Fault{{Cut: 100_000}, {Cut: 50_000}}, " bytes=100000- bytes=150000-", ""},
		{"cut, and begins again where ranges are not answered", []drivetest.Fault{{Cut: 100_000}, {Whole: true}}, " bytes=100000-", ""},
		{"spoilt, and is brought again", []drivetest.Fault{{Spoil: true}}, " ", ""},
		{"busy", []drivetest.Fault{{Status: 503}, {Status: 429, RetryAfter: "1"}}, "  ", ""},
		{"always spoilt", []drivetest.Fault{{Spoil: true}, {Spoil: true}, {Spoil: true}, {Spoil: true}, {Spoil: true}}, "    ", "llega cortado, o distinto"},
		{"gone", []drivetest.Fault{{Status: 404}}, "", "no existe, o no está compartida"},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			fake, d, _ := start(t, "20261127")
			fake.Add(drivetest.File{ID: "a", Folder: "carpeta", Name: "a.xlsx", Content: content})
			books, _, err := d.Workbooks(t.Context(), "carpeta", generation)
			is.NoErr(err)
			before := len(fake.Calls())
			for _, f := range c.faults {
				f.Op = drivetest.Download
				fake.Script(f)
			}
			got, err := d.Download(t.Context(), books[0])
			var ranges []string
			for _, call := range fake.Calls()[before:] {
				ranges = append(ranges, call.Range)
			}
			is.Equal(strings.Join(ranges, " "), c.ranges)
			if c.fails != "" {
				is.True(strings.Contains(err.Error(), c.fails))
				return
			}
			is.NoErr(err)
			is.True(string(got) == string(content))
		})
	}
}

// TestRefusesWhatIsTooLarge brings none of it.
func TestRefusesWhatIsTooLarge(t *testing.T) {
	is := is.New(t)
	fake, d, _ := start(t, "20261127")
	_, err := d.Download(t.Context(), intake.Workbook{ID: "a", Size: intake.MaxFile + 1})
	is.True(strings.Contains(err.Error(), "pasa de 16 MiB"))
	is.Equal(len(fake.Calls()), 0)
}

func TestStopsWithItsCaller(t *testing.T) {
	is := is.New(t)
	fake, d, _ := start(t, "20261127")
	fake.Script(manyOf(drivetest.Fault{Op: drivetest.Get, Status: 503})...)
	ctx, cancel := context.WithCancel(t.Context())
	d.SetWait(func(ctx context.Context, _ time.Duration) error {
		cancel()
		return ctx.Err()
	})
	_, _, err := d.Workbooks(ctx, "carpeta", generation)
	is.True(errors.Is(err, context.Canceled))
	is.Equal(len(fake.Calls()), 1)
}
