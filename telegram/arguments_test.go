package telegram_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram"
)

func TestCallRefusesWhatCannotWork(t *testing.T) {
	var me struct{ Username string }
	upload := func(f telegram.File) map[string]any { return map[string]any{"document": f} }
	for name, tt := range map[string]struct {
		in, out any
		want    string
	}{
		"a result by value":        {nil, me, "invalid out: it must be a pointer to where the result belongs, or nil"},
		"a result in a map":        {nil, map[string]any{}, "invalid out: it must be a pointer to where the result belongs, or nil"},
		"a result at nil":          {nil, (*int)(nil), "invalid out: it must be a pointer to where the result belongs, or nil"},
		"arguments in a string":    {"text", nil, "invalid in: it must be a map or a struct, which name the arguments"},
		"arguments in a slice":     {[]int{1}, nil, "invalid in: it must be a map or a struct, which name the arguments"},
		"a number":                 {7, nil, "invalid in: it must be a map or a struct, which name the arguments"},
		"raw JSON of another kind": {json.RawMessage(" true"), nil, "invalid in: it must be a map or a struct, which name the arguments"},
		"a File alone":             {telegram.File{Reader: strings.NewReader("x")}, nil, "invalid in: it must be a map or a struct, which name the arguments"},
		"a buffer that is nil":     {upload(telegram.File{Reader: (*bytes.Buffer)(nil)}), nil, "invalid in.document: File.Reader is nil"},
		"a file that is nil":       {upload(telegram.File{Reader: (*os.File)(nil)}), nil, "invalid in.document: File.Reader is nil"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			b, w := newWire(t, accepts)
			err := b.Call(t.Context(), "sendDocument", tt.in, tt.out)
			is.True(errors.Is(err, telegram.ErrInvalid))
			is.True(strings.Contains(err.Error(), tt.want))
			is.Equal(len(w.got), 0)
		})
	}
}

func TestCallTakesWhatHoldsArguments(t *testing.T) {
	is := is.New(t)
	var body string
	b := mustBot(t, telegram.Config{Token: token, BaseURL: serveBody(t, func(_ *http.Request, got string) string {
		body = strings.TrimSpace(got)
		return `{"ok":true,"result":{"id":7}}`
	})})
	type args struct {
		ID int `json:"id"`
	}
	for want, all := range map[string][]any{
		`{"id":7}`: {args{7}, &args{7}, map[string]int{"id": 7}, json.RawMessage(` {"id": 7}`)},
		`{}`:       {nil, (*args)(nil), map[string]any(nil), struct{}{}},
	} {
		for _, in := range all {
			var out args
			is.NoErr(b.Call(t.Context(), "getMe", in, &out))
			is.Equal(body, want)
			is.Equal(out, args{7})
		}
	}
}
