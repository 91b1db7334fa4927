package ccm

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Setting describes one setting, for the tables in README.md and docs/.
type Setting struct {
	Name    string // canonical, upper case
	Default string // as it is written; "": there is none
	Doc     string // what it is, in one line
	Spanish string // the same, for operators
	Secret  bool   // its value is not for anybody's eyes
}

// Env reads settings as an existing .env writes them. Each NAME is looked up in
// upper case and then in lower; or NAME_FILE is, the path of a file with the
// value, such as a mounted secret. Both at once is a fault. Blanks around a
// value are dropped, and so is one pair of quotes, which docker's --env-file
// leaves there. An empty value is none.
//
// Faults are collected, so that a person sees all of them at once: see Err. No
// message shows a value.
type Env struct {
	lookup    func(string) (string, bool)
	faults    []error
	commented map[string]bool // settings whose value may hold a comment
}

// NewEnv returns an Env that looks names up as os.LookupEnv does.
func NewEnv(lookup func(string) (string, bool)) *Env {
	return &Env{lookup: lookup, commented: map[string]bool{}}
}

// String returns the value of a setting, zero if it has none.
func (e *Env) String(name, zero string) string {
	value, file := e.raw(name)
	if file != "" {
		value = e.readFile(name, file)
	}
	if value == "" {
		return zero
	}
	return value
}

// OneOf returns the one of allowed that the setting has, in any case; zero if it
// has no value.
func (e *Env) OneOf(name, zero string, allowed ...string) string {
	value := e.String(name, "")
	if value == "" {
		return zero
	}
	for _, a := range allowed {
		if strings.EqualFold(value, a) {
			return a
		}
	}
	e.Fail(name, "debe ser uno de: %s", strings.Join(allowed, ", "))
	return zero
}

var (
	yes = []string{"1", "true", "t", "yes", "y", "on", "sí", "si", "s"}
	no  = []string{"0", "false", "f", "no", "n", "off"}
)

// Bool returns the value of a switch: 1, true, t, yes, y, on, sí, s, or their
// opposites, in any case.
func (e *Env) Bool(name string, zero bool) bool {
	switch value := strings.ToLower(e.String(name, "")); {
	case value == "":
		return zero
	case slices.Contains(yes, value):
		return true
	case slices.Contains(no, value):
		return false
	}
	e.Fail(name, "debe ser true o false (también 1, yes, on, sí, o 0, no, off)")
	return zero
}

// Int returns a whole number from min to max.
func (e *Env) Int(name string, zero, min, max int) int {
	value := e.String(name, "")
	if value == "" {
		return zero
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < min || n > max {
		e.Fail(name, "debe ser un número entero de %d a %d", min, max)
		return zero
	}
	return n
}

// Duration returns a number of units from min to max, which may have decimals.
func (e *Env) Duration(name string, zero, unit time.Duration, min, max int) time.Duration {
	value := e.String(name, "")
	if value == "" {
		return zero
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(n) || n < float64(min) || n > float64(max) {
		e.Fail(name, "debe ser un número de %d a %d", min, max)
		return zero
	}
	return time.Duration(n * float64(unit))
}

// comment matches where one may begin: after a blank, a quoted value, or nothing.
var comment = regexp.MustCompile(`(^|[\s"'])#`)

// asksForComment ends the fault of a value that looks like «14 # the branch»:
// only a reader of .env files drops that.
const asksForComment = " (¿hay un comentario en la misma línea? En el entorno forma parte del valor: póngalo en una línea aparte)"

// Fail adds a fault of a setting's value, in Spanish; the arguments are no values
// of settings. Where the value may hold a comment, the fault asks for it.
func (e *Env) Fail(name, format string, args ...any) {
	if e.commented[name] {
		format += asksForComment
	}
	e.fault(name, format, args...)
}

// fault adds one that is not of the setting's value.
func (e *Env) fault(name, format string, args ...any) {
	e.faults = append(e.faults, errors.New(name+": "+fmt.Sprintf(format, args...)))
}

// Missing adds a fault of a setting that has no value, unless it has one that is
// wrong or could not be read: then that was said already.
func (e *Env) Missing(name, format string, args ...any) {
	for _, fault := range e.faults {
		if strings.HasPrefix(fault.Error(), name+":") || strings.HasPrefix(fault.Error(), name+"_FILE:") {
			return
		}
	}
	e.fault(name, format, args...)
}

// Err joins all faults; nil if there are none. Each is a line of its own and
// begins with the name of its setting.
func (e *Env) Err() error { return errors.Join(e.faults...) }

// raw returns the value of a setting, or the path that its NAME_FILE holds.
func (e *Env) raw(name string) (value, file string) {
	value, file = e.find(name), e.find(name+"_FILE")
	if value != "" && file != "" {
		e.fault(name, "también está %s_FILE: deje solo uno de los dos", name)
		return "", ""
	}
	e.commented[name] = comment.MatchString(value)
	return value, file
}

// find looks a name up in both cases; "" if it has no value in either.
func (e *Env) find(name string) string {
	for _, n := range []string{name, strings.ToLower(name)} {
		if value, ok := e.lookup(n); ok {
			if value = unquote(strings.TrimSpace(value)); value != "" {
				return value
			}
		}
	}
	return ""
}

// unquote drops one pair of quotes around a value.
func unquote(s string) string {
	if n := len(s); n >= 2 && s[0] == s[n-1] && (s[0] == '"' || s[0] == '\'') {
		return strings.TrimSpace(s[1 : n-1])
	}
	return s
}
