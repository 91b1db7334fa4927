package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/matryer/is"
	"github.com/rogpeppe/go-internal/testscript"
	"google.golang.org/api/googleapi"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/intake/drivetest"
	"github.com/ccmwf/ccm/oauth"
	"github.com/ccmwf/ccm/oauth/oauthtest"
)

// fakeGoogle is Google's token endpoint and a Drive, whose files the service
// account sees and the person does not.
type fakeGoogle struct {
	*oauthtest.Server
	drive string // its address
	files *drivetest.Server

	mu      sync.Mutex
	refusal func(http.ResponseWriter) // the next answer of about; nil: the true one
}

func newFakeGoogle(onEnd func(func())) *fakeGoogle {
	g := &fakeGoogle{Server: oauthtest.New(), files: drivetest.New()}
	g.files.Add(
		drivetest.File{ID: "carpeta-1", Name: "Generaciones", MIME: drivetest.Folder, Shared: true},
		drivetest.File{ID: "archivo-1", Name: "2026-11-27.xlsx"},
		drivetest.File{ID: "papelera-1", Name: "Vieja", MIME: drivetest.Folder, Trashed: true},
	)
	tokens := httptest.NewServer(g.Server)
	drive := httptest.NewServer(http.HandlerFunc(g.serveDrive))
	g.URL, g.drive = tokens.URL, drive.URL+strings.TrimSuffix(drivetest.Path, "/")
	onEnd(func() {
		g.Close()
		tokens.CloseClientConnections()
		tokens.Close()
		drive.Close()
	})
	return g
}

// refuseDrive is an answer of Drive's with a reason, or with a page instead.
func refuseDrive(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if reason == "html" {
		fmt.Fprint(w, "<html>")
		return
	}
	fmt.Fprintf(w, `{"error": {"code": %d, "message": "no", "errors": [{"domain": "global", "reason": %q}]}}`, status, reason)
}

func (g *fakeGoogle) serveDrive(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	refusal := g.refusal
	g.refusal = nil
	g.mu.Unlock()
	access, ok := g.Bearer(r)
	switch {
	case refusal != nil:
		refusal(w)
	case !ok:
		refuseDrive(w, http.StatusUnauthorized, "authError")
	case !slices.Contains(access.Scopes, oauth.DriveReadonly):
		refuseDrive(w, http.StatusForbidden, "insufficientPermissions")
	case r.URL.Path == drivetest.Path+"about" && r.FormValue("fields") != "":
		fmt.Fprintf(w, `{"user": {"emailAddress": %q}}`, access.Account)
	case access.Account != oauthtest.Robot:
		refuseDrive(w, http.StatusNotFound, "notFound")
	default:
		g.files.ServeHTTP(w, r)
	}
}

type googleKey struct{}

func setupGoogle(env *testscript.Env) {
	g := newFakeGoogle(env.Defer)
	env.Values[googleKey{}] = g
	env.Setenv("GOOGLE_DRIVE_API_URL", g.drive)
}

func googleOf(ts *testscript.TestScript) *fakeGoogle { return ts.Value(googleKey{}).(*fakeGoogle) }

func writeCredentials(ts *testscript.TestScript, _ bool, args []string) {
	g := googleOf(ts)
	data := map[string]func() []byte{
		"robot":  g.ServiceAccount,
		"user":   func() []byte { return g.AuthorizedUser("openid") },
		"client": g.DesktopClient,
		"token":  func() []byte { return g.Token(oauth.DriveReadonly) },
	}[args[0]]()
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}

func scriptGoogle(ts *testscript.TestScript, _ bool, args []string) {
	g := googleOf(ts)
	switch args[0] {
	case "revoked":
		g.Revoke()
	case "busy":
		g.Script(oauthtest.Fault{Status: 503})
	case "testing":
		g.Script(oauthtest.Fault{Fields: map[string]any{"refresh_token_expires_in": 604799}})
	case "deny":
		g.Deny = true
	default:
		ts.Fatalf("google %s?", args[0])
	}
}

func scriptDrive(ts *testscript.TestScript, _ bool, args []string) {
	status, err := strconv.Atoi(args[0])
	ts.Check(err)
	g := googleOf(ts)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refusal = func(w http.ResponseWriter) { refuseDrive(w, status, args[1]) }
}

// shownAddress is the line that has nothing but an address.
var shownAddress = regexp.MustCompile(`(?m)^ *(http://\S+)$`)

func browse(ts *testscript.TestScript, _ bool, args []string) {
	var address string
	eventually(ts, args[0]+" shows an address, and that somebody waits", func() bool {
		text, _ := os.ReadFile(ts.MkAbs(args[0])) // not there yet: not yet
		found := shownAddress.FindSubmatch(text)
		if found == nil || !strings.Contains(string(text), "Esperando") {
			return false
		}
		address = string(found[1])
		return true
	})
	client := &http.Client{Timeout: patience}
	response, err := client.Get(address)
	ts.Check(err)
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), string(page))
}

// TestDriveFaultsSayTheCure holds what is told of each refusal.
func TestDriveFaultsSayTheCure(t *testing.T) {
	own := driveConfig{url: "http://drive:8080/drive/v3"}
	refusal := func(status int, reasons ...string) error {
		e := &googleapi.Error{Code: status}
		for _, reason := range reasons {
			e.Errors = append(e.Errors, googleapi.ErrorItem{Reason: reason})
		}
		return e
	}
	detailed := &googleapi.Error{Code: 403, Errors: []googleapi.ErrorItem{{Reason: "x"}}, Details: []any{map[string]any{"reason": "SERVICE_DISABLED"}}}
	garbled := json.Unmarshal([]byte("<html>"), new(any))
	for name, c := range map[string]struct {
		err  error
		kind oauth.Kind
		says []string
	}{
		"switched off":           {refusal(403, "accessNotConfigured"), "", []string{"está apagada", "apis/library/drive.googleapis.com"}},
		"a client's scope":       {refusal(403, "insufficientPermissions"), oauth.DesktopClient, []string{"le falta el permiso", "«ccm-api google authorize»"}},
		"a user's scope":         {refusal(403, "", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), oauth.AuthorizedUser, []string{"le falta el permiso", "gcloud auth application-default login --scopes=" + oauth.DriveReadonly}},
		"an account's scope":     {refusal(403, "insufficientPermissions"), oauth.ExternalAccount, []string{"dé a la cuenta el permiso"}},
		"the domain":             {refusal(403, "domainPolicy"), "", []string{"administrador"}},
		"too often":              {refusal(403, "userRateLimitExceeded"), "", []string{"no puede atender ahora"}},
		"not shared":             {refusal(404, "notFound"), "", []string{"no ve la carpeta", "compártala", envDriveFolder}},
		"not to be read":         {refusal(403, "insufficientFilePermissions"), "", []string{"compártalo"}},
		"a token that is over":   {refusal(401, "authError"), "", []string{"no acepta el token"}},
		"a page":                 {garbled, "", []string{"no es Drive (estado 200)", envDriveURL}},
		"a server's page":        {refusal(502), "", []string{"no puede atender ahora"}},
		"both places of reasons": {detailed, "", []string{"está apagada"}},
		"nobody there":           {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, "", []string{"nadie escucha en drive:8080", envDriveURL}},
		"silence":                {context.DeadlineExceeded, "", []string{"no responde a tiempo", envDriveURL}},
		"something else":         {errors.New("x"), "", []string{"no responde como se espera", envDriveURL}},
		"no token":               {&oauth.Error{File: "/f", Hint: "haga algo"}, "", []string{"no da un token", "/f: haga algo"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := driveFault("x", own, c.kind, c.err)
			is.New(t).Equal(f.Status, failed)
			for _, want := range c.says {
				if text := f.Detail + " → " + strings.Join(f.Fix, "; "); !strings.Contains(text, want) {
					t.Errorf("%q does not say %q", text, want)
				}
			}
		})
	}
	t.Run("Google's own is the network's fault", func(t *testing.T) {
		f := driveFault("x", driveConfig{url: defaultDriveURL}, "", syscall.ECONNREFUSED)
		is.New(t).True(!strings.Contains(f.Fix[0], envDriveURL))
	})
}

func TestDriveSettings(t *testing.T) {
	for value, fine := range map[string]bool{
		"1a2B-_3c": true, "root": true, "": true,
		"https://drive.google.com/drive/folders/1a2B?usp=sharing": true, "https://example.org/1a2B": false, "a b": false, "../x": false,
	} {
		env := ccm.NewEnv(func(name string) (string, bool) { return value, name == envDriveFolder })
		parseDrive(env)
		is.New(t).Equal(env.Err() == nil, fine)
	}
	for value, fine := range map[string]bool{"https://x/drive/v3": true, "http://127.0.0.1:1": true, "ftp://x": false, "https://a:b@x": false, "x": false, "https://x?y": false} {
		env := ccm.NewEnv(func(name string) (string, bool) { return value, name == envDriveURL })
		parseDrive(env)
		is.New(t).Equal(env.Err() == nil, fine)
	}
}
