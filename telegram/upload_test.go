package telegram_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ccmwf/ccm/telegram"
	"github.com/matryer/is"
)

// form is an upload as a server sees it.
type form struct {
	requests int
	length   int64
	parts    []string // "name=value", or "name: file name, type: content"
}

// serveForms reads forms, and answers that all is well.
func serveForms(tb testing.TB) (*telegram.Bot, *form) {
	got := new(form)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got.requests++
		got.length = r.ContentLength
		parts, err := r.MultipartReader()
		if err != nil {
			tb.Error(err)
			return
		}
		for {
			p, err := parts.NextPart()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					tb.Error(err)
				}
				break
			}
			content, _ := io.ReadAll(p)
			if p.FileName() == "" {
				got.parts = append(got.parts, p.FormName()+"="+string(content))
				continue
			}
			got.parts = append(got.parts, fmt.Sprintf("%s: %s, %s: %s", p.FormName(), p.FileName(), p.Header.Get("Content-Type"), content))
		}
		_, _ = io.WriteString(w, `{"ok":true,"result":{"message_id":7}}`)
	}))
	tb.Cleanup(s.Close)
	return mustBot(tb, telegram.Config{Token: token, BaseURL: s.URL}), got
}

func TestCallWithAFileIsAForm(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.txt")
	is.New(t).NoErr(os.WriteFile(file, []byte("hola"), 0o600))
	opened, err := os.Open(file)
	is.New(t).NoErr(err)
	defer opened.Close()

	type document struct {
		Chat     string            `json:"chat_id"`
		Caption  string            `json:"caption,omitempty"`
		Document *telegram.File    `json:"document"`
		Markup   map[string]string `json:"reply_markup,omitempty"`
	}
	for name, tt := range map[string]struct {
		in     any
		want   []string
		length bool
	}{
		"strings plain, all else as JSON, the file last": {
			map[string]any{
				"chat_id": group, "caption": "<b>ñ & \"x\"</b>\n", "a_file": telegram.File{Name: "a.pdf", Reader: strings.NewReader("%PDF")},
				"message_thread_id": 9, "protect_content": true, "parse_mode": nil, "zone": 1.5, "reply_markup": map[string]any{"inline_keyboard": [][]any{}},
			},
			[]string{"caption=<b>ñ & \"x\"</b>\n", "chat_id=" + group, "message_thread_id=9", "protect_content=true",
				`reply_markup={"inline_keyboard":[]}`, "zone=1.5", "a_file: a.pdf, application/pdf: %PDF"},
			true,
		},
		"a struct, as encoding/json reads it": {
			&document{Chat: "@canal", Document: &telegram.File{Reader: bytes.NewReader([]byte("x"))}},
			[]string{"chat_id=@canal", "document: document, application/octet-stream: x"},
			true,
		},
		"a length that is unknown": {
			map[string]any{"photo": telegram.File{Name: "ñ \"1\".png", Type: "image/x", Reader: iotest.OneByteReader(strings.NewReader("abc"))}},
			[]string{`photo: ñ "1".png, image/x: abc`},
			false,
		},
		"a file of the disk, and an empty one": {
			map[string]telegram.File{"b": {Reader: opened}, "c": {Reader: new(bytes.Buffer)}},
			[]string{"b: b, application/octet-stream: hola", "c: c, application/octet-stream: "},
			true,
		},
		"one that grew since it told its length": {
			map[string]any{"document": telegram.File{Reader: lengthy{strings.NewReader("abcdef"), 3}}},
			[]string{"document: document, application/octet-stream: abc"},
			true,
		},
		"several, named by attach": {
			map[string]any{
				"media": []map[string]string{{"type": "document", "media": "attach://uno"}, {"type": "document", "media": "attach://dos"}},
				"uno":   telegram.File{Reader: strings.NewReader("1")}, "dos": &telegram.File{Reader: strings.NewReader("2")},
			},
			[]string{`media=[{"media":"attach://uno","type":"document"},{"media":"attach://dos","type":"document"}]`,
				"dos: dos, application/octet-stream: 2", "uno: uno, application/octet-stream: 1"},
			true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			b, got := serveForms(t)
			var sent struct {
				ID int `json:"message_id"`
			}
			is.NoErr(b.Call(t.Context(), "sendDocument", tt.in, &sent))
			is.Equal(sent.ID, 7)
			is.Equal(got.parts, tt.want)
			is.Equal(got.length > 0, tt.length)
		})
	}
}

func TestCallRejectsAFileThatCannotBe(t *testing.T) {
	some := telegram.File{Reader: strings.NewReader("x")}
	for name, tt := range map[string]struct {
		in   any
		want string
	}{
		"without a Reader":              {map[string]any{"document": telegram.File{Name: "a"}}, "in.document: File.Reader is nil"},
		"with a type of no form":        {map[string]any{"document": telegram.File{Type: "a\r\nb", Reader: some.Reader}}, "in.document: File.Type"},
		"inside of something":           {map[string]any{"media": []any{map[string]any{"media": some}}}, `in.media: a File is in it; give that as an argument of its own, and write "attach://"`},
		"instead of arguments":          {some, "invalid in: it must be a map or a struct"},
		"in a type that encodes itself": {encodesItself{some}, "in.document: the File cannot be found"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			b, got := serveForms(t)
			err := b.Call(t.Context(), "sendDocument", tt.in, nil)
			is.True(errors.Is(err, telegram.ErrInvalid))
			is.True(strings.Contains(err.Error(), tt.want))
			is.Equal(got.requests, 0)
		})
	}
}

type encodesItself struct{ file telegram.File }

func (e encodesItself) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"document": e.file})
}

// endless gives zeros, and says how many were read.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	clear(p)
	e.read += int64(len(p))
	return len(p), nil
}

// lengthy is a Reader that tells its length.
type lengthy struct {
	io.Reader
	n int
}

func (l lengthy) Len() int { return l.n }

func TestAnUploadTakesNoMemory(t *testing.T) {
	const size = 100 << 20
	var got int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"ok":true,"result":true}`)
	}))
	defer s.Close()
	b := mustBot(t, telegram.Config{Token: token, BaseURL: s.URL})
	for name, reader := range map[string]io.Reader{
		"of a known length": lengthy{new(endless), size},
		"in chunks":         io.LimitReader(new(endless), size),
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			is.NoErr(b.Call(t.Context(), "sendDocument", map[string]any{"document": telegram.File{Reader: reader}}, nil))
			runtime.ReadMemStats(&after)
			is.True(got > size)
			taken := after.TotalAlloc - before.TotalAlloc
			t.Logf("100 MB: %d KB were allocated, by the server too", taken>>10)
			is.True(taken < 2<<20)
		})
	}
}

func TestOutcomeOfAnUpload(t *testing.T) {
	broken := errors.New("disk on fire")
	begin := strings.Repeat("x", 1<<20)
	const short = 50 * time.Millisecond
	over := make(chan struct{}) // a server that does not read never knows that its client has left
	reads := serve(t, answer(200, "application/json", `{"ok":true,"result":true}`))
	early := serveUnread(t, envelope(401, ""))
	stuck := serveUnread(t, func(http.ResponseWriter, *http.Request) { <-over })
	t.Cleanup(func() { close(over) })
	for name, tt := range map[string]struct {
		cfg    telegram.Config
		reader io.Reader
		want   telegram.Error
		is     error
	}{
		"a Reader that fails at once":          {telegram.Config{BaseURL: reads}, iotest.ErrReader(broken), telegram.Error{Outcome: telegram.NotSent}, broken},
		"a Reader that fails in the middle":    {telegram.Config{BaseURL: reads}, io.MultiReader(strings.NewReader(begin), iotest.ErrReader(broken)), telegram.Error{Outcome: telegram.NotSent}, broken},
		"a Reader that ends before its length": {telegram.Config{BaseURL: reads}, lengthy{strings.NewReader(begin), 2 << 20}, telegram.Error{Outcome: telegram.NotSent}, io.ErrUnexpectedEOF},
		"a Reader that hangs":                  {telegram.Config{BaseURL: reads, Timeout: short}, io.MultiReader(strings.NewReader(begin), hangingReader(t)), telegram.Error{Outcome: telegram.NotSent}, context.DeadlineExceeded},
		"a server that stops reading":          {telegram.Config{BaseURL: stuck, Timeout: short}, new(endless), telegram.Error{Outcome: telegram.NotSent}, context.DeadlineExceeded},
		"a connection that breaks in between":  {telegram.Config{BaseURL: serveUnread(t, cut(""))}, new(endless), telegram.Error{Outcome: telegram.NotSent}, nil},
		"nobody who listens":                   {telegram.Config{BaseURL: "http://127.0.0.1:1"}, strings.NewReader(begin), telegram.Error{Outcome: telegram.NotSent}, nil},
		"no answer to the whole of it":         {telegram.Config{BaseURL: serve(t, cut(""))}, strings.NewReader(begin), telegram.Error{Outcome: telegram.Uncertain}, nil},
		"no answer in time":                    {telegram.Config{BaseURL: serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), Timeout: short}, strings.NewReader(begin), telegram.Error{Outcome: telegram.Uncertain}, context.DeadlineExceeded},
		"a no before it was read":              {telegram.Config{BaseURL: early}, strings.NewReader("small"), telegram.Error{Code: 401, Outcome: telegram.Refused}, nil},
		"a proxy's no before it was read":      {telegram.Config{HTTP: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) { return says(413, "<html>")(r, 1) })}}, strings.NewReader(begin), telegram.Error{Code: 413, Outcome: telegram.NotSent}, nil},
		"a transport that tells nothing":       {telegram.Config{HTTP: &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.EOF })}}, strings.NewReader(begin), telegram.Error{Outcome: telegram.NotSent}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			tt.cfg.Token = token
			err := mustBot(t, tt.cfg).Call(t.Context(), "sendDocument", map[string]any{"chat_id": group, "document": telegram.File{Reader: tt.reader}}, nil)
			e := asError(t, err)
			is.Equal(telegram.Error{Code: e.Code, Outcome: e.Outcome}, tt.want)
			is.True(tt.is == nil || errors.Is(err, tt.is))
			checkNoSecret(t, err)
		})
	}
}

// serveUnread answers without reading the request.
func serveUnread(tb testing.TB, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	tb.Cleanup(s.Close)
	return s.URL
}

// hangingReader gives nothing until the test ends.
func hangingReader(tb testing.TB) io.Reader {
	r, w := io.Pipe()
	tb.Cleanup(func() { w.Close() })
	return r
}

// closes notes what is done to a Reader.
type closes struct {
	io.Reader
	closed bool
}

func (c *closes) Close() error {
	c.closed = true
	return nil
}

func TestTheReaderIsTheCallers(t *testing.T) {
	is := is.New(t)
	b, _ := serveForms(t)
	r := &closes{Reader: strings.NewReader("x")}
	is.NoErr(b.Call(t.Context(), "sendDocument", map[string]any{"document": telegram.File{Reader: r}}, nil))
	is.True(!r.closed)
}

func TestTheTimeOutOfAnUpload(t *testing.T) {
	const step = 10 * time.Second
	// A transport that takes a step for each read.
	slow := func(r *http.Request) (*http.Response, error) {
		traced(r, true)
		for buf := make([]byte, 1<<10); ; {
			select {
			case <-time.After(step):
			case <-r.Context().Done():
				return nil, context.Cause(r.Context())
			}
			if _, err := r.Body.Read(buf); err != nil {
				break
			}
		}
		return says(200, `{"ok":true,"result":true}`)(r, 1)
	}
	args := func() map[string]any {
		return map[string]any{"document": telegram.File{Reader: strings.NewReader(strings.Repeat("x", 10<<10))}}
	}
	bubble(t, "begins anew at each step", func(t *testing.T, is *is.I) {
		b := mustBot(t, telegram.Config{Token: token, HTTP: &http.Client{Transport: roundTripper(slow)}, Timeout: step + time.Second})
		begin := time.Now()
		is.NoErr(b.Call(t.Context(), "sendDocument", args(), nil))
		is.True(time.Since(begin) > 10*step)
	})
	bubble(t, "ends one that does not move", func(t *testing.T, is *is.I) {
		b := mustBot(t, telegram.Config{Token: token, HTTP: &http.Client{Transport: roundTripper(slow)}, Timeout: step - time.Second})
		begin := time.Now()
		err := b.Call(t.Context(), "sendDocument", args(), nil)
		is.Equal(asError(t, err).Outcome, telegram.NotSent)
		is.True(errors.Is(err, context.DeadlineExceeded))
		is.Equal(time.Since(begin), step-time.Second)
	})
	bubble(t, "is no longer than the caller's", func(t *testing.T, is *is.I) {
		b := mustBot(t, telegram.Config{Token: token, HTTP: &http.Client{Transport: roundTripper(slow)}, Timeout: step + time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 3*step/2)
		defer cancel()
		err := b.Call(ctx, "sendDocument", args(), nil)
		is.Equal(asError(t, err).Outcome, telegram.NotSent)
		is.True(errors.Is(err, context.DeadlineExceeded))
	})
}
