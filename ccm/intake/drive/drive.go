// Package drive finds the workbooks of a generation in Google Drive and brings
// them: it is a [intake.Source].
//
//	source, err := drive.Open(ctx, drive.Config{HTTP: credentials.Client()})
//	report, err := loader.Generation(ctx, intake.Options{}, source, folder, generation)
//
// A workbook belongs to a generation if its name carries that date as YYYYMMDD
// (or YYYY-MM-DD); one whose name carries no date belongs to it if the folder's
// name does. Folders directly below the given one count whose names carry the
// date. Of a folder .xlsx and .xlsm files are taken, from the least to the most
// recently changed; .xls files, Google's own sheets and shortcuts are told and
// left out, everything else is passed over.
//
// Answers 429, 5xx and 403 for the rate are tried again, as Retry-After asks or
// after a pause that grows; a download that was cut goes on where it was, and
// must have the size and the MD5 that Drive lists.
//
// It is a package of its own because it links Google's API packages.
package drive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"google.golang.org/api/drive/v3"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/store"
)

// Config says how to reach Drive.
type Config struct {
	// HTTP is a client that authorises its requests, such as that of package
	// oauth with the scope [oauth.DriveReadonly]. It must be there.
	HTTP *http.Client
	// BaseURL is another server than Google's, for tests. Zero:
	// https://www.googleapis.com/drive/v3/.
	BaseURL string
}

// Drive is Google Drive. It is safe for concurrent use.
type Drive struct {
	files *drive.FilesService
	wait  func(context.Context, time.Duration) error
}

// Open returns a Drive. It dials nothing.
func Open(ctx context.Context, cfg Config) (*Drive, error) {
	if cfg.HTTP == nil {
		return nil, errors.New("drive: Config.HTTP is nil: it is the client that authorises, such as oauth.Credentials.Client")
	}
	options := []option.ClientOption{option.WithHTTPClient(cfg.HTTP)}
	if cfg.BaseURL != "" {
		options = append(options, option.WithEndpoint(cfg.BaseURL))
	}
	service, err := drive.NewService(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("drive: %w", err)
	}
	return &Drive{files: service.Files, wait: wait}, nil
}

var (
	folderID  = regexp.MustCompile(`^[A-Za-z0-9_-]{3,128}$`)
	folderURL = regexp.MustCompile(`^https://drive\.google\.com/.*folders/([A-Za-z0-9_-]{3,128})([/?#].*)?$`)
)

// FolderID is the id of a folder, given so or as the address that a browser shows
// of it; "" if it is neither.
func FolderID(given string) string {
	given = strings.TrimSpace(given)
	if m := folderURL.FindStringSubmatch(given); m != nil {
		return m[1]
	}
	if folderID.MatchString(given) {
		return given
	}
	return ""
}

// Kinds of files.
// https://developers.google.com/workspace/drive/api/guides/mime-types
const (
	mimeFolder   = "application/vnd.google-apps.folder"
	mimeSheet    = "application/vnd.google-apps.spreadsheet"
	mimeShortcut = "application/vnd.google-apps.shortcut"
	mimeXLS      = "application/vnd.ms-excel"
	mimeXLSX     = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	mimeXLSM     = "application/vnd.ms-excel.sheet.macroenabled.12"
)

// codeForm is of a workbook that is not of the form that is read.
const codeForm = "unsupported_workbook"

// Workbooks lists the workbooks of a generation, and what cannot be read.
func (d *Drive) Workbooks(ctx context.Context, folder string, generation store.Date) ([]intake.Workbook, []intake.Issue, error) {
	id := FolderID(folder)
	if id == "" {
		return nil, nil, &intake.Error{Code: intake.CodeFolder, Message: "no es el ID de una carpeta de Drive, ni su dirección: es lo que sigue a «folders/» en el navegador"}
	}
	var root *drive.File
	err := d.retry(ctx, func(ctx context.Context) (err error) {
		root, err = d.files.Get(id).Context(ctx).SupportsAllDrives(true).Fields("id,name,mimeType").Do()
		return err
	})
	if err != nil {
		return nil, nil, listingError(err)
	}
	if root.MimeType != mimeFolder {
		return nil, nil, &intake.Error{Code: codeListing, Message: "ese ID de Drive es de un archivo y no de una carpeta"}
	}
	l := listing{drive: d, date: generation}
	if err := l.add(ctx, root, true); err != nil {
		return nil, nil, listingError(err)
	}
	slices.SortStableFunc(l.found, func(a, b *drive.File) int {
		return cmp.Or(cmp.Compare(a.ModifiedTime, b.ModifiedTime), cmp.Compare(a.Name, b.Name))
	})
	books := make([]intake.Workbook, len(l.found))
	for i, f := range l.found {
		books[i] = intake.Workbook{ID: f.Id, Name: f.Name, Size: f.Size, MD5: f.Md5Checksum}
	}
	return books, l.leftOut, nil
}

// listing gathers what belongs to a generation.
type listing struct {
	drive   *Drive
	date    store.Date
	found   []*drive.File
	leftOut []intake.Issue
}

// add lists a folder, and those below it that carry the date if below.
func (l *listing) add(ctx context.Context, folder *drive.File, below bool) error {
	files, err := l.drive.list(ctx, folder.Id)
	if err != nil {
		return err
	}
	for _, f := range files {
		carries, dated := carriesDate(f.Name, l.date)
		if f.MimeType == mimeFolder {
			if carries && below {
				if err := l.add(ctx, f, false); err != nil {
					return err
				}
			}
			continue
		}
		if inFolder, _ := carriesDate(folder.Name, l.date); carries || !dated && inFolder {
			l.take(f)
		}
	}
	return nil
}

// take keeps a workbook, and tells of what only looks like one.
func (l *listing) take(f *drive.File) {
	name, mime := strings.ToLower(f.Name), strings.ToLower(f.MimeType)
	why := ""
	switch {
	case mime == mimeSheet:
		why = "es una hoja de Google: descárguela como .xlsx y súbala a la carpeta"
	case mime == mimeShortcut && leadsToWorkbooks(f):
		why = "es un acceso directo: ponga en la carpeta el libro mismo"
	case mime == mimeShortcut: // to something else
	case mime == mimeXLSX, mime == mimeXLSM, strings.HasSuffix(name, ".xlsx"), strings.HasSuffix(name, ".xlsm"):
		l.found = append(l.found, f)
	case mime == mimeXLS, strings.HasSuffix(name, ".xls"):
		why = "es un .xls antiguo: guárdelo como .xlsx y súbalo a la carpeta"
	}
	if why != "" {
		l.leftOut = append(l.leftOut, intake.Issue{Code: codeForm, Message: why, File: f.Name})
	}
}

// leadsToWorkbooks reports whether a shortcut is to a workbook, or to a folder.
func leadsToWorkbooks(f *drive.File) bool {
	if f.ShortcutDetails != nil {
		switch strings.ToLower(f.ShortcutDetails.TargetMimeType) {
		case mimeXLSX, mimeXLSM, mimeXLS, mimeSheet, mimeFolder:
			return true
		}
	}
	return strings.Contains(strings.ToLower(f.Name), ".xls")
}

const fields = "nextPageToken,files(id,name,mimeType,size,md5Checksum,modifiedTime,shortcutDetails(targetMimeType))"

// list returns everything in a folder, page by page.
func (d *Drive) list(ctx context.Context, folder string) (all []*drive.File, err error) {
	token := ""
	for {
		var page *drive.FileList
		err := d.retry(ctx, func(ctx context.Context) (err error) {
			page, err = d.files.List().Context(ctx).Q("'" + folder + "' in parents and trashed = false").
				SupportsAllDrives(true).IncludeItemsFromAllDrives(true).
				PageSize(1000).PageToken(token).Fields(googleapi.Field(fields)).Do()
			return err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, page.Files...)
		if token = page.NextPageToken; token == "" {
			return all, nil
		}
	}
}

var nameDate = regexp.MustCompile(`(?:^|\D)((?:19|20|21)\d{2})[-_.]?(\d{2})[-_.]?(\d{2})(?:\D|$)`)

// carriesDate reports whether a name carries a date, and whether it carries any.
func carriesDate(name string, date store.Date) (carries, any bool) {
	want := strings.ReplaceAll(date.String(), "-", "")
	for rest := name; ; {
		m := nameDate.FindStringSubmatchIndex(rest)
		if m == nil {
			return carries, any
		}
		any = true
		carries = carries || rest[m[2]:m[3]]+rest[m[4]:m[5]]+rest[m[6]:m[7]] == want
		rest = rest[m[7]:] // what ends one date may begin another
	}
}
