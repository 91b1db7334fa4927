package httpapi

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// field is one value that a request may carry. The same table reads bodies and
// query strings and describes them in the OpenAPI document.
type field struct {
	name     string
	doc      string
	kind     kind
	required bool
	zero     any            // taken when the value is absent or null
	min, max int            // of an integer; max also of a text, in characters
	enum     []string       // of a choice
	zone     *time.Location // of a moment that is a day
	wholeDay bool           // such a day counts to its end
}

type kind uint8

const (
	integer kind = iota
	boolean
	text
	choice
	moment
	generation
)

// values are the fields of one request, read.
type values map[string]any

func (v values) int(name string) int        { n, _ := v[name].(int); return n }
func (v values) bool(name string) bool      { b, _ := v[name].(bool); return b }
func (v values) string(name string) string  { s, _ := v[name].(string); return s }
func (v values) time(name string) time.Time { t, _ := v[name].(time.Time); return t }

// read takes the fields from raw and leaves the rest alone. All faults are
// named at once, at "body." or "query.".
func read(fields []field, raw map[string]any, place string) (values, []fault) {
	in := make(values, len(fields))
	var faults []fault
	for _, f := range fields {
		value, complaint := f.read(raw[f.name])
		if complaint != "" {
			faults = append(faults, fault{place + "." + f.name, complaint})
		}
		in[f.name] = value
	}
	return in, faults
}

// read is the value, or what it should have been.
func (f field) read(raw any) (value any, complaint string) {
	if raw == nil {
		if f.required {
			return nil, "es obligatorio"
		}
		return f.zero, ""
	}
	switch f.kind {
	case integer:
		if n, ok := toInteger(raw); ok && n >= f.min && n <= f.max {
			return n, ""
		}
		return nil, f.rangeText()
	case boolean:
		if b, ok := toBoolean(raw); ok {
			return b, ""
		}
		return nil, "debe ser true o false"
	case choice:
		s, _ := raw.(string)
		if s = strings.ToLower(strings.TrimSpace(s)); slices.Contains(f.enum, s) {
			return s, ""
		}
		return nil, "debe ser uno de: " + strings.Join(f.enum, ", ")
	case moment:
		if at, ok := toMoment(raw, f.zone, f.wholeDay); ok {
			return at, ""
		}
		return nil, momentText
	case generation:
		s, _ := raw.(string)
		if at, err := time.Parse(generationForm, strings.TrimSpace(s)); err == nil {
			return at, ""
		}
		return nil, "debe ser una fecha AAAAMMDD, como 20261127"
	default:
		s, ok := raw.(string)
		if !ok {
			return nil, "debe ser un texto"
		}
		if strings.TrimSpace(s) == "" {
			return nil, "no puede estar vacío"
		}
		if utf8.RuneCountInString(s) > f.max {
			return nil, fmt.Sprintf("no puede pasar de %d caracteres", f.max)
		}
		return s, ""
	}
}

func (f field) rangeText() string {
	if f.max == math.MaxInt32 {
		return fmt.Sprintf("debe ser un entero desde %d", f.min)
	}
	return fmt.Sprintf("debe ser un entero entre %d y %d", f.min, f.max)
}

// schema describes the field. What the reader also accepts beside it ("14" for
// 14) is said in words in the operation, not promised by the schema.
func (f field) schema() *huma.Schema {
	s := &huma.Schema{Description: f.doc, Default: f.zero, Nullable: !f.required}
	switch f.kind {
	case integer:
		low, high := float64(f.min), float64(f.max)
		s.Type, s.Minimum, s.Maximum = huma.TypeInteger, &low, &high
	case boolean:
		s.Type = huma.TypeBoolean
	case choice:
		s.Type = huma.TypeString
		for _, v := range f.enum {
			s.Enum = append(s.Enum, v)
		}
		s.Enum = append(s.Enum, nil) // null is the default here too
	case moment:
		s.Type = huma.TypeString
	case generation:
		s.Type, s.Pattern = huma.TypeString, `^\d{8}$`
	default:
		s.Type, s.Pattern, s.MaxLength = huma.TypeString, `\S`, &f.max
	}
	return s
}

// toInteger reads 14, 45.0, "14" and "45.0" as pydantic does; true is no
// integer here, since nobody means one by it.
func toInteger(raw any) (int, bool) {
	switch v := raw.(type) {
	case json.Number:
		if n, err := strconv.Atoi(v.String()); err == nil {
			return n, true
		}
		x, err := v.Float64()
		if err != nil || x != math.Trunc(x) || math.Abs(x) > math.MaxInt32 {
			return 0, false
		}
		return int(x), true
	case string:
		digits, zeros, _ := strings.Cut(strings.TrimSpace(v), ".")
		n, err := strconv.Atoi(digits)
		return n, err == nil && strings.Trim(zeros, "0") == ""
	}
	return 0, false
}

// toBoolean reads true, 1, 1.0, "true", "on", "yes", "sí" and their opposites.
func toBoolean(raw any) (value, ok bool) {
	switch v := raw.(type) {
	case bool:
		return v, true
	case json.Number:
		n, whole := toInteger(v)
		return n == 1, whole && (n == 0 || n == 1)
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "1", "true", "t", "yes", "y", "on", "sí", "si":
			return true, true
		case "0", "false", "f", "no", "n", "off":
			return false, true
		}
	}
	return false, false
}

const dayForm = "2006-01-02"

// toMoment reads a day of a zone, or a time with its offset. Where a day is the
// end of something it counts whole.
func toMoment(raw any, zone *time.Location, wholeDay bool) (time.Time, bool) {
	s, _ := raw.(string)
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at, true
	}
	day, err := time.ParseInLocation(dayForm, s, zone)
	if err != nil {
		return time.Time{}, false
	}
	if wholeDay {
		day = day.AddDate(0, 0, 1)
	}
	return day, true
}

// momentText is what a moment should have been.
const momentText = "debe ser un día (2026-11-24) o un instante con su zona (2026-11-24T08:00:00-06:00)"
