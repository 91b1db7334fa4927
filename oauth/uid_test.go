//go:build unix

package oauth_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/oauth"
	"github.com/ccmwf/ccm/oauth/oauthtest"
)

// containerUser is who the image's process is.
const containerUser = 65532

// unreadableFile names the file for the process that may not read it.
const unreadableFile = "CCM_OAUTH_TEST_UNREADABLE"

// TestAFileThatOnlyAnotherUserReads runs as the container's user where it can,
// which is as root, and else makes a file that nobody reads.
func TestAFileThatOnlyAnotherUserReads(t *testing.T) {
	if file := os.Getenv(unreadableFile); file != "" {
		_, err := oauth.Find(t.Context(), oauth.Config{File: file, Scopes: drive})
		says(t, err, fmt.Sprintf("este usuario (%d) no puede leerlo: en el host, chown %[1]d y chmod 400", containerUser))
		return
	}
	is := is.New(t)
	file := oauthtest.WriteFile(t, oauthtest.New().AuthorizedUser())
	if os.Getuid() != 0 {
		is.NoErr(os.Chmod(file, 0))
		_, err := oauth.Find(t.Context(), oauth.Config{File: file})
		says(t, err, fmt.Sprintf("este usuario (%d) no puede leerlo", os.Getuid()))
		return
	}
	for dir := filepath.Dir(file); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		is.NoErr(os.Chmod(dir, 0o755)) // the folders are not what stops it
	}
	again := exec.Command(openCopy(t), "-test.run=^"+t.Name()+"$", "-test.v")
	again.Dir = "/"
	again.Env = append(os.Environ(), unreadableFile+"="+file)
	again.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: containerUser, Gid: containerUser}}
	out, err := again.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("%v: %s", err, out)
	}
}

// openCopy is a copy of this program that any user may run.
func openCopy(t *testing.T) string {
	is := is.New(t)
	own, err := os.Executable()
	is.NoErr(err)
	from, err := os.Open(own)
	is.NoErr(err)
	defer from.Close()
	dir, err := os.MkdirTemp("", "ccm-oauth")
	is.NoErr(err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	is.NoErr(os.Chmod(dir, 0o755))
	to, err := os.Create(filepath.Join(dir, "oauth.test"))
	is.NoErr(err)
	is.NoErr(to.Chmod(0o755))
	_, err = io.Copy(to, from)
	is.NoErr(err)
	is.NoErr(to.Close())
	return to.Name()
}
