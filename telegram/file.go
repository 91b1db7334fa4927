package telegram

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"reflect"
	"slices"
	"strings"
)

// File is the content of a document, a photo or another medium, as an argument
// of [Bot.Call]. It is read while it is sent, and never held in memory whole.
//
// A File is a value of the map, or a field of the struct, that holds the
// arguments. Where the Bot API wants one further down, such as in the media of
// sendMediaGroup, write "attach://" and the name of an argument there, and give
// the File as that argument.
type File struct {
	// Name is what the chat shows, such as "informe.pdf". Zero: the name of the
	// argument.
	Name string
	// Type is the MIME type. Zero: what the ending of Name stands for, else
	// application/octet-stream.
	Type string
	// Reader gives the content, once; it is not closed. One that tells its
	// length (a file, or by a method Len) is sent to that length, any other in
	// chunks. Once Call has returned nothing is read any more; a Read that hangs
	// is left behind.
	Reader io.Reader
}

// fileMark stands for each File in the JSON of the arguments. It is made of
// chance, so that no text can hold it.
var fileMark = []byte(`"file:` + rand.Text() + `"`)

// MarshalJSON is for Call, which replaces what it gives.
func (f File) MarshalJSON() ([]byte, error) { return fileMark, nil }

// uploadOf makes the multipart body of arguments that hold a File: raw is their
// JSON, with a mark for each. The others come first, so that a server can say
// no before it has read the content.
func uploadOf(in any, raw []byte) (*upload, error) {
	var args map[string]json.RawMessage
	_ = json.Unmarshal(raw, &args) // it is an object
	u := &upload{}
	form := multipart.NewWriter(&u.form)
	files := make(map[string]File)
	for _, name := range slices.Sorted(maps.Keys(args)) {
		value := args[name]
		switch {
		case bytes.Equal(value, fileMark):
			f, err := fileIn(in, name)
			if err != nil {
				return nil, err
			}
			files[name] = f
		case bytes.Contains(value, fileMark):
			return nil, invalid("in."+name, `a File is in it; give that as an argument of its own, and write "attach://" and its name here`)
		default:
			writeField(form, name, value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		u.addFile(form, name, files[name])
	}
	u.end(form)
	return u, nil
}

// writeField writes an argument as the Bot API reads it in a form: a string as
// it is, all else as JSON.
func writeField(form *multipart.Writer, name string, value json.RawMessage) {
	text := string(value)
	switch {
	case text == "null":
		return
	case strings.HasPrefix(text, `"`):
		_ = json.Unmarshal(value, &text) // it came from the encoder
	}
	_ = form.WriteField(name, text)
}

// fileIn finds the File that in has by the JSON name of an argument.
func fileIn(in any, name string) (File, error) {
	v := follow(reflect.ValueOf(in))
	switch v.Kind() {
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if fmt.Sprint(key) == name {
				return asFile(v.MapIndex(key), name)
			}
		}
	case reflect.Struct:
		for _, field := range reflect.VisibleFields(v.Type()) {
			tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if value, err := v.FieldByIndexErr(field.Index); err == nil && cmp.Or(tag, field.Name) == name && field.IsExported() {
				return asFile(value, name)
			}
		}
	}
	return File{}, invalid("in."+name, "the File cannot be found: it must be a value of a map, or a field of a struct, that is encoded as encoding/json does by itself")
}

func asFile(v reflect.Value, name string) (File, error) {
	f, ok := follow(v).Interface().(File)
	switch {
	case !ok:
		return File{}, invalid("in."+name, "it must be a File, or point to one")
	case f.Reader == nil, isNilPointer(f.Reader):
		return File{}, invalid("in."+name, "File.Reader is nil")
	case strings.ContainsFunc(f.Type, notInHeader):
		return File{}, invalid("in."+name, "File.Type is not a MIME type; an example is application/pdf")
	}
	return f, nil
}

func isNilPointer(r io.Reader) bool {
	v := reflect.ValueOf(r)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

func notInHeader(r rune) bool { return r < ' ' || r > '~' }

func follow(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	return v
}
