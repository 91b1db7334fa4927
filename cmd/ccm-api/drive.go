package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/api/drive/v3"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/ccmwf/ccm/ccm"
	intakedrive "github.com/ccmwf/ccm/ccm/intake/drive"
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

func parseDrive(env *ccm.Env) driveConfig {
	given := env.String(envDriveFolder, "")
	d := driveConfig{folder: intakedrive.FolderID(given), url: strings.TrimSuffix(env.String(envDriveURL, defaultDriveURL), "/")}
	if given != "" && d.folder == "" {
		env.Fail(envDriveFolder, "debe ser la dirección de una carpeta de Drive, o lo que en ella sigue a /folders/")
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

// service is the Drive API over a client that sends the token.
func (d driveConfig) service(ctx context.Context, client *http.Client) (*drive.Service, error) {
	return drive.NewService(ctx, option.WithHTTPClient(client), option.WithEndpoint(d.url+"/"))
}

// folderType is the media type of a folder.
const folderType = "application/vnd.google-apps.folder"

// driveReasons are Drive's words for why it refused, in both of their places; ok:
// there was an answer. One without reasons is not Drive's.
func driveReasons(err error) (status int, reasons []string, ok bool) {
	if _, garbled := errors.AsType[*json.SyntaxError](err); garbled {
		return http.StatusOK, nil, true
	}
	refusal, ok := errors.AsType[*googleapi.Error](err)
	if !ok {
		return 0, nil, false
	}
	for _, item := range refusal.Errors {
		reasons = append(reasons, item.Reason)
	}
	for _, detail := range refusal.Details {
		if fields, ok := detail.(map[string]any); ok {
			reason, _ := fields["reason"].(string)
			reasons = append(reasons, reason)
		}
	}
	if len(reasons) == 0 && refusal.Code >= http.StatusInternalServerError {
		reasons = []string{"backendError"}
	}
	return refusal.Code, reasons, true
}
