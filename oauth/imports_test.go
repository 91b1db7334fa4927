package oauth_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestImportsLittle holds what importing oauth links: x/oauth2 and what it needs,
// never Google's API packages.
func TestImportsLittle(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		switch module := strings.TrimSpace(line); module {
		case "", "github.com/ccmwf/ccm", "golang.org/x/oauth2":
		default:
			t.Errorf("a package of %s is linked", module)
		}
	}
}
