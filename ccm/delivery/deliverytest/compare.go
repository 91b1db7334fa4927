package deliverytest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
)

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sameError compares what answers are made of.
func sameError(t *testing.T, got, want error) {
	t.Helper()
	is := is.New(t)
	if want == nil {
		is.NoErr(got)
		return
	}
	is.True(got != nil)
	is.Equal(got.Error(), want.Error())
	a, ok := errors.AsType[*ccm.Error](got)
	is.True(ok)
	b, _ := errors.AsType[*ccm.Error](want)
	is.Equal(a.Code, b.Code)
	is.Equal(a.Message, b.Message)
	is.Equal(errors.Is(got, context.DeadlineExceeded), errors.Is(want, context.DeadlineExceeded))
	x, hasX := errors.AsType[*telegram.Error](got)
	y, hasY := errors.AsType[*telegram.Error](want)
	is.Equal(hasX, hasY)
	if hasX {
		x, y := *x, *y
		x.Err, y.Err = nil, nil
		is.Equal(x, y)
	}
}
