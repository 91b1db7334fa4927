package stack_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// decoys are what lies about in a working copy and is nobody's business.
var decoys = []string{
	".env", ".env.prod", "examples/.env", "cmd/ccm-api/.env", "cmd/ccm-api/prod.env", "docker/dev/otro.env",
	"secretos/telegram_bot_token", "docker/google/credentials.json", "credentials/a.json", "google/token.json",
	"ccm/token.pickle", "x.pem", "oauth/client_secret.json", "oauth/key.p12", "telegram/id_rsa", "store/respaldo.sql",
	"store/queries/personas.csv", "ccm/httpapi/page/config.json", "cache/dump.rdb", "examples/notas.txt",
	".git/config", "ccm/.git/hooks/x.go", "cmd/.idea/x.go", "ccm/testdata/x.go", "store/secreto_test.go",
	"node_modules/a/index.js", "ccm/httpapi/node_modules/a/index.go", "ccm-api", "cmd/ccm-api/ccm-api", "cmd/ccm-api/core",
}

// source is the form of what may go to the builder.
var source = regexp.MustCompile(`^((examples/)?go\.(mod|sum)|.*\.(go|sql|lua|html|js))$`)

// withDecoys is a checkout with decoys that hold every canary.
func withDecoys(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	if err := copyTree(dir); err != nil {
		tb.Fatal(err)
	}
	secrets := ""
	for _, c := range canaries {
		secrets += fmt.Sprintf("%s='%s'\n", c.of, c)
	}
	for _, name := range decoys {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(secrets), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// probe builds another Dockerfile on a checkout.
func probe(tb testing.TB, dir, dockerfile string, args ...string) {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "Dockerfile")
	if err := os.WriteFile(file, []byte(dockerfile), 0o644); err != nil {
		tb.Fatal(err)
	}
	docker(tb, append([]string{"buildx", "build", "--file", file}, append(args, dir)...)...)
}

// sent are the files that a build of the checkout would get.
func sent(tb testing.TB, dir string) []string {
	tb.Helper()
	out := tb.TempDir()
	probe(tb, dir, "FROM scratch\nCOPY . /\n", "--output", "type=local,dest="+out)
	var names []string
	if err := filepath.WalkDir(out, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, strings.TrimPrefix(file, out+"/"))
		}
		return err
	}); err != nil {
		tb.Fatal(err)
	}
	return names
}

func TestOnlySourcesGoToTheBuilder(t *testing.T) {
	needCompose(t)
	is := is.New(t)
	clone, err := checkout()
	is.NoErr(err)
	clean := sent(t, clone)
	t.Logf("%d files go to the builder", len(clean))
	is.True(len(clean) > 100)
	for _, name := range clean {
		if !source.MatchString(name) || strings.HasSuffix(name, "_test.go") {
			t.Errorf("%s goes to the builder, and is no source", name)
		}
	}
	dir := withDecoys(t)
	is.Equal(without(sent(t, dir), clean), nil) // decoys that came along

	is.NoErr(os.Remove(filepath.Join(dir, ".dockerignore")))
	is.Equal(len(without(decoys, sent(t, dir))), 0) // it is .dockerignore that keeps them out
}

// without are those of all that are not in some.
func without(all, some []string) (rest []string) {
	for _, name := range all {
		if !slices.Contains(some, name) {
			rest = append(rest, name)
		}
	}
	return rest
}

func TestImageKeepsNoSecretOfWhoBuildsIt(t *testing.T) {
	needCompose(t)
	dir := withDecoys(t)
	// Both images, as compose.yaml builds them: their settings are in the
	// environment too.
	mine := tag + "-secretos"
	compose := exec.Command("docker", "compose", "--project-name", "ccm-"+mine, "--profile", "dev", "build")
	compose.Dir, compose.Env = dir, append(os.Environ(), "CCM_TAG="+mine)
	for _, c := range canaries {
		compose.Env = append(compose.Env, c.of+"="+c.String(), "DB_PASSWORD="+c.String())
	}
	out, err := compose.CombinedOutput()
	if err != nil {
		t.Fatalf("docker compose build: %v\n%s", err, out)
	}
	for _, image := range []string{"ccm-api:" + mine, "ccm-sandbox:" + mine} {
		t.Cleanup(func() { docker(t, "image", "rm", "--force", image) })
		t.Run(strings.Split(image, ":")[0], func(t *testing.T) { searchImage(t, image) })
	}
	t.Run("a careless image would show them", func(t *testing.T) {
		is := is.New(t)
		is.NoErr(os.Remove(filepath.Join(dir, ".dockerignore")))
		careless := "ccm-api:" + mine + "-descuidada"
		t.Cleanup(func() { docker(t, "image", "rm", "--force", careless) })
		probe(t, dir, "FROM scratch\nARG A B\nENV B=$B\nCOPY .env /\nCOPY go.mod /go.mod\n",
			"--build-arg", "A="+keyCanary.String(), "--build-arg", "B="+redisCanary.String(), "--tag", careless)
		is.True(len(leaks([]byte(save(t, careless).find(t, "/.env").data))) > 0)
		is.True(len(leaks([]byte(docker(t, "image", "inspect", careless)))) > 0)
		is.True(len(leaks([]byte(docker(t, "history", "--no-trunc", careless)))) > 0)
	})
}

// searchImage looks for canaries in all that an image is made of.
func searchImage(t *testing.T, image string) {
	t.Helper()
	noLeaks(t, "docker history", []byte(docker(t, "history", "--no-trunc", image)))
	noLeaks(t, "docker image inspect", []byte(docker(t, "image", "inspect", image)))
	saved := save(t, image)
	for _, m := range slices.Concat(saved.archive, saved.files) {
		if len(m.data) > 0 {
			noLeaks(t, m.name, m.data)
		}
	}
}
