package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"

	"github.com/ccmwf/ccm/ccm"
)

// The settings of Drive.
const (
	envDriveFolder  = "GOOGLE_DRIVE_ATTACHMENTS_FOLDER_ID"
	envDriveURL     = "GOOGLE_DRIVE_API_URL"
	defaultDriveURL = "https://www.googleapis.com/drive/v3"
)

// driveConfig says which folder is looked for, and where.
type driveConfig struct {
	url    string // without a slash at the end
	folder string // its id; "": none
}

// folderForm is the form of an id of Drive's; «root» is one as well.
var folderForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

func parseDrive(env *ccm.Env) driveConfig {
	d := driveConfig{folder: env.String(envDriveFolder, ""), url: env.String(envDriveURL, defaultDriveURL)}
	if d.folder != "" && !folderForm.MatchString(d.folder) {
		env.Fail(envDriveFolder, "debe ser el identificador de la carpeta: lo que sigue a /folders/ en su dirección, sin nada más")
	}
	u, err := url.Parse(d.url)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "https" && u.Scheme != "http" {
		env.Fail(envDriveURL, "debe ser una dirección https:// sin usuario ni parámetros, como %s", defaultDriveURL)
		d.url = defaultDriveURL
	}
	return d
}

func (d driveConfig) host() string {
	u, err := url.Parse(d.url)
	if err != nil {
		return ""
	}
	return u.Host
}

// driveClient asks Drive what an examination wants to know: two calls, which are
// not worth Google's library. What loads workbooks uses that.
// https://developers.google.com/workspace/drive/api/reference/rest/v3
type driveClient struct {
	driveConfig
	client *http.Client
}

// folderType is the media type of a folder.
const folderType = "application/vnd.google-apps.folder"

// driveFolder is a folder, or what was taken for one.
type driveFolder struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Type    string `json:"mimeType"`
	Trashed bool   `json:"trashed"`
}

// account returns the address of whom Drive takes us for.
func (d driveClient) account(ctx context.Context) (string, error) {
	var about struct {
		User struct {
			Address string `json:"emailAddress"`
		} `json:"user"`
	}
	err := d.get(ctx, "/about", url.Values{"fields": {"user(emailAddress)"}}, &about)
	return about.User.Address, err
}

// see returns the folder as Drive knows it.
func (d driveClient) see(ctx context.Context) (driveFolder, error) {
	var f driveFolder
	query := url.Values{"supportsAllDrives": {"true"}, "fields": {"id,name,mimeType,trashed"}}
	err := d.get(ctx, "/files/"+url.PathEscape(d.folder), query, &f)
	return f, err
}

// maxDriveAnswer is far over what is asked for.
const maxDriveAnswer = 64 << 10

func (d driveClient) get(ctx context.Context, path string, query url.Values, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	response, err := d.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxDriveAnswer))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || json.Unmarshal(body, into) != nil {
		return readRefusal(response.StatusCode, body)
	}
	return nil
}

// driveRefusal is an answer that is not what was asked for.
type driveRefusal struct {
	status  int
	reasons []string // Drive's words for why; none: it is not Drive's
}

// Error shows nothing of the answer.
func (e *driveRefusal) Error() string { return fmt.Sprintf("drive: status %d", e.status) }

// readRefusal finds the reasons in an answer, in both of their places.
func readRefusal(status int, body []byte) *driveRefusal {
	type reason struct {
		Reason string `json:"reason"`
	}
	var answer struct {
		Error struct {
			Errors  []reason `json:"errors"`
			Details []reason `json:"details"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &answer) // what is no JSON has no reasons
	e := &driveRefusal{status: status}
	for _, r := range append(answer.Error.Errors, answer.Error.Details...) {
		e.reasons = append(e.reasons, r.Reason)
	}
	if len(e.reasons) == 0 && status >= http.StatusInternalServerError {
		e.reasons = []string{"backendError"}
	}
	return e
}
