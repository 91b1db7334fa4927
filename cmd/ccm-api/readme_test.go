package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
)

var update = flag.Bool("update", false, "write the tables of settings anew")

// TestReadmeListsTheSettings keeps the tables of README and docs/ what the code
// says.
func TestReadmeListsTheSettings(t *testing.T) {
	for _, c := range []struct {
		path, titles string
		doc          func(ccm.Setting) string
	}{
		{"../../README.md", "| name | default | meaning |", func(s ccm.Setting) string { return s.Doc }},
		{"../../docs/ajustes.md", "| nombre | por omisión | qué es |", func(s ccm.Setting) string { return s.Spanish }},
	} {
		t.Run(c.path, func(t *testing.T) {
			is := is.New(t)
			data, err := os.ReadFile(c.path)
			is.NoErr(err)
			head, rest, found := strings.Cut(string(data), "<!-- settings:begin -->\n")
			is.True(found)
			_, tail, found := strings.Cut(rest, "<!-- settings:end -->")
			is.True(found)
			want := head + "<!-- settings:begin -->\n" + settingsTable(c.titles, c.doc) + "<!-- settings:end -->" + tail
			if *update {
				is.NoErr(os.WriteFile(c.path, []byte(want), 0o644))
			} else if want != string(data) {
				t.Error("the table of settings is not what the code says: go test ./cmd/ccm-api -run TestReadme -update")
			}
		})
	}
}

func settingsTable(titles string, doc func(ccm.Setting) string) string {
	var b strings.Builder
	b.WriteString(titles + "\n|---|---|---|\n")
	for _, s := range allSettings() {
		value := ""
		if s.Default != "" {
			value = "`" + s.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Name, value, doc(s))
	}
	return b.String()
}
