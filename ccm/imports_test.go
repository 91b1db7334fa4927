package ccm_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// linked are the modules that importing ccm may link, each with its reason
// (architecture: the facade stays light).
var linked = map[string]string{
	"github.com/ccmwf/ccm":             "ourselves",
	"github.com/go-sql-driver/mysql":   "store: the driver",
	"filippo.io/edwards25519":          "the driver's, for MariaDB's ed25519 login",
	"github.com/redis/go-redis/v9":     "cache: Redis",
	"github.com/cespare/xxhash/v2":     "go-redis's",
	"github.com/dgryski/go-rendezvous": "go-redis's",
	"golang.org/x/sys":                 "go-redis's, by cpu detection",
	"go.uber.org/atomic":               "go-redis's",
	"github.com/maypok86/otter/v2":     "cache: memory",
	"golang.org/x/oauth2":              "oauth",
	"golang.org/x/time":                "telegram: rates",
	"github.com/rivo/uniseg":           "telegram: what a reader sees as one character",
}

func TestImportingCCMLinksLittle(t *testing.T) {
	is := is.New(t)
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{$.ImportPath}}{{end}}", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	packages := 0
	for line := range strings.Lines(string(out)) {
		module, path, found := strings.Cut(strings.TrimSpace(line), " ")
		if !found {
			continue
		}
		packages++
		if linked[module] == "" {
			t.Errorf("%s is linked, of a module that is not on the list", path)
		}
		for _, heavy := range []string{"/httpapi", "/migrate", "/telegramtest", "/storetest", "/oauthtest"} {
			is.True(!strings.HasPrefix(path, "github.com/ccmwf/ccm") || !strings.HasSuffix(path, heavy))
		}
	}
	is.True(packages > 10)
}
