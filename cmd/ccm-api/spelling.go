package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ccmwf/ccm/ccm"
)

// environment looks variables up by their names in upper case, however the
// process was given them. One that has a value comes before one that has none,
// then one that is in upper case itself; see spelledTwice.
func environment(environ []string) func(string) (string, bool) {
	values := make(map[string]string, len(environ))
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		upper := strings.ToUpper(name)
		if blank(values[upper]) || name == upper && !blank(value) {
			values[upper] = value
		}
	}
	return func(name string) (string, bool) {
		value, ok := values[strings.ToUpper(name)]
		return value, ok
	}
}

func blank(value string) bool { return strings.TrimSpace(value) == "" }

// spelledTwice is a fault for each setting that somebody wrote in two spellings,
// such as DATABASE_URL and database_url, with different values.
func (a *app) spelledTwice(settings []ccm.Setting) error {
	given := map[string]string{}
	for _, entry := range a.environ {
		name, value, _ := strings.Cut(entry, "=")
		given[name] = value
	}
	return errors.Join(spelledTwice(given, settings, "el entorno"), spelledTwice(a.file, settings, a.filePath))
}

func spelledTwice(given map[string]string, settings []ccm.Setting, where string) error {
	spellings := map[string][]string{} // by the name in upper case
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if upper := strings.ToUpper(name); !blank(given[name]) {
			spellings[upper] = append(spellings[upper], name)
		}
	}
	var faults []error
	for _, s := range settings {
		for _, setting := range []string{s.Name, s.Name + "_FILE"} {
			names := spellings[setting]
			differs := func(name string) bool { return bare(given[name]) != bare(given[names[0]]) }
			if slices.ContainsFunc(names, differs) {
				faults = append(faults, fmt.Errorf("%s: está en %s como %s, con valores distintos: deje uno solo", setting, where, strings.Join(names, " y como ")))
			}
		}
	}
	return errors.Join(faults...)
}

// bare is a value without the quotes that ccm.Env drops.
func bare(value string) string { return strings.Trim(strings.TrimSpace(value), `"'`) }

// hiddenSecrets warns of secrets that the .env holds and the environment hides:
// somebody may think that they count, or that they are gone.
func (a *app) hiddenSecrets(e *examination) {
	env := environment(a.environ)
	written := map[string]bool{}
	for name, value := range a.file {
		if !blank(value) {
			written[strings.ToUpper(name)] = true
		}
	}
	for _, s := range allSettings() {
		if !s.Secret || !hasValue(env, s.Name) && !hasValue(env, s.Name+"_FILE") {
			continue
		}
		for _, name := range []string{s.Name, s.Name + "_FILE"} {
			if written[name] {
				e.add(finding{Name: s.Name, Status: warned, Detail: fmt.Sprintf("%s está en %s y no cuenta: manda el entorno", name, a.filePath),
					Fix: []string{"quítelo de " + a.filePath}})
			}
		}
	}
}
