package telegramtest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// upload sends fields and one file, in a field of its own.
func upload(t *testing.T, s *telegramtest.Server, method, field, name string, data []byte, pairs ...string) reply {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile(field, name)
	if err == nil {
		_, err = part.Write(data)
	}
	for i := 0; i < len(pairs); i += 2 { // fields may come behind the file
		_ = form.WriteField(pairs[i], pairs[i+1])
	}
	if err != nil || form.Close() != nil {
		t.Fatal("no form")
	}
	r := httptest.NewRequest(http.MethodPost, "/bot"+s.Token+"/"+method, &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	_, got := do(t, s, r)
	return got
}

func picture(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestDocumentsAreKeptWithNameSizeAndHash(t *testing.T) {
	is := is.New(t)
	s := known()
	data := []byte("a;b\n1;2\n")
	answer := upload(t, s, "sendDocument", "document", "informe.csv", data, "chat_id", "-1003", "message_thread_id", "9",
		"caption", "<b>Informe</b>", "parse_mode", "HTML", "reply_markup", keyboard)
	m := s.Last(forum)
	sum := sha256.Sum256(data)
	is.Equal(m.File.Name, "informe.csv")
	is.Equal(m.File.MIME, "text/csv; charset=utf-8")
	is.Equal(m.File.Size, int64(8))
	is.Equal(m.File.SHA256, hex.EncodeToString(sum[:]))
	is.Equal(m.File.Data, data)
	is.Equal(m.Text, "Informe")
	is.Equal(m.Entities, []telegramtest.Entity{e("bold", 0, 7)})
	is.Equal(m.Thread, 9)
	is.Equal(m.Keyboard[0][0].Data, "si")
	is.Equal(answer.message(t).Caption, "Informe")
	is.True(strings.Contains(answer.text(), `"caption_entities":[{"type":"bold"`))
	is.True(strings.Contains(answer.text(), `"file_name":"informe.csv"`))
}

func TestAttachedFilesAreFoundByName(t *testing.T) {
	is := is.New(t)
	s := known()
	answer := upload(t, s, "sendPhoto", "lejos", "foto.png", picture(t), "chat_id", "5", "photo", "attach://lejos")
	is.True(strings.Contains(answer.text(), `"width":3`))
	is.True(strings.Contains(answer.text(), `"height":2`))
	is.Equal(s.Last(private).File.Kind, "photo")
	is.True(call(t, s, "sendPhoto", "chat_id", "5", "photo", s.Last(private).File.ID).OK) // again, by its id
	is.Equal(len(s.Messages(private)), 2)
	is.True(call(t, s, "editMessageCaption", "chat_id", "5", "message_id", "1", "caption", "pie").OK)
	is.Equal(s.Messages(private)[0].Text, "pie")
	is.Equal(call(t, s, "editMessageText", "chat_id", "5", "message_id", "1", "text", "x").Description, "Bad Request: there is no text in the message to edit")
}

func TestFilesAreRefusedAsByTelegram(t *testing.T) {
	is := is.New(t)
	s := known()
	s.AddChat(telegramtest.Chat{ID: -20, Type: "supergroup", Title: "Mudo", NoRights: true})
	photo := upload(t, s, "sendPhoto", "photo", "x.png", picture(t), "chat_id", "5")
	var m struct {
		Photo []struct {
			ID string `json:"file_id"`
		}
	}
	is.NoErr(json.Unmarshal(photo.Result, &m))
	for _, c := range []struct{ got, want string }{
		{call(t, s, "sendDocument", "chat_id", "5").Description, "there is no document in the request"},
		{call(t, s, "sendDocument", "chat_id", "5", "document", "attach://x").Description, "there is no document in the request"},
		{call(t, s, "sendDocument", "chat_id", "5", "document", "AgAD").Description, "wrong file identifier/HTTP URL specified"},
		{call(t, s, "sendDocument", "chat_id", "5", "document", m.Photo[0].ID).Description, "can't use file of type photo as document"},
		{call(t, s, "sendDocument", "chat_id", "5", "document", "https://x.org/a.pdf").Description, "failed to get HTTP URL content"},
		{upload(t, s, "sendDocument", "document", "x", nil, "chat_id", "5").Description, "file must be non-empty"},
		{upload(t, s, "sendPhoto", "photo", "x.png", []byte("no es foto"), "chat_id", "5").Description, "IMAGE_PROCESS_FAILED"},
		{upload(t, s, "sendPhoto", "photo", "x.png", make([]byte, 11<<20), "chat_id", "5").Description, "too big file size"},
		{upload(t, s, "sendDocument", "document", "x", []byte("x"), "chat_id", "5", "caption", strings.Repeat("x", 1025)).Description, "message caption is too long"},
		{upload(t, s, "sendDocument", "document", "x", []byte("x"), "chat_id", "-20").Description, "not enough rights to send documents to the chat"},
		{call(t, s, "getFile").Description, "file_id not specified"},
		{call(t, s, "getFile", "file_id", "x").Description, "invalid file_id"},
	} {
		is.Equal(c.got, "Bad Request: "+c.want)
	}
	is.Equal(upload(t, s, "sendDocument", "document", "x", make([]byte, 50<<20+1), "chat_id", "5").Code, http.StatusRequestEntityTooLarge)
}

func TestFilesCanBeDownloadedUpTo20MB(t *testing.T) {
	is := is.New(t)
	s := known()
	upload(t, s, "sendDocument", "document", "a.txt", []byte("hola"), "chat_id", "5")
	small := s.Last(private).File.ID
	var file struct {
		Path string `json:"file_path"`
	}
	is.NoErr(json.Unmarshal(call(t, s, "getFile", "file_id", small).Result, &file))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/file/bot"+s.Token+"/"+file.Path, nil))
	is.Equal(w.Body.String(), "hola")
	upload(t, s, "sendDocument", "document", "b.bin", make([]byte, 20<<20+1), "chat_id", "5")
	large := s.Last(private).File
	is.Equal(large.Size, int64(20<<20+1))
	is.Equal(large.Data, nil)
	is.Equal(call(t, s, "getFile", "file_id", large.ID).Description, "Bad Request: file is too big")
}
