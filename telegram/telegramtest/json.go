package telegramtest

import (
	"encoding/json"
	"regexp"
	"strconv"
	"unicode/utf16"
)

// escape is an escape in a JSON string, with the one after it where both are
// halves of a character.
var escape = regexp.MustCompile(`\\(?:u[dD][89a-fA-F][0-9a-fA-F]{2}(?:\\u[dD][89a-fA-F][0-9a-fA-F]{2})?|u[0-9a-fA-F]{4}|[^u])`)

// plain is an argument as the server reads it: of a string what it stands for,
// of any other JSON the JSON. Half of a character stays half of one, which is no
// UTF-8 (tdlib/td, JsonBuilder.cpp, json_string_decode): encoding/json would mend it.
func plain(value json.RawMessage) string {
	if value[0] != '"' {
		return string(value)
	}
	return string(escape.ReplaceAllFunc(value[1:len(value)-1], unescape))
}

func unescape(found []byte) []byte {
	const half = len(`\ud83d`)
	if found[1] == 'u' {
		first, _ := strconv.ParseUint(string(found[2:half]), 16, 16)
		switch {
		case len(found) > half:
			second, _ := strconv.ParseUint(string(found[half+2:]), 16, 16)
			return []byte(string(rune(first&0x3ff<<10|second&0x3ff) + 0x10000))
		case utf16.IsSurrogate(rune(first)):
			return []byte{0xe0 | byte(first>>12), 0x80 | byte(first>>6&0x3f), 0x80 | byte(first&0x3f)}
		}
	}
	var text string
	_ = json.Unmarshal([]byte(`"`+string(found)+`"`), &text) // it is of a string that was valid
	return []byte(text)
}
