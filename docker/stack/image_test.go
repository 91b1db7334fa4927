package stack_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"debug/elf"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// What the image under test was built with.
const (
	builtVersion = "9.8.7-prueba"
	builtCommit  = "0123456789abcdef0123456789abcdef01234567"
	builtSource  = "https://github.com/ccmwf/ccm"
)

// mozilla are the roots that the builder's package of Mozilla's list holds.
const mozilla = "/usr/share/ca-certificates/mozilla"

// build is docker buildx build with the repository's Dockerfile on a checkout.
func build(dir string, args ...string) error {
	all := append([]string{"buildx", "build", "--progress", "plain", "--file", filepath.Join(dir, "docker/Dockerfile")}, args...)
	if out, err := exec.Command("docker", append(all, dir)...).CombinedOutput(); err != nil {
		return fmt.Errorf("docker %s: %w\n%s", strings.Join(all, " "), err, out)
	}
	return nil
}

// release is an image of ccm-api that knows its version and commit.
var release = sync.OnceValues(func() (string, error) {
	dir, err := checkout()
	if err != nil {
		return "", err
	}
	name := "ccm-api:" + tag + "-release"
	return name, build(dir, "--build-arg", "VERSION="+builtVersion, "--build-arg", "COMMIT="+builtCommit, "--tag", name)
})

func mustRelease(tb testing.TB) string {
	tb.Helper()
	needCompose(tb)
	name, err := release()
	if err != nil {
		tb.Fatal(err)
	}
	return name
}

// runImage is docker run --rm: what it printed and its exit code.
func runImage(tb testing.TB, args ...string) (string, int) {
	tb.Helper()
	out, err := exec.Command("docker", append([]string{"run", "--rm"}, args...)...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		tb.Fatal(err)
	}
	if exit != nil {
		return string(out), exit.ExitCode()
	}
	return string(out), 0
}

func TestImageHasAtMost20MBCompressed(t *testing.T) {
	is := is.New(t)
	archive := saveArchive(t, mustRelease(t))
	size := gzipped(t, archive)
	t.Logf("docker save | gzip: %.2f MB; not compressed: %.2f MB", float64(size)/1e6, float64(len(archive))/1e6)
	is.True(size <= 20e6)
}

func TestImageHoldsOneStaticProgramAndNothingElseToRun(t *testing.T) {
	image := mustRelease(t)
	saved := save(t, image)

	t.Run("three files", func(t *testing.T) {
		is := is.New(t)
		var names []string
		for _, f := range saved.files {
			names = append(names, f.name)
		}
		slices.Sort(names)
		is.Equal(names, []string{"/ccm-api", "/etc/passwd", "/etc/ssl/certs/ca-certificates.crt"}) // time zones are inside of ccm-api
	})
	t.Run("nothing setuid or setgid, and one executable", func(t *testing.T) {
		is := is.New(t)
		for _, f := range saved.files {
			is.Equal(f.mode&(fs.ModeSetuid|fs.ModeSetgid), fs.FileMode(0))
			is.Equal(f.executable(), f.name == "/ccm-api")
		}
	})
	t.Run("a static program", func(t *testing.T) {
		is := is.New(t)
		program, err := elf.NewFile(bytes.NewReader(saved.find(t, "/ccm-api").data))
		is.NoErr(err)
		is.True(!needsLoader(program))
	})
	t.Run("no shell answers", func(t *testing.T) {
		is := is.New(t)
		out, code := runImage(t, "--entrypoint", "/bin/sh", image, "-c", "echo hola")
		is.True(code != 0)
		is.True(!strings.Contains(out, "hola"))
	})
	t.Run("it runs as 65532", func(t *testing.T) {
		is := is.New(t)
		is.Equal(saved.config.Config.User, "65532:65532")
		is.Equal(saved.config.Architecture, runtime.GOARCH)
	})
	t.Run("it says what it is", func(t *testing.T) {
		is := is.New(t)
		labels := saved.config.Config.Labels
		is.Equal(labels["org.opencontainers.image.title"], "ccm-api")
		is.Equal(labels["org.opencontainers.image.source"], builtSource)
		is.Equal(labels["org.opencontainers.image.licenses"], "MIT")
		is.Equal(labels["org.opencontainers.image.version"], builtVersion)
		is.Equal(labels["org.opencontainers.image.revision"], builtCommit)
		out, code := runImage(t, image, "version")
		is.Equal(code, 0)
		is.True(strings.HasPrefix(out, "ccm-api "+builtVersion+"+"+builtCommit+" ("))
	})
	t.Run("it knows the time zones", func(t *testing.T) {
		is := is.New(t)
		out, code := runImage(t, "--env", "CCM_TIMEZONE=Asia/Tokyo", image, "doctor")
		is.Equal(code, 1) // there is no database
		is.True(strings.Contains(out, "(JST)"))
	})
}

// needsLoader: the program is not whole by itself.
func needsLoader(program *elf.File) bool {
	return slices.ContainsFunc(program.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC }) ||
		slices.ContainsFunc(program.Sections, func(s *elf.Section) bool { return s.Type == elf.SHT_DYNAMIC })
}

func TestImageTrustsMozillasRootsAndNoOthers(t *testing.T) {
	image := mustRelease(t)
	bundle := save(t, image).find(t, "/etc/ssl/certs/ca-certificates.crt").data
	roots := certificates(t, bundle)
	listed := certificates(t, []byte(docker(t, "run", "--rm", "golang:1.26", "sh", "-c", "cat "+mozilla+"/*.crt")))

	t.Run("the same certificates, not what else the builder trusts", func(t *testing.T) {
		is := is.New(t)
		is.True(len(listed) > 100)
		is.Equal(beyond(listed, roots), nil) // roots that are missing
		is.Equal(beyond(roots, listed), nil) // roots that are nobody's
		builder := certificates(t, []byte(docker(t, "run", "--rm", "golang:1.26", "cat", "/etc/ssl/certs/ca-certificates.crt")))
		t.Logf("Mozilla lists %d roots; the builder trusts %d others", len(listed), len(beyond(builder, listed)))
	})

	// A Telegram whose certificate nobody signed.
	fake := telegramtest.New()
	server := httptest.NewUnstartedServer(fake)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // that it is refused is the point
	server.StartTLS()
	t.Cleanup(server.Close)
	doctor := func(t *testing.T, args ...string) string {
		out, _ := runImage(t, append(args, "--network", "host", "--env", "TELEGRAM_API_URL="+server.URL,
			"--env", "TELEGRAM_BOT_TOKEN="+fake.Token, "--env", "TELEGRAM_CHAT_ID=-100", image, "doctor")...)
		return out
	}
	t.Run("a server that none of them signed is refused", func(t *testing.T) {
		is := is.New(t)
		out := doctor(t)
		is.True(strings.Contains(out, "certificate signed by unknown authority"))
		is.True(!strings.Contains(out, "@ccm_prueba_bot"))
	})
	t.Run("that file is what decides", func(t *testing.T) {
		is := is.New(t)
		file := filepath.Join(t.TempDir(), "roots.crt")
		own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		is.NoErr(os.WriteFile(file, slices.Concat(bundle, own), 0o644))
		out := doctor(t, "--volume", file+":/etc/ssl/certs/ca-certificates.crt:ro")
		is.True(strings.Contains(out, "@ccm_prueba_bot"))
	})
}

// certificates are the subjects of a PEM bundle by the hash of the certificate.
func certificates(tb testing.TB, bundle []byte) map[string]string {
	tb.Helper()
	found := map[string]string{}
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			tb.Fatal(err)
		}
		found[fmt.Sprintf("%x", sha256.Sum256(c.Raw))] = c.Subject.String()
	}
	return found
}

// beyond are the subjects of the certificates in a that are not in b.
func beyond(a, b map[string]string) (subjects []string) {
	for sum, subject := range a {
		if _, known := b[sum]; !known {
			subjects = append(subjects, subject)
		}
	}
	slices.Sort(subjects)
	return subjects
}
