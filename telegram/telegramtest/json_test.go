package telegramtest_test

import (
	"net/http"
	"testing"

	"github.com/matryer/is"
)

// Half of a character in JSON is what a client sends that cuts texts by UTF-16.
func TestStringsInJSONAreReadAsByTelegram(t *testing.T) {
	for literal, want := range map[string]string{
		`"\ud83d"`:                      "Bad Request: strings must be encoded in UTF-8",
		`"x\udc00"`:                     "Bad Request: strings must be encoded in UTF-8",
		`"\ud83d\n"`:                    "Bad Request: strings must be encoded in UTF-8",
		`"\ud83d\u0041"`:                "Bad Request: strings must be encoded in UTF-8",
		"\"\xed\xa0\xbd\"":              "Bad Request: strings must be encoded in UTF-8",
		"\"\xff\"":                      "Bad Request: strings must be encoded in UTF-8",
		`"\ud83c\uDF82 \uD83C\udf82"`:   "🎂 🎂",
		`"\\ud83d \"\/\u00e9\ufffd\tñ"`: `\ud83d "/é` + "\ufffd ñ",
		`"\u0041\u000ab"`:               "A\nb",
		`"a"`:                           "a",
		`25.50`:                         "25.50",
		`true`:                          "true",
	} {
		t.Run(literal, func(t *testing.T) {
			is := is.New(t)
			s := known()
			code, got := do(t, s, as("application/json", "/bot"+s.Token+"/sendMessage", `{"chat_id":5,"text":`+literal+`}`))
			if code != http.StatusOK {
				is.Equal(got.Description, want)
				is.Equal(len(s.Messages(private)), 0)
				return
			}
			is.Equal(s.Last(private).Text, want)
		})
	}
	is := is.New(t)
	s := known()
	_, got := do(t, s, as("application/json", "/bot"+s.Token+"/sendMessage", `{"chat_id":5,"parse_mode":"HTML","text":"\ud83d"}`))
	is.Equal(got.Description, "Bad Request: text must be encoded in UTF-8")
	_, got = do(t, s, as("application/json", "/bot"+s.Token+"/sendMessage", `{"chat_id":99,"text":"\ud83d"}`))
	is.Equal(got.Description, "Bad Request: chat not found") // before the text is looked at
}
