package httpapi_test

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// misfit says how a JSON value breaks a schema of the document; "" if it does
// not. It knows as much of JSON Schema as the document uses.
func misfit(doc map[string]any, schema map[string]any, value any) string {
	if ref, ok := schema["$ref"].(string); ok {
		return misfit(doc, resolve(doc, ref), value)
	}
	if options, ok := schema["anyOf"].([]any); ok {
		var all []string
		for _, s := range options {
			bad := misfit(doc, s.(map[string]any), value)
			if bad == "" {
				return ""
			}
			all = append(all, bad)
		}
		return strings.Join(all, "; ")
	}
	if kinds := schema["type"]; kinds != nil && !hasKind(kinds, value) {
		return fmt.Sprintf("%v is no %v", value, kinds)
	}
	if choices, ok := schema["enum"].([]any); ok && !slices.Contains(choices, value) {
		return fmt.Sprintf("%v is none of %v", value, choices)
	}
	switch v := value.(type) {
	case float64:
		if low, ok := schema["minimum"].(float64); ok && v < low {
			return fmt.Sprintf("%v is under %v", v, low)
		}
		if high, ok := schema["maximum"].(float64); ok && v > high {
			return fmt.Sprintf("%v is over %v", v, high)
		}
	case string:
		if pattern, ok := schema["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(v) {
			return fmt.Sprintf("%q does not match %s", v, pattern)
		}
	case []any:
		for i, item := range v {
			if items, ok := schema["items"].(map[string]any); ok {
				if bad := misfit(doc, items, item); bad != "" {
					return fmt.Sprintf("[%d]: %s", i, bad)
				}
			}
		}
	case map[string]any:
		return misfitObject(doc, schema, v)
	}
	return ""
}

func misfitObject(doc, schema, value map[string]any) string {
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, ok := value[name.(string)]; !ok {
			return fmt.Sprintf("%v is missing", name)
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for name, inner := range value {
		property, ok := properties[name].(map[string]any)
		if !ok {
			if len(properties) > 0 {
				return name + " is in no schema"
			}
			continue
		}
		if bad := misfit(doc, property, inner); bad != "" {
			return name + ": " + bad
		}
	}
	return ""
}

func hasKind(kinds, value any) bool {
	var is []string
	switch v := value.(type) {
	case nil:
		is = []string{"null"}
	case bool:
		is = []string{"boolean"}
	case string:
		is = []string{"string"}
	case []any:
		is = []string{"array"}
	case map[string]any:
		is = []string{"object"}
	case float64:
		is = []string{"number"}
		if v == math.Trunc(v) {
			is = append(is, "integer")
		}
	}
	list, ok := kinds.([]any)
	if !ok {
		list = []any{kinds}
	}
	return slices.ContainsFunc(list, func(kind any) bool { return slices.Contains(is, kind.(string)) })
}

// resolve is what a $ref of the document leads to; nil if nowhere.
func resolve(doc map[string]any, ref string) map[string]any {
	return at(doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
}
