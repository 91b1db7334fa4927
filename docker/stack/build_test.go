package stack_test

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
)

// edit replaces what must be there, or the test would show nothing.
func edit(tb testing.TB, file, old, replacement string) {
	tb.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	if !bytes.Contains(text, []byte(old)) {
		tb.Fatalf("%s has no %s", file, old)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte(old), []byte(replacement)), 0o644); err != nil {
		tb.Fatal(err)
	}
}

// appendTo adds text at the end of a file.
func appendTo(tb testing.TB, file, text string) {
	tb.Helper()
	old, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(file, append(old, text...), 0o644); err != nil {
		tb.Fatal(err)
	}
}

// programOf is the digest of the /ccm-api that a checkout gives. It does without
// --no-cache, which on an Engine 20.10 throws away what every build on the
// machine has compiled.
func programOf(tb testing.TB, dir, version string) string {
	tb.Helper()
	out, began := tb.TempDir(), time.Now()
	if err := build(dir, "--target", "ccm-api", "--build-arg", "VERSION="+version, "--output", "type=local,dest="+out); err != nil {
		tb.Fatal(err)
	}
	program, err := os.ReadFile(filepath.Join(out, "ccm-api"))
	if err != nil {
		tb.Fatal(err)
	}
	digest := fmt.Sprintf("%x", sha256.Sum256(program))
	tb.Logf("version %s, sha256 %s, %.0f s", version, digest, time.Since(began).Seconds())
	return digest
}

func TestTwoBuildsOfTheSameSourcesGiveTheSameProgram(t *testing.T) {
	needCompose(t)
	is := is.New(t)
	here, err := checkout()
	is.NoErr(err)
	first := programOf(t, here, builtVersion)
	is.True(programOf(t, here, builtVersion+"1") != first) // what is stamped is part of it

	// Another clone, in another place. Neither Docker nor Go may take anything of
	// ours from the first build, or the test would prove nothing: so each file gets
	// a comment at its end, which is compiled anew and changes no program.
	elsewhere := t.TempDir()
	is.NoErr(copyTree(elsewhere))
	edit(t, filepath.Join(elsewhere, "docker/Dockerfile"), "WORKDIR /src", "WORKDIR /otro/lugar")
	is.NoErr(filepath.WalkDir(elsewhere, func(file string, _ fs.DirEntry, err error) error {
		if filepath.Ext(file) == ".go" {
			appendTo(t, file, fmt.Sprintln("// copied at", time.Now().UnixNano()))
		}
		return err
	}))
	is.Equal(programOf(t, elsewhere, builtVersion), first)
}

func TestImageForArm64IsMadeWithoutAnEmulator(t *testing.T) {
	needCompose(t)
	is := is.New(t)
	dir, err := checkout()
	is.NoErr(err)
	name := "ccm-api:" + tag + "-arm64"
	t.Cleanup(func() { docker(t, "image", "rm", "--force", name) })
	began := time.Now()
	is.NoErr(build(dir, "--platform", "linux/arm64", "--tag", name))
	t.Logf("built in %.0f s", time.Since(began).Seconds())
	saved := save(t, name)
	is.Equal(saved.config.Architecture, "arm64")
	program, err := elf.NewFile(bytes.NewReader(saved.find(t, "/ccm-api").data))
	is.NoErr(err)
	is.Equal(program.Machine, elf.EM_AARCH64)
	is.True(!needsLoader(program))
	is.True(strings.HasPrefix(saved.config.Config.User, "65532"))
}
